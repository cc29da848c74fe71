//! The handlers' notes: claims, what is owed, what was parked.

use std::sync::Arc;

use events::{StreamId, Version};
use ledger::{Claim, Due, Parked};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{samples::*, stores::Store};

pub async fn of_sixteen_racers_one_has_the_claim(store: Store) {
    let start = Arc::new(Barrier::new(16));
    let mut racers = JoinSet::new();
    for _ in 0..16 {
        let (work, start) = (Arc::clone(&store.work), Arc::clone(&start));
        racers.spawn(async move {
            start.wait().await;
            work.claim("review/ana/email/asked", minute(0), minute(1)).await.expect("an answer")
        });
    }
    let answers = racers.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == Claim::Granted).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Claim::Busy { until: minute(1) }).count(), 15);
    assert_eq!(store.work.claim("review/bob/email/asked", minute(0), minute(1)).await.expect("an answer"), Claim::Granted);
}

pub async fn a_claim_can_be_had_again_when_its_lease_ends_or_it_is_released(store: Store) {
    let claim = async |now, until| store.work.claim("key", minute(now), minute(until)).await.expect("an answer");
    assert_eq!(claim(0, 10).await, Claim::Granted);
    assert_eq!(claim(9, 19).await, Claim::Busy { until: minute(10) });
    assert_eq!(claim(10, 20).await, Claim::Granted, "at the very end of the lease");
    assert_eq!(claim(11, 21).await, Claim::Busy { until: minute(20) });
    store.work.release("key").await.expect("released");
    store.work.release("key").await.expect("released again");
    assert_eq!(claim(12, 22).await, Claim::Granted);
}

pub async fn a_claim_is_seen_until_its_lease_ends_and_looking_claims_nothing(store: Store) {
    let seen = async |now| store.work.is_claimed("key", minute(now)).await.expect("an answer");
    assert!(!seen(0).await, "nobody has claimed it");
    assert_eq!(store.work.claim("key", minute(0), minute(10)).await.expect("an answer"), Claim::Granted);
    assert_eq!((seen(0).await, seen(9).await, seen(10).await), (true, true, false));
    assert!(!store.work.is_claimed("another", minute(0)).await.expect("an answer"));
    store.work.release("key").await.expect("released");
    assert!(!seen(1).await);
}

fn due(name: &str, at: i64) -> Due {
    Due { review_id: review(name), at: minute(at) }
}

pub async fn of_two_owed_times_the_earlier_stays(store: Store) {
    for (noted, stays) in [(5, 5), (9, 5), (3, 3), (3, 3), (4, 3)] {
        store.work.owe(&due("one", noted)).await.expect("noted");
        assert_eq!(store.work.owed(minute(100), 10).await.expect("owed"), [due("one", stays)], "after {noted}");
    }
}

pub async fn what_is_owed_comes_earliest_first(store: Store) {
    for minute in [6, 2, 8, 4, 1, 7, 3, 5] {
        store.work.owe(&due(&minute.to_string(), minute)).await.expect("noted");
    }
    let sorted: Vec<Due> = (1..=8).map(|minute| due(&minute.to_string(), minute)).collect();
    assert_eq!(store.work.owed(minute(100), 100).await.expect("owed"), sorted);
    assert_eq!(store.work.owed(minute(100), 3).await.expect("owed"), sorted[..3]);
    assert_eq!(store.work.owed(minute(5), 100).await.expect("owed"), sorted[..5], "at the very moment");
}

pub async fn settling_takes_back_what_is_not_later(store: Store) {
    store.work.owe(&due("one", 5)).await.expect("noted");
    store.work.settle(&due("one", 4)).await.expect("settled");
    assert_eq!(store.work.owed(minute(100), 10).await.expect("owed"), [due("one", 5)], "it is for later");
    for settled in [5, 5] {
        store.work.settle(&due("one", settled)).await.expect("settled");
        assert_eq!(store.work.owed(minute(100), 10).await.expect("owed"), []);
    }
    store.work.owe(&due("one", 7)).await.expect("noted");
    store.work.settle(&due("one", 9)).await.expect("settled");
    assert_eq!(store.work.owed(minute(100), 10).await.expect("owed"), [], "it was for earlier");
}

fn parked(consumer: &str, stream: impl Into<StreamId>, version: u64, at: i64) -> Parked {
    let error = format!("{consumer} could not, because: \u{1f4a5}");
    Parked { consumer: consumer.to_owned(), stream: stream.into(), version: Version(version), error, at: minute(at) }
}

pub async fn a_parked_record_is_listed_until_it_is_taken_away(store: Store) {
    let records = [
        parked("projector", review("a"), 2, 3),
        parked("notifier", review("a"), 2, 1),
        parked("projector", StreamId::Directory, 10, 2),
    ];
    for record in &records {
        store.work.park(record).await.expect("parked");
    }
    let oldest_first = [records[1].clone(), records[2].clone(), records[0].clone()];
    assert_eq!(store.work.parked(10).await.expect("listed"), oldest_first);
    assert_eq!(store.work.parked(2).await.expect("listed"), oldest_first[..2]);
    for (there, record) in [(true, &records[1]), (false, &records[1]), (true, &records[2])] {
        let taken = store.work.unpark(&record.consumer, record.stream, record.version).await.expect("taken away");
        assert_eq!(taken, there);
    }
    assert_eq!(store.work.parked(10).await.expect("listed"), records[..1]);
}

pub async fn parking_again_replaces_the_error(store: Store) {
    let first = parked("projector", review("a"), 2, 1);
    let again = Parked { error: "another error".to_owned(), ..first.clone() };
    store.work.park(&first).await.expect("parked");
    store.work.park(&again).await.expect("parked");
    assert_eq!(store.work.parked(10).await.expect("listed"), [again]);
}
