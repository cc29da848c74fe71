//! The process of the emulator.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::Error;

/// A running server, which makes a database for each line it is sent.
pub(crate) struct Server {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

impl Server {
    pub(crate) fn start() -> Result<Server, Error> {
        let mut child = Command::new(build()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Error::Server)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { return Err(Error::Ended) };
        Ok(Server { orders, answers: BufReader::new(answers), _child: child })
    }

    /// Makes an empty database and gives the URL at which it is served.
    pub(crate) fn database(&mut self) -> Result<String, Error> {
        self.orders.write_all(b"\n").map_err(Error::Server)?;
        let mut url = String::new();
        match self.answers.read_line(&mut url).map_err(Error::Server)? {
            0 => Err(Error::Ended),
            _ => Ok(url.trim_end().to_owned()),
        }
    }
}

/// Builds the server, which takes no time when it is built, and gives its binary. Test binaries that do so at the same
/// time wait for each other: cargo locks the directory it builds in.
fn build() -> Result<PathBuf, Error> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("server");
    let target = target().map_err(Error::Place)?.join("dynamodb-double");
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        // Where the repository's own settings of cargo hold, whatever a test was started from.
        .current_dir(workspace)
        .status()
        .map_err(Error::Cargo)?;
    if !built.success() {
        return Err(Error::Build(built));
    }
    Ok(target.join("debug").join(format!("dynamodb-double-server{}", env::consts::EXE_SUFFIX)))
}

/// The directory that this test binary was built in: it lies there in `PROFILE/deps`.
fn target() -> io::Result<PathBuf> {
    let binary = env::current_exe()?;
    let place = binary.ancestors().nth(3).ok_or(io::ErrorKind::NotFound)?;
    Ok(place.to_owned())
}
