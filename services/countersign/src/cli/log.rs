//! The commands on the log itself.

use std::path::PathBuf;

use clap::Args;
use events::{PersonId, ReviewId, Timestamp, event::Channel, request::Reviewer};
use gateway::audit::words;
use ledger::SubjectKey;

use super::{
    client::{StatusArg, reviewer},
    select::SelectionArgs,
};

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes JSON Lines of CloudEvents, one event a line, with the chain's hashes and the stored bytes. Runs
beside the service. No task token leaves the directory: what waits there goes on there.

The options that narrow select whole reviews, each with its whole chain; the last line then says what was
asked for, and people and groups are left out. The file is there once it is whole: an export that was
interrupted leaves FILE.part, and within a day the same command goes on with it.

With --move the directory is fenced first: a service that runs on it, now or later, answers \"moved\",
and the task tokens of waiting workflows go into the export, sealed for the target's key. Interrupted,
the same command goes on.

Examples:
  countersign export --out log.jsonl
  countersign export --out log.jsonl --table countersign-log --bucket s3://countersign-checkpoints
  countersign export --out november.jsonl --from 2026-11-01 --to 2026-12-01
  countersign export --out rejected.csv --csv --outcome rejected
  countersign export --out moved.jsonl --move --to-key /srv/new/tokens.key
  countersign export --out moved.jsonl --move --to-key kms:arn:aws:kms:eu-central-1:111122223333:key/UUID")]
pub struct ExportArgs {
    /// The file to write; it is there once it is whole
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME", conflicts_with = "move")]
    pub table: Option<String>,
    /// With --table: the bucket of its checkpoints (s3://NAME, or a copy in a folder), to take what was signed along
    #[arg(long, value_name = "BUCKET", requires = "table", conflicts_with = "csv")]
    pub bucket: Option<String>,
    /// Fence the data directory and take the task tokens along
    #[arg(long = "move", id = "move", requires = "to_key")]
    pub moved: bool,
    /// With --move: the target's key, a key file or kms:ARN
    #[arg(long, value_name = "KEY", requires = "move")]
    pub to_key: Option<String>,
    /// Write comma-separated values for people, an event a line; they cannot be imported
    #[arg(long, conflicts_with = "move")]
    pub csv: bool,
    /// Begin anew, also when an earlier export was interrupted
    #[arg(long, conflicts_with = "move")]
    pub restart: bool,
    /// Which reviews; the whole log when nothing is said.
    #[command(flatten)]
    pub selection: SelectionArgs,
}

/// `audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Says of each review that matches who asked, what the reviewers saw, how they were reached, every vote
(also those that did not count) with reason, channel and who entered it, how it ended, and what waiting
workflows answered. The newest request comes first. Reviews are found by the keys of the views, and what
is said of them is read from the log; a service may run or not.

A reviewer is whoever was asked, by any of their names or through a group, or voted. --channel narrows
what the other options find.

Examples:
  countersign audit --reviewer ana@example.com --from 2026-10-01 --to 2026-11-01
  countersign audit --subject model-promotion/churn-v42
  countersign audit --outcome rejected --channel slack --from 2026-11-01 --csv > rejected.csv
  countersign audit --from 2026-11-01 --json | jq -r '.votes[] | select(.counted | not) | .person'
  countersign audit ID --html report.html")]
pub struct AuditArgs {
    /// This review alone
    #[arg(conflicts_with_all = ["from", "to", "requester", "reviewer", "subject", "outcome", "channel"])]
    pub id: Option<ReviewId>,
    /// Asked for at or after (RFC 3339, or a date for its beginning in UTC)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Timestamp>,
    /// Asked for before
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<Timestamp>,
    /// Asked for by this person
    #[arg(long, value_name = "WHO")]
    pub requester: Option<PersonId>,
    /// This person (e-mail or slack:TEAM/USER) was asked or voted, or this group (group:NAME) was asked
    #[arg(long, value_name = "WHO", value_parser = reviewer)]
    pub reviewer: Option<Reviewer>,
    /// About this subject, as its kind and id; either may be empty
    #[arg(long, value_name = "KIND/ID")]
    pub subject: Option<SubjectKey>,
    /// With this outcome
    #[arg(long)]
    pub outcome: Option<StatusArg>,
    /// Somebody was reached or not reached, or voted, by this way: slack, email, sms, web, cli, api, bus, outbox
    #[arg(long, value_parser = channel)]
    pub channel: Option<Channel>,
    /// At most so many reviews
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: u32,
    /// Print comma-separated values, a line a vote
    #[arg(long, conflicts_with = "html")]
    pub csv: bool,
    /// With ID: write a report that prints well to this file
    #[arg(long, value_name = "FILE", requires = "id")]
    pub html: Option<PathBuf>,
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// With --table: the table of the views
    #[arg(long, value_name = "NAME", requires = "table")]
    pub views: Option<String>,
}

fn channel(text: &str) -> Result<Channel, String> {
    words::read_channel(text).ok_or_else(|| format!("one of {}", words::CHANNELS.map(words::channel).join(", ")))
}

/// `replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Folds every review of the log anew and writes its row in place, under the version condition of the
service, which may run meanwhile; then takes away the rows that no review stands behind. It sends
nothing and resumes nothing. Interrupted, the same command goes on where it was.

A row bears a stamp that says what it was made of. In a data directory, --dry-run folds only those reviews
whose row has none that fits the last commit; --thorough folds all. Neither proves the log: see `verify`.

On AWS the version of a row says what was published. So rows that are missing or behind are left to the
projector (see `reconcile`), unless --as-published says that all of the log was published.

Exit codes: 0 the views are exact; 1 --dry-run found differences; 2 a review of the log cannot be read.

Examples:
  countersign replay
  countersign replay --dry-run --json | jq -c '.differences[]'
  countersign replay --dry-run --thorough
  countersign replay --table countersign-log --views countersign-views
  countersign replay --as-of 2026-11-23T12:00:00Z                the inbox as it was
  countersign replay --as-of 2026-11-23T12:00:00Z ID             one review as it was
  countersign replay --as-of 2026-11-23 --file log.jsonl         the same from an export")]
pub struct ReplayArgs {
    /// With --as-of: this review instead of the inbox
    #[arg(requires = "as_of")]
    pub id: Option<ReviewId>,
    /// Write nothing; report what differs
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: fold every review, also those whose row shows by its stamp that it is right
    #[arg(long, requires = "dry_run")]
    pub thorough: bool,
    /// Show what stood in the log at this time, and write nothing (RFC 3339, or a date for its beginning in UTC)
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with_all = ["dry_run", "restart", "as_published"])]
    pub as_of: Option<Timestamp>,
    /// With --as-of: read this export instead of --data; `countersign verify` says whether it is what was written
    #[arg(long, value_name = "EXPORT", requires = "as_of", conflicts_with_all = ["table", "keep_going"])]
    pub file: Option<PathBuf>,
    /// Report reviews that cannot be read, and go on with the others
    #[arg(long)]
    pub keep_going: bool,
    /// Begin anew, also when an earlier replay was interrupted
    #[arg(long)]
    pub restart: bool,
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// With --table: the table of the views
    #[arg(long, value_name = "NAME", requires = "table")]
    pub views: Option<String>,
    /// With --table: take everything in the log as published
    #[arg(long, requires = "views")]
    pub as_published: bool,
}

/// A moment: RFC 3339, or a date for its beginning in UTC.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let date = || format!("{text}T00:00:00Z").parse();
    text.parse()
        .or_else(|_| date())
        .map_err(|_| "write a time such as 2026-11-23T04:11:21Z, or a date such as 2026-11-23".to_owned())
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks the whole export before it writes anything: every hash, that nothing is missing, and the signed root.
An export that is not what was signed is refused, and so is one with commits that no root covers (a part of
a log, a log that was never signed), unless --allow-uncovered says that it is taken all the same. The key
that verifies the root is in the export; --public-key names the one that it must be.

Importing it again changes nothing; a store that has other commits in the same places is left as it is.
Stopped half-way, the same command goes on.

Examples:
  countersign import log.jsonl --data /srv/new --public-key log.pub
  countersign import november.jsonl --data /srv/new --allow-uncovered
  countersign import moved.jsonl --table countersign-log")]
pub struct ImportArgs {
    /// The export
    pub file: PathBuf,
    /// Write to this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The public key of the log that was exported, which you have from elsewhere
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Take commits too that no signed root covers: nobody vouches for these
    #[arg(long)]
    pub allow_uncovered: bool,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks every hash of the log, and the log against the signed roots: whatever was altered, dropped,
inserted, reordered, cut off or forked is named by review and version. A root that you keep elsewhere
(`countersign checkpoint > FILE`, or GET /checkpoint) and the public key (`countersign checkpoint
--public-key > FILE`) find out a log that was rewritten with all its hashes. Without --public-key the key is
the one beside the log, and whoever can write the log can have signed it anew.

It runs beside the service. In a data directory the commits of the last minute are covered first: by the
service if it runs, or by this command if it can read the signing key and nobody has the directory. It
changes nothing else, and nothing at all for whoever cannot read the key.

Exit codes:
  0  whole: nothing is wrong, and a signed root covers every commit
  2  the command line is not valid
  3  tampered with: at least one finding
  4  it cannot be read to its end
  5  not covered: nothing is wrong with what a signed root covers, and there are commits that none covers,
     which anybody may have written: the end of a log, an export of a part (--from, --reviewer ...), a
     table without --bucket, a log or an export without a root, a proof with further commits.
     --allow-uncovered makes this 0

Examples:
  countersign verify
  countersign verify --checkpoint january.txt --checkpoint june.txt --keep-going
  countersign verify --table countersign-log --bucket s3://countersign-checkpoints --public-key log.pub
  countersign verify --file log.jsonl --public-key log.pub
  countersign verify --file november.jsonl --public-key log.pub --allow-uncovered
  countersign verify --proof review.json --public-key log.pub")]
pub struct VerifyArgs {
    /// Check this export instead of --data; needs nothing else but the key
    #[arg(long, value_name = "EXPORT", requires = "public_key")]
    pub file: Option<PathBuf>,
    /// Check this DynamoDB table instead of --data; without --bucket its hashes alone
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub table: Option<String>,
    /// With --table: the bucket of its checkpoints, s3://NAME, or a folder that is a copy of it
    #[arg(long, value_name = "BUCKET", requires = "table")]
    pub bucket: Option<String>,
    /// Check the proof of one review, made by `countersign prove`
    #[arg(long, value_name = "FILE", requires = "public_key", conflicts_with_all = ["file", "table", "checkpoint", "keep_going"])]
    pub proof: Option<PathBuf>,
    /// The public key of the log; that of the data directory, or of the bucket, when absent
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// A root that you hold: the log must begin with what it covers; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// Report everything that is wrong, not the first
    #[arg(long)]
    pub keep_going: bool,
    /// Exit with 0 also when no signed root covers some commits, or any: nobody vouches for these
    #[arg(long)]
    pub allow_uncovered: bool,
    /// What holds without it: it is still taken
    #[arg(long, hide = true, conflicts_with = "allow_uncovered")]
    pub all_covered: bool,
}

/// `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
For a log that `serve` refuses, since it lost or changed what was signed of it. Says what is lost and
changes nothing. Bring the directory back from a backup if there is one: nothing else brings back what is
lost.

With --accept-loss it signs what is there as it is, with a root that names the break: when it was accepted,
how many commits were signed before, and how many of them are lost. Every later root names it too, so that
`verify` tells everybody, and those by name who hold an earlier root. What was signed before is kept beside
it (checkpoints.before-TIME). The service must not run meanwhile.

Exit codes:
  0  nothing is lost, or the loss was accepted
  3  something is lost; nothing was changed

Examples:
  countersign restore
  countersign restore --accept-loss --data /var/lib/countersign")]
pub struct RestoreArgs {
    /// Go on without what is lost, for good, and say so in every root from now on
    #[arg(long)]
    pub accept_loss: bool,
}

/// `prove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes the commits of one review with the proof that each is in the signed log. Whoever has the public
key can check the file without Countersign's data, by `countersign verify --proof` or by the description
in docs/export-format.md.

Examples:
  countersign prove 0190b6a8-7f5e-5c1e-9d52-6d8a3c3c0f11 --out review.json
  countersign verify --proof review.json --public-key log.pub")]
pub struct ProveArgs {
    /// Which review
    pub id: ReviewId,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Read this DynamoDB table instead of --data
    #[arg(long, value_name = "NAME", requires = "bucket")]
    pub table: Option<String>,
    /// With --table: the bucket of its checkpoints, s3://NAME, or a folder that is a copy of it
    #[arg(long, value_name = "BUCKET", requires = "table")]
    pub bucket: Option<String>,
}

/// `checkpoint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints the newest signed root as a C2SP checkpoint. Keep one elsewhere from time to time: it shows later
that the log still begins with what it held then. The service gives it to everybody at GET /checkpoint.

Examples:
  countersign checkpoint > 2026-11-25.txt
  countersign checkpoint --public-key > log.pub
  countersign checkpoint --bucket s3://countersign-checkpoints > 2026-11-25.txt")]
pub struct CheckpointArgs {
    /// Print the public key of the log instead
    #[arg(long)]
    pub public_key: bool,
    /// Those of a log on AWS: its bucket, s3://NAME, or a folder that is a copy of it
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
}
