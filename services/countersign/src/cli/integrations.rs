//! `integrations`: programs with a token of their own.

use clap::{Args, Subcommand};
use events::{IntegrationId, PersonId, SourceName, event::Scope, time::Period};

use super::client::period;

/// `integrations`.
#[derive(Debug, Subcommand)]
pub enum IntegrationsCommand {
    /// Give a program a token of its own, printed this once
    #[command(after_help = "\
Scopes (none stands for another):
  reviews:request   ask for reviews, and withdraw its own
  reviews:read      read every review, with its evidence and log
  votes:cast        vote as the person of --acts-as, never on what it asked for itself; with --source and
                    no --acts-as, hand in anybody's vote: grant it to approver tools that you trust alone
  notices:report    say that it reached a reviewer by a channel of its own
  directory:read    read people and groups
  directory:write   change people and groups: whoever has it decides as anybody, by an address of their own
  operate           dead letters and reconciliation

`request --wait` needs reviews:request and reviews:read. To replace a token, revoke the integration
and add it again: its name and what it asked for stay, and whomever it acted as then still counts as
who asked. A new registration has new keys; the old ones open nothing.

--aws-keys prints a key pair by which any AWS SDK or CLI signs `aws events put-events` for this service,
once. Every way in needs one, or the token, but the loopback of a service that is not published. On AWS
there are none: there the bus takes the call, by IAM.

Examples:
  countersign integrations add ci --scope reviews:request --scope reviews:read
  countersign integrations add ci --scope reviews:request --acts-as pipeline@example.com --expires-in 90d
  countersign integrations add pipeline --scope reviews:request --aws-keys
  countersign integrations add approver --scope votes:cast --source com.example.approver --aws-keys
  export COUNTERSIGN_TOKEN=$(countersign integrations add ci --scope reviews:read --json | jq -r .token)")]
    Add(AddIntegrationArgs),
    /// List them with their scopes
    #[command(after_help = "Examples:\n  countersign integrations list\n  countersign integrations list --json | jq -r .name")]
    List,
    /// Take a program's token back, at once
    #[command(
        after_help = "Examples:\n  countersign integrations revoke ci\n  countersign integrations revoke ci --reason 'Its token leaked'"
    )]
    Revoke {
        /// Which
        name: IntegrationId,
        /// Why, for the record (at most 500 bytes)
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// `integrations add`.
#[derive(Debug, Args)]
pub struct AddIntegrationArgs {
    /// What it is called, on record too: 1 to 64 letters, digits, '-', '_' or '.'
    pub name: IntegrationId,
    /// What it may do; may be given more than once
    #[arg(long, value_name = "SCOPE", required = true)]
    pub scope: Vec<Scope>,
    /// The person who asks when it asks, and whose votes it casts: an e-mail address or slack:TEAM/USER
    #[arg(long, value_name = "WHO")]
    pub acts_as: Option<PersonId>,
    /// Until when the token is taken (15m, 2h, 90d, or ISO 8601); for ever when absent
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    pub expires_in: Option<Period>,
    /// Why, for the record (at most 500 bytes)
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The source that every entry of its PutEvents calls has to name, such as com.example.approver
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<SourceName>,
    /// Give it a pair of AWS keys too, to sign PutEvents calls with
    #[arg(long)]
    pub aws_keys: bool,
}
