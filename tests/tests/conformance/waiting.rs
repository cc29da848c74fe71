//! The reviews that a workflow waits for.

use std::collections::BTreeSet;

use events::{ExecutionId, ReviewId, Version};
use ledger::{ReviewRow, Status};

use crate::{samples::*, stores::Store};

async fn found(store: &Store, execution: ExecutionId) -> BTreeSet<ReviewId> {
    store.views.waiting_for(execution).await.expect("looked up").into_iter().collect()
}

pub async fn the_reviews_of_a_workflow_are_found_also_once_they_ended(store: Store) {
    let of = |name: &str, executions: &[&str]| ReviewRow {
        executions: executions.iter().map(|name| execution(name)).collect(),
        ..row(name)
    };
    let rows = [of("one", &["run-1"]), of("two", &["run-1", "run-2"]), of("three", &[])];
    store.views.put(&rows).await.expect("put");
    assert_eq!(found(&store, execution("run-1")).await, [review("one"), review("two")].into());
    assert_eq!(found(&store, execution("run-2")).await, [review("two")].into());
    assert_eq!(found(&store, execution("run-3")).await, [].into());

    store.views.put(&[ended(&rows[0], Status::Cancelled)]).await.expect("put");
    assert_eq!(found(&store, execution("run-1")).await, [review("one"), review("two")].into());
}

pub async fn a_workflow_that_came_later_is_found_and_a_removed_row_is_not(store: Store) {
    let first = ReviewRow { executions: vec![execution("run-1")], ..row("one") };
    let both = ReviewRow { version: Version(2), executions: vec![execution("run-1"), execution("run-2")], ..first.clone() };
    for row in [&both, &first] {
        store.views.put(std::slice::from_ref(row)).await.expect("put");
    }
    for run in ["run-1", "run-2"] {
        assert_eq!(found(&store, execution(run)).await, [review("one")].into(), "{run}");
    }
    store.views.remove(review("one")).await.expect("removed");
    for run in ["run-1", "run-2"] {
        assert_eq!(found(&store, execution(run)).await, [].into(), "{run}");
    }
}
