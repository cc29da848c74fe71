//! The directory and the dead letters.

use events::{ReviewId, StreamId, Version};
use ledger::{Parked, Work};
use serde_json::{Value, json};

use super::World;

fn directory() -> Value {
    json!({
        "people": {
            "ana@example.com": {"name": "Ana Pérez", "aliases": ["slack:T01/U02"], "phone": "+4915112345678"},
            "ben@example.com": {"name": null, "aliases": [], "phone": null},
        },
        "groups": {"ml-oncall": ["ana@example.com", "ben@example.com"]},
    })
}

#[tokio::test]
async fn a_directory_is_applied_once_and_read_back_as_it_was_put() {
    let world = World::new();
    assert_eq!(world.get("/directory").await.json(), json!({"people": {}, "groups": {}}));
    assert_eq!(world.call("PUT", "/directory", directory()).await.json(), json!({"changes": 3}));
    assert_eq!(world.call("PUT", "/directory", directory()).await.json(), json!({"changes": 0}));
    let shown = world.get("/directory").await;
    assert_eq!((shown.json(), shown.header("etag")), (directory(), "\"v1\""));
    let fewer = json!({"people": {"ana@example.com": directory()["people"]["ana@example.com"]}, "groups": {}});
    assert_eq!(world.call("PUT", "/directory", fewer).await.json(), json!({"changes": 2}));
}

#[tokio::test]
async fn reviews_that_a_new_directory_leaves_without_enough_people_are_named() {
    let world = World::new();
    let members = |members: &[&str]| json!({"people": {}, "groups": {"leads": members}});
    let apply = async |body: Value| world.call("PUT", "/directory", body).await.json();
    apply(members(&["ana@example.com", "ben@example.com", "rita@example.com"])).await;
    let ask = async |title: &str, quorum: u8, reviewers: Value| {
        let asked = json!({"title": title, "reviewers": reviewers, "requester": {"email": "rita@example.com"}, "policy": {"quorum": quorum}});
        let id = world.open(asked).await;
        super::audit::project(&world, &id).await;
        id
    };
    let two = ask("Two of them", 2, json!([{"group": "leads"}])).await;
    let one = ask("One of them", 1, json!([{"group": "leads"}])).await;
    ask("Somebody else", 1, json!([{"email": "zoe@example.com"}])).await;
    let ended = ask("Ended", 2, json!([{"group": "leads"}])).await;
    world.vote(&ended, "ana@example.com", "reject").await;
    super::audit::project(&world, &ended).await;

    // Rita asked, so she is none of the two.
    let named = apply(members(&["ana@example.com", "rita@example.com"])).await;
    let stuck = json!({"review_id": two, "title": "Two of them", "quorum": 2, "able": 1});
    assert_eq!(named, json!({"changes": 1, "unapprovable": [stuck]}));
    assert_eq!(apply(members(&["ana@example.com", "rita@example.com"])).await, json!({"changes": 0, "unapprovable": [stuck]}));
    let all = apply(members(&[])).await;
    let ids: Vec<&Value> = all["unapprovable"].as_array().expect("a list").iter().map(|stuck| &stuck["review_id"]).collect();
    assert_eq!(ids, [&json!(one), &json!(two)]);
    // Who approved and left counts, as before.
    assert_eq!(apply(members(&["ana@example.com", "ben@example.com"])).await, json!({"changes": 1}));
    world.vote(&two, "ana@example.com", "approve").await;
    assert_eq!(apply(members(&["ben@example.com"])).await, json!({"changes": 1}));
    assert_eq!(world.vote(&two, "ben@example.com", "approve").await.json()["verdict"], "approved");
}

#[tokio::test]
async fn two_who_turn_out_to_be_one_are_not_enough_for_two() {
    let world = World::new();
    let asked = json!({"title": "T", "policy": {"quorum": 2}, "reviewers": [{"email": "ana@example.com"}, {"email": "ana.old@example.com"}]});
    let id = world.open(asked).await;
    super::audit::project(&world, &id).await;
    let one = json!({"people": {"ana@example.com": {"aliases": ["ana.old@example.com"]}}, "groups": {}});
    let named = world.call("PUT", "/directory", one).await.json();
    assert_eq!((&named["unapprovable"][0]["review_id"], &named["unapprovable"][0]["able"]), (&json!(id), &json!(1)));
}

/// Puts a directory with faults.
async fn check(body: Value, pointers: &[&str]) {
    let world = World::new();
    let reply = world.call("PUT", "/directory", body.clone()).await;
    assert_eq!((reply.status.as_u16(), reply.pointers()), (422, pointers.iter().map(ToString::to_string).collect()), "{body}");
    assert_eq!(world.get("/directory").await.json(), json!({"people": {}, "groups": {}}));
}

#[tokio::test]
async fn a_directory_with_faults_changes_nothing_and_names_them_all() {
    check(Value::Null, &["/people", "/groups"]).await;
    check(json!([]), &[""]).await;
    check(json!({"people": {"ana": {}}, "groups": {"on call": []}, "teams": 1}), &["/people/ana", "/groups/on call", "/teams"])
        .await;
    let person = json!({"name": "", "phone": "0151 1", "aliases": ["x"], "role": "boss"});
    let at = |field: &str| format!("/people/ana@example.com/{field}");
    let pointers = [at("name"), at("phone"), at("aliases/0"), at("role")];
    check(json!({"people": {"ana@example.com": person}, "groups": {}}), &pointers.each_ref().map(String::as_str)).await;
    check(json!({"people": {}, "groups": {"g": ["ana@example.com", "x"], "h": "ana"}}), &["/groups/g/1", "/groups/h"]).await;
    // One id stands for one person, so that nobody approves twice.
    let shared = json!({"a@x.com": {"aliases": ["slack:T/U"]}, "b@x.com": {"aliases": ["slack:T/U"]}});
    check(json!({"people": shared, "groups": {}}), &["/people/b@x.com"]).await;
    check(json!({"people": {"a@x.com": {}, "A@x.com": {}}, "groups": {}}), &["/people/a@x.com"]).await;
}

async fn park(world: &World, consumer: &str, version: u64) -> Parked {
    let parked = Parked {
        consumer: consumer.to_owned(),
        stream: StreamId::Review(ReviewId::for_event("local", "api", "e", 1)),
        version: Version(version),
        error: "poisoned".to_owned(),
        at: world.gateway.reviews.now(),
    };
    world.store.park(&parked).await.expect("parked");
    parked
}

async fn left(world: &World) -> Vec<(String, u64)> {
    let listed = world.get("/dead-letters").await.json();
    let line =
        |parked: &Value| (parked["consumer"].as_str().unwrap_or_default().to_owned(), parked["version"].as_u64().unwrap_or(0));
    let mut left: Vec<_> = listed["dead_letters"].as_array().expect("a list").iter().map(line).collect();
    left.sort();
    left
}

#[tokio::test]
async fn invariant_11_dead_letters_are_seen_and_those_that_are_handled_again_are_taken_away() {
    let world = World::new();
    let first = park(&world, "willing", 1).await;
    for (consumer, version) in [("willing", 2), ("unwilling", 2)] {
        park(&world, consumer, version).await;
    }
    let one = json!({"consumer": "willing", "stream": first.stream, "version": 1});
    let reply = world.call("POST", "/dead-letters/redrive", one.clone()).await.json();
    assert_eq!(reply["results"][0]["redriven"], true);
    assert_eq!(left(&world).await, [("unwilling".to_owned(), 2), ("willing".to_owned(), 2)]);
    assert_eq!(world.call("POST", "/dead-letters/redrive", one).await.status, 404);

    let all = world.call("POST", "/dead-letters/redrive", json!({"all": true})).await.json();
    let mut errors: Vec<_> = all["results"].as_array().expect("results").iter().map(|result| result["error"].as_str()).collect();
    errors.sort();
    assert_eq!(errors, [None, Some("still poisoned: as before")]);
    assert_eq!(left(&world).await, [("unwilling".to_owned(), 2)]);

    let reply = world.call("POST", "/dead-letters/redrive", json!({"consumer": 1, "version": "x", "force": true})).await;
    assert_eq!(reply.pointers(), ["/consumer", "/stream", "/version", "/force"]);
    let reply = world.call("POST", "/dead-letters/redrive", json!({"all": "yes", "version": 1})).await;
    assert_eq!(reply.pointers(), ["/all", "/version"]);
}
