//! The command line.

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser;
use countersign::{
    checkpoints,
    cli::{Cli, ClientCommand, Command, DirectoryCommand, ServeArgs},
    client, demo, log, serve, terminal, verify,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    run(cli).unwrap_or_else(|error| {
        terminal::failure(&error);
        ExitCode::FAILURE
    })
}

fn run(Cli { global, command }: Cli) -> anyhow::Result<ExitCode> {
    let command = command.unwrap_or_else(|| Command::Serve(ServeArgs::default()));
    match command {
        Command::Client(ClientCommand::Directory(DirectoryCommand::Log(args))) => {
            runtime()?.block_on(log::directory::run(args, global))
        }
        // These block and need no runtime.
        Command::Client(command) => Ok(client::run(command, &global)),
        Command::Serve(args) => runtime()?.block_on(serve::run(args.options(global))),
        Command::Demo(args) => runtime()?.block_on(demo::run(args.options(global))).map(|()| ExitCode::SUCCESS),
        Command::Export(args) => runtime()?.block_on(log::export_file::run(args, global)),
        Command::Audit(args) => runtime()?.block_on(log::audit::run(args, global)),
        Command::Import(args) => runtime()?.block_on(log::import_file::run(args, global)),
        Command::Replay(args) => runtime()?.block_on(log::replay::run(args, global)),
        Command::Verify(args) => runtime()?.block_on(verify::run::verify(args, global)),
        Command::Prove(args) => runtime()?.block_on(verify::run::prove(args, global)),
        Command::Checkpoint(args) => runtime()?.block_on(verify::run::checkpoint(&args, &global)),
        Command::Restore(args) => runtime()?.block_on(checkpoints::restore::run(args, global)),
    }
}

/// Warnings and errors, or what `COUNTERSIGN_LOG` asks for (`info`, `debug`, `intake=debug` …).
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| terminal::Log)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
