//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_notifier-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    support::check_missing_environment(BINARY, &["LOG_TABLE", "VIEWS_TABLE", "BASE_URL", "LINK_KEYS_SECRET", "SES_FROM"]);
}

#[test]
fn an_event_that_is_no_batch_of_a_queue_is_one_line_and_no_panic() {
    support::check_malformed(BINARY, &["{}", "[]", "null", "7", r#"{"Records": {}}"#, r#"{"Records": [{}]}"#]);
}

#[test]
fn a_message_that_is_no_event_of_ours_fails_alone() {
    let batch = r#"{"Records": [
        {"messageId": "1", "body": "{"},
        {"messageId": "2", "body": "{\"source\": \"com.example\", \"detail-type\": \"ReviewRequested\", \"detail\": {}}"},
        {"messageId": "3", "body": "{\"source\": \"countersign\", \"detail-type\": \"ReviewRequested\", \"detail\": 7}"}
    ]}"#;
    let run = support::run(BINARY, &[], &[batch]);
    let failed = serde_json::json!({"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "3"}]});
    assert_eq!(run.answers, [Ok(failed)]);
    assert_eq!(run.lines("ERROR").len(), 2, "{}", run.output);
}
