//! The commands that talk to a running service.

mod credential;
mod dead_letters;
mod directory;
mod directory_file;
mod document;
mod failure;
mod http;
mod input;
mod integrations;
mod print;
mod reconcile;
mod request;
mod reviews;
mod show;
mod signin;
mod time;
mod votes;

use std::process::ExitCode;

use events::Timestamp;
use ledger::ReviewRow;

use crate::cli::{ClientCommand, Global};
use credential::Credential;
use failure::Failure;
use http::Service;
use print::Out;

/// Runs a command; what went wrong is on standard error, and in the exit code.
pub fn run(command: ClientCommand, global: &Global) -> ExitCode {
    let mut out = Out::new(global.json);
    let service = Credential::find(&global.data).and_then(|credential| Service::new(&global.url, credential));
    let done = service.and_then(|service| dispatch(&command, &service, &mut out));
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
        ClientCommand::Integrations(command) => integrations::run(service, command, out)?,
        ClientCommand::DeadLetters(args) => return dead_letters::run(service, args, out),
        ClientCommand::Signin(_) => signin::run(service, out)?,
        ClientCommand::Reconcile(_) => reconcile::run(service, out)?,
    }
    Ok(0)
}

/// A review as `show` shows it, as it was at a time. `document` is the JSON of the API.
///
/// # Errors
/// When it is another document.
pub fn past(document: &str, time: Timestamp) -> Result<String, serde_json::Error> {
    let document = serde_json::from_str(document)?;
    Ok(show::render(&document, None, time, Out::new(false).paint))
}

/// A list of reviews as `reviews` shows it, as it was at a time.
pub fn past_inbox(rows: &[ReviewRow], time: Timestamp) -> String {
    reviews::render(rows, false, time, &Out::new(false))
}
