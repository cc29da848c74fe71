//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

const BINARY: &str = env!("CARGO_BIN_EXE_notifier-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    support::check_missing_environment(BINARY, &["LOG_TABLE", "VIEWS_TABLE", "BASE_URL", "LINK_KEYS_SECRET", "SES_FROM"]);
    support::check_missing_environment(BINARY, &["OIDC_CLIENT_ID", "OIDC_SECRET"]);
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

/// The double's provider is a port on which nobody listens.
#[test]
fn a_provider_that_is_out_is_an_answer_and_its_secret_is_read_for_whoever_signs_in_alone() {
    let nothing = r#"{"Records": []}"#;
    let finish = r#"{"provider": {"finish": {"code": "s3cret-code", "nonce": "n", "verifier": "s3cret-verifier"}}}"#;
    let secrets = |run: &support::Run| {
        let read = run.calls.iter().filter(|(operation, call)| operation == "GetSecretValue" && call["SecretId"] == "oidc");
        read.count()
    };
    let run = support::run(BINARY, &[], &[nothing]);
    assert_eq!(secrets(&run), 0);

    let run = support::run(BINARY, &[], &[r#"{"provider": "start"}"#, finish]);
    assert_eq!(secrets(&run), 1, "and kept");
    assert_eq!(run.output.matches("\"ProviderFailures\":1").count(), 2, "each is counted: {}", run.output);
    for answer in &run.answers {
        let why = answer.as_ref().expect("an answer")["unavailable"].as_str().expect("why");
        assert!(why.contains("out of reach") || why.contains("did not answer just now"), "{why}");
    }
    assert!(!run.output.contains("s3cret") && !run.output.contains("an-operators-key-of-the-tests-only"), "{}", run.output);
}

#[test]
fn a_question_to_no_provider_or_of_another_form_is_one_line_that_quotes_nothing() {
    let strange = [
        r#"{"provider": null}"#,
        r#"{"provider": "s3cret"}"#,
        r#"{"provider": {"finish": {"code": "s3cret"}}}"#,
        r#"{"provider": {"finish": {"code": 7, "nonce": "s3cret", "verifier": "s3cret"}}}"#,
    ];
    support::check_malformed(BINARY, &strange);
    assert!(!support::run(BINARY, &[], &strange).output.contains("s3cret"));

    let run = support::run(BINARY, &["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_SECRET"], &[r#"{"provider": "start"}"#]);
    let error = run.answers[0].as_ref().expect_err("no provider");
    assert!(error["errorMessage"].as_str().is_some_and(|message| message.contains("no provider")), "{error}");
}
