//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_intake-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    support::check_missing_environment(BINARY, &["LOG_TABLE", "SEAL_KEY_ARN", "VIEWS_TABLE"]);
}

#[test]
fn an_event_that_is_neither_batch_nor_object_is_one_line_and_no_panic() {
    support::check_malformed(BINARY, &["[]", "null", "7", r#""text""#, r#"{"Records": [{}]}"#, r#"{"Records": [7]}"#]);
}

fn envelope(detail: &Value) -> Value {
    json!({"id": "e-1", "account": "111122223333", "source": "com.example", "detail-type": "ReviewRequested", "detail": detail})
}

fn batch(bodies: &[String]) -> String {
    let records: Vec<_> =
        bodies.iter().enumerate().map(|(at, body)| json!({"messageId": at.to_string(), "body": body})).collect();
    json!({"Records": records}).to_string()
}

/// The events of the commits that were appended.
fn appended(run: &support::Run) -> Vec<Value> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bodies = run.calls.iter().filter(|(operation, _)| operation == "PutItem").map(|(_, call)| {
        let body = STANDARD.decode(call["Item"]["body"]["B"].as_str().expect("a body")).expect("base64");
        serde_json::from_slice::<Value>(&body).expect("a commit")
    });
    bodies.flat_map(|body| body["events"].as_array().expect("events").clone()).collect()
}

#[test]
fn invariant_06_a_request_too_large_is_refused_on_record_and_its_workflow_not_forgotten() {
    let token = "AAAA-a-task-token";
    let detail = json!({"title": "T", "summary": "x".repeat(210_000), "reviewers": [{"email": "ana@example.com"}],
        "resume": {"task_token": token}});
    let run = support::run(BINARY, &[], &[&batch(&[envelope(&detail).to_string()])]);
    assert_eq!(run.answers, [Ok(json!({"batchItemFailures": []}))]);
    let events = appended(&run);
    assert_eq!(events[0]["type"], "ReviewRefused");
    assert!(events[0]["resume"]["token_hash"].is_string());
    let appended = run.calls.iter().filter(|(operation, _)| operation == "PutItem").map(|(_, call)| call.to_string());
    assert!(!run.output.contains(token) && !appended.collect::<String>().contains(token), "invariant 4");
}

#[test]
fn invariant_04_a_token_is_sealed_for_the_review_that_its_commit_belongs_to() {
    let detail = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}], "resume": {"task_token": "AAAA-token"}});
    let run = support::run(BINARY, &[], &[&batch(&[envelope(&detail).to_string()])]);
    let call = |operation: &str| &run.calls.iter().find(|(made, _)| made == operation).expect(operation).1;
    let stream = call("PutItem")["Item"]["pk"]["S"].as_str().expect("a stream").to_owned();
    assert_eq!(call("Encrypt")["EncryptionContext"], json!({"review": stream.strip_prefix("review#")}));
}

#[test]
fn invariant_11_a_poisoned_message_fails_alone_and_the_good_one_is_on_record() {
    let good = envelope(&json!({"title": "T", "reviewers": [{"email": "ana@example.com"}]}));
    let own = json!({"id": "e-2", "account": "1", "source": "countersign", "detail-type": "ReviewRequested", "detail": {}});
    let mut replayed = good.clone();
    replayed["replay-name"] = json!("again");
    let bodies =
        ["{\"detail\": \"AAAA-secret".to_owned(), good.to_string(), "[]".to_owned(), own.to_string(), replayed.to_string()];
    let run = support::run(BINARY, &[], &[&batch(&bodies)]);
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}]});
    assert_eq!(run.answers, [Ok(failed)]);
    let events = appended(&run);
    let types: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["ReviewRequested"]);
    assert_eq!(run.lines("ERROR").len(), 2, "{}", run.output);
    assert!(!run.output.contains("AAAA-secret"), "nothing is quoted");
}

#[test]
fn a_direct_invoke_is_answered_with_what_became_of_it() {
    let bare = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}], "resume": {"task_token": "AAAA-token"}});
    let run = support::run(BINARY, &[], &[&bare.to_string(), r#"{"title": 7}"#]);
    let words: Vec<_> = run.answers.iter().map(|answer| answer.as_ref().expect("an answer")["received"].clone()).collect();
    assert_eq!(words, ["opened", "refused"]);
    let opened = &appended(&run)[0];
    assert_eq!((&opened["origin"]["account"], &opened["origin"]["source"]), (&json!("000000000000"), &json!("lambda")));
}

#[test]
fn invariant_06_a_request_that_cannot_be_put_on_record_now_comes_again() {
    let detail = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}], "resume": {"task_token": "AAAA-token"}});
    for broken in ["PutItem", "Encrypt", "Query"] {
        let run = support::run(BINARY, &[broken], &[&batch(&[envelope(&detail).to_string()])]);
        assert_eq!(run.answers, [Ok(json!({"batchItemFailures": [{"itemIdentifier": "0"}]}))], "without {broken}");
        let errors = run.lines("ERROR");
        assert_eq!((errors.len(), &errors[0]["retryable"]), (1, &json!(true)), "{}", run.output);
        assert!(!run.output.contains("AAAA-token"), "invariant 4");
    }
}
