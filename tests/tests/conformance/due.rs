//! What is due.

use events::Version;
use ledger::{Due, ReviewRow, Status};

use crate::{samples::*, stores::Store};

fn at(name: &str, due: i64) -> ReviewRow {
    ReviewRow { next_due: Some(minute(due)), ..row(name) }
}

fn due(row: &ReviewRow) -> Due {
    Due { review_id: row.review_id, at: row.next_due.expect("a moment") }
}

pub async fn what_is_due_comes_earliest_first(store: Store) {
    let rows: Vec<ReviewRow> = [7, 3, 9, 1, 5, 8, 2, 6, 4].map(|minute| at(&minute.to_string(), minute)).into();
    store.views.put(&rows).await.expect("put");
    let mut sorted: Vec<Due> = rows.iter().map(due).collect();
    sorted.sort_by_key(|due| due.at);
    assert_eq!(store.views.due(minute(100), 100).await.expect("due"), sorted);
    assert_eq!(store.views.due(minute(100), 4).await.expect("due"), sorted[..4]);
    assert_eq!(store.views.due(minute(3), 100).await.expect("due"), sorted[..3], "at the very moment it is due");
    assert_eq!(store.views.due(minute(0), 100).await.expect("due"), []);
}

pub async fn a_moment_that_moved_or_went_is_not_due(store: Store) {
    let (moved, gone) = (at("moved", 1), at("gone", 1));
    store.views.put(&[moved.clone(), gone.clone()]).await.expect("put");
    let later = ReviewRow { version: Version(2), next_due: Some(minute(8)), ..moved };
    store.views.put(&[later.clone(), ended(&gone, Status::Cancelled)]).await.expect("put");
    assert_eq!(store.views.due(minute(7), 10).await.expect("due"), []);
    assert_eq!(store.views.due(minute(8), 10).await.expect("due"), [due(&later)]);
}
