//! The inbox: what waits for somebody.

use std::collections::BTreeSet;

use events::{ReviewId, Version, request::Reviewer};
use ledger::{Position, ReviewRow, Status, Views};

use crate::{samples::*, stores::Store};

async fn pages(views: &dyn Views, reviewers: &[Reviewer], limit: usize) -> Vec<ReviewRow> {
    let (mut from, mut all): (Option<Position>, _) = (None, Vec::new());
    loop {
        let page = views.inbox(reviewers, from.as_ref(), limit).await.expect("an inbox");
        assert!(page.rows.len() <= limit);
        all.extend(page.rows);
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

fn ids(rows: &[ReviewRow]) -> Vec<ReviewId> {
    rows.iter().map(|row| row.review_id).collect()
}

pub async fn open_reviews_are_listed_nearest_expiry_first(store: Store) {
    let rows = [30, 10, 20].map(|at| ReviewRow { expires_at: Some(minute(at)), ..row(&at.to_string()) });
    let of_bob = ReviewRow { reviewers: vec![person("bob")], ..row("of bob") };
    store.views.put(&rows).await.expect("put");
    store.views.put(&[of_bob]).await.expect("put");
    let page = store.views.inbox(&[person("ana")], None, 10).await.expect("an inbox");
    assert_eq!(page.rows, [rows[1].clone(), rows[2].clone(), rows[0].clone()]);
    assert_eq!(page.next, None);
}

pub async fn pages_repeat_nothing_and_lose_nothing_also_at_equal_times(store: Store) {
    let asked = [vec![person("ana")], vec![group("ml-oncall")], vec![person("ana"), group("ml-oncall")]];
    let rows: Vec<ReviewRow> = (0..21)
        .map(|number| ReviewRow {
            expires_at: Some(minute(i64::from(number) / 5)),
            reviewers: asked[number as usize % 3].clone(),
            ..row(&number.to_string())
        })
        .collect();
    store.views.put(&rows).await.expect("put");
    for limit in [1, 4, 21, 50] {
        let found = pages(store.views.as_ref(), &[person("ana"), group("ml-oncall")], limit).await;
        assert!(found.is_sorted_by_key(|row| row.expires_at), "with limit {limit}");
        assert_eq!(found.len(), 21, "with limit {limit}");
        assert_eq!(ids(&found).into_iter().collect::<BTreeSet<_>>(), ids(&rows).into_iter().collect());
    }
}

pub async fn a_review_that_names_a_person_and_their_group_is_listed_once(store: Store) {
    let both = ReviewRow { reviewers: vec![person("ana"), group("ml-oncall")], ..row("both") };
    store.views.put(std::slice::from_ref(&both)).await.expect("put");
    for asked in [vec![person("ana")], vec![group("ml-oncall")], vec![group("ml-oncall"), person("ana"), person("bob")]] {
        assert_eq!(pages(store.views.as_ref(), &asked, 10).await, std::slice::from_ref(&both));
    }
    assert_eq!(pages(store.views.as_ref(), &[person("bob")], 10).await, []);
    assert_eq!(pages(store.views.as_ref(), &[], 10).await, []);
}

pub async fn a_review_that_ended_leaves_the_inbox(store: Store) {
    let ends = [Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled];
    let rows: Vec<ReviewRow> = ends.iter().map(|status| row(status.as_str())).collect();
    store.views.put(&rows).await.expect("put");
    for (row, status) in rows.iter().zip(ends) {
        assert!(ids(&pages(store.views.as_ref(), &row.reviewers, 10).await).contains(&row.review_id));
        store.views.put(&[ended(row, status)]).await.expect("put");
        assert!(!ids(&pages(store.views.as_ref(), &row.reviewers, 10).await).contains(&row.review_id), "{status:?}");
    }
    let refused = ReviewRow { status: Status::Refused, expires_at: None, next_due: None, ..row("refused") };
    store.views.put(&[refused]).await.expect("put");
    assert_eq!(pages(store.views.as_ref(), &[person("ana")], 10).await, []);
}

pub async fn a_reviewer_who_is_no_longer_named_does_not_see_the_review(store: Store) {
    let before = row("handed over");
    let after = ReviewRow { version: Version(2), reviewers: vec![person("bob")], ..before.clone() };
    store.views.put(&[before]).await.expect("put");
    store.views.put(std::slice::from_ref(&after)).await.expect("put");
    assert_eq!(pages(store.views.as_ref(), &[person("ana")], 10).await, []);
    assert_eq!(pages(store.views.as_ref(), &[person("bob")], 10).await, [after]);
}
