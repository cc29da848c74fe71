//! Following a review by asking again and again, each time held until there is news.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use events::event::Scope;

use super::{
    Reply, World,
    integrations::{by, register},
    request,
};

async fn follow(world: &World, review: &str, query: &str, known: Option<&str>) -> Reply {
    let headers: Vec<(&str, &str)> = known.map(|etag| ("if-none-match", etag)).into_iter().collect();
    world.call_with("GET", &format!("/reviews/{review}{query}"), &headers, Value::Null).await
}

/// Asks at once: the status, and whether it took less than half a second.
async fn check(world: &World, review: &str, query: &str, known: Option<&str>, status: u16, at_once: bool) {
    let start = Instant::now();
    let reply = follow(world, review, query, known).await;
    assert_eq!(reply.status, status, "{query} {known:?}");
    assert_eq!(start.elapsed() < Duration::from_millis(500), at_once, "{query} {known:?}");
    assert_eq!(reply.header("etag").is_empty(), status == 404);
    assert_eq!(reply.text.is_empty(), status == 304);
}

#[tokio::test]
async fn who_knows_the_version_is_told_so_or_held_until_the_time_is_over() {
    let world = World::new();
    let id = world.open(request()).await;
    check(&world, &id, "", None, 200, true).await;
    check(&world, &id, "", Some("\"v1\""), 304, true).await;
    check(&world, &id, "", Some("W/\"v1\""), 304, true).await;
    check(&world, &id, "", Some("\"v0\", \"v1\""), 304, true).await;
    check(&world, &id, "", Some("\"v2\""), 200, true).await;
    check(&world, &id, "?wait=30", None, 200, true).await;
    check(&world, &id, "?wait=30", Some("\"v0\""), 200, true).await;
    check(&world, &id, "?wait=1", Some("\"v1\""), 304, false).await;
    check(&world, &id, "?wait=1&until=ended", None, 200, false).await;
    check(&world, &id, "?wait=1&until=ended", Some("\"v1\""), 304, false).await;
    check(&world, "01234567-89ab-cdef-0123-456789abcdef", "?wait=30", None, 404, true).await;
    world.vote(&id, "ana@example.com", "approve").await;
    check(&world, &id, "?wait=30&until=ended", None, 200, true).await;
    check(&world, &id, "?wait=30&until=ended", Some("\"v2\""), 304, true).await;
}

#[tokio::test]
async fn news_ends_the_wait_and_only_the_end_ends_a_wait_for_the_end() {
    let world = Arc::new(World::new());
    let id = world.open(request()).await;
    let held = |query: &'static str| {
        let (world, id) = (Arc::clone(&world), id.clone());
        tokio::spawn(async move { follow(&world, &id, query, Some("\"v1\"")).await })
    };
    let (any, end) = (held("?wait=20"), held("?wait=20&until=ended"));
    world.vote(&id, "ana@example.com", "request-changes").await;
    let any = any.await.expect("an answer");
    assert_eq!((any.status.as_u16(), any.header("etag"), &any.json()["status"]), (200, "\"v2\"", &Value::from("open")));
    assert!(!end.is_finished());
    world.vote(&id, "ben@example.com", "approve").await;
    let end = end.await.expect("an answer");
    assert_eq!((end.status.as_u16(), end.header("etag"), &end.json()["status"]), (200, "\"v3\"", &Value::from("approved")));
}

#[tokio::test]
async fn a_wait_is_a_number_of_seconds_up_to_thirty() {
    let world = World::new();
    let id = world.open(request()).await;
    for (query, pointers) in
        [("?wait=31", vec!["/wait"]), ("?wait=x&until=never", vec!["/wait", "/until"]), ("?timeout=3", vec!["/timeout"])]
    {
        let reply = follow(&world, &id, query, None).await;
        assert_eq!((reply.status.as_u16(), reply.pointers()), (422, pointers.iter().map(ToString::to_string).collect()));
    }
}

#[tokio::test]
async fn who_waits_with_a_token_that_is_taken_away_meanwhile_is_told_nothing() {
    let world = Arc::new(World::new());
    let id = world.open(request()).await;
    let token = register(&world, "ci", &[Scope::ReadReviews], None).await;
    let held = {
        let (world, id, token) = (Arc::clone(&world), id.clone(), token.clone());
        tokio::spawn(async move { by(&world, &token, "GET", &format!("/reviews/{id}?wait=20&until=ended"), Value::Null).await })
    };
    // It is held before the token is gone: an answer that is let go by a comment shows that it waits.
    while world.types(&id).await.len() < 2 {
        tokio::task::yield_now().await;
        world.vote(&id, "ana@example.com", "comment").await;
    }
    assert!(!held.is_finished());
    assert_eq!(world.call("DELETE", "/integrations/ci", Value::Null).await.status, 200);
    world.vote(&id, "ben@example.com", "approve").await;
    let answer = held.await.expect("an answer");
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert!(answer.text.contains("was revoked") && !answer.text.contains("approved"), "{}", answer.text);
}
