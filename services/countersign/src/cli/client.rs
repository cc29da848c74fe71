//! The commands that talk to a running service.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use events::{PersonId, ReviewId, StreamId, digest::SeenDigest, event::Choice, request::Reviewer, time::Period};
use ledger::Status;

use super::integrations::IntegrationsCommand;

/// A command that talks to a running service.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Ask for a review, and wait for its outcome
    Request(RequestArgs),
    /// List reviews, newest first
    Reviews(ReviewsArgs),
    /// Show one review with its evidence, votes and timeline
    Show(ShowArgs),
    /// Hand in a person's vote, as the operator
    Decide(DecideArgs),
    /// Withdraw a review
    Cancel(CancelArgs),
    /// Who is who: people, their addresses, and groups
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Programs with a token of their own
    #[command(subcommand)]
    Integrations(IntegrationsCommand),
    /// Records that could not be handled, kept until somebody looks
    DeadLetters(DeadLettersArgs),
    /// Print a link that signs a browser in as the operator
    Signin(SigninArgs),
    /// Derive from the log what is still owed, and see to it
    Reconcile(ReconcileArgs),
}

/// `signin`.
#[derive(Debug, Args)]
#[command(after_help = "\
The link works once, within an hour. It takes the operator's key; no token of an integration will do.

Examples:
  countersign signin
  xdg-open \"$(countersign signin)\"")]
pub struct SigninArgs {}

/// `request`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  approved; without --wait also: it is open
  1  rejected
  2  the request is invalid; every fault is printed
  3  expired
  4  cancelled
  5  the service cannot be reached, or does not take the operator's key or token
  6  --timeout is over and nobody has decided; the review stays open

With --wait the service may restart meanwhile: it is asked again, at most 5 s apart, until it
answers. Only a service that does not take the request within 10 s (2 s without --wait) ends with 5.

Examples:
  countersign request review.json
  countersign request review.json --wait --timeout 2h && ./promote.sh
  jq -n '{title: \"Ship 1.4\", reviewers: [{group: \"leads\"}]}' | countersign request - --wait

The least that a request says:
  {\"title\": \"Promote churn-model v42\", \"reviewers\": [{\"email\": \"ana@example.com\"}]}
A request_key makes the same request find the same review, however often it is made; --again asks
anew where that review has ended, for instance by expiry.")]
pub struct RequestArgs {
    /// The request as JSON; `-` reads standard input
    pub file: PathBuf,
    /// Wait until it is decided, expired or cancelled
    #[arg(long)]
    pub wait: bool,
    /// Open a new review, linked to the one before, where the one of this request_key has ended
    #[arg(long)]
    pub again: bool,
    /// With --wait: stop waiting after this long (90s, 15m, 2h, 1d, or ISO 8601 such as PT1H30M)
    #[arg(long, value_name = "PERIOD", requires = "wait", value_parser = period)]
    pub timeout: Option<Period>,
}

/// `reviews`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign reviews
  countersign reviews --status open --reviewer ana@example.com
  countersign reviews --reviewer group:ml-oncall --limit 10
  countersign reviews --status rejected --json | jq -r .title")]
pub struct ReviewsArgs {
    /// Only those that stand here
    #[arg(long)]
    pub status: Option<StatusArg>,
    /// Only those that ask this person (e-mail or slack:TEAM/USER) or group (group:NAME)
    #[arg(long, value_name = "WHO", value_parser = reviewer)]
    pub reviewer: Option<Reviewer>,
    /// Only those that this person asked for
    #[arg(long, value_name = "WHO")]
    pub requester: Option<PersonId>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

/// Where a review stands, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// Waiting for people
    Open,
    /// The quorum approved
    Approved,
    /// Somebody rejected
    Rejected,
    /// Nobody decided in time
    Expired,
    /// Withdrawn
    Cancelled,
    /// The request was invalid
    Refused,
}

impl From<StatusArg> for Status {
    fn from(status: StatusArg) -> Status {
        match status {
            StatusArg::Open => Status::Open,
            StatusArg::Approved => Status::Approved,
            StatusArg::Rejected => Status::Rejected,
            StatusArg::Expired => Status::Expired,
            StatusArg::Cancelled => Status::Cancelled,
            StatusArg::Refused => Status::Refused,
        }
    }
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign show 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111
  countersign show 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111 --json | jq .status")]
pub struct ShowArgs {
    /// The review's id
    pub id: ReviewId,
}

/// `decide`.
#[derive(Debug, Args)]
#[command(after_help = "\
It counts as the vote of the person named by --as and is logged as entered by the operator, so it
needs the operator's key (operator.key in the --data directory).

Exit codes: 0 it counted (or had been counted before); 1 it did not count, with the reason and who
decided; 2 invalid, or no such review; 5 the service cannot be reached.

Examples:
  countersign decide ID approve --as ana@example.com --reason 'Checked the flagged rows'
  countersign decide ID approve --as ana@example.com --seen \"$(countersign show ID --json | jq -r .seen_digest)\"
  countersign decide ID reject --as ana@example.com --reason 'Column age is empty'
  countersign decide ID comment --as bo@example.com --reason 'Asked the vendor'")]
pub struct DecideArgs {
    /// The review's id
    pub id: ReviewId,
    /// What they say
    pub choice: ChoiceArg,
    /// Whose vote it is: an e-mail address or slack:TEAM/USER
    #[arg(long = "as", value_name = "WHO")]
    pub person: PersonId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// What they had before them: the seen digest of the whole review, as `show` prints it. A vote on other content is
    /// refused; without it the vote is on record as not having said. A high risk is approved only with it
    #[arg(long, value_name = "DIGEST")]
    pub seen: Option<SeenDigest>,
}

/// What a person says, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChoiceArg {
    /// Yes
    Approve,
    /// No; ends the review
    Reject,
    /// Not like this; takes back one's earlier approval, the review stays open
    RequestChanges,
    /// A remark that counts for nothing
    Comment,
}

impl From<ChoiceArg> for Choice {
    fn from(choice: ChoiceArg) -> Choice {
        match choice {
            ChoiceArg::Approve => Choice::Approve,
            ChoiceArg::Reject => Choice::Reject,
            ChoiceArg::RequestChanges => Choice::RequestChanges,
            ChoiceArg::Comment => Choice::Comment,
        }
    }
}

/// `cancel`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 it is cancelled; 1 it had ended before, or is not theirs to cancel; 2 invalid, or no
such review; 5 the service cannot be reached.

Examples:
  countersign cancel ID --reason 'Superseded by v43'
  countersign cancel ID --as pipeline@example.com")]
pub struct CancelArgs {
    /// The review's id
    pub id: ReviewId,
    /// On behalf of the person who asked for it; as the operator when absent
    #[arg(long = "as", value_name = "WHO")]
    pub person: Option<PersonId>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `directory`.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Make the directory what a file says: who is not in the file leaves it
    #[command(after_help = "\
The file (TOML):
  [[people]]
  email = \"ana@example.com\"
  name = \"Ana\"
  slack = \"T01/U02\"                  # the same person on Slack
  aliases = [\"ana@corp.example\"]     # further addresses
  phone = \"+49301234567\"             # for SMS alerts

  [groups]
  ml-oncall = [\"ana@example.com\", \"bo@example.com\"]

Each change is on record with who made it and why: see `countersign directory log`. Another address
(slack, aliases) decides in its person's name, so a new one is announced to them at those they had.

Examples:
  countersign directory apply reviewers.toml
  countersign directory apply reviewers.toml --reason 'Dora joins the rota'")]
    Apply {
        /// The directory as TOML; `-` reads standard input
        file: PathBuf,
        /// Why, for the record (at most 500 bytes)
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Show people and groups
    #[command(after_help = "Examples:\n  countersign directory show\n  countersign directory show --json | jq .groups")]
    Show,
    /// Who changed people, groups and integrations, when, by which door and why, from the log itself
    #[command(after_help = "\
Reads the log, not the service: of the --data directory, of a table, or of an export of the whole log.
Oldest first. With --json one event a line: version, at, type, what it holds, and `changed` with by, door
and reason. Changes from before this was recorded do not have it.

Examples:
  countersign directory log
  countersign directory log --json | jq -r 'select(.changed.by.integration) | .person'
  countersign directory log --file log.jsonl
  countersign directory log --table countersign-log")]
    Log(DirectoryLogArgs),
}

/// `directory log`.
#[derive(Debug, Args)]
pub struct DirectoryLogArgs {
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub table: Option<String>,
    /// Read this export of the whole log instead of --data
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `dead-letters`; a list when nothing else is said.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign dead-letters
  countersign dead-letters show projector 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111 3
  countersign dead-letters redrive projector 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111 3
  countersign dead-letters redrive --all")]
pub struct DeadLettersArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: Option<DeadLettersCommand>,
}

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, oldest first
    #[command(after_help = "Examples:\n  countersign dead-letters list\n  countersign dead-letters list --json | jq -r .error")]
    List,
    /// Show one with its error in full
    #[command(after_help = "Examples:\n  countersign dead-letters show projector 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111 3")]
    Show(LetterArgs),
    /// Hand one, or all, to its consumer again; what fails again stays
    #[command(after_help = "\
Exit codes: 0 all were handled; 1 something failed again and stays; 2 no such dead letter; 5 the
service cannot be reached.

Examples:
  countersign dead-letters redrive projector 0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111 3
  countersign dead-letters redrive --all")]
    Redrive(RedriveArgs),
}

/// Which dead letter.
#[derive(Debug, Args)]
pub struct LetterArgs {
    /// Who gave up on it
    pub consumer: String,
    /// The review's id, or `directory`
    #[arg(value_parser = stream)]
    pub stream: StreamId,
    /// The version in that stream
    pub version: u64,
}

/// Which dead letters to redrive.
#[derive(Debug, Args)]
pub struct RedriveArgs {
    /// Who gave up on it
    #[arg(requires_all = ["stream", "version"])]
    pub consumer: Option<String>,
    /// The review's id, or `directory`
    #[arg(value_parser = stream)]
    pub stream: Option<StreamId>,
    /// The version in that stream
    pub version: Option<u64>,
    /// All of them
    #[arg(long, conflicts_with = "consumer", required_unless_present = "consumer")]
    pub all: bool,
}

/// `reconcile`.
#[derive(Debug, Args)]
#[command(after_help = "\
Runs daily by itself. By hand after an outage, or when in doubt: it reads the log alone, so nothing
that was owed can be missed, and doing it twice does nothing twice.

Examples:
  countersign reconcile")]
pub struct ReconcileArgs {}

/// `90s`, `15m`, `2h`, `1d`, or ISO 8601.
pub(super) fn period(text: &str) -> Result<Period, String> {
    let upper = text.to_uppercase();
    [upper.clone(), format!("PT{upper}"), format!("P{upper}")]
        .iter()
        .find_map(|text| text.parse().ok())
        .ok_or_else(|| "write 90s, 15m, 2h, 1d, or ISO 8601 such as PT1H30M".to_owned())
}

/// A person's id, or `group:NAME`.
pub(super) fn reviewer(text: &str) -> Result<Reviewer, String> {
    let read = match text.strip_prefix("group:") {
        Some(group) => group.parse().map(Reviewer::Group),
        None => text.parse().map(Reviewer::Person),
    };
    read.map_err(|_| "write an e-mail address, slack:TEAM/USER or group:NAME".to_owned())
}

/// A stream: a review's id, or the stream's own name.
fn stream(text: &str) -> Result<StreamId, String> {
    let review = text.parse::<ReviewId>().map(StreamId::Review);
    review.or_else(|_| text.parse()).map_err(|_| "write a review's id, or directory".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_typed_short_or_in_full() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("PT1H30M", 5400), ("P2W", 1_209_600)]
        {
            assert_eq!(period(text).map(Period::as_seconds), Ok(seconds), "{text}");
        }
        for bad in ["", "5", "soon", "-1h", "1y"] {
            assert!(period(bad).is_err(), "{bad:?} was taken for a period");
        }
    }
}
