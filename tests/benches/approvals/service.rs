//! The service under test: built, started, looked at from outside, stopped.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{Outcome, http::Connection};

/// Builds the binary with the profile of benchmarks, whose artefacts Cargo puts beside those of
/// `release` (the profile that it inherits its directory from); `COUNTERSIGN_BIN` names another.
pub fn binary() -> Outcome<PathBuf> {
    if let Some(binary) = std::env::var_os("COUNTERSIGN_BIN") {
        return Ok(binary.into());
    }
    let status =
        Command::new(env!("CARGO")).args(["build", "--profile", "bench", "-p", "countersign"]).current_dir(root()).status()?;
    require(status.success(), || format!("the service does not build: {status}"))?;
    Ok(target().join("release/countersign"))
}

/// The directory that Cargo builds into.
pub fn target() -> PathBuf {
    // CARGO_TARGET_TMPDIR is `tmp` in it.
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().map_or_else(|| root().join("target"), Path::to_path_buf)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A running service; killed when dropped.
pub struct Service {
    pub address: SocketAddr,
    pub key: String,
    /// From process start to the first `GET /healthz` that answered 200.
    pub ready_after: Duration,
    data: PathBuf,
    child: Child,
}

impl Service {
    /// Starts it on `folder/data`, answering task tokens at `sfn`.
    pub fn start(binary: &Path, folder: &Path, sfn: SocketAddr) -> Outcome<Service> {
        let data = folder.join("data");
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::options().append(true).create(true).open(folder.join("countersign.log"))?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--data").arg(&data).arg("--listen").arg(address.to_string());
        // The load is one program's, and it is the service that is measured, not the ration.
        command.arg("--requests-per-minute").arg("0");
        // Nothing from outside decides where it calls or how much it says.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
        command.env("AWS_ENDPOINT_URL_SFN", format!("http://{sfn}")).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "benchmark").env("AWS_SECRET_ACCESS_KEY", "benchmark");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn()?;
        let mut service = Service { address, key: String::new(), ready_after: Duration::ZERO, data, child };
        service.ready_after = service.wait_until_ready(started)?;
        service.key = std::fs::read_to_string(service.data.join("operator.key"))?.trim().to_owned();
        Ok(service)
    }

    fn wait_until_ready(&mut self, started: Instant) -> Outcome<Duration> {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        loop {
            let status = Connection::open(self.address).and_then(|mut connection| Ok(connection.call(&request)?.status));
            let elapsed = started.elapsed();
            if status.is_ok_and(|status| status == 200) {
                return Ok(elapsed);
            }
            require(self.child.try_wait()?.is_none(), || "the service ended before it was ready".to_owned())?;
            require(elapsed < Duration::from_secs(20), || "the service is not ready after 20 s".to_owned())?;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Resident memory in megabytes (10^6 bytes).
    pub fn resident_mb(&self) -> Outcome<f64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?.parse()?;
        Ok(kib * 1_024.0 / 1_000_000.0)
    }

    /// Bytes that it had written to the disk so far, also those of files that were overwritten since.
    pub fn written(&self) -> Outcome<u64> {
        let io = self.proc("io")?;
        Ok(io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).ok_or("no write_bytes")?.trim().parse()?)
    }

    /// Processor time so far, in seconds.
    pub fn processor_seconds(&self) -> Outcome<f64> {
        // proc(5): fields 14 and 15, in ticks of which Linux has 100 a second; the name before may hold spaces.
        let stat = self.proc("stat")?;
        let fields = stat.rsplit_once(')').ok_or("no process name")?.1.split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / 100.0)
    }

    /// Waits until the service has nothing left to do in the background, that is until it has used
    /// no processor time for a while; how long after the call it last did.
    pub fn settle(&self) -> Outcome<Duration> {
        let (began, mut last, mut busy_until) = (Instant::now(), self.processor_seconds()?, Duration::ZERO);
        while began.elapsed() - busy_until < Duration::from_millis(150) {
            std::thread::sleep(Duration::from_millis(5));
            let now = self.processor_seconds()?;
            if now > last {
                (last, busy_until) = (now, began.elapsed());
            }
            require(busy_until < Duration::from_secs(120), || "the service does not come to rest".to_owned())?;
        }
        Ok(busy_until)
    }

    /// Ends it as an operator would; the data directory it leaves behind.
    pub fn stop(mut self) -> Outcome<PathBuf> {
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        require(told.success(), || "cannot send SIGTERM".to_owned())?;
        let status: ExitStatus = self.child.wait()?;
        require(status.success(), || format!("the service did not end cleanly: {status}"))?;
        Ok(self.data.clone())
    }

    fn proc(&self, file: &str) -> Outcome<String> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail when it was stopped before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An error unless `holds`.
pub fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
