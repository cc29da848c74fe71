//! A running service, and commands against it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A service on a directory and a port of its own; killed when dropped.
pub struct Running {
    /// Its directory.
    pub data: tempfile::TempDir,
    port: u16,
    base_url: Option<String>,
    child: Option<Child>,
}

impl Running {
    /// Starts one and waits until it answers.
    pub fn start() -> Running {
        Running::start_at(None)
    }

    /// Starts one that people reach at another address.
    pub fn start_at(base_url: Option<String>) -> Running {
        let data = tempfile::tempdir().expect("a directory");
        let mut running = Running { data, port: free_port(), base_url, child: None };
        running.restart();
        running
    }

    /// Its own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it on the same directory and port.
    pub fn restart(&mut self) {
        let mut command = countersign(self.data.path(), &self.url());
        command.arg("serve").arg("--listen").arg(format!("127.0.0.1:{}", self.port)).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(url) = &self.base_url {
            command.arg("--base-url").arg(url);
        }
        self.child = Some(command.spawn().expect("the service starts"));
        until("the service is ready", || self.is_ready().unwrap_or(false));
    }

    fn is_ready(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let host = self.url().replace("http://", "");
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    }

    /// Kills it without warning (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        self.base_url.clone().unwrap_or_else(|| format!("http://127.0.0.1:{}", self.port))
    }

    /// A command against it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = countersign(self.data.path(), &self.url());
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Done {
        Done::from(self.command(args).output().expect("the command runs"))
    }

    /// Runs a command that reads `input`.
    pub fn run_with(&self, input: &str, args: &[&str]) -> Done {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().expect("the command starts");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
        Done::from(child.wait_with_output().expect("the command ends"))
    }

    /// Opens a review; its id.
    pub fn open(&self, request: &str) -> String {
        let done = self.run_with(request, &["--json", "request", "-"]);
        assert_eq!(done.code, 0, "{done:?}");
        done.json()["review_id"].as_str().expect("an id").to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The command line, with nothing of our own environment that would change it.
pub fn countersign(data: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    // Nothing listens on this port: a call that went through a proxy would fail.
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("RUST_LOG").env_remove("COUNTERSIGN_TOKEN");
    command.env("COUNTERSIGN_DATA", data).env("COUNTERSIGN_URL", url);
    command
}

/// What a command ended with.
#[derive(Debug)]
pub struct Done {
    /// Its exit code.
    pub code: i32,
    /// Its output.
    pub out: String,
    /// Its errors and notes.
    pub err: String,
}

impl Done {
    /// The output as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).expect("JSON")
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Done { code: output.status.code().expect("an exit code"), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A port that nobody uses just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it never came to pass that {what}");
        sleep(Duration::from_millis(20));
    }
}
