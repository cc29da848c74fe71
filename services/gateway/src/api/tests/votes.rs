//! Votes and cancellations that the operator enters.

use serde_json::{Value, json};

use super::{Reply, World, request, with};

/// Checks a problem: status, the end of its type, and part of its detail.
fn check(reply: &Reply, status: u16, code: &str, says: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.json()["type"], format!("urn:countersign:{code}"));
    assert!(reply.json()["detail"].as_str().expect("a detail").contains(says), "{}", reply.text);
}

#[tokio::test]
async fn a_vote_counts_once_and_says_what_it_decided() {
    let world = World::new();
    let id = world.open(with(request(), "policy", json!({"quorum": 2}))).await;
    let first = world.vote(&id, "ana@example.com", "approve").await.json();
    assert_eq!((&first["counted"], &first["already"], &first["verdict"]), (&json!(true), &json!(false), &Value::Null));
    let again = world.vote(&id, "ana@example.com", "approve").await.json();
    assert_eq!((&again["already"], &again["status"], &again["version"]), (&json!(true), &json!("open"), &json!(2)));
    let last = world.vote(&id, "ben@example.com", "approve").await.json();
    assert_eq!((&last["verdict"], &last["status"]), (&json!("approved"), &json!("approved")));
    assert_eq!(world.types(&id).await, ["ReviewRequested", "VoteCast", "VoteCast", "ReviewDecided"]);
}

#[tokio::test]
async fn a_vote_is_logged_as_entered_by_the_operator() {
    let world = World::new();
    for (channel, logged) in [(json!("cli"), "cli"), (json!("api"), "api"), (Value::Null, "api")] {
        let id = world.open(request()).await;
        let vote =
            json!({"person": {"email": "Ana@example.com"}, "choice": "reject", "reason": "too few rows", "channel": channel});
        assert_eq!(world.call("POST", &format!("/reviews/{id}/votes"), vote).await.status, 200);
        let cast = world.get(&format!("/reviews/{id}/events")).await.json()[1].clone();
        assert_eq!((&cast["channel"], &cast["entered_by"]), (&json!(logged), &json!("operator")));
        assert_eq!((&cast["person"], &cast["reason"]), (&json!("ana@example.com"), &json!("too few rows")));
    }
}

#[tokio::test]
async fn invariant_02_who_comes_too_late_is_told_who_decided_and_when() {
    let world = World::new();
    let people = json!({"people": {"ana@example.com": {"name": "Ana Pérez"}}, "groups": {}});
    world.call("PUT", "/directory", people).await;
    let id = world.open(request()).await;
    world.vote(&id, "ana@example.com", "approve").await;
    let late = world.vote(&id, "ben@example.com", "reject").await;
    check(&late, 409, "already-decided", "approved by Ana Pérez at 20");
    assert_eq!(late.json()["ending"]["decided_by"], json!(["ana@example.com"]));
    let cancelled = world.call("POST", &format!("/reviews/{id}/cancel"), json!({})).await;
    check(&cancelled, 409, "ended-before", "approved by Ana Pérez at 20");
}

#[tokio::test]
async fn invariant_03_who_may_not_decide_is_refused() {
    let world = World::new();
    let id = world.open(request()).await;
    check(&world.vote(&id, "eve@example.com", "approve").await, 403, "not-a-reviewer", "neither named nor");
    check(&world.vote(&id, "rita@example.com", "approve").await, 403, "own-request", "asked for this review");
    let path = format!("/reviews/{id}/votes");
    let other = json!({"person": {"email": "ana@example.com"}, "choice": "approve", "subject_digest": "0".repeat(64)});
    check(&world.call("POST", &path, other).await, 409, "other-subject", "another subject");
    assert_eq!(world.get(&format!("/reviews/{id}")).await.json()["status"], "open");
}

#[tokio::test]
async fn comments_without_end_are_refused_with_words_and_deciding_goes_on() {
    let world = World::new();
    let id = world.open(request()).await;
    let path = format!("/reviews/{id}/votes");
    let comment =
        |number: usize| json!({"person": {"email": "ana@example.com"}, "choice": "comment", "reason": number.to_string()});
    for number in 0..100 {
        assert_eq!(world.call("POST", &path, comment(number)).await.status, 200);
    }
    check(&world.call("POST", &path, comment(100)).await, 409, "too-often", "No more comments");
    assert_eq!(world.vote(&id, "ana@example.com", "approve").await.status, 200);
}

#[tokio::test]
async fn a_reason_is_counted_in_characters() {
    let world = World::new();
    let id = world.open(request()).await;
    let path = format!("/reviews/{id}/votes");
    for letter in ["a", "承", "😀"] {
        let comment =
            |length| json!({"person": {"email": "ana@example.com"}, "choice": "comment", "reason": letter.repeat(length)});
        assert_eq!(world.call("POST", &path, comment(4_000)).await.status, 200, "{letter}");
        assert_eq!(world.call("POST", &path, comment(4_001)).await.pointers(), ["/reason"], "{letter}");
    }
}

#[tokio::test]
async fn invariant_09_a_vote_after_the_deadline_does_not_count() {
    let world = World::new();
    let id = world.open(with(request(), "expires_in", json!("PT1S"))).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    check(&world.vote(&id, "ana@example.com", "approve").await, 409, "expired", "expired");
    assert_eq!(world.get(&format!("/reviews/{id}")).await.json()["status"], "expired");
}

#[tokio::test]
async fn a_vote_that_is_not_one_names_every_fault() {
    let world = World::new();
    let id = world.open(request()).await;
    let vote = json!({"review_id": id, "person": {"group": "g"}, "choice": "yes", "channel": "slack", "weight": 2});
    let reply = world.call("POST", &format!("/reviews/{id}/votes"), vote).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.pointers(), ["/channel", "/review_id", "/person", "/choice", "/weight"]);
    let empty = world.call("POST", &format!("/reviews/{id}/votes"), Value::Null).await;
    assert_eq!(empty.pointers(), ["/person", "/choice"]);
    let nowhere = world.vote("01234567-89ab-cdef-0123-456789abcdef", "ana@example.com", "approve").await;
    check(&nowhere, 404, "no-such-review", "01234567");
}

#[tokio::test]
async fn the_operator_and_who_asked_may_withdraw_a_review() {
    let world = World::new();
    for (body, status, by) in [
        (Value::Null, 200, json!("operator")),
        (json!({"reason": "obsolete"}), 200, json!("operator")),
        (json!({"as": {"email": "rita@example.com"}}), 200, json!({"requester": "rita@example.com"})),
        (json!({"as": {"email": "ana@example.com"}}), 403, Value::Null),
        (json!({"as": {"group": "oncall"}, "why": "x"}), 422, Value::Null),
    ] {
        let id = world.open(request()).await;
        let reply = world.call("POST", &format!("/reviews/{id}/cancel"), body.clone()).await;
        assert_eq!(reply.status, status, "{body}");
        let document = world.get(&format!("/reviews/{id}")).await.json();
        assert_eq!(document["status"], if status == 200 { "cancelled" } else { "open" });
        assert_eq!(document["ending"]["cancelled_by"], by);
    }
}
