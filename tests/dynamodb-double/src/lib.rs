//! Serves an empty DynamoDB to a test, by an emulator (`dynoxide-rs`) in a process of its own.
//!
//! The emulator brings its own SQLite, and cargo links only one SQLite into a program. In a process of its own, built in
//! a workspace of its own (`server/`), it does not decide which SQLite the service uses.
//!
//! A test binary starts one process, at its first [`serve`]. Each call gets a database and a port of its own, so tests
//! share nothing. The process ends with the test binary, when its standard input closes.

mod server;

use std::{
    process::ExitStatus,
    sync::{Mutex, PoisonError},
};

use server::Server;

static SERVER: Mutex<Option<Server>> = Mutex::new(None);

/// Why no DynamoDB is served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Where the test binary lies does not tell where to build.
    #[error("the path of the test binary is not known")]
    Place(#[source] std::io::Error),
    /// Cargo did not start.
    #[error("cargo does not start")]
    Cargo(#[source] std::io::Error),
    /// The server does not build.
    #[error("the server does not build ({0}); try: cargo build --manifest-path tests/dynamodb-double/server/Cargo.toml")]
    Build(ExitStatus),
    /// The server's process failed.
    #[error("the server failed")]
    Server(#[source] std::io::Error),
    /// The server ended.
    #[error("the server ended by itself; what it said is on standard error")]
    Ended,
}

/// Serves an empty DynamoDB on a loopback port until the test binary ends; gives its URL. The first call of a test
/// binary builds the server when that is not built.
///
/// # Errors
/// When the server cannot be built or started.
pub fn serve() -> Result<String, Error> {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *server {
        Some(server) => server.database(),
        None => server.insert(Server::start()?).database(),
    }
}
