//! Trying again after a lost answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Reply, TOKEN, World, request, with};

const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

async fn ask(world: &World, key: &str, body: Value) -> Reply {
    world.call_with("POST", "/reviews", &[("idempotency-key", key)], body).await
}

fn check(reply: &Reply, status: u16, code: &str, pointers: &[&str]) {
    assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (status, &json!(format!("urn:countersign:{code}"))));
    assert_eq!(reply.pointers(), pointers);
}

#[tokio::test]
async fn the_same_key_and_body_find_what_they_opened() {
    let world = World::new();
    let (first, second) = (ask(&world, KEY, request()).await, ask(&world, KEY, request()).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert_eq!((first.json(), first.header("location")), (second.json(), second.header("location")));
    let id = first.json()["review_id"].as_str().expect("an id").to_owned();
    assert_eq!(world.types(&id).await, ["ReviewRequested"]);
    // The order of fields and blanks are no other body.
    let other_letters = format!(" {} ", request());
    let authorization = format!("Bearer {}", super::KEY);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json"), ("idempotency-key", KEY)];
    let third = world.send("POST", "/api/v1/reviews", &headers, other_letters).await;
    assert_eq!((third.status.as_u16(), third.json()), (200, first.json()));
    assert_ne!(world.call("POST", "/reviews", request()).await.json()["review_id"], id.as_str());
    assert_ne!(ask(&world, "another", request()).await.json()["review_id"], id.as_str());
}

#[tokio::test]
async fn the_same_key_and_another_body_are_refused_also_when_people_would_decide_on_the_same() {
    let world = World::new();
    let opened = ask(&world, KEY, request()).await.json();
    let id = opened["review_id"].as_str().expect("an id");
    let others = [
        (with(request(), "subject", json!({"id": "churn-v43"})), "/subject"),
        (with(request(), "title", json!("Another title")), "/title"),
        (with(request(), "resume", json!({"task_token": TOKEN})), ""),
    ];
    for (body, pointer) in others {
        let (first, second) = (ask(&world, KEY, body.clone()).await, ask(&world, KEY, body).await);
        check(&first, 422, "idempotency-key-reused", &[pointer]);
        // Refused on record, and so once.
        assert_eq!((second.status.as_u16(), second.json()), (422, first.json()));
        let refusal = first.json()["review_id"].as_str().expect("an id").to_owned();
        assert_eq!(world.types(&refusal).await, ["ReviewRefused"]);
    }
    // No workflow was attached to a review that it did not ask for.
    assert_eq!(world.types(id).await, ["ReviewRequested"]);
    assert_eq!(ask(&world, KEY, request()).await.json(), opened);
}

#[tokio::test]
async fn a_refusal_is_the_same_again_and_a_mended_body_may_use_its_key() {
    let world = World::new();
    let bad = with(request(), "title", json!(""));
    let (first, second) = (ask(&world, KEY, bad.clone()).await, ask(&world, KEY, bad).await);
    check(&first, 422, "invalid", &["/title"]);
    assert_eq!(first.json(), second.json());
    let nobody = with(request(), "reviewers", json!([{"group": "oncall"}]));
    check(&ask(&world, KEY, nobody).await, 422, "unapprovable", &["/reviewers/0/group"]);
    for body in [json!([]), json!("x")] {
        let (first, second) = (ask(&world, KEY, body.clone()).await, ask(&world, KEY, body).await);
        assert_eq!((first.status.as_u16(), first.json()), (422, second.json()));
    }
    assert_eq!(ask(&world, KEY, request()).await.status, 201);
}

#[tokio::test]
async fn calls_at_the_same_time_open_one_review() {
    let world = Arc::new(World::new());
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { ask(&world, KEY, request()).await })
        })
        .collect();
    let mut statuses = Vec::new();
    let mut reviews = std::collections::BTreeSet::new();
    for call in calls {
        let reply = call.await.expect("an answer");
        statuses.push(reply.status.as_u16());
        reviews.insert(reply.json()["review_id"].to_string());
    }
    statuses.sort_unstable();
    assert_eq!((statuses, reviews.len()), (vec![200, 200, 200, 200, 200, 200, 200, 201], 1));
}

#[tokio::test]
async fn a_request_key_in_the_body_is_the_key_and_the_header_then_says_nothing() {
    let world = World::new();
    let keyed = with(request(), "request_key", json!("churn-v42"));
    let first = ask(&world, "one", keyed.clone()).await;
    let second = ask(&world, "two", with(keyed, "expires_in", json!("PT1H"))).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert_eq!(first.json(), second.json());
    // The header is the same key from outside the body.
    check(&ask(&world, "churn-v42", request()).await, 422, "idempotency-key-reused", &[""]);
}

#[tokio::test]
async fn a_key_is_one_text_of_visible_characters() {
    let world = World::new();
    for bad in ["", "a\tb", "é", "x".repeat(201).as_str()] {
        check(&ask(&world, bad, request()).await, 400, "bad-idempotency-key", &[]);
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    check(&world.call_with("POST", "/reviews", &two, request()).await, 400, "bad-idempotency-key", &[]);
    for good in ["x", "\"8e03978e\"", "x".repeat(200).as_str()] {
        assert_eq!(ask(&world, good, request()).await.status, 201, "{good}");
    }
}

#[tokio::test]
async fn a_vote_and_a_cancellation_are_the_same_again_without_a_key() {
    let world = World::new();
    let (voted, cancelled) = (world.open(request()).await, world.open(request()).await);
    for already in [false, true] {
        let vote = world.vote(&voted, "ana@example.com", "approve").await;
        assert_eq!((vote.status.as_u16(), &vote.json()["already"]), (200, &json!(already)));
        let cancel = world.call("POST", &format!("/reviews/{cancelled}/cancel"), json!({"reason": "obsolete"})).await;
        assert_eq!((cancel.status.as_u16(), &cancel.json()["already"]), (200, &json!(already)));
    }
    let other = world.call("POST", &format!("/reviews/{cancelled}/cancel"), json!({"as": {"email": "rita@example.com"}})).await;
    assert_eq!((other.status.as_u16(), &other.json()["type"]), (409, &json!("urn:countersign:ended-before")));
}
