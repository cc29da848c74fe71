//! The one-machine service as a process, from outside: its API, its pages, its signals, its files, and
//! the workflows that wait on it.
#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../support/mod.rs"]
mod support;

mod as_of;
mod audit;
mod covered;
mod distrusted;
mod doors;
mod expiry;
mod lifecycle;
mod pages;
mod poison;
mod races;
mod reconcile;
mod replay;
mod requests;
mod resuming;
mod tokens;
mod who;

use std::time::Duration;

use serde_json::{Value, json};
use support::{api::Api, eventually};

/// How long a consequence may take; far more than it does, for a busy machine.
const SOON: Duration = Duration::from_secs(15);

/// Waits until the review has an event of this type, and gives it.
fn event(api: &Api, review: &str, kind: &str) -> Value {
    eventually(&format!("{kind} of {review}"), SOON, || api.events_of(review, kind).into_iter().next())
}

/// Waits until the reviewers of an open review are asked, so that nothing more happens to it by itself.
fn asked(api: &Api, review: &str, people: usize) {
    eventually("the reviewers are asked", SOON, || (api.events_of(review, "ReviewNotified").len() == people).then_some(()));
}

/// Waits until the list view shows the last version of a review, and gives its row.
fn row(api: &Api, review: &str) -> Value {
    eventually("the view has caught up", SOON, || {
        let version = api.review(review)["version"].clone();
        api.row(review).filter(|row| row["version"] == version)
    })
}

/// The `resume` of a request.
fn resume((token, execution): &(String, String)) -> Value {
    json!({"resume": {"task_token": token, "execution_arn": execution}})
}
