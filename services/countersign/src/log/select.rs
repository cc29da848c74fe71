//! Which reviews an export takes: whole ones, each with its whole chain.

use std::sync::Arc;

use events::{PersonId, StoredCommit, Timestamp, request::Reviewer};
use ledger::{Ledger, ReviewRow, Reviews, Status, SystemClock};
use projector::{rebuild::fold, row};
use review::FoldError;
use serde::Serialize;

use crate::cli::SelectionArgs;

/// What is asked for; every field narrows. Nothing at all takes the whole log, people and groups included.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Selection {
    /// Asked for at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Asked for before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Asked for from this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Asked for by this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
    /// This person was asked or voted, or this group was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<Reviewer>,
    /// With this outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Status>,
    /// Every name of the reviewer, once it was looked up.
    #[serde(skip)]
    names: Vec<Reviewer>,
    /// Every id of the requester, once it was looked up.
    #[serde(skip)]
    requesters: Vec<PersonId>,
}

impl Selection {
    /// Whether everything is taken.
    pub fn is_all(&self) -> bool {
        *self == Selection::default()
    }

    /// By which names the reviewer was looked for; none before that was looked up.
    pub fn names(&self) -> &[Reviewer] {
        &self.names
    }

    /// Looks up by which ids the requester, and by which names the reviewer, may be on record.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn resolve(&mut self, ledger: &Arc<dyn Ledger>) -> Result<(), ledger::ExecuteError> {
        if self.requester.is_none() && self.reviewer.is_none() {
            return Ok(());
        }
        let reviews = Reviews::new(Arc::clone(ledger), Arc::new(SystemClock));
        let directory = reviews.directory().await?;
        let ids = |person| directory.recorded_ids_of(&directory.primary(person));
        self.requesters = self.requester.as_ref().map(ids).unwrap_or_default();
        self.names = match &self.reviewer {
            Some(Reviewer::Person(person)) => directory.names_of(&directory.primary(person)),
            Some(group) => vec![group.clone()],
            None => Vec::new(),
        };
        Ok(())
    }

    /// Whether a stream is taken.
    ///
    /// # Errors
    /// When it does not fold, so that nobody can tell.
    pub fn takes(&self, commits: &[StoredCommit]) -> Result<bool, FoldError> {
        if self.is_all() {
            return Ok(true);
        }
        // Of people and groups there is no row.
        if commits.first().is_none_or(|commit| commit.stream.review().is_none()) {
            return Ok(false);
        }
        Ok(row(&fold(commits)?).is_some_and(|row| self.matches(&row)))
    }

    fn matches(&self, row: &ReviewRow) -> bool {
        let named = |one: &Reviewer| match one {
            Reviewer::Person(person) => row.voters.contains(person) || row.reviewers.contains(one),
            Reviewer::Group(_) | Reviewer::Newer(_) => row.reviewers.contains(one),
        };
        self.from.is_none_or(|from| row.requested_at >= from)
            && self.to.is_none_or(|to| row.requested_at < to)
            && self.source.as_ref().is_none_or(|source| *source == row.source)
            && (self.requester.is_none() || row.requester.iter().any(|person| self.requesters.contains(person)))
            && (self.reviewer.is_none() || self.names.iter().any(named))
            && self.outcome.is_none_or(|outcome| outcome == row.status)
    }
}

impl From<&SelectionArgs> for Selection {
    fn from(args: &SelectionArgs) -> Selection {
        let SelectionArgs { from, to, source, requester, reviewer, outcome } = args.clone();
        Selection { from, to, source, requester, reviewer, outcome: outcome.map(Status::from), ..Selection::default() }
    }
}
