//! Which reviews a command takes.

use clap::Args;
use events::{PersonId, Timestamp, request::Reviewer};

use super::{
    client::{StatusArg, reviewer},
    log::moment,
};

/// The options of `export` that select reviews; each narrows.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArgs {
    /// Only reviews asked for at or after (RFC 3339, or a date for its beginning in UTC)
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "move")]
    pub from: Option<Timestamp>,
    /// Only reviews asked for before
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "move")]
    pub to: Option<Timestamp>,
    /// Only reviews asked for from this source
    #[arg(long, value_name = "SOURCE", conflicts_with = "move")]
    pub source: Option<String>,
    /// Only reviews asked for by this person
    #[arg(long, value_name = "WHO", conflicts_with = "move")]
    pub requester: Option<PersonId>,
    /// Only reviews that ask this person, or in which they voted, or that ask this group (group:NAME)
    #[arg(long, value_name = "WHO", value_parser = reviewer, conflicts_with = "move")]
    pub reviewer: Option<Reviewer>,
    /// Only reviews with this outcome
    #[arg(long, conflicts_with = "move")]
    pub outcome: Option<StatusArg>,
}
