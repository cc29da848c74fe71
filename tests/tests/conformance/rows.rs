//! Rows: the highest version stays, whatever the order of the writers.

use std::{collections::BTreeSet, sync::Arc};

use events::{Version, request::Reviewer};
use ledger::{Position, ReviewRow, Search, Status, Unlike, Views};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{samples::*, stores::Store};

/// Four versions of one review: opened, a reviewer added and its due moment moved, moved back, ended.
fn history(name: &str) -> [ReviewRow; 4] {
    let opened = row(name);
    let added = ReviewRow {
        version: Version(2),
        reviewers: vec![person("ana"), group("ml-oncall")],
        next_due: Some(minute(5)),
        ..opened.clone()
    };
    let back = ReviewRow { version: Version(3), approvals: 1, next_due: Some(minute(60)), ..added.clone() };
    let ended = ended(&back, Status::Approved);
    [opened, added, back, ended]
}

/// Every list that can show the row.
async fn seen(views: &dyn Views, row: &ReviewRow) -> (Option<ReviewRow>, [bool; 6]) {
    let has = |rows: Vec<ReviewRow>| rows.iter().any(|one| one == row);
    let inbox = async |reviewer: Reviewer| has(views.inbox(&[reviewer], None, 500).await.expect("an inbox").rows);
    let found = async |search: Search| has(views.search(&search, None, 500).await.expect("a search").rows);
    let due = views.due(minute(1_000_000), 500).await.expect("due");
    let lists = [
        inbox(person("ana")).await,
        inbox(group("ml-oncall")).await,
        found(Search { status: Some(Status::Open), ..Search::default() }).await,
        found(Search { requesters: row.requester.clone().into_iter().collect(), ..Search::default() }).await,
        found(Search { reviewers: vec![group("ml-oncall")], ..Search::default() }).await,
        due.iter().any(|due| due.review_id == row.review_id && Some(due.at) == row.next_due),
    ];
    (views.get(row.review_id).await.expect("a row"), lists)
}

pub async fn a_lower_version_never_overwrites_a_higher(store: Store) {
    let [opened, added, back, ended] = history("one");
    for row in [&added, &opened, &added] {
        store.views.put(std::slice::from_ref(row)).await.expect("put");
        assert_eq!(store.views.get(row.review_id).await.expect("a row").as_ref(), Some(&added));
    }
    assert_eq!(seen(store.views.as_ref(), &added).await.1, [true, true, true, true, true, true]);
    store.views.put(std::slice::from_ref(&ended)).await.expect("put");
    for late in [&opened, &added, &back] {
        store.views.put(std::slice::from_ref(late)).await.expect("put");
    }
    assert_eq!(seen(store.views.as_ref(), &ended).await, (Some(ended), [false, false, false, true, true, false]));
}

pub async fn invariant_07_puts_in_every_order_end_equal(store: Store) {
    for (number, order) in permutations().into_iter().enumerate() {
        let rows = history(&number.to_string());
        for index in order {
            store.views.put(&rows[index..=index]).await.expect("put");
        }
        let [.., last] = rows;
        let (there, lists) = seen(store.views.as_ref(), &last).await;
        assert_eq!((there.as_ref(), lists), (Some(&last), [false, false, false, true, true, false]), "{order:?}");
    }
    assert_eq!(store.views.due(minute(1_000_000), 500).await.expect("due"), []);
    assert_eq!(store.views.inbox(&[person("ana"), group("ml-oncall")], None, 500).await.expect("an inbox").rows, []);
}

/// The 24 orders of four.
fn permutations() -> Vec<[usize; 4]> {
    let all = (0..256usize).map(|code| [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6]);
    all.filter(|order| order.iter().collect::<BTreeSet<_>>().len() == 4).collect()
}

pub async fn racing_puts_end_at_the_highest_version(store: Store) {
    for round in 0..6 {
        let rows = history(&round.to_string());
        // The third stays the last in odd rounds: open, with a due moment that went away and came back.
        let rows = if round % 2 == 0 { &rows[..] } else { &rows[..3] };
        let start = Arc::new(Barrier::new(rows.len() * 2));
        let mut writers = JoinSet::new();
        for row in rows.iter().chain(rows).cloned() {
            let (views, start) = (Arc::clone(&store.views), Arc::clone(&start));
            writers.spawn(async move {
                start.wait().await;
                views.put(&[row]).await.expect("put");
            });
        }
        writers.join_all().await;
        let last = rows.last().expect("a row");
        let open = last.status == Status::Open;
        assert_eq!(seen(store.views.as_ref(), last).await, (Some(last.clone()), [open, open, open, true, true, open]));
    }
}

pub async fn of_several_rows_of_one_review_the_latest_stays(store: Store) {
    let [opened, added, back, ended] = history("batch");
    store.views.put(&[back.clone(), opened, row("beside"), added]).await.expect("put");
    assert_eq!(store.views.get(back.review_id).await.expect("a row"), Some(back.clone()));
    store.views.put(&[ended.clone(), back]).await.expect("put");
    assert_eq!(store.views.get(ended.review_id).await.expect("a row"), Some(ended));
    assert_eq!(store.views.get(review("beside")).await.expect("a row"), Some(row("beside")));
}

pub async fn every_row_is_given_once(store: Store) {
    let rows: Vec<ReviewRow> = (0..23).map(|number| row(&number.to_string())).collect();
    store.views.put(&rows).await.expect("put");
    let expected: BTreeSet<_> = rows.iter().map(|row| row.review_id).collect();
    for limit in [1, 5, 23, 100] {
        let (mut position, mut found) = (Position::default(), Vec::new());
        loop {
            let page = store.views.rows(&position, limit).await.expect("rows");
            assert!(page.rows.len() <= limit);
            found.extend(page.rows.into_iter().map(|row| row.review_id));
            match page.next {
                Some(next) => position = next,
                None => break,
            }
        }
        assert_eq!(found.len(), rows.len(), "with limit {limit}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

pub async fn a_removed_row_is_gone_from_every_list(store: Store) {
    let [_, added, ..] = history("stray");
    store.views.put(&[added.clone(), row("kept")]).await.expect("put");
    for _ in 0..2 {
        store.views.remove(added.review_id).await.expect("removed");
        assert_eq!(seen(store.views.as_ref(), &added).await, (None, [false; 6]));
    }
    assert_eq!(store.views.rows(&Position::default(), 10).await.expect("rows").rows, [row("kept")]);
    store.views.put(std::slice::from_ref(&added)).await.expect("put");
    assert_eq!(seen(store.views.as_ref(), &added).await, (Some(added), [true; 6]));
}

pub async fn rewriting_replaces_the_same_version_and_mends_what_it_is_found_by_and_leaves_a_later_one(store: Store) {
    let [opened, added, ..] = history("anew");
    let older = ReviewRow { title: "As an older build said it".into(), reviewers: vec![person("ana")], ..added.clone() };
    store.views.put(std::slice::from_ref(&older)).await.expect("put");
    store.views.put(std::slice::from_ref(&added)).await.expect("put");
    assert_eq!(store.views.get(added.review_id).await.expect("a row"), Some(older), "a put leaves the same version");
    for _ in 0..2 {
        store.views.rewrite(&[added.clone(), row("beside")]).await.expect("rewritten");
        assert_eq!(seen(store.views.as_ref(), &added).await, (Some(added.clone()), [true; 6]));
    }
    assert_eq!(store.views.get(review("beside")).await.expect("a row"), Some(row("beside")));
    store.views.rewrite(&[opened]).await.expect("passed over");
    assert_eq!(store.views.get(added.review_id).await.expect("a row"), Some(added), "a later version stays");
}

pub async fn rows_that_are_there_otherwise_or_not_at_all_are_told_apart(store: Store) {
    let [opened, added, _, ended] = history("compared");
    store.views.put(&[added.clone(), row("alike")]).await.expect("put");
    let other = ReviewRow { approvals: 7, ..added.clone() };
    let asked = [row("alike"), row("nowhere"), opened, other, ended, added];
    let there = Some(Version(2));
    let expected = [(1, None), (2, there), (3, there), (4, there)].map(|(index, there)| Unlike { index, there });
    assert_eq!(store.views.unlike(&asked).await.expect("compared"), expected);
    assert_eq!(store.views.unlike(&[]).await.expect("compared"), []);
}
