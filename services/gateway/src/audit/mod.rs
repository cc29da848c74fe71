//! Questions of an auditor: who approved what, when, why, having seen what, entered by whom, how it was
//! delivered, and what the workflow answered.
//!
//! Which reviews a question is about is found by the keys of the views, a page at a time; what is said of
//! each is read from the log, commit by commit ([`Trail`]). The channel is no key: it narrows what the
//! other keys find, and a page looks at so many reviews at most and then says where to go on.

mod drawing;
mod report;
mod trail;
pub mod words;

use events::{PersonId, Timestamp, event::Channel, request::Reviewer};
use ledger::{ExecuteError, Position, Reviews, Search, Views};

pub use drawing::timeline;
pub use report::{STYLE, report};
pub use trail::{AliasAdded, Answered, Delivery, Ended, Told, Trail, Vote};

/// How many reviews are looked up at a time.
const STEP: usize = 16;
/// How many reviews one page of an answer looks at, at most.
const LOOKED_MAX: usize = 800;
/// A page ends once its documents have so many bytes; an answer of a Lambda has at most 6 MB.
const BYTES_MAX: usize = 2_000_000;

/// What is asked for; every field narrows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Status, subject and time of the request.
    pub search: Search,
    /// Only reviews that this person asked for, by any of their ids.
    pub requester: Option<PersonId>,
    /// Only reviews that ask this person (by any of their names, and through their groups of today), or in
    /// which they voted; or that ask this group.
    pub reviewer: Option<Reviewer>,
    /// Only reviews in which somebody was reached or not reached, or voted, by this way.
    pub channel: Option<Channel>,
}

/// One page of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The reviews, the one asked for last first.
    pub trails: Vec<Trail>,
    /// Where the next page starts; absent on the last.
    pub next: Option<Position>,
    /// When it was answered.
    pub at: Timestamp,
}

impl Question {
    /// The reviews that match, at most `limit`, from a position that an earlier page gave.
    ///
    /// # Errors
    /// When the views or the log fail, or a stream does not fold.
    pub async fn ask(
        &self,
        reviews: &Reviews,
        views: &dyn Views,
        mut from: Option<Position>,
        limit: usize,
    ) -> Result<Answer, ExecuteError> {
        let search = self.resolve(reviews).await?;
        let directory = reviews.directory().await?;
        let (mut trails, mut looked, mut bytes) = (Vec::new(), 0, 0);
        loop {
            let step = limit.saturating_sub(trails.len()).clamp(1, STEP);
            let page = views.search(&search, from.as_ref(), step).await?;
            looked += page.rows.len();
            for row in &page.rows {
                let Some(trail) = Trail::of(&reviews.history(row.review_id).await?, &directory)? else { continue };
                if self.channel.is_none_or(|channel| trail.went_by(channel)) {
                    bytes += trail.weight();
                    trails.push(trail);
                }
            }
            from = page.next;
            if from.is_none() || trails.len() >= limit || looked >= LOOKED_MAX || bytes >= BYTES_MAX {
                return Ok(Answer { trails, next: from, at: reviews.now() });
            }
        }
    }

    async fn resolve(&self, reviews: &Reviews) -> Result<Search, ExecuteError> {
        let mut search = self.search.clone();
        if let Some(person) = &self.requester {
            let directory = reviews.directory().await?;
            search.requesters = directory.recorded_ids_of(&directory.primary(person));
        }
        match &self.reviewer {
            Some(Reviewer::Person(person)) => {
                let directory = reviews.directory().await?;
                search.reviewers = directory.names_of(&directory.primary(person));
                let ids = search.reviewers.iter().filter_map(|name| match name {
                    Reviewer::Person(person) => Some(person.clone()),
                    Reviewer::Group(_) | Reviewer::Newer(_) => None,
                });
                search.voters = ids.collect();
            }
            Some(group) => search.reviewers = vec![group.clone()],
            None => {}
        }
        Ok(search)
    }
}
