//! `countersign serve` as a process of its own, on a data directory of its own.

use std::{
    fs::{self, File, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{api::Api, workflows::Workflows};

/// How long a start may take before a test gives up; far more than it does, for a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A service that can be started, stopped and killed, again and again, with the same data and address.
pub struct Service {
    home: TempDir,
    address: SocketAddr,
    child: Option<Child>,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Service {
    /// Not started yet. Task tokens are answered at `workflows`.
    pub fn new(workflows: &Workflows) -> Service {
        let environment = vec![
            ("AWS_ENDPOINT_URL_SFN", workflows.url()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            // What the SDK tries again by itself is no matter here, and its pauses are long.
            ("AWS_MAX_ATTEMPTS", "1".to_owned()),
        ];
        let home = tempfile::tempdir().expect("a directory");
        Service { home, address: free_address(), child: None, arguments: Vec::new(), environment }
    }

    /// Started and ready.
    pub fn start_new(workflows: &Workflows) -> Service {
        let mut service = Service::new(workflows);
        service.start();
        service
    }

    /// A further argument of `serve`.
    pub fn argument(mut self, argument: &str) -> Service {
        self.arguments.push(argument.to_owned());
        self
    }

    /// A further variable of its environment.
    pub fn variable(mut self, name: &'static str, value: &str) -> Service {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Starts the process; returns once `/healthz` answers.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let out = self.log_file();
        let errors = out.try_clone().expect("a second handle");
        self.child = Some(self.command().stdout(out).stderr(errors).spawn().expect("the service starts"));
        let until = Instant::now() + START_MAX;
        while !self.is_ready() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("a status"));
            assert!(ended.is_none(), "the service ended by itself: {ended:?}\n{}", self.log());
            assert!(Instant::now() < until, "the service is not ready after {START_MAX:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// `countersign serve` as it would be started, without its output going anywhere.
    pub fn command(&self) -> Command {
        let mut command = countersign();
        command.args(["serve", "--listen", &self.address.to_string(), "--data"]).arg(self.data()).args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// `kill -9`, now.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        assert_eq!(child.try_wait().expect("a status"), None, "the service ended by itself\n{}", self.log());
        child.kill().expect("killed");
        child.wait().expect("gone");
    }

    /// SIGTERM; how it ended and how long that took.
    pub fn stop(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.child.take().expect("it runs");
        let asked = Instant::now();
        signal(&child, "TERM");
        let until = asked + Duration::from_secs(10);
        loop {
            if let Some(status) = child.try_wait().expect("a status") {
                return (status, asked.elapsed());
            }
            if Instant::now() > until {
                let _ = child.kill();
                panic!("SIGTERM did not end it\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it and goes on only when it ended well.
    pub fn stop_cleanly(&mut self) {
        let (status, _) = self.stop();
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Its API, with the operator's key.
    pub fn api(&self) -> Api {
        let key = fs::read_to_string(self.data().join("operator.key")).expect("the operator's key");
        Api::new(&self.url(), key.trim())
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// All that it has printed, over all its starts.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.home.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.home.path().join("log")).expect("a log file")
    }

    fn is_ready(&self) -> bool {
        let answer =
            ureq::get(format!("{}/healthz", self.url())).config().timeout_global(Some(Duration::from_secs(2))).build().call();
        answer.is_ok_and(|answer| answer.status() == 200)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- the last lines of the service's log");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The program under test, knowing nothing of the machine's own AWS settings.
pub fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("COUNTERSIGN_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// Every file below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn signal(child: &Child, name: &str) {
    // By the shell's own `kill`: the standard library knows only SIGKILL.
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status().expect("sh");
    assert!(sent.success(), "SIG{name} could not be sent");
}

/// An address on loopback that nobody has, below the ports that the system gives to outgoing
/// connections: while the service is down, a client that tries its port must not be given that very
/// port for its own end.
fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(12_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
