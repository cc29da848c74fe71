//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_timekeeper-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    let names =
        ["LOG_TABLE", "VIEWS_TABLE", "SEAL_KEY_ARN", "BUS_NAME", "BASE_URL", "ACCOUNT_ID", "LINK_KEYS_SECRET", "SES_FROM"];
    support::check_missing_environment(BINARY, &names);
}

#[test]
fn an_event_that_is_no_object_is_one_line_and_no_panic() {
    support::check_malformed(BINARY, &["[]", "null", "7", r#""text""#]);
}

#[test]
fn whatever_the_schedule_sends_is_a_tick_and_only_its_own_word_reconciles() {
    let run = support::run(BINARY, &[], &["{}", r#"{"detail": 7}"#, r#"{"reconcile": "yes"}"#, r#"{"reconcile": true}"#]);
    let (last, ticks) = run.answers.split_last().expect("answers");
    for answer in ticks {
        assert_eq!(answer.as_ref().expect("a tick"), &serde_json::json!({"expired": 0, "retried": 0, "failed": 0, "overdue": 0}));
    }
    assert_eq!(last.as_ref().expect("a reconciliation")["reviews"], 0);
    assert_eq!(run.lines("ERROR"), Vec::<serde_json::Value>::new());
    assert!(run.calls.iter().any(|(operation, _)| operation == "Scan"));
}

#[test]
fn what_is_no_json_is_an_error_and_no_panic() {
    let run = support::run(BINARY, &[], &["{", "{}"]);
    assert!(run.answers[0].is_err() && run.answers[1].is_ok(), "it goes on");
    assert_eq!(run.exit, None);
}
