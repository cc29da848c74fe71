//! Which items a row is stored as, and where they stand in the two indexes. Pure.

use std::collections::BTreeMap;

use events::{ExecutionId, PersonId, ReviewId, Timestamp, request::Reviewer};

use super::item::{Item, number, read_text, text};
use crate::{
    error::LedgerError,
    subject::SubjectKey,
    views::{ReviewRow, Status},
    work::Due,
};

/// The sort key of the item that holds the row itself.
pub(super) const ROW: &str = "row";
/// Into how many queues due moments are spread, so that no index partition takes all writes.
const SHARDS: u8 = 4;
/// Sorts after every time.
pub(super) const NEVER: &str = "~";
const STATUSES: [Status; 6] =
    [Status::Open, Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled, Status::Refused];

/// The two indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// What there is, by age.
    Recorded,
    /// What waits, by time.
    Pending,
}

impl Index {
    pub(super) fn name(self) -> &'static str {
        match self {
            Index::Recorded => "recorded",
            Index::Pending => "pending",
        }
    }

    /// Its partition and sort attribute.
    pub(super) fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Index::Recorded => ("list", "rank"),
            Index::Pending => ("queue", "until"),
        }
    }
}

/// Where an item stands in the indexes: a list and a place in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Slot {
    pub(super) recorded: Option<(String, String)>,
    pub(super) pending: Option<(String, String)>,
}

impl Slot {
    /// Writes the slot into an item.
    pub(super) fn write(&self, item: &mut Item) {
        for (index, place) in [(Index::Recorded, &self.recorded), (Index::Pending, &self.pending)] {
            if let Some((list, rank)) = place {
                let (partition, sort) = index.attributes();
                item.insert(partition.to_owned(), text(list));
                item.insert(sort.to_owned(), text(rank));
            }
        }
    }

    /// Reads the slot of an item.
    pub(super) fn read(item: &Item) -> Result<Slot, LedgerError> {
        let place = |index: Index| -> Result<Option<(String, String)>, LedgerError> {
            let (partition, sort) = index.attributes();
            if !item.contains_key(partition) {
                return Ok(None);
            }
            Ok(Some((read_text(item, partition)?.to_owned(), read_text(item, sort)?.to_owned())))
        };
        Ok(Slot { recorded: place(Index::Recorded)?, pending: place(Index::Pending)? })
    }
}

/// A place that sorts by time and is unique to a review.
pub(super) fn rank(at: Timestamp, review: ReviewId) -> String {
    format!("{at}#{review}")
}

/// Reads a [`rank`] back.
pub(super) fn read_rank(rank: &str) -> Option<Due> {
    let (at, review) = rank.split_once('#')?;
    Some(Due { review_id: review.parse().ok()?, at: at.parse().ok()? })
}

/// The places of all ranks up to and with `now`.
pub(super) fn until(now: Timestamp) -> String {
    format!("{now}#{NEVER}")
}

/// The partition of a review's items.
pub(super) fn partition(review: ReviewId) -> String {
    format!("review#{review}")
}

/// The month of a time or rank, `2026-11`.
pub(super) fn month(rank: &str) -> &str {
    rank.get(..7).unwrap_or(rank)
}

/// The lists that hold the reviews of a month, of one status or of all.
pub(super) fn month_lists(status: Option<Status>, month: &str) -> Vec<String> {
    let all: &[Status] = &STATUSES;
    let wanted = all.iter().filter(|one| status.is_none_or(|status| status == **one));
    wanted.map(|one| format!("{}#{month}", one.as_str())).collect()
}

pub(super) fn by_list(requester: &str) -> String {
    format!("by#{requester}")
}

pub(super) fn for_list(reviewer: &Reviewer) -> String {
    format!("for#{}", reviewer_key(reviewer))
}

fn voted_list(voter: &PersonId) -> String {
    format!("voted#{voter}")
}

/// The lists that hold what somebody voted in: those they were asked for in, and those they were not.
pub(super) fn voter_lists(voter: &PersonId) -> [String; 2] {
    [for_list(&Reviewer::Person(voter.clone())), voted_list(voter)]
}

pub(super) fn about_list(subject: &SubjectKey) -> String {
    format!("about#{subject}")
}

pub(super) fn inbox_list(reviewer: &Reviewer) -> String {
    format!("inbox#{}", reviewer_key(reviewer))
}

pub(super) fn waits_list(execution: ExecutionId) -> String {
    format!("waits#{execution}")
}

fn reviewer_key(reviewer: &Reviewer) -> String {
    match reviewer {
        Reviewer::Person(person) => format!("person:{person}"),
        Reviewer::Group(group) => format!("group:{group}"),
        // Nobody is found by it; a newer build files it anew.
        Reviewer::Newer(_) => "newer:".to_owned(),
    }
}

/// The queue that a review's moments of this kind stand in.
pub(super) fn queue(kind: &str, review: ReviewId) -> String {
    format!("{kind}#{}", review.as_uuid().as_bytes()[0] % SHARDS)
}

/// All queues of a kind.
pub(super) fn queues(kind: &str) -> Vec<String> {
    (0..SHARDS).map(|shard| format!("{kind}#{shard}")).collect()
}

/// Where the row's own item stands.
pub(super) fn row_slot(row: &ReviewRow) -> Slot {
    let age = rank(row.requested_at, row.review_id);
    Slot {
        recorded: Some((format!("{}#{}", row.status.as_str(), month(&age)), age)),
        pending: row.next_due.map(|due| (queue("due", row.review_id), rank(due, row.review_id))),
    }
}

/// Until when an open row waits in inboxes.
pub(super) fn inbox_rank(row: &ReviewRow) -> Option<String> {
    let never = || format!("{NEVER}#{}", row.review_id);
    (row.status == Status::Open).then(|| row.expires_at.map_or_else(never, |at| rank(at, row.review_id)))
}

/// The other items of a row, by sort key.
pub(super) fn others(row: &ReviewRow) -> BTreeMap<String, Slot> {
    let age = rank(row.requested_at, row.review_id);
    let asked = row.reviewers.iter().map(|reviewer| {
        let slot = Slot {
            recorded: Some((for_list(reviewer), age.clone())),
            pending: inbox_rank(row).map(|until| (inbox_list(reviewer), until)),
        };
        (for_list(reviewer), slot)
    });
    let asker = row.requester.iter().map(|person| {
        let slot = Slot { recorded: Some((by_list(person.as_str()), age.clone())), pending: None };
        ("by".to_owned(), slot)
    });
    let filed = |list: String| Slot { recorded: Some((list, age.clone())), pending: None };
    // Somebody who was asked is in a list already, see `voter_lists`.
    let unasked = row.voters.iter().filter(|voter| !row.reviewers.contains(&Reviewer::Person((*voter).clone())));
    let voted = unasked.map(|voter| (voted_list(voter), filed(voted_list(voter))));
    let about = row.subject.iter().map(|subject| ("about".to_owned(), filed(about_list(subject))));
    let waiting = row.executions.iter().map(|execution| (waits_list(*execution), filed(waits_list(*execution))));
    asked.chain(asker).chain(voted).chain(about).chain(waiting).collect()
}

/// An item of a row: its key, version and slot.
pub(super) fn item(row: &ReviewRow, sk: &str, slot: &Slot) -> Item {
    let mut item = super::item::key(&partition(row.review_id), sk);
    item.insert("version".to_owned(), number(row.version));
    slot.write(&mut item);
    item
}
