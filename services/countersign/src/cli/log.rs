//! The commands on the log itself.

use std::path::PathBuf;

use clap::Args;

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes JSON Lines of CloudEvents, one event a line, with the chain's hashes and the stored bytes. Runs
beside the service. No task token leaves the directory: what waits there goes on there.

With --move the directory is fenced first: a service that runs on it, now or later, answers \"moved\",
and the task tokens of waiting workflows go into the export, sealed for the target's key. Interrupted,
the same command goes on.

Examples:
  countersign export --out log.jsonl
  countersign export --out log.jsonl --table countersign-log
  countersign export --out moved.jsonl --move --to-key /srv/new/tokens.key
  countersign export --out moved.jsonl --move --to-key kms:arn:aws:kms:eu-central-1:111122223333:key/UUID")]
pub struct ExportArgs {
    /// The file to write; it is there once it is whole
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME", conflicts_with = "move")]
    pub table: Option<String>,
    /// Fence the data directory and take the task tokens along
    #[arg(long = "move", id = "move", requires = "to_key")]
    pub moved: bool,
    /// With --move: the target's key, a key file or kms:ARN
    #[arg(long, value_name = "KEY", requires = "move")]
    pub to_key: Option<String>,
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks the whole export, every hash and that nothing is missing, before it writes anything. Importing
it again changes nothing; a store that has other commits in the same places is left as it is. Stopped
half-way, the same command goes on.

Examples:
  countersign import log.jsonl --data /srv/new
  countersign import moved.jsonl --table countersign-log")]
pub struct ImportArgs {
    /// The export
    pub file: PathBuf,
    /// Write to this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
}
