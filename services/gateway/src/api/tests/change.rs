//! Who changed the directory and the integrations, by which door and why, is on record.

use events::{Event, StreamId, Version, event::Scope};
use serde_json::{Value, json};

use super::{
    World,
    integrations::{by, register},
};

const DIRECTORY: &str =
    r#"{"people": {"ana@example.com": {"aliases": ["slack:T01/U02"]}}, "groups": {"leads": ["ana@example.com"]}}"#;

fn directory(more: Value) -> Value {
    let mut directory: Value = serde_json::from_str(DIRECTORY).expect("JSON");
    directory.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    directory
}

/// What the last commit of the directory says of who made it: once, since all its events say the same.
async fn changed(world: &World) -> Value {
    let stored = world.gateway.reviews.ledger().load(StreamId::Directory, Version::NONE).await.expect("read");
    let commit = stored.last().expect("a commit").decode().expect("readable");
    let mut found: Vec<Value> =
        commit.events.iter().map(|event: &Event| serde_json::to_value(event).expect("JSON")["changed"].clone()).collect();
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test]
async fn every_way_to_change_the_directory_says_who_did_it_by_which_door_and_why() {
    let world = World::new();
    let put = |more: Value| world.call("PUT", "/directory", directory(more));
    assert_eq!(put(json!({"reason": "set up", "door": "cli"})).await.status, 200);
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "cli", "reason": "set up"}));

    let hr = register(&world, "hr", &[Scope::WriteDirectory], None).await;
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "api"}), "no reason was given");
    let gone = json!({"people": {}, "groups": {}, "reason": "they left"});
    assert_eq!(by(&world, &hr, "PUT", "/directory", gone).await.status, 200);
    assert_eq!(changed(&world).await, json!({"by": {"integration": "hr"}, "door": "api", "reason": "they left"}));

    let reply = world
        .call("POST", "/integrations", json!({"name": "ci", "scopes": ["operate"], "reason": "builds", "door": "cli"}))
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "cli", "reason": "builds"}));
    let reply = world.call("DELETE", "/integrations/hr?reason=its%20token%20leaked&door=cli", Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "cli", "reason": "its token leaked"}));
    assert_eq!(world.call("DELETE", "/integrations/ci", Value::Null).await.status, 200);
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "api"}));
}

#[tokio::test]
async fn an_integration_cannot_say_that_the_command_line_was_used() {
    let world = World::new();
    let hr = register(&world, "hr", &[Scope::WriteDirectory], None).await;
    for door in [json!("cli"), json!("CLI"), json!(7), json!({"newer": 1})] {
        let reply = by(&world, &hr, "PUT", "/directory", directory(json!({"door": door}))).await;
        assert_eq!((reply.status.as_u16(), reply.pointers()), (422, vec!["/door".to_owned()]), "{door}");
    }
    assert_eq!(by(&world, &hr, "PUT", "/directory", directory(json!({"door": "api"}))).await.status, 200);
    assert_eq!(changed(&world).await, json!({"by": {"integration": "hr"}, "door": "api"}));
}

#[tokio::test]
async fn a_blank_reason_is_absent_and_one_that_is_too_long_or_no_text_is_named() {
    let world = World::new();
    assert_eq!(world.call("PUT", "/directory", directory(json!({"reason": " \u{200b}\n"}))).await.status, 200);
    assert_eq!(changed(&world).await, json!({"by": "operator", "door": "api"}));
    for reason in [json!("é".repeat(251)), json!(7)] {
        let reply = world.call("PUT", "/directory", directory(json!({"reason": reason}))).await;
        assert_eq!((reply.status.as_u16(), reply.pointers()), (422, vec!["/reason".to_owned()]));
    }
    assert_eq!(world.call("PUT", "/directory", directory(json!({"door": "bus"}))).await.pointers(), ["/door"]);
    assert_eq!(world.call("DELETE", "/integrations/ci?why=x", Value::Null).await.pointers(), ["/why"]);
}

#[tokio::test]
async fn a_vote_by_an_alias_names_it_and_audits_and_pages_say_who_had_added_it() {
    let world = World::new();
    let hr = register(&world, "hr", &[Scope::WriteDirectory], None).await;
    let eve = json!({"people": {"ana@example.com": {"aliases": ["eve@evil.example"]}}, "groups": {}, "reason": "https://x"});
    assert_eq!(by(&world, &hr, "PUT", "/directory", eve).await.status, 200);
    let review = world.open(super::request()).await;
    assert_eq!(world.vote(&review, "eve@evil.example", "approve").await.status, 200);
    // Taking the alias away again does not take away who had added it.
    assert_eq!(by(&world, &hr, "PUT", "/directory", json!({"people": {}, "groups": {}})).await.status, 200);

    let shown = world.get(&format!("/reviews/{review}")).await.json();
    let vote = &shown["votes"][0];
    assert_eq!((&vote["person"], &vote["acted_as"]), (&json!("ana@example.com"), &json!("eve@evil.example")));
    let history = world.gateway.reviews.history(review.parse().expect("an id")).await.expect("read");
    let directory = world.gateway.reviews.directory().await.expect("read");
    let trail = crate::audit::Trail::of(&history, &directory).expect("folds").expect("a review");
    let said = crate::audit::words::alias_of(&trail.votes[0]).expect("an alias acted");
    assert!(said.starts_with("by their other address eve@evil.example (alias added at "), "{said}");
    assert!(said.contains("by integration hr through the API, because: https://x"), "{said}");
    let report = crate::audit::report(&trail, &directory, trail.requested_at).into_string();
    assert!(report.contains("by their other address eve@evil.example (alias added at "), "{report}");
}

#[tokio::test]
async fn votes_by_people_who_may_not_vote_are_counted() {
    let world = World::new();
    let review = world.open(super::request()).await;
    for (who, choice, status) in
        [("eve@example.com", "approve", 403), ("rita@example.com", "approve", 403), ("ana@example.com", "reject", 200)]
    {
        assert_eq!(world.vote(&review, who, choice).await.status, status, "{who}");
    }
    // The same once more is on record once, and counted each time.
    assert_eq!(world.vote(&review, "eve@example.com", "approve").await.status, 403);
    assert_eq!(world.gateway.reviews.suspects().total(), 3);
}
