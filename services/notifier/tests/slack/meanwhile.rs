//! What comes in while a run is at work: a vote, and the run beside it that finds the cards claimed.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use events::{StreamId, Timestamp, Version};
use ledger::{Claim, Due, LedgerError, Parked, Work, sqlite::SqliteStore};
use serde_json::json;

use crate::workspace::Workspace;

type Happens = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The notes of a store, and what happens just before a claim is given back.
pub struct Meanwhile {
    pub store: SqliteStore,
    pub next: Mutex<Vec<Happens>>,
}

#[async_trait]
impl Work for Meanwhile {
    async fn claim(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<Claim, LedgerError> {
        self.store.claim(key, now, until).await
    }
    async fn is_claimed(&self, key: &str, now: Timestamp) -> Result<bool, LedgerError> {
        self.store.is_claimed(key, now).await
    }
    async fn release(&self, key: &str) -> Result<(), LedgerError> {
        let happens = self.next.lock().expect("what happens").pop();
        if let Some(happens) = happens {
            happens().await;
        }
        self.store.release(key).await
    }
    async fn owe(&self, due: &Due) -> Result<(), LedgerError> {
        self.store.owe(due).await
    }
    async fn owed(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        self.store.owed(now, limit).await
    }
    async fn settle(&self, due: &Due) -> Result<(), LedgerError> {
        self.store.settle(due).await
    }
    async fn park(&self, parked: &Parked) -> Result<(), LedgerError> {
        self.store.park(parked).await
    }
    async fn parked(&self, limit: usize) -> Result<Vec<Parked>, LedgerError> {
        self.store.parked(limit).await
    }
    async fn unpark(&self, consumer: &str, stream: StreamId, version: Version) -> Result<bool, LedgerError> {
        self.store.unpark(consumer, stream, version).await
    }
}

#[tokio::test]
async fn a_vote_that_comes_while_cards_are_changed_is_shown_by_that_run_and_not_only_after_its_lease() {
    const VOTES: usize = 5;
    let workspace = Workspace::new().await;
    let users: Vec<String> = (0..=VOTES).map(|number| format!("U1{number}")).collect();
    let reviewers: Vec<_> = users.iter().map(|user| json!({"slack": format!("T1/{user}")})).collect();
    let review = workspace.ask_for("e", json!(reviewers), VOTES + 1).await;
    workspace.notify(review).await;
    for user in users.iter().skip(1) {
        let (user, reviews, notifier) = (user.clone(), Arc::clone(&workspace.reviews), Arc::clone(&workspace.notifier));
        let happens: Happens = Box::new(move || {
            Box::pin(async move {
                crate::workspace::approve(&reviews, review, &user).await;
                notifier.notify(review).await.expect("the run beside it");
            })
        });
        workspace.meanwhile.next.lock().expect("what happens").push(happens);
    }
    workspace.approve(review, "U10").await;
    workspace.notify(review).await;
    let updates = workspace.api.asked("chat.update");
    let shown = |user: &str| {
        let last = updates.iter().rfind(|update| update["channel"] == format!("D{user}")).expect("a change");
        last.to_string().contains("*Approved*")
    };
    assert!(users.iter().all(|user| shown(user)), "every card shows the last vote: {updates:#?}");
}
