//! What every answer has, whatever the route.

use serde_json::json;

use super::{KEY, Reply, World, request};
use crate::security::BODY_MAX;

fn check(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem = reply.json();
    assert_eq!((&problem["type"], &problem["status"]), (&json!(format!("urn:countersign:{code}")), &json!(status)));
    assert!(problem["title"].is_string() && problem["detail"].is_string());
}

#[tokio::test]
async fn every_error_of_the_api_is_a_problem_document() {
    let world = World::new();
    check(&world.get("/nothing").await, 404, "no-such-resource");
    check(&world.get("/reviews/not-an-id").await, 404, "no-such-review");
    check(&world.get("/reviews/01234567-89ab-cdef-0123-456789abcdef").await, 404, "no-such-review");
    let reply = world.call("DELETE", "/reviews", json!({})).await;
    check(&reply, 405, "method-not-allowed");
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");

    let key = format!("Bearer {KEY}");
    let post = async |kind: &str, body: String| {
        world.send("POST", "/api/v1/reviews", &[("authorization", &key), ("content-type", kind)], body).await
    };
    check(&post("text/plain", "{}".to_owned()).await, 415, "not-json");
    check(&post("application/json", "{".to_owned()).await, 400, "malformed");
    check(&post("application/json", " ".repeat(BODY_MAX + 1)).await, 413, "too-large");
    assert_eq!(post("application/vnd.x+json; charset=utf-8", request().to_string()).await.status, 201);
}

#[tokio::test]
async fn only_the_operators_key_opens_the_api() {
    let world = World::new();
    for given in ["", "Bearer", "Bearer ", "Bearer another-key", &format!("Basic {KEY}"), KEY] {
        let reply = world.send("GET", "/api/v1/reviews", &[("authorization", given)], "").await;
        check(&reply, 401, "unauthorized");
        let invalid = if given.starts_with("Bearer a") { ", error=\"invalid_token\"" } else { "" };
        assert_eq!(reply.header("www-authenticate"), format!("Bearer realm=\"countersign\"{invalid}"));
    }
    assert_eq!(world.send("GET", "/api/v1/reviews", &[("authorization", &format!("bearer {KEY}"))], "").await.status, 200);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_a_browser_from_harm() {
    let world = World::new();
    let refused = world.send("POST", "/", &[("origin", "http://evil.example")], "").await;
    assert_eq!(refused.status, 403);
    let mut ids = std::collections::BTreeSet::new();
    for reply in [
        refused,
        world.get("/nothing").await,
        world.call("POST", "/reviews", request()).await,
        world.send("GET", "/healthz", &[], "").await,
    ] {
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("access-control-allow-origin"), "");
        assert!(ids.insert(reply.header("x-request-id").to_owned()));
    }
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_turned_away_before_anything_else() {
    let world = World::new();
    let reply = world.send("GET", "/healthz", &[("host", "rebound.example:8787")], "").await;
    assert_eq!(reply.status, 421);
    assert!(reply.text.contains("host name"));
}

#[tokio::test]
async fn who_is_turned_away_from_the_api_is_told_by_a_problem_document() {
    let world = World::new();
    check(&world.send("GET", "/api/v1/reviews", &[("host", "rebound.example:8787")], "").await, 421, "other-host");
    check(&world.send("POST", "/api/v1/reviews", &[("origin", "http://evil.example")], "").await, 403, "other-site");
    let page = world.send("POST", "/api/v12", &[("origin", "http://evil.example")], "").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (403, "text/plain; charset=utf-8"));
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_for() {
    let world = World::new();
    let parked = ledger::Parked {
        consumer: "panicking".to_owned(),
        stream: events::StreamId::Directory,
        version: events::Version(1),
        error: "poisoned".to_owned(),
        at: world.gateway.reviews.now(),
    };
    world.gateway.work.park(&parked).await.expect("parked");
    let reply = world.call("POST", "/dead-letters/redrive", json!({"all": true})).await;
    check(&reply, 500, "internal");
    assert_eq!(reply.json()["request_id"], reply.header("x-request-id"));
    check(&world.call("POST", "/dead-letters/redrive", json!({"all": 1})).await, 422, "invalid");
}

#[tokio::test]
async fn a_read_is_known_by_its_etag_until_something_changes() {
    let world = World::new();
    let id = world.open(request()).await;
    let (review, events) = (format!("/reviews/{id}"), format!("/reviews/{id}/events"));
    for path in [review.as_str(), &events, "/reviews", "/directory", "/dead-letters", "/integrations", "/openapi.json"] {
        let reply = world.get(path).await;
        let etag = reply.header("etag").to_owned();
        assert!(reply.status == 200 && etag.starts_with('"'), "{path}: {}", reply.text);
        for known in [etag.as_str(), &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
            let reply = world.call_with("GET", path, &[("if-none-match", known)], serde_json::Value::Null).await;
            assert_eq!((reply.status.as_u16(), reply.header("etag"), reply.text.as_str()), (304, etag.as_str(), ""), "{path}");
        }
        let reply = world.call_with("GET", path, &[("if-none-match", "\"another\"")], serde_json::Value::Null).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    let before = world.get(&events).await.header("etag").to_owned();
    world.vote(&id, "ana@example.com", "approve").await;
    for path in [&review, &events] {
        let reply = world.call_with("GET", path, &[("if-none-match", &before)], serde_json::Value::Null).await;
        assert_eq!((reply.status.as_u16(), reply.header("etag")), (200, "\"v2\""), "{path}");
    }
}

#[tokio::test]
async fn the_service_is_healthy_while_its_store_answers() {
    let world = World::new();
    let healthy = world.send("GET", "/healthz", &[], "").await;
    assert_eq!((healthy.status.as_u16(), healthy.json()), (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn an_error_inside_names_the_request_and_nothing_else() {
    let world = World::new();
    world.store.close();
    let reply = world.call("POST", "/reviews", request()).await;
    assert!(reply.status.is_server_error(), "{}", reply.text);
    assert_eq!(reply.json()["request_id"], reply.header("x-request-id"));
    assert!(!reply.text.to_lowercase().contains("sqlite"), "{}", reply.text);
    assert!(world.send("GET", "/healthz", &[], "").await.status.is_server_error());
}

#[tokio::test]
async fn a_log_that_is_not_what_was_signed_of_it_answers_nothing_and_says_why() {
    let world = World::new();
    let id = world.call("POST", "/reviews", request()).await.json()["review_id"].as_str().expect("an id").to_owned();
    world.store.distrust("it lost review 7 version 2");
    for (method, path) in [
        ("GET", format!("/reviews/{id}")),
        ("GET", "/reviews".to_owned()),
        ("POST", "/reviews".to_owned()),
        ("POST", format!("/reviews/{id}/cancel")),
    ] {
        let reply = world.call(method, &path, request()).await;
        check(&reply, 503, "distrusted");
        assert_eq!(reply.header("retry-after"), "60", "{path}");
        assert!(reply.text.contains("it lost review 7 version 2"), "{}", reply.text);
    }
    check(&world.send("GET", "/healthz", &[], "").await, 503, "distrusted");
    check(&world.send("POST", "/", &[("x-amz-target", "AWSEvents.PutEvents")], "{}").await, 503, "distrusted");
    let page = world.send("GET", &format!("/reviews/{id}"), &[], "").await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("Nothing can be decided at the moment") && !page.text.contains("review 7"), "{}", page.text);
}
