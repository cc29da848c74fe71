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
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"countersign\"");
    }
    assert_eq!(world.send("GET", "/api/v1/reviews", &[("authorization", &format!("bearer {KEY}"))], "").await.status, 200);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_a_browser_from_harm() {
    let world = World::new();
    let refused = world.send("POST", "/", &[("origin", "http://evil.example")], "").await;
    assert_eq!(refused.status, 403);
    let mut ids = std::collections::BTreeSet::new();
    for reply in
        [refused, world.get("/nothing").await, world.get("/directory").await, world.send("GET", "/healthz", &[], "").await]
    {
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
