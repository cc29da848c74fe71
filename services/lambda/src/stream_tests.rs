use std::collections::HashMap;

use ledger::{SystemClock, sqlite::SqliteStore};

use super::*;

/// Fails as told.
struct Told(HashMap<ReviewId, Option<Failure>>);

#[async_trait]
impl Follow for Told {
    fn name(&self) -> &'static str {
        "projector"
    }

    async fn follow(&self, review: ReviewId) -> Result<(), Failure> {
        match self.0.get(&review) {
            None => Ok(()),
            Some(None) => panic!("a bug"),
            Some(Some(failure)) => Err(failure.clone()),
        }
    }
}

fn review(name: &str) -> ReviewId {
    ReviewId::for_event("1", "test", name, 1)
}

fn record(sequence: &str, review: ReviewId, version: u64) -> Value {
    let keys = json!({"pk": {"S": StreamId::from(review).to_string()}, "sk": {"N": version.to_string()}});
    json!({"eventName": "INSERT", "dynamodb": {"Keys": keys, "SequenceNumber": sequence}})
}

async fn run(records: &[Value], told: &[(ReviewId, Option<Failure>)]) -> (Value, Vec<Parked>) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    let follower = Arc::new(Told(told.iter().cloned().collect()));
    let answer = handle(&json!({"Records": records}), follower, &store, &SystemClock).await.expect("a batch");
    let parked = store.parked(10).await.expect("parked");
    (answer["batchItemFailures"].clone(), parked)
}

fn busy() -> Option<Failure> {
    Some(Failure { retryable: true, error: "busy".to_owned() })
}

#[tokio::test]
async fn invariant_11_final_errors_and_panics_are_parked_and_the_batch_succeeds() {
    let (poison, buggy) = (review("poison"), review("buggy"));
    let told = [(poison, Some(Failure::refused("cannot be read"))), (buggy, None)];
    let records = [record("1", review("good"), 1), record("2", poison, 2), record("3", buggy, 4), record("4", poison, 3)];
    let (failures, parked) = run(&records, &told).await;
    assert_eq!(failures, json!([]));
    let mut parked: Vec<_> = parked.into_iter().map(|parked| (parked.stream, parked.version, parked.consumer)).collect();
    parked.sort_by_key(|(_, version, _)| *version);
    let projector = || "projector".to_owned();
    assert_eq!(parked, [(poison.into(), Version(3), projector()), (buggy.into(), Version(4), projector())]);
}

#[tokio::test]
async fn invariant_11_only_passing_errors_ask_again_from_the_first_record_they_concern() {
    let (poison, slow, slower) = (review("poison"), review("slow"), review("slower"));
    let told = [(poison, Some(Failure::refused("cannot be read"))), (slow, busy()), (slower, busy())];
    let records = [record("1", poison, 1), record("2", slow, 1), record("3", slower, 1), record("4", slow, 2)];
    let (failures, parked) = run(&records, &told).await;
    assert_eq!(failures, json!([{"itemIdentifier": "2"}]));
    assert_eq!(parked.len(), 1);
}

#[tokio::test]
async fn the_directory_and_unreadable_records_are_passed_over() {
    let directory = json!({"dynamodb": {"Keys": {"pk": {"S": "directory"}, "sk": {"N": "1"}}, "SequenceNumber": "1"}});
    let strange = [json!({}), json!(7), json!({"dynamodb": {"Keys": {"pk": {"S": "x"}, "sk": {"N": "y"}}}}), directory];
    let (failures, parked) = run(&strange, &[]).await;
    assert_eq!((failures, parked.len()), (json!([]), 0));
}

/// Keeps the versions of the directory that it was handed; the third fails for now.
#[derive(Default)]
struct Changes(std::sync::Mutex<Vec<Version>>);

#[async_trait]
impl Follow for Changes {
    fn name(&self) -> &'static str {
        "projector"
    }

    async fn follow(&self, _: ReviewId) -> Result<(), Failure> {
        Ok(())
    }

    async fn changed(&self, version: Version) -> Result<(), Failure> {
        self.0.lock().expect("versions").push(version);
        if version == Version(3) { Err(Failure { retryable: true, error: "busy".to_owned() }) } else { Ok(()) }
    }
}

#[tokio::test]
async fn each_commit_of_the_directory_is_handed_on_and_a_passing_error_asks_again_from_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    let change = |version: u64| {
        let keys = json!({"pk": {"S": "directory"}, "sk": {"N": version.to_string()}});
        json!({"dynamodb": {"Keys": keys, "SequenceNumber": version.to_string()}})
    };
    let follower = Arc::new(Changes::default());
    let records = json!({"Records": [change(1), record("2", review("a"), 1), change(3), change(4)]});
    let answer = handle(&records, Arc::clone(&follower) as Arc<dyn Follow>, &store, &SystemClock).await.expect("a batch");
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "3"}]));
    let mut seen = follower.0.lock().expect("versions").clone();
    seen.sort();
    assert_eq!(seen, [Version(1), Version(3), Version(4)]);
}
