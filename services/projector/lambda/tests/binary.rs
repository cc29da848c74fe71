//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_projector-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    support::check_missing_environment(
        BINARY,
        &["LOG_TABLE", "VIEWS_TABLE", "SEAL_KEY_ARN", "BUS_NAME", "BASE_URL", "ACCOUNT_ID"],
    );
}

#[test]
fn an_event_that_is_no_batch_of_a_stream_is_one_line_and_no_panic() {
    support::check_malformed(BINARY, &["{}", "[]", "null", "7", r#""text""#, r#"{"Records": {}}"#, r#"{"Records": "x"}"#]);
}

#[test]
fn invariant_11_records_that_cannot_be_read_stop_nothing_behind_them() {
    let strange = r#"{"Records": [{}, 7, {"dynamodb": {"Keys": {"pk": {"S": "x"}}}}]}"#;
    let run = support::run(BINARY, &[], &[strange, r#"{"Records": []}"#]);
    assert_eq!(run.lines("ERROR").len(), 3, "{}", run.output);
    for answer in &run.answers {
        assert_eq!(answer.as_ref().expect("a batch")["batchItemFailures"], json!([]));
    }
}

fn batch() -> String {
    let record = |sequence: &str, version: &str, review: &str| {
        let keys = json!({"pk": {"S": format!("review#{review}")}, "sk": {"N": version}});
        json!({"eventName": "INSERT", "dynamodb": {"Keys": keys, "SequenceNumber": sequence}})
    };
    let [one, other] = ["26db13fe-4a88-5ee2-8571-279cc6a9d73f", "ea6a1711-38c0-5413-91d7-f3e443287b5c"];
    json!({"Records": [record("100", "1", one), record("101", "1", other), record("102", "2", one)]}).to_string()
}

fn noted(run: &support::Run) -> Vec<&Value> {
    let puts = run.calls.iter().filter(|(operation, _)| operation == "PutItem");
    puts.map(|(_, call)| &call["Item"]["pk"]["S"]).collect()
}

#[test]
fn invariant_11_what_fails_for_now_is_put_off_once_a_review_and_the_batch_succeeds() {
    let run = support::run(BINARY, &["Query"], &[&batch()]);
    assert_eq!(run.answers, [Ok(json!({"batchItemFailures": []}))]);
    let mut noted = noted(&run);
    noted.sort_by_key(|pk| pk.to_string());
    assert_eq!(noted, ["owed#26db13fe-4a88-5ee2-8571-279cc6a9d73f", "owed#ea6a1711-38c0-5413-91d7-f3e443287b5c"]);
}

#[test]
fn invariant_11_what_cannot_be_put_off_either_asks_for_the_batch_from_its_first_record() {
    let run = support::run(BINARY, &["Query", "PutItem"], &[&batch()]);
    assert_eq!(run.answers, [Ok(json!({"batchItemFailures": [{"itemIdentifier": "100"}]}))]);
    assert!(noted(&run).iter().all(|pk| pk.as_str().is_some_and(|pk| pk.starts_with("owed#"))), "nothing is parked");
}
