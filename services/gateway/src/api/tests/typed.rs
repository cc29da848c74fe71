//! What was typed is what is stored, shown, hashed and approved, or it is refused by its place.

use serde_json::{Value, json};

use super::{KEY, Reply, World, request, with};

async fn post(world: &World, path: &str, body: &str) -> Reply {
    let key = format!("Bearer {KEY}");
    world
        .send(
            "POST",
            &format!("/api/v1{path}"),
            &[("authorization", &key), ("content-type", "application/json")],
            body.to_owned(),
        )
        .await
}

fn pointers(reply: &Reply) -> Vec<String> {
    let faults = reply.json()["faults"].as_array().cloned().unwrap_or_default();
    faults.iter().map(|fault| fault["pointer"].as_str().expect("a pointer").to_owned()).collect()
}

/// The request with one more field, as text.
fn with_text(field: &str) -> String {
    let request = request().to_string();
    format!("{},{field}}}", request.strip_suffix('}').expect("an object"))
}

#[tokio::test]
async fn a_number_that_would_be_changed_is_refused_with_its_pointer_and_on_record() {
    let world = World::new();
    let reply = post(&world, "/reviews", &with_text(r#""x":1,"subject":{"order":9007199254740993}"#)).await;
    assert_eq!(
        (reply.status.as_u16(), pointers(&reply)),
        (422, vec!["/subject".to_owned(), "/subject/order".to_owned(), "/x".to_owned()])
    );
    let reply = post(
        &world,
        "/reviews",
        r#"{"title":"t","reviewers":[{"email":"ana@example.com"}],"subject":{"order":9007199254740993}}"#,
    )
    .await;
    assert_eq!((reply.status.as_u16(), pointers(&reply)), (422, vec!["/subject/order".to_owned()]));
    let refused = reply.json()["review_id"].as_str().expect("on record").to_owned();
    assert_eq!(world.types(&refused).await, ["ReviewRefused"]);
}

#[tokio::test]
async fn a_name_that_is_given_twice_is_refused_at_every_route_that_takes_a_body() {
    let world = World::new();
    let id = world.open(request()).await;
    for (path, body, pointer) in [
        (
            "/reviews",
            r#"{"title":"t","reviewers":[{"email":"ana@example.com"}],"policy":{"quorum":2,"quorum":1}}"#,
            "/policy/quorum",
        ),
        (
            &format!("/reviews/{id}/votes"),
            r#"{"person":{"email":"ana@example.com"},"choice":"reject","choice":"approve"}"#,
            "/choice",
        ),
        (&format!("/reviews/{id}/cancel"), r#"{"reason":"a","reason":"b"}"#, "/reason"),
        ("/integrations", r#"{"name":"ci","scopes":["reviews:read"],"scopes":["directory:write"]}"#, "/scopes"),
        ("/dead-letters/redrive", r#"{"all":false,"all":true}"#, "/all"),
    ] {
        let reply = post(&world, path, body).await;
        assert_eq!(reply.status, 422, "{path}: {}", reply.text);
        assert!(pointers(&reply).contains(&pointer.to_owned()), "{path}: {}", reply.text);
    }
    assert_eq!(world.types(&id).await, ["ReviewRequested"], "nothing was counted");
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped_utf_16_is_named_and_depth_is_bounded() {
    let world = World::new();
    assert_eq!(post(&world, "/reviews", &format!("\u{feff}{}", request())).await.status, 201);
    let deep = format!(r#"{{"title":"t","subject":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let reply = post(&world, "/reviews", &deep).await;
    assert_eq!(reply.status, 400);
    assert!(reply.text.contains("levels deep"), "{}", reply.text);
}

#[tokio::test]
async fn a_blank_reason_is_none_at_every_door() {
    let world = World::new();
    let id = world.open(request()).await;
    let vote = json!({"person": {"email": "ana@example.com"}, "choice": "reject", "reason": " \u{200b}\n"});
    assert_eq!(world.call("POST", &format!("/reviews/{id}/votes"), vote).await.status, 200);
    let cast = world.get(&format!("/reviews/{id}/events")).await.json()[1].clone();
    assert_eq!(cast["reason"], Value::Null);
}

#[tokio::test]
async fn invariant_14_a_program_states_what_was_seen_or_it_is_on_record_that_it_did_not() {
    let world = World::new();
    let id = world.open(with(request(), "risk", json!("high"))).await;
    let seen = world.get(&format!("/reviews/{id}")).await.json()["seen_digest"].as_str().expect("a digest").to_owned();
    let vote = |digest: Value| json!({"person": {"email": "ana@example.com"}, "choice": "approve", "seen_digest": digest});
    let path = format!("/reviews/{id}/votes");
    for (digest, status, code) in
        [(Value::Null, 403, "not-seen-whole"), (json!("0".repeat(64)), 409, "other-subject"), (json!("short"), 422, "invalid")]
    {
        let reply = world.call("POST", &path, vote(digest)).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (status, &json!(format!("urn:countersign:{code}"))));
    }
    assert_eq!(world.call("POST", &path, vote(json!(seen))).await.status, 200);
    let document = world.get(&format!("/reviews/{id}")).await.json();
    assert_eq!((&document["votes"][0]["seen"], &document["votes"][0]["seen_digest"]), (&json!("whole"), &json!(seen)));

    let id = world.open(with(request(), "request_key", json!("second"))).await;
    world.vote(&id, "ana@example.com", "approve").await;
    assert_eq!(world.get(&format!("/reviews/{id}")).await.json()["votes"][0]["seen"], json!("unstated"));
}
