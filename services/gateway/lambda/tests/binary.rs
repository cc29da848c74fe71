//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_gateway-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    let names = ["LOG_TABLE", "VIEWS_TABLE", "SEAL_KEY_ARN", "BUS_NAME", "BASE_URL", "LINK_KEYS_SECRET", "OPERATOR_KEY_SECRET"];
    support::check_missing_environment(BINARY, &names);
}

#[test]
fn an_event_that_is_no_http_request_is_one_line_and_no_panic() {
    let strange = [
        "{}",
        "[]",
        "null",
        "7",
        r#"{"version": "2.0"}"#,
        r#"{"httpMethod": "GET", "path": "/"}"#,
        r#"{"requestContext": {"http": {"method": 7}}}"#,
    ];
    support::check_malformed(BINARY, &strange);
}

#[test]
fn a_direct_invoke_makes_the_operators_sign_in_link_and_logs_nothing_of_it() {
    let signed = channels::keys::Keyring::new(vec![(1, [7; 32])]).expect("the keys of the double");
    let run = support::run(BINARY, &[], &[r#"{"signin": true}"#]);
    let link = run.answers[0].as_ref().expect("a link")["link"].as_str().expect("text").to_owned();
    let key = link.strip_prefix("https://reviews.example.com/signin?key=").expect("a link of ours");
    assert!(channels::session::is_signin(&signed, key, chrono::Utc::now().into()));
    assert!(!run.output.contains(key));
}

fn request(method: &str, path: &str, headers: Value, body: &str) -> String {
    let http = json!({"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"});
    let context = json!({"http": http, "stage": "$default", "domainName": "reviews.example.com", "requestId": "1", "apiId": "a",
        "accountId": "000000000000", "time": "", "timeEpoch": 0, "routeKey": "$default"});
    json!({"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": context, "body": body, "isBase64Encoded": false})
    .to_string()
}

#[test]
fn the_router_answers_and_refuses_what_is_too_large_or_for_another_host() {
    let host = json!({"host": "reviews.example.com"});
    let key = json!({"host": "reviews.example.com", "authorization": "Bearer an-operators-key-of-the-tests-only",
        "content-type": "application/json", "idempotency-key": "k"});
    let large = "x".repeat(2_000_000);
    let events = [
        request("GET", "/healthz", host.clone(), ""),
        request("GET", "/healthz", json!({"host": "evil.example"}), ""),
        request("GET", "/api/v1/reviews", host, ""),
        request("POST", "/api/v1/reviews", key.clone(), &large),
        request("POST", "/api/v1/reviews", key, "{"),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let run = support::run(BINARY, &[], &events);
    let statuses: Vec<u64> =
        run.answers.iter().map(|answer| answer.as_ref().expect("an answer")["statusCode"].as_u64().expect("a status")).collect();
    assert_eq!(statuses, [200, 421, 401, 413, 400]);
    assert_eq!(run.lines("ERROR"), Vec::<Value>::new(), "a caller's fault is none of ours");
}
