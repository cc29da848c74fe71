//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_checkpointer-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    support::check_missing_environment(BINARY, &["LOG_TABLE", "LOG_STREAM_ARN", "CHECKPOINT_BUCKET", "SIGNING_KEY_ARN"]);
}

#[test]
fn an_event_that_is_no_object_is_one_line_and_no_panic() {
    support::check_malformed(BINARY, &["[]", "null", "7", r#""text""#]);
}

#[test]
fn a_key_that_cannot_be_used_fails_the_tick_in_one_line_and_writes_nothing() {
    let run = support::run(BINARY, &[], &["{}", "{}"]);
    for answer in &run.answers {
        let error = answer.as_ref().expect_err("no key");
        assert!(error["errorMessage"].as_str().is_some_and(|message| message.contains("signing key")), "{error}");
    }
    assert_eq!((run.exit, run.lines("ERROR").len()), (None, 2), "{}", run.output);
    assert!(run.calls.iter().all(|(operation, _)| operation == "GetPublicKey"), "{:?}", run.calls);
}
