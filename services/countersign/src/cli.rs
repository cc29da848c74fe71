//! The command tree.

mod client;
mod integrations;
mod log;
mod select;

use std::{convert::Infallible, net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use gateway::{Network, Proxies};
use https::Origin;
use intake::Recipients;

pub use client::*;
pub use integrations::*;
pub use log::*;
pub use select::*;

use crate::{
    demo::options::{Auto, DemoOptions},
    serve::options::{DEFAULT_LISTEN, OidcOptions, ServeOptions, SlackOptions},
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
    /// Who approved what, when, why, having seen what
    Audit(AuditArgs),
    /// Take the log away as a file
    Export(ExportArgs),
    /// Bring an exported log in
    Import(ImportArgs),
    /// Make the views anew from the log, or show what stood there at a time
    Replay(ReplayArgs),
    /// Check that the log, an export or a proof is what was signed
    Verify(VerifyArgs),
    /// Write one review as a file that anyone can check
    Prove(ProveArgs),
    /// Print the newest signed root of the log, or its public key
    Checkpoint(CheckpointArgs),
    /// Go on with a log that lost what was signed of it
    Restore(RestoreArgs),
    /// Every command that talks to a running service.
    #[command(flatten)]
    Client(ClientCommand),
}

/// `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
It answers on loopback only, unless people can sign in and --base-url is https; keeps everything in
the --data directory; and prints a link that signs your browser in as the operator. Ctrl-C ends it;
what it acknowledged survives power loss.

Before it answers it compares the log with what was signed of it, and again while it runs. A log that lost
or changed anything is not served: at the start the exit code is 3, and while it runs it takes no writes and
sends nothing (503, also at /healthz). `countersign restore` is the way back.

Examples:
  countersign serve
  countersign serve --demo
  countersign serve --data /var/lib/countersign --listen 127.0.0.1:9000
  countersign serve --smtp smtps://mail.example.com --mail-from 'Reviews <reviews@example.com>'
  countersign serve --publish-to my-bus
  countersign serve --recipients example.com,.example.com --requests-per-minute 120
  countersign serve --slack slack.json --base-url https://reviews.example.com
  COUNTERSIGN_OIDC_CLIENT_SECRET=… countersign serve --base-url https://reviews.example.com \
    --oidc-issuer https://id.example.com --oidc-client-id countersign --oidc-name 'Example SSO'")]
pub struct ServeArgs {
    /// Address and port to answer on
    #[arg(long, value_name = "ADDRESS", default_value_t = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Offer the demonstration in the browser
    #[arg(long)]
    pub demo: bool,
    /// Enter anybody's vote in the browser; every page says so in red, and --demo does the same
    #[arg(long)]
    pub dev: bool,
    /// Publish every event to this EventBridge bus (name or ARN)
    #[arg(long, value_name = "BUS")]
    pub publish_to: Option<String>,
    /// How people reach the service, for links in messages, when that is not the address it listens on
    #[arg(long, value_name = "URL")]
    pub base_url: Option<Origin>,
    /// A proxy in front, by address or range, whose X-Forwarded-For says who asks; may be given more than
    /// once. Without it: under an https --base-url any on this machine or in a private network, else none
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    pub trusted_proxy: Vec<Network>,
    /// How many requests one program may make a minute, and all at once; whoever makes more is told 429 and when to
    /// come again. 0 is no limit. The operator has none
    #[arg(long, value_name = "N", default_value_t = intake::RATION_DEFAULT)]
    pub requests_per_minute: u32,
    /// The domains that a request may have us write to, separated by commas (.example.com for all below it); a request
    /// that names anybody else is refused. Groups of the directory are not looked at
    #[arg(long, value_name = "DOMAINS", value_parser = Recipients::parse, default_value = "", hide_default_value = true)]
    pub recipients: Recipients,
    /// Send mails by this server; SMTP_USER and SMTP_PASSWORD in the environment log in
    #[arg(long, value_name = "URL", requires = "mail_from")]
    pub smtp: Option<String>,
    /// The sender of mails
    #[arg(long, value_name = "ADDRESS", requires = "smtp")]
    pub mail_from: Option<String>,
    /// Alert by SMS whom nothing else reaches, through the SNS of the AWS account of the environment
    #[arg(long)]
    pub sms: bool,
    /// Was removed: an account and a source are what a caller writes.
    #[arg(long, hide = true, value_parser = trust_is_gone)]
    pub trust: Option<Infallible>,
    /// Ask people in Slack: a file with the app's secrets that only you can read, or `env`
    /// (COUNTERSIGN_SLACK_BOT_TOKEN and COUNTERSIGN_SLACK_SIGNING_SECRETS, separated by commas)
    #[arg(long, value_name = "FILE|env")]
    pub slack: Option<PathBuf>,
    /// Where Slack's Web API is, such as that of GovSlack
    #[arg(long, value_name = "URL", default_value = slack::API)]
    pub slack_api: String,
    /// Know whom the directory binds to no Slack account by the confirmed address of their profile, in
    /// this workspace (such as T01); whoever runs it can then decide as any of them
    #[arg(long, value_name = "WORKSPACE", value_parser = workspace, requires = "slack")]
    pub slack_match_email: Option<slack::TrustedTeam>,
    /// Let people sign in with this OpenID Connect provider; tell it of BASE-URL/signin/back
    #[arg(long, value_name = "URL", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    /// Our name at the provider; its secret is COUNTERSIGN_OIDC_CLIENT_SECRET in the environment
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// Read the secret from this file instead, which only you can read
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_client_secret: Option<PathBuf>,
    /// What people call the provider
    #[arg(long, value_name = "NAME", requires = "oidc_issuer")]
    pub oidc_name: Option<String>,
}

impl Default for ServeArgs {
    fn default() -> Self {
        ServeArgs {
            listen: DEFAULT_LISTEN,
            demo: false,
            dev: false,
            publish_to: None,
            base_url: None,
            trusted_proxy: Vec::new(),
            requests_per_minute: intake::RATION_DEFAULT,
            recipients: Recipients::default(),
            smtp: None,
            mail_from: None,
            sms: false,
            trust: None,
            slack: None,
            slack_api: slack::API.to_owned(),
            slack_match_email: None,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_name: None,
        }
    }
}

impl ServeArgs {
    /// With what holds for every command.
    pub fn options(self, global: Global) -> ServeOptions {
        let ServeArgs { listen, demo, dev, publish_to, base_url, smtp, mail_from, sms, slack, slack_api, .. } = self;
        // In a demonstration whoever watches plays everybody.
        let dev = dev || demo;
        let slack = slack.map(|secrets| SlackOptions { secrets, api: slack_api, trusted: self.slack_match_email });
        let proxies = if self.trusted_proxy.is_empty() { Proxies::OfBaseUrl } else { Proxies::Known(self.trusted_proxy) };
        let (client_secret, name) = (self.oidc_client_secret, self.oidc_name);
        let oidc = self.oidc_issuer.zip(self.oidc_client_id);
        let oidc = oidc.map(|(issuer, client_id)| OidcOptions { issuer, client_id, client_secret, name });
        ServeOptions {
            data: global.data,
            listen,
            demo,
            dev,
            publish_to,
            base_url,
            proxies,
            requests_per_minute: self.requests_per_minute,
            recipients: self.recipients,
            smtp,
            mail_from,
            sms,
            slack,
            oidc,
        }
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

fn workspace(text: &str) -> Result<slack::TrustedTeam, String> {
    slack::TrustedTeam::new(text).ok_or_else(|| "write the workspace's id, such as T01".to_owned())
}

fn trust_is_gone(_: &str) -> Result<Infallible, String> {
    Err("--trust was removed, since whoever reached the port could write that source. Register the tool that hands in votes, \
         and give it its keys: countersign integrations add NAME --scope votes:cast --source SOURCE --aws-keys"
        .to_owned())
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
    fn trust_by_what_a_caller_writes_is_gone_and_the_error_says_what_to_do() {
        let error = Cli::try_parse_from(["countersign", "serve", "--trust", "local/com.example"]).expect_err("gone").to_string();
        assert!(error.contains("integrations add NAME --scope votes:cast --source SOURCE"), "{error}");
        let help = Cli::command().find_subcommand_mut("serve").expect("serve").render_long_help().to_string();
        assert!(!help.contains("--trust "), "{help}");
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
