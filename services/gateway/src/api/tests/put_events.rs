//! The PutEvents call, entry by entry as AWS documents it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Reply, World, request, with};

/// Well below the time for which a writer waits for the file, 5 s.
const HELD: Duration = Duration::from_secs(1);

async fn put(world: &World, body: impl ToString) -> Reply {
    let headers = [("x-amz-target", "AWSEvents.PutEvents"), ("content-type", "application/x-amz-json-1.1")];
    world.send("POST", "/", &headers, body.to_string()).await
}

fn entry(detail: &Value) -> Value {
    json!({"Source": "com.example.pipeline", "DetailType": "ReviewRequested", "Detail": detail.to_string()})
}

/// Puts one entry; the error code, or "" for an event id.
async fn check(entry: Value, expected: &str) {
    let world = World::new();
    let reply = put(&world, json!({"Entries": [entry]})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    let result = &answer["Entries"][0];
    assert_eq!(answer["FailedEntryCount"], i32::from(!expected.is_empty()), "{entry}");
    assert_eq!(result["ErrorCode"].as_str().unwrap_or_default(), expected, "{entry}");
    assert_eq!(result["EventId"].is_string(), expected.is_empty(), "{entry}");
}

/// Sends a whole call that fails; the error type and part of its message.
async fn check_call(body: impl ToString, code: &str, says: &str) {
    let reply = put(&World::new(), body).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert_eq!((reply.header("x-amzn-errortype"), reply.json()["__type"].as_str()), (code, Some(code)));
    assert_eq!(reply.header("content-type"), "application/x-amz-json-1.1");
    assert!(reply.json()["message"].as_str().expect("a message").contains(says), "{}", reply.text);
}

#[tokio::test]
async fn each_entry_has_its_own_result() {
    let good = entry(&request());
    check(good.clone(), "").await;
    check(with(good.clone(), "EventBusName", json!("arn:aws:events:eu-central-1:123456789012:event-bus/reviews")), "").await;
    check(with(with(good.clone(), "Time", json!(1_795_000_000.5)), "Resources", json!(["arn:aws:x"])), "").await;
    check(with(good.clone(), "DetailType", json!("SomethingElse")), "").await;
    check(with(good.clone(), "DetailType", json!("x".repeat(129))), "InvalidArgument").await;
    for field in ["Source", "DetailType", "Detail"] {
        check(with(good.clone(), field, Value::Null), "InvalidArgument").await;
        check(with(good.clone(), field, json!("")), "InvalidArgument").await;
    }
    for detail in ["{", "[]", "\"text\"", "7"] {
        check(with(good.clone(), "Detail", json!(detail)), "MalformedDetail").await;
    }
    for source in ["aws.states", "countersign"] {
        check(with(good.clone(), "Source", json!(source)), "NotAuthorizedForSourceException").await;
    }
}

#[tokio::test]
async fn a_call_that_breaks_the_documented_limits_is_refused_whole() {
    let good = entry(&request());
    check_call(json!({"Entries": []}), "ValidationException", "greater than or equal to 1").await;
    check_call(json!({}), "ValidationException", "greater than or equal to 1").await;
    check_call(json!({"Entries": vec![good.clone(); 11]}), "ValidationException", "less than or equal to 10").await;
    let large = entry(&json!({"title": "x".repeat(200 * 1024)}));
    check_call(json!({"Entries": vec![large; 6]}), "ValidationException", "Total size").await;
    check_call("{\"Entries\": [", "SerializationException", "JSON").await;
    check_call(json!({"Entries": [{"Source": 5}]}), "SerializationException", "JSON").await;
    check_call(json!({"Entries": "none"}), "SerializationException", "JSON").await;
}

#[tokio::test]
async fn entry_sizes_add_up_to_the_limit_and_not_one_byte_more() {
    // 14 bytes for the time, and the UTF-8 bytes of everything else.
    let detail = |size: usize| format!("{{\"é\":\"{}\"}}", "x".repeat(size - 9));
    let sized = |size: usize| json!({"Time": 1, "Source": "ab", "DetailType": "cd", "Detail": detail(size - 14 - 2 - 2 - 3), "Resources": ["efg"]});
    let limit = 1024 * 1024;
    assert_eq!(put(&World::new(), json!({"Entries": [sized(limit)]})).await.json()["FailedEntryCount"], 0);
    check_call(json!({"Entries": [sized(limit + 1)]}), "ValidationException", "Total size").await;
}

#[tokio::test]
async fn any_other_operation_is_unknown() {
    let world = World::new();
    for target in [None, Some("AWSEvents.ListRules"), Some("DynamoDB_20120810.PutItem")] {
        let headers: Vec<(&str, &str)> = target.map(|target| ("x-amz-target", target)).into_iter().collect();
        let reply = world.send("POST", "/", &headers, json!({"Entries": [entry(&request())]}).to_string()).await;
        assert_eq!((reply.status.as_u16(), reply.header("x-amzn-errortype")), (400, "UnknownOperationException"), "{target:?}");
    }
}

#[tokio::test]
async fn ten_entries_are_on_record_when_the_call_is_answered() {
    let world = World::new();
    let entries: Vec<Value> = (0..10).map(|n| entry(&with(request(), "request_key", json!(format!("key-{n}"))))).collect();
    let before = world.store.commits_total();
    // Somebody else has the file for a moment, as a backup may: meanwhile all ten come to wait, however
    // busy the machine is. Appends that did not go on together would still take a sync each.
    let held = world.hold_the_log();
    let release = std::thread::spawn(move || {
        std::thread::sleep(HELD);
        held.execute_batch("ROLLBACK").expect("let go");
    });
    let reply = put(&world, json!({"Entries": entries})).await;
    release.join().expect("let go");
    assert_eq!(reply.json()["FailedEntryCount"], 0);
    for n in 0..10 {
        let key = format!("key-{n}").parse().expect("a key");
        let id = events::ReviewId::for_key("local", "com.example.pipeline", &key, 1);
        assert_eq!(world.types(&id.to_string()).await, ["ReviewRequested"]);
    }
    let syncs = world.store.commits_total() - before;
    assert!(syncs < 10, "10 entries took {syncs} disk syncs");
    assert!(!reply.header("x-amzn-requestid").is_empty());
}

#[tokio::test]
async fn invariant_06_an_invalid_request_is_accepted_by_the_bus_and_leaves_a_refusal() {
    let world = World::new();
    let reply = put(&world, json!({"Entries": [entry(&json!({"title": 5, "reviewer": []}))]})).await;
    let event_id = reply.json()["Entries"][0]["EventId"].as_str().expect("an event id").to_owned();
    let id = events::ReviewId::for_refusal("local", "com.example.pipeline", &event_id);
    assert_eq!(world.types(&id.to_string()).await, ["ReviewRefused"]);
    let document = world.get(&format!("/reviews/{id}")).await;
    assert_eq!(document.json()["status"], "refused");
    assert_eq!(document.pointers(), ["/title", "/reviewers", "/reviewer"]);
}
