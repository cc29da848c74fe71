//! Searching, held against a filter over all rows.

use std::collections::BTreeSet;

use events::{PersonId, Version};
use ledger::{Position, ReviewRow, Search, Status, SubjectKey, Views};

use crate::{samples::*, stores::Store};

/// Minutes of about twelve days, so that the rows of the samples lie in two months.
const STEP: i64 = 12 * 24 * 60;

async fn pages(views: &dyn Views, search: &Search, limit: usize) -> Vec<ReviewRow> {
    let (mut from, mut all): (Option<Position>, _) = (None, Vec::new());
    loop {
        let page = views.search(search, from.as_ref(), limit).await.expect("a search");
        assert!(page.rows.len() <= limit);
        all.extend(page.rows);
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

/// Rows that differ in every field; pairs of them were recorded at the same moment.
fn rows() -> Vec<ReviewRow> {
    let statuses = [Status::Open, Status::Approved, Status::Refused, Status::Open, Status::Expired];
    let requesters = ["pipeline@example.com", "eve@example.com"].map(|email| Some(email.parse().expect("a person")));
    let reviewers = [vec![person("ana")], vec![group("ml-oncall")], vec![person("bob"), group("ml-oncall")]];
    let make = |number: usize| ReviewRow {
        status: statuses[number % statuses.len()],
        requester: if number == 7 { None } else { requesters[number % 2].clone() },
        reviewers: reviewers[number % reviewers.len()].clone(),
        requested_at: minute(number as i64 / 2 * STEP / 4),
        subject: subject(&["model/churn", "/7"][number % 2 * usize::from(number > 4)..][..1]),
        voters: if number.is_multiple_of(5) { vec!["eve@example.com".parse().expect("a person")] } else { Vec::new() },
        ..row(&number.to_string())
    };
    (0..18).map(make).collect()
}

fn subject(text: &[&str]) -> Option<SubjectKey> {
    text.first().map(|text| text.parse().expect("a subject"))
}

fn matches(search: &Search, row: &ReviewRow) -> bool {
    search.status.is_none_or(|status| row.status == status)
        && (search.requesters.is_empty() || row.requester.iter().any(|person| search.requesters.contains(person)))
        && (search.reviewers.is_empty() && search.voters.is_empty()
            || search.reviewers.iter().any(|one| row.reviewers.contains(one))
            || search.voters.iter().any(|one| row.voters.contains(one)))
        && (search.subject.is_none() || search.subject == row.subject)
        && search.from.is_none_or(|from| from <= row.requested_at)
        && search.to.is_none_or(|to| row.requested_at < to)
}

/// Everybody who asked for one of these, each once.
fn requesters(rows: &[ReviewRow]) -> Vec<PersonId> {
    let mut each: Vec<PersonId> = Vec::new();
    for person in rows.iter().filter_map(|row| row.requester.as_ref()) {
        if !each.contains(person) {
            each.push(person.clone());
        }
    }
    each
}

pub async fn every_field_and_every_combination_narrows_and_the_newest_comes_first(store: Store) {
    let rows = rows();
    store.views.put(&rows).await.expect("put");
    let ana_or_group = vec![person("ana"), group("ml-oncall")];
    let mut sizes = BTreeSet::new();
    for status in [None, Some(Status::Open), Some(Status::Cancelled)] {
        for requesters in [vec![], requesters(&rows[..1]), requesters(&rows)] {
            for reviewers in [vec![], vec![person("bob")], ana_or_group.clone()] {
                for from in [None, Some(rows[4].requested_at)] {
                    for to in [None, Some(rows[14].requested_at)] {
                        let search = Search {
                            status,
                            requesters: requesters.clone(),
                            reviewers: reviewers.clone(),
                            from,
                            to,
                            ..Search::default()
                        };
                        let expected: BTreeSet<_> =
                            rows.iter().filter(|row| matches(&search, row)).map(|row| row.review_id).collect();
                        let found = pages(store.views.as_ref(), &search, 5).await;
                        assert!(found.iter().rev().is_sorted_by_key(|row| row.requested_at), "{search:?}");
                        assert_eq!(found.len(), expected.len(), "{search:?}");
                        assert_eq!(found.iter().map(|row| row.review_id).collect::<BTreeSet<_>>(), expected, "{search:?}");
                        sizes.insert(expected.len());
                    }
                }
            }
        }
    }
    assert!(sizes.len() > 8, "the searches should differ in what they find: {sizes:?}");
    let everything = pages(store.views.as_ref(), &Search::default(), 1).await;
    assert_eq!(everything.len(), rows.len(), "page by page of one");
}

pub async fn a_row_is_found_where_it_stands_now(store: Store) {
    let open = row("moves");
    let approved = ReviewRow { approvals: 1, ..ended(&open, Status::Approved) };
    let other = ReviewRow { version: Version(9), ..row("stays") };
    store.views.put(&[open.clone(), other.clone()]).await.expect("put");
    store.views.put(std::slice::from_ref(&approved)).await.expect("put");
    for (status, expected) in [(Status::Open, other), (Status::Approved, approved)] {
        let search = Search { status: Some(status), ..Search::default() };
        assert_eq!(pages(store.views.as_ref(), &search, 10).await, [expected]);
    }
    assert_eq!(pages(store.views.as_ref(), &Search::default(), 10).await.len(), 2);
}

pub async fn subject_and_voters_narrow_with_everything_else(store: Store) {
    let rows = rows();
    store.views.put(&rows).await.expect("put");
    let eve: PersonId = "eve@example.com".parse().expect("a person");
    let mut sizes = BTreeSet::new();
    for subject in [None, subject(&["model/churn"]), subject(&["/7"]), subject(&["no/where"])] {
        for voters in [vec![], vec![eve.clone()]] {
            for reviewers in [vec![], vec![person("bob")]] {
                for status in [None, Some(Status::Open)] {
                    for requesters in [vec![], requesters(&rows[..1]), requesters(&rows)] {
                        let (subject, voters, reviewers) = (subject.clone(), voters.clone(), reviewers.clone());
                        let requesters = requesters.clone();
                        let search = Search { status, requesters, reviewers, voters, subject, from: None, to: None };
                        let expected: BTreeSet<_> =
                            rows.iter().filter(|row| matches(&search, row)).map(|row| row.review_id).collect();
                        let found = pages(store.views.as_ref(), &search, 3).await;
                        assert!(found.is_sorted_by(|one, next| one.requested_at >= next.requested_at), "{search:?}");
                        assert_eq!(found.len(), expected.len(), "{search:?}");
                        assert_eq!(found.iter().map(|row| row.review_id).collect::<BTreeSet<_>>(), expected, "{search:?}");
                        sizes.insert(expected.len());
                    }
                }
            }
        }
    }
    assert!(sizes.len() > 6, "the searches should differ in what they find: {sizes:?}");
}
