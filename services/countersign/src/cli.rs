//! The command tree.

mod client;
mod log;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use intake::TrustedSource;

pub use client::*;
pub use log::*;

use crate::{
    demo::options::{Auto, DemoOptions},
    serve::options::{DEFAULT_LISTEN, ServeOptions},
};

const AFTER: &str = "\
Examples:
  countersign                                  the service on this machine, http://127.0.0.1:8787
  countersign request review.json --wait       ask, wait for people, exit with their outcome
  countersign reviews --status open            what waits
  countersign decide ID approve --as ana@example.com --reason 'Looks right'

`countersign COMMAND --help` has examples for each command.";

/// Pause a workflow until the right people decide.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; `serve` with its defaults when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The service's directory: its log, its keys, the operator's key
    #[arg(
        long,
        global = true,
        env = "COUNTERSIGN_DATA",
        hide_env_values = true,
        value_name = "DIR",
        default_value = "./.countersign",
        help_heading = "Options of every command"
    )]
    pub data: PathBuf,
    /// Where the service answers
    #[arg(
        long,
        global = true,
        env = "COUNTERSIGN_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8787",
        help_heading = "Options of every command"
    )]
    pub url: String,
    /// Print JSON: one document, or one a line for lists
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub json: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service on this machine
    Serve(ServeArgs),
    /// Try it: a pipeline that stops on anomalous data and asks whether to go on
    Demo(DemoArgs),
    /// Take the log away as a file
    Export(ExportArgs),
    /// Bring an exported log in
    Import(ImportArgs),
    /// Every command that talks to a running service.
    #[command(flatten)]
    Client(ClientCommand),
}

/// `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
It answers on loopback only, keeps everything in the --data directory, and prints a link that signs
your browser in as the operator. Ctrl-C ends it; what it acknowledged survives power loss.

Examples:
  countersign serve
  countersign serve --demo
  countersign serve --data /var/lib/countersign --listen 127.0.0.1:9000
  countersign serve --trust 111122223333/com.example.approver --publish-to my-bus")]
pub struct ServeArgs {
    /// Address and port to answer on
    #[arg(long, value_name = "ADDRESS", default_value_t = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Offer the demonstration in the browser
    #[arg(long)]
    pub demo: bool,
    /// Publish every event to this EventBridge bus (name or ARN)
    #[arg(long, value_name = "BUS")]
    pub publish_to: Option<String>,
    /// How people reach the service, for links in messages, when that is not the address it listens on
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// A bus source whose votes count; may be given more than once
    #[arg(long, value_name = "ACCOUNT/SOURCE", value_parser = trusted)]
    pub trust: Vec<TrustedSource>,
}

impl Default for ServeArgs {
    fn default() -> Self {
        ServeArgs { listen: DEFAULT_LISTEN, demo: false, publish_to: None, base_url: None, trust: Vec::new() }
    }
}

impl ServeArgs {
    /// With what holds for every command.
    pub fn options(self, global: Global) -> ServeOptions {
        let ServeArgs { listen, demo, publish_to, base_url, trust } = self;
        ServeOptions { data: global.data, listen, demo, publish_to, base_url, trust }
    }
}

/// `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Makes a customer data set (or reads yours), flags anomalous rows, and asks for a review when more than
6 % are flagged; then promotes or discards the data set as people decide.

Examples:
  countersign demo
  countersign demo --auto approve
  countersign demo --csv customers.csv
  countersign demo --seed 7 --rows 5000 --share 0.02")]
pub struct DemoArgs {
    /// Try it without a person: approve, reject or expire
    #[arg(long, value_name = "OUTCOME", hide_possible_values = true)]
    pub auto: Option<Auto>,
    /// Read the customers from this file instead of making them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "rows", "share"])]
    pub csv: Option<PathBuf>,
    /// The same seed makes the same customers
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// How many customers to make
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = rows)]
    pub rows: usize,
    /// Which share of them to spoil, 0 to 1
    #[arg(long, value_name = "X", default_value_t = 0.08, value_parser = share)]
    pub share: f64,
}

impl DemoArgs {
    /// With what holds for every command.
    pub fn options(self, global: Global) -> DemoOptions {
        let DemoArgs { auto, csv, seed, rows, share } = self;
        DemoOptions { data: global.data, url: global.url, auto, csv, seed, rows, share }
    }
}

fn trusted(text: &str) -> Result<TrustedSource, String> {
    match text.split_once('/') {
        Some((account, source)) if !account.is_empty() && !source.is_empty() => {
            Ok(TrustedSource { account: account.to_owned(), source: source.to_owned() })
        }
        _ => Err("write ACCOUNT/SOURCE, such as 111122223333/com.example.approver, or local/SOURCE on this machine".to_owned()),
    }
}

fn rows(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|rows| (1..=1_000_000).contains(rows))
        .ok_or_else(|| "write a whole number from 1 to 1000000".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "write a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_tree_is_sound_and_every_command_shows_examples() {
        fn check(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                assert!(sub.get_about().is_some(), "{path} says nothing of itself");
                if !sub.has_subcommands() {
                    let after = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                    assert!(after.contains("Example"), "{path} has no example");
                }
                check(sub, &path);
            }
        }
        Cli::command().debug_assert();
        check(&Cli::command(), "countersign");
    }

    #[test]
    fn serve_is_what_no_command_means_and_its_defaults_are_those_of_the_command() {
        let cli = Cli::try_parse_from(["countersign", "serve"]).expect("parsed");
        let Some(Command::Serve(typed)) = cli.command else { panic!("not serve") };
        assert_eq!(format!("{typed:?}"), format!("{:?}", ServeArgs::default()));
        assert!(Cli::try_parse_from(["countersign"]).expect("parsed").command.is_none());
    }

    #[test]
    fn a_timeout_needs_wait_and_a_redrive_needs_one_letter_or_all() {
        let fails = |line: &str| Cli::try_parse_from(line.split(' ')).is_err();
        assert!(fails("countersign request a.json --timeout 1h"));
        assert!(!fails("countersign request a.json --wait --timeout 1h"));
        assert!(fails("countersign dead-letters redrive"));
        assert!(fails("countersign dead-letters redrive projector"));
        assert!(!fails("countersign dead-letters redrive projector directory 3"));
        assert!(!fails("countersign dead-letters redrive --all"));
        assert!(fails("countersign decide x approve --as ana@example.com"));
        assert!(!fails("countersign --json"));
    }

    #[test]
    fn a_move_needs_a_key_and_a_data_directory() {
        let fails = |line: &str| Cli::try_parse_from(line.split(' ')).is_err();
        assert!(fails("countersign export --out a --move"));
        assert!(fails("countersign export --out a --to-key k"));
        assert!(fails("countersign export --out a --move --to-key k --table t"));
        assert!(!fails("countersign export --out a --move --to-key k --data d"));
        assert!(!fails("countersign export --out a --table t"));
    }
}
