//! The binary on its own: malformed events, and surroundings that lack something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../lambda/tests/support/mod.rs"]
mod support;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_gateway-lambda");

#[test]
fn a_missing_environment_is_one_line_that_names_everything() {
    let names = [
        "LOG_TABLE",
        "VIEWS_TABLE",
        "SEAL_KEY_ARN",
        "PROJECTOR_FUNCTION",
        "NOTIFIER_FUNCTION",
        "BASE_URL",
        "LINK_KEYS_SECRET",
        "OPERATOR_KEY_SECRET",
    ];
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
    let pass = channels::session::open_link(&signed, key, chrono::Utc::now().into()).expect("a link of ours");
    assert_eq!(pass.holder, channels::session::Holder::Operator);
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

#[test]
fn put_events_has_no_route_here_for_anybody() {
    let target = |mut headers: Value| {
        headers["host"] = json!("reviews.example.com");
        headers["x-amz-target"] = json!("AWSEvents.PutEvents");
        headers["content-type"] = json!("application/x-amz-json-1.1");
        headers
    };
    let detail = json!({"title": "Ship it", "reviewers": [{"email": "ana@example.com"}]}).to_string();
    let entry = json!({"Source": "com.example", "DetailType": "ReviewRequested", "Detail": detail});
    let body = json!({"Entries": [entry]}).to_string();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261130/eu-west-1/events/aws4_request, \
                  SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";
    let events = [
        request("POST", "/", target(json!({})), &body),
        request("POST", "/", target(json!({"authorization": "Bearer an-operators-key-of-the-tests-only"})), &body),
        request("POST", "/", target(json!({"authorization": signed, "x-amz-date": "20261130T120000Z"})), &body),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let run = support::run(BINARY, &[], &events);
    for answer in &run.answers {
        let answer = answer.as_ref().expect("an answer");
        assert_eq!((answer["statusCode"].as_u64(), answer["headers"]["allow"].as_str()), (Some(405), Some("GET,HEAD")));
    }
    assert!(!run.calls.iter().any(|(operation, _)| operation == "PutItem"), "nothing was written: {:?}", run.calls);
}

#[test]
fn nobody_is_given_keys_for_calls_that_are_not_taken() {
    let headers = json!({"host": "reviews.example.com", "authorization": "Bearer an-operators-key-of-the-tests-only",
        "content-type": "application/json"});
    let wanted = json!({"name": "ci", "scopes": ["reviews:request"], "aws_keys": true}).to_string();
    let run = support::run(BINARY, &[], &[&request("POST", "/api/v1/integrations", headers, &wanted)]);
    let answer = run.answers[0].as_ref().expect("an answer");
    assert_eq!(answer["statusCode"], 409);
    assert!(answer["body"].as_str().expect("words").contains("events:PutEvents"), "{answer}");
}

#[test]
fn trap_a_base64_body_of_slack_is_decoded_before_its_signature_is_verified() {
    let pressed = r#"{"type":"block_actions","user":{"id":"U01"},"actions":[{"action_id":"details"}]}"#;
    let body = format!("payload={pressed}");
    let moment = chrono::Utc::now().timestamp().to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"of-the-tests").expect("a key");
    mac.update(format!("v0:{moment}:{body}").as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = json!({"host": "reviews.example.com", "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": moment, "x-slack-signature": format!("v0={tag}")});
    let encoded = |body: &str| {
        let event = request("POST", "/slack/interactions", headers.clone(), &STANDARD.encode(body));
        event.replace("\"isBase64Encoded\":false", "\"isBase64Encoded\":true")
    };
    let events = [
        request("POST", "/slack/interactions", headers.clone(), &body),
        encoded(&body),
        encoded(&body.replace("U01", "U02")),
        request("POST", "/slack/interactions", headers.clone(), &STANDARD.encode(&body)),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let statuses = |without: &[&str]| -> Vec<u64> {
        let run = support::run(BINARY, without, &events);
        assert!(!run.output.contains("of-the-tests") && !run.output.contains("xoxb-tests"), "no secret is logged");
        let status = |answer: &Result<Value, Value>| answer.as_ref().expect("an answer")["statusCode"].as_u64();
        run.answers.iter().map(|answer| status(answer).expect("a status")).collect()
    };
    assert_eq!(statuses(&[]), [200, 200, 401, 401]);
    assert_eq!(statuses(&["SLACK_SECRET"]), [404; 4], "without an app there is no such address");
}

#[test]
fn tries_are_counted_by_whom_the_api_saw_and_not_by_what_a_caller_writes() {
    let headers = json!({"host": "reviews.example.com", "x-forwarded-for": "203.0.113.9"});
    let event = request("GET", "/signin", headers, "").replace("\"rawQueryString\":\"\"", "\"rawQueryString\":\"key=guessed\"");
    let run = support::run(BINARY, &[], &[&event]);
    assert_eq!(run.answers[0].as_ref().expect("an answer")["statusCode"], 403);
    let claimed: Vec<&str> = run.calls.iter().filter_map(|(_, call)| call["Item"]["pk"]["S"].as_str()).collect();
    assert_eq!(claimed, ["claim#signin/failed/192.0.2.1/0"]);
}

#[test]
fn a_button_leads_to_the_provider_only_where_there_is_one() {
    let event = request("GET", "/signin", json!({"host": "reviews.example.com"}), "");
    let page = |without: &[&str]| {
        let run = support::run(BINARY, without, &[&event]);
        run.answers[0].as_ref().expect("an answer")["body"].as_str().expect("a page").to_owned()
    };
    assert!(page(&[]).contains("Sign in with <bdi>Example SSO</bdi>"));
    assert!(!page(&["OIDC_NAME"]).contains("/signin/provider"));
}
