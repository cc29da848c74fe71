//! The commands that talk to a running service.

mod dead_letters;
mod directory;
mod directory_file;
mod document;
mod failure;
mod http;
mod input;
mod print;
mod reconcile;
mod request;
mod reviews;
mod show;
mod time;
mod votes;

use std::process::ExitCode;

use crate::cli::{ClientCommand, Global};
use failure::Failure;
use http::Service;
use print::Out;

/// Runs a command; what went wrong is on standard error, and in the exit code.
pub fn run(command: ClientCommand, global: &Global) -> ExitCode {
    let mut out = Out::new(global.json);
    let done = Service::new(&global.url, &global.data).and_then(|service| dispatch(&command, &service, &mut out));
    ExitCode::from(done.unwrap_or_else(|failure| {
        print::failure(&failure);
        failure.code()
    }))
}

fn dispatch(command: &ClientCommand, service: &Service, out: &mut Out) -> Result<u8, Failure> {
    match command {
        ClientCommand::Request(args) => return request::run(service, args, out),
        ClientCommand::Reviews(args) => reviews::run(service, args, out)?,
        ClientCommand::Show(args) => show::run(service, args, out)?,
        ClientCommand::Decide(args) => votes::decide(service, args, out)?,
        ClientCommand::Cancel(args) => votes::cancel(service, args, out)?,
        ClientCommand::Directory(command) => directory::run(service, command, out)?,
        ClientCommand::DeadLetters(args) => return dead_letters::run(service, args, out),
        ClientCommand::Reconcile(_) => reconcile::run(service, out)?,
    }
    Ok(0)
}
