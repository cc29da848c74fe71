//! Runs that end in the middle, and runs beside each other.

use std::sync::Arc;

use events::Period;
use ledger::{Claim, Work};

use crate::world::World;

#[tokio::test]
async fn invariant_07_a_crash_between_send_and_record_shows_one_more_message_once_the_lease_is_over() {
    let world = World::new().await;
    // Whoever crashed had claimed Ana's message, and perhaps sent it.
    let key = format!("{}|ana@x.com|Slack|Asked", world.review);
    let until = world.now().after(notifier::LEASE);
    assert_eq!(world.store.claim(&key, world.now(), until).await.expect("claimed"), Claim::Granted);
    world.notify().await;
    assert_eq!(world.slack.sent(), ["bob@x.com Asked"], "hers may be under way");
    let owed = world.store.owed(until, 10).await.expect("read");
    assert_eq!(owed.iter().map(|due| due.at).collect::<Vec<_>>(), [until], "and is looked at again");
    world.pass(Period::seconds(60));
    world.notify().await;
    world.notify().await;
    assert_eq!(world.slack.sent(), ["bob@x.com Asked", "ana@x.com Asked"]);
}

#[tokio::test]
async fn invariant_07_sso_elevator_212_runs_beside_each_other_send_each_message_once() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    let notifier = Arc::new(world.notifier);
    for _ in 0..8 {
        let (notifier, review) = (Arc::clone(&notifier), world.review);
        tasks.spawn(async move { notifier.notify(review).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic").expect("notified");
    }
    let mut sent = world.slack.sent();
    sent.sort();
    assert_eq!(sent, ["ana@x.com Asked", "bob@x.com Asked"]);
}
