//! `GET /audit`: every question, every vote, and no scan.

use std::sync::Arc;

use events::event::Scope;
use projector::Rows;
use serde_json::{Value, json};

use super::{
    World,
    integrations::{by, register},
    request, with,
};

/// The titles of the reviews that a question finds.
async fn found(world: &World, query: &str) -> Vec<String> {
    let reply = world.get(&format!("/audit?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text);
    let titles = reply.json()["audit"].as_array().expect("a list").clone();
    titles.iter().map(|trail| trail["title"].as_str().expect("a title").to_owned()).collect()
}

pub(super) async fn project(world: &World, review: &str) {
    let rows = Rows::new(Arc::clone(&world.gateway.reviews), Arc::clone(&world.gateway.views));
    rows.project(review.parse().expect("an id")).await.expect("projected");
}

/// Three reviews: approved by Ana (and Ben came too late), asked of the rota, and asked of Ben by a program.
async fn three() -> (World, [String; 3]) {
    let world = World::new();
    let directory = json!({
        "people": {"ana@example.com": {"aliases": ["slack:T1/U1"]}},
        "groups": {"oncall": ["ana@example.com"]},
    });
    assert_eq!(world.call("PUT", "/directory", directory).await.status, 200);
    let first = world.open(with(request(), "title", json!("First"))).await;
    assert_eq!(world.vote(&first, "ana@example.com", "approve").await.status, 200);
    world.vote(&first, "ben@example.com", "reject").await;
    let second = with(with(request(), "title", json!("Second")), "reviewers", json!([{"group": "oncall"}]));
    let second = world.open(with(second, "subject", json!({"kind": "deployment", "id": 7}))).await;
    let third = with(with(request(), "title", json!("Third")), "reviewers", json!([{"email": "ben@example.com"}]));
    let third = world.open(with(third, "requester", json!({"email": "robot@example.com"}))).await;
    world.vote(&third, "eve@example.com", "approve").await;
    let all = [first, second, third];
    for review in &all {
        project(&world, review).await;
    }
    (world, all)
}

#[tokio::test]
async fn reviews_are_found_by_every_key_alone_and_together() {
    let (world, _) = three().await;
    for (query, expected) in [
        ("", &["Third", "Second", "First"][..]),
        ("requester=robot@example.com", &["Third"]),
        // Asked by name, through her group, and by another of her names.
        ("reviewer=ana@example.com", &["Second", "First"]),
        ("reviewer=slack:T1/U1", &["Second", "First"]),
        ("reviewer=group:oncall", &["Second"]),
        // Nobody asked her, and she tried.
        ("reviewer=eve@example.com", &["Third"]),
        ("subject=model-promotion/churn-v42", &["Third", "First"]),
        ("subject=deployment/7", &["Second"]),
        ("subject=model-promotion/churn-v42&reviewer=ana@example.com", &["First"]),
        ("outcome=approved", &["First"]),
        ("outcome=open&subject=model-promotion/churn-v42", &["Third"]),
        ("channel=api", &["Third", "First"]),
        ("channel=slack", &[]),
        ("from=2999-01-01T00:00:00Z", &[]),
        ("to=2999-01-01T00:00:00Z&outcome=open", &["Third", "Second"]),
    ] {
        assert_eq!(found(&world, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn an_answer_says_who_said_what_having_seen_what_and_keeps_votes_that_did_not_count() {
    let (world, [first, _, third]) = three().await;
    let trail = world.get("/audit?outcome=approved").await.json()["audit"][0].clone();
    assert_eq!((&trail["review_id"], &trail["requester"]), (&json!(first), &json!("rita@example.com")));
    assert_eq!(trail["evidence"], json!([{"label": "Flagged rows", "value": "7.4 %"}]));
    let votes = trail["votes"].as_array().expect("votes");
    let [counted, refused] = votes.as_slice() else { panic!("{votes:?}") };
    assert_eq!(
        (&counted["person"], &counted["counted"], &counted["channel"]),
        (&json!("ana@example.com"), &json!(true), &json!("api"))
    );
    assert_eq!(
        (&counted["entered_by"], &counted["saw"], &counted["seen"]),
        (&json!("operator"), &json!(null), &json!("unstated"))
    );
    assert_eq!(
        (&refused["person"], &refused["counted"], &refused["refused"]),
        (&json!("ben@example.com"), &json!(false), &json!("already_decided"))
    );
    assert_eq!((&trail["ending"]["outcome"], &trail["ending"]["decided_by"]), (&json!("approved"), &json!(["ana@example.com"])));
    let events = world.get(&format!("/reviews/{first}/events")).await.json();
    let last = events.as_array().and_then(|events| events.last()).expect("an event");
    assert_eq!((&trail["version"], &trail["hash"]), (&last["version"], &last["hash"]));
    let refused = world.get("/audit?reviewer=eve@example.com").await.json()["audit"][0].clone();
    assert_eq!((&refused["review_id"], &refused["votes"][0]["refused"]), (&json!(third), &json!("not_a_reviewer")));
}

#[tokio::test]
async fn a_vote_that_a_program_handed_in_says_which_program_also_when_it_did_not_count() {
    let (world, _) = three().await;
    let bot = register(&world, "bot", &[Scope::CastVotes], Some("ben@example.com")).await;
    let asked = with(with(request(), "title", json!("Fourth")), "reviewers", json!([{"email": "ben@example.com"}]));
    let review = world.open(asked).await;
    for (choice, status) in [("approve", 200), ("reject", 409)] {
        let cast = by(&world, &bot, "POST", &format!("/reviews/{review}/votes"), json!({"choice": choice})).await;
        assert_eq!(cast.status, status, "{}", cast.text);
    }
    project(&world, &review).await;
    let reply = world.get("/audit?outcome=approved&reviewer=ben@example.com").await.json();
    let votes = &reply["audit"][0]["votes"];
    let said = |index: usize| [&votes[index]["counted"], &votes[index]["integration"], &votes[index]["entered_by"]];
    assert_eq!(said(0), [&json!(true), &json!("bot"), &Value::Null], "{votes}");
    assert_eq!(said(1), [&json!(false), &json!("bot"), &Value::Null], "{votes}");
    // A vote that the operator entered names no program.
    let reply = world.get("/audit?reviewer=ana@example.com&outcome=approved").await.json();
    assert_eq!(reply["audit"][0]["votes"][0]["integration"], Value::Null);

    let history = world.gateway.reviews.history(review.parse().expect("an id")).await.expect("read");
    let directory = world.gateway.reviews.directory().await.expect("read");
    let trail = crate::audit::Trail::of(&history, &directory).expect("folds").expect("a review");
    let entered: Vec<_> = trail.votes.iter().map(crate::audit::words::entered_by).collect();
    assert_eq!(entered, [Some("integration bot".to_owned()), Some("integration bot".to_owned())]);
    let report = crate::audit::report(&trail, &directory, trail.requested_at).into_string();
    assert_eq!(report.matches("api, entered by integration bot").count(), 2, "{report}");
}

#[tokio::test]
async fn pages_follow_on_and_what_cannot_be_read_is_named_at_once() {
    let (world, _) = three().await;
    let (mut all, mut query): (Vec<Value>, String) = (Vec::new(), "limit=1".into());
    loop {
        let page = world.get(&format!("/audit?{query}")).await.json();
        all.extend(page["audit"].as_array().expect("a list").iter().map(|trail| trail["title"].clone()));
        match page["next"].as_str() {
            Some(next) => query = format!("limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(all, ["Third", "Second", "First"]);
    let reply = world.get("/audit?outcome=lost&reviewer=x&subject=y&channel=pigeon&from=today&limit=0&page=2").await;
    assert_eq!(reply.status, 422);
    let mut pointers = reply.pointers();
    pointers.sort();
    assert_eq!(pointers, ["/channel", "/from", "/limit", "/outcome", "/page", "/reviewer", "/subject"]);
    let reply = world.get("/audit?cursor=elsewhere").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (400, &json!("urn:countersign:bad-cursor")));
    assert_eq!(world.send("GET", "/api/v1/audit", &[], "").await.status, 401);
}
