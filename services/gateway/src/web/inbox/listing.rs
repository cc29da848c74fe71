//! How a list is read: pages of the views until enough rows are wanted, and never more than a bounded
//! number of them.
//!
//! The views find reviews by reviewer, requester, status and time on every store. A risk or words are
//! looked for in what they give, newest first; what is further back is looked at when somebody asks
//! to look further. So a search costs the same however many reviews there are.

use std::{cmp::Reverse, collections::HashSet};

use events::{Period, PersonId, ReviewId, Timestamp, request::Reviewer};
use ledger::{LedgerError, Page, Position, ReviewRow, Search, Status};
use review::Directory;

use super::wish::{Tab, Wish};
use crate::Gateway;

/// The rows of one read of the views.
const ROWS: usize = 50;
/// Enough rows for a page; there are fewer when no more are found, and at most `ROWS` more.
const ENOUGH: usize = 25;
/// The most rows that one page looks through.
const LOOKED_THROUGH_MAX: usize = 1_000;
/// When there are more open reviews than a page holds, those that expire within this are put first.
const SOON: Period = Period::hours(24);
/// The most of those.
const SOON_MAX: usize = 25;

/// What a page of the inbox lists.
pub(super) struct Listing {
    pub(super) rows: Vec<ReviewRow>,
    /// Where the next page starts.
    pub(super) next: Option<String>,
    /// How many rows were looked through for these.
    pub(super) looked_through: usize,
}

/// Whose list it is.
pub(super) struct Reader<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) directory: &'a Directory,
    /// Absent for the operator.
    pub(super) person: Option<&'a PersonId>,
}

impl Reader<'_> {
    /// The page that is wished for.
    pub(super) async fn list(&self, wish: &Wish) -> Result<Listing, LedgerError> {
        let source = self.source(wish);
        let (mut rows, mut next, mut looked_through) = (Vec::new(), wish.from.clone(), 0);
        loop {
            let page = source.read(self.gateway, next.as_deref()).await?;
            looked_through += page.rows.len();
            next = page.next.map(|position| position.0);
            rows.extend(page.rows.into_iter().filter(|row| self.shows(wish, row)));
            if next.is_none() || rows.len() >= ENOUGH || looked_through >= LOOKED_THROUGH_MAX {
                break;
            }
        }
        if wish.tab == Tab::Open {
            if next.is_some() && wish.from.is_none() {
                self.add_urgent(&mut rows, wish).await?;
            }
            rows.sort_by_key(|row| (row.expires_at, row.review_id));
        }
        Ok(Listing { rows, next, looked_through })
    }

    fn shows(&self, wish: &Wish, row: &ReviewRow) -> bool {
        let fits = match (wish.tab, self.person) {
            (Tab::Waiting, Some(person)) => !self.has_voted(row, person),
            (Tab::Ended, _) => row.status != Status::Open,
            _ => true,
        };
        fits && wish.wants(row, self.directory)
    }

    /// Whether this person's last word stands.
    pub(super) fn has_voted(&self, row: &ReviewRow, person: &PersonId) -> bool {
        let person = self.directory.primary(person);
        row.decided.iter().any(|voter| self.directory.is(voter, &person))
    }

    fn source(&self, wish: &Wish) -> Source {
        let Some(person) = self.person else {
            let status = if wish.tab == Tab::Open { Some(Status::Open) } else { wish.status };
            return Source::Searches(vec![Search { status, ..Search::default() }]);
        };
        let person = self.directory.primary(person);
        let names = self.directory.names_of(&person);
        if wish.tab == Tab::Waiting {
            return Source::Inbox(names);
        }
        let search = Search { status: wish.status, ..Search::default() };
        let requesters = self.directory.recorded_ids_of(&person);
        let mut searches = vec![Search { requesters, ..search.clone() }];
        if wish.tab == Tab::All {
            searches.push(Search { reviewers: names, ..search });
        }
        Source::Searches(searches)
    }

    /// The views list newest first, so with more than a page of open reviews those that expire soon
    /// are looked up too.
    async fn add_urgent(&self, rows: &mut Vec<ReviewRow>, wish: &Wish) -> Result<(), LedgerError> {
        let views = &self.gateway.views;
        let known: HashSet<_> = rows.iter().map(|row| row.review_id).collect();
        let soon = self.gateway.reviews.now().after(SOON);
        // Reminders and retries are due too.
        let is_urgent = |row: &ReviewRow| row.status == Status::Open && row.expires_at.is_some_and(|time| time <= soon);
        for due in views.due(soon, SOON_MAX).await? {
            if !known.contains(&due.review_id)
                && let Some(row) = views.get(due.review_id).await?.filter(is_urgent)
                && self.shows(wish, &row)
            {
                rows.push(row);
            }
        }
        Ok(())
    }
}

/// Where rows come from.
enum Source {
    /// Open reviews of these reviewers, nearest expiry first.
    Inbox(Vec<Reviewer>),
    /// Whatever one of these finds, newest first.
    Searches(Vec<Search>),
}

impl Source {
    async fn read(&self, gateway: &Gateway, from: Option<&str>) -> Result<Page, LedgerError> {
        let position = from.map(|from| Position(from.to_owned()));
        match self {
            Source::Inbox(names) => gateway.views.inbox(names, position.as_ref(), ROWS).await,
            Source::Searches(searches) => match searches.as_slice() {
                [one] => gateway.views.search(one, position.as_ref(), ROWS).await,
                several => merge(gateway, several, from).await,
            },
        }
    }
}

/// Where a merged list goes on: at a moment, without the reviews of that moment that were listed. The
/// stores' own positions stand for one list each, and order within a millisecond as they like.
struct After {
    at: Timestamp,
    seen: Vec<ReviewId>,
}

impl After {
    fn read(text: &str) -> Option<After> {
        let mut parts = text.split('.');
        let at = parts.next()?.parse().ok().and_then(Timestamp::from_millis)?;
        Some(After { at, seen: parts.map(str::parse).collect::<Result<_, _>>().ok()? })
    }

    fn write(&self) -> String {
        let ids = self.seen.iter().map(|id| format!(".{id}"));
        format!("{}{}", self.at.millis(), ids.collect::<String>())
    }

    fn has(&self, row: &ReviewRow) -> bool {
        row.requested_at == self.at && self.seen.contains(&row.review_id)
    }
}

/// What any of these searches finds, each review once, newest first.
async fn merge(gateway: &Gateway, searches: &[Search], from: Option<&str>) -> Result<Page, LedgerError> {
    let after = from.map(|from| {
        After::read(from).ok_or_else(|| LedgerError::Damaged {
            place: "a position in a merged list".to_owned(),
            fault: format!("{from:?} is none"),
        })
    });
    let after = after.transpose()?;
    let to = after.as_ref().and_then(|after| Timestamp::from_millis(after.at.millis() + 1));
    // So that a page goes on though all that was listed comes once more.
    let most = ROWS + after.as_ref().map_or(0, |after| after.seen.len());
    let (mut rows, mut more) = (Vec::new(), false);
    for search in searches {
        let page = gateway.views.search(&Search { to, ..search.clone() }, None, most).await?;
        more |= page.next.is_some();
        rows.extend(page.rows);
    }
    rows.retain(|row| !after.as_ref().is_some_and(|after| after.has(row)));
    rows.sort_by_key(|row| Reverse((row.requested_at, row.review_id)));
    rows.dedup_by_key(|row| row.review_id);
    more |= rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| more).map(|last| {
        let before = after.filter(|after| after.at == last.requested_at).map_or_else(Vec::new, |after| after.seen);
        let here = rows.iter().filter(|row| row.requested_at == last.requested_at).map(|row| row.review_id);
        Position(After { at: last.requested_at, seen: here.chain(before).collect() }.write())
    });
    Ok(Page { rows, next })
}
