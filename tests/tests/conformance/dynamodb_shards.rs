//! What only the real DynamoDB Streams does: several shards, shards that close, records that are
//! trimmed after a day. Its answers are scripted here, since the emulator has one shard for ever.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::StoredCommit;
use ledger::{Follow, LedgerError, Position, dynamodb::DynamoFollower};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Call, Fate},
    samples::*,
    stores::{dynamodb_at, follower_at, serve_dynamodb},
};

/// One shard of the scripted stream.
#[derive(Clone, Default)]
struct Shard {
    parent: Option<&'static str>,
    commits: Vec<StoredCommit>,
    closed: bool,
    /// How many of its first commits are trimmed.
    trimmed: usize,
}

/// The stream: what it holds, and how many of the iterators given out so far have expired.
#[derive(Default)]
struct Stream {
    shards: BTreeMap<&'static str, Shard>,
    expired: usize,
    given: usize,
}

impl Stream {
    fn answer(&mut self, call: &Call) -> Fate {
        let asked: Value = serde_json::from_str(&call.body).expect("json");
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        match call.operation.as_str() {
            "DescribeStream" => {
                let shards: Vec<Value> = self
                    .shards
                    .iter()
                    .map(|(id, shard)| json!({"ShardId": id, "ParentShardId": shard.parent, "SequenceNumberRange": {}}))
                    .collect();
                Fate::Answer(200, json!({"StreamDescription": {"Shards": shards}}).to_string())
            }
            "GetShardIterator" => {
                let Some(shard) = self.shards.get(text("ShardId").as_str()) else {
                    return Fate::refuse(400, "ResourceNotFoundException");
                };
                let at = match text("ShardIteratorType").as_str() {
                    "TRIM_HORIZON" => shard.trimmed,
                    _ => text("SequenceNumber").parse().expect("a number"),
                };
                if at < shard.trimmed {
                    return Fate::refuse(400, "TrimmedDataAccessException");
                }
                self.given += 1;
                Fate::Answer(200, json!({"ShardIterator": format!("{}/{at}/{}", text("ShardId"), self.given)}).to_string())
            }
            "GetRecords" => {
                let iterator = text("ShardIterator");
                let [shard, at, number] = iterator.split('/').collect::<Vec<_>>()[..] else { panic!("{iterator}") };
                if number.parse::<usize>().expect("a number") <= self.expired {
                    return Fate::refuse(400, "ExpiredIteratorException");
                }
                let (content, at) = (&self.shards[shard], at.parse::<usize>().expect("a number"));
                let limit = asked["Limit"].as_u64().expect("a limit") as usize;
                let end = content.commits.len().min(at + limit);
                let records: Vec<Value> =
                    content.commits[at..end].iter().zip(at + 1..).map(|(commit, number)| record(commit, number)).collect();
                self.given += 1;
                let over = content.closed && end == content.commits.len();
                let next = (!over).then(|| format!("{shard}/{end}/{}", self.given));
                Fate::Answer(200, json!({"Records": records, "NextShardIterator": next}).to_string())
            }
            _ => Fate::Pass,
        }
    }
}

fn record(commit: &StoredCommit, number: usize) -> Value {
    let image = json!({
        "pk": {"S": commit.stream.to_string()},
        "sk": {"N": commit.version.to_string()},
        "body": {"B": STANDARD.encode(&commit.body)},
        "hash": {"B": STANDARD.encode(commit.hash.as_bytes())},
    });
    json!({"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": number.to_string()}})
}

/// A follower of a scripted stream, and the script.
async fn scripted(shards: &[(&'static str, Shard)]) -> (DynamoFollower, Arc<Mutex<Stream>>) {
    let url = serve_dynamodb().await;
    let stream = Arc::new(Mutex::new(Stream { shards: shards.iter().cloned().collect(), ..Stream::default() }));
    let script = Arc::clone(&stream);
    let proxied = proxy::start(&url, move |call| script.lock().expect("the script").answer(call)).await;
    (follower_at(&dynamodb_at(&url, 1), &proxied).await, stream)
}

async fn drain(follower: &DynamoFollower, mut position: Position, limit: usize) -> (Vec<StoredCommit>, Position) {
    let mut all = Vec::new();
    loop {
        let batch = follower.follow(&position, limit).await.expect("followed");
        assert!(batch.commits.len() <= limit);
        all.extend(batch.commits);
        position = batch.position;
        if !batch.more {
            return (all, position);
        }
    }
}

/// A stream of six versions whose shard closed after four; and a shard beside it.
fn split() -> (Vec<StoredCommit>, [(&'static str, Shard); 3]) {
    let commits = chain(review("split"), 6, &json!({}));
    let (first, then) = commits.split_at(4);
    let parent = Shard { commits: first.to_vec(), closed: true, ..Shard::default() };
    // Its id sorts before its parent's, so that the order of ids is not what keeps the order.
    let child = Shard { parent: Some("b-parent"), commits: then.to_vec(), ..Shard::default() };
    let beside = Shard { commits: chain(review("beside"), 3, &json!({})), ..Shard::default() };
    (commits, [("b-parent", parent), ("a-child", child), ("c-beside", beside)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_goes_on_in_a_child_shard_is_followed_in_order() {
    let (commits, shards) = split();
    for limit in [1, 2, 3, 100] {
        let (follower, _) = scripted(&shards).await;
        let (all, end) = drain(&follower, Position::default(), limit).await;
        let (split, beside): (Vec<_>, Vec<_>) = all.into_iter().partition(|commit| commit.stream == commits[0].stream);
        assert_eq!((split, beside), (commits.clone(), chain(review("beside"), 3, &json!({}))), "with limit {limit}");
        assert_eq!(drain(&follower, end, limit).await.0, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_shard_does_not_starve_another() {
    let (_, shards) = split();
    let (follower, _) = scripted(&shards).await;
    let batch = follower.follow(&Position::default(), 2).await.expect("followed");
    assert_eq!(batch.commits.iter().map(|commit| commit.stream).collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert!(batch.more);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_iterator_that_expired_is_made_anew_where_the_follower_stands() {
    let (_, shards) = split();
    let (follower, stream) = scripted(&shards).await;
    let (all, end) = drain(&follower, Position::default(), 3).await;
    assert_eq!(all.len(), 9);
    let more = chain(review("split"), 8, &json!({})).split_off(6);
    {
        let mut stream = stream.lock().expect("the script");
        stream.expired = stream.given;
        stream.shards.get_mut("a-child").expect("a shard").commits.extend(more.clone());
    }
    assert_eq!(drain(&follower, end, 3).await.0, more);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_the_stream_no_longer_reaches_is_a_final_error_that_names_the_way_out() {
    let (_, shards) = split();
    let (follower, stream) = scripted(&shards).await;
    let early = follower.follow(&Position::default(), 2).await.expect("followed").position;
    let trim = |stream: &mut Stream| stream.shards.get_mut("b-parent").expect("a shard").trimmed = 3;
    let drop_shard = |stream: &mut Stream| drop(stream.shards.remove("b-parent"));
    for lose in [&trim as &dyn Fn(&mut Stream), &drop_shard] {
        {
            let mut stream = stream.lock().expect("the script");
            stream.expired = stream.given;
            lose(&mut stream);
        }
        let error = follower.follow(&early, 2).await.expect_err("commits are missing");
        assert!(matches!(error, LedgerError::Trimmed { .. }) && error.to_string().contains("`reconcile`"), "{error}");
        assert!(!error.is_retryable());
    }
    let (rest, _) = drain(&follower, Position::default(), 10).await;
    assert_eq!(rest.len(), 5, "from the beginning of what is held");
}
