//! Asking for reviews and finding them.

use events::{Version, request::Reviewer};
use ledger::{ReviewRow, Status, Views};
use serde_json::{Value, json};

use super::{TOKEN, World, request, with};

#[tokio::test]
async fn a_request_opens_a_review_and_the_same_request_finds_it() {
    let world = World::new();
    let keyed = with(request(), "request_key", json!("churn-v42"));
    let opened = world.call("POST", "/reviews", keyed.clone()).await;
    assert_eq!(opened.status, 201);
    let id = opened.json()["review_id"].as_str().expect("an id").to_owned();
    assert_eq!(opened.json()["status"], "open");
    assert_eq!(opened.json()["link"], format!("http://127.0.0.1:8787/reviews/{id}"));
    assert_eq!(opened.header("location"), format!("/api/v1/reviews/{id}"));

    let found = world.call("POST", "/reviews", keyed).await;
    assert_eq!((found.status.as_u16(), found.json()), (200, opened.json()));
    world.vote(&id, "ana@example.com", "approve").await;
    let found = world.call("POST", "/reviews", with(request(), "request_key", json!("churn-v42"))).await;
    assert_eq!((found.status.as_u16(), &found.json()["status"]), (200, &json!("approved")));
}

/// Asks and is refused: status, the end of the problem's type, and the pointers of the faults.
async fn check_refused(world: &World, request: Value, status: u16, code: &str, pointers: &[&str]) {
    let reply = world.call("POST", "/reviews", request).await;
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["type"], format!("urn:countersign:{code}"));
    assert_eq!(reply.pointers(), pointers);
    let id = reply.json()["review_id"].as_str().expect("the refusal's id").to_owned();
    assert_eq!(world.types(&id).await, ["ReviewRefused"]);
}

#[tokio::test]
async fn invariant_06_a_refused_request_names_every_fault_and_is_on_record() {
    let world = World::new();
    let bad = json!({"title": "", "expires_in": "1 day", "policy": {"quorum": 0}, "urgent": true});
    check_refused(&world, bad, 422, "invalid", &["/title", "/reviewers", "/policy/quorum", "/expires_in", "/urgent"]).await;
    check_refused(&world, json!([]), 422, "invalid", &[""]).await;
    let nobody = with(request(), "reviewers", json!([{"group": "oncall"}]));
    check_refused(&world, nobody, 422, "unapprovable", &["/reviewers/0/group"]).await;
    let alone = with(request(), "reviewers", json!([{"email": "rita@example.com"}]));
    check_refused(&world, alone, 422, "unapprovable", &["/reviewers"]).await;
    world.open(with(request(), "request_key", json!("k"))).await;
    let other = with(with(request(), "request_key", json!("k")), "subject", json!({"id": "churn-v43"}));
    check_refused(&world, other, 409, "key-reused", &["/subject"]).await;
}

#[tokio::test]
async fn a_review_is_shown_with_all_that_the_log_holds_of_it() {
    let world = World::new();
    let resume = json!({"task_token": TOKEN, "execution_arn": "arn:aws:states:eu-central-1:123456789012:execution:m:e"});
    let id = world.open(with(with(request(), "resume", resume), "on_reject", json!("succeed"))).await;
    world.vote(&id, "eve@example.com", "approve").await;
    world.vote(&id, "ben@example.com", "request-changes").await;
    world.vote(&id, "ana@example.com", "reject").await;

    let reply = world.get(&format!("/reviews/{id}")).await;
    assert_eq!((reply.header("etag"), reply.header("content-type")), ("\"v4\"", "application/json"));
    let document = reply.json();
    assert_eq!(document["review_id"], id);
    assert_eq!((&document["version"], &document["status"]), (&json!(4), &json!("rejected")));
    assert_eq!(document["title"], request()["title"]);
    assert_eq!(document["evidence"], request()["evidence"]);
    assert_eq!(document["reviewers"], request()["reviewers"]);
    assert_eq!(document["policy"], json!({"quorum": 1, "self_approval": "forbidden"}));
    assert_eq!(document["votes"][1]["person"], "ana@example.com");
    assert_eq!(document["votes"][1]["entered_by"], "operator");
    assert_eq!(document["refused_votes"][0]["why"], "not_a_reviewer");
    assert_eq!(document["ending"]["outcome"], "rejected");
    assert_eq!(document["ending"]["decided_by"], json!(["ana@example.com"]));
    assert_eq!(document["waiting"][0]["told"], "not_yet");
    assert_eq!(document["waiting"][0]["token_hash"].as_str().map(str::len), Some(64));
    assert_eq!(document["output"]["result"], "success");
    assert_eq!(document["output"]["output"]["outcome"], "rejected");
}

#[tokio::test]
async fn the_events_of_a_review_are_the_log_as_it_is_stored() {
    let world = World::new();
    let id = world.open(request()).await;
    world.vote(&id, "ana@example.com", "approve").await;
    let events = world.get(&format!("/reviews/{id}/events")).await.json();
    assert_eq!(world.types(&id).await, ["ReviewRequested", "VoteCast", "ReviewDecided"]);
    assert_eq!(events[2]["event_id"], format!("{id}/2/1"));
    assert_eq!((&events[0]["version"], &events[2]["version"]), (&json!(1), &json!(2)));
    assert_eq!(events[1]["previous"], events[0]["hash"]);
    assert_eq!(events[2]["outcome"], "approved");
    assert!(events[0]["at"].is_string());
}

#[tokio::test]
async fn invariant_04_no_answer_holds_a_task_token() {
    let world = World::new();
    let id = world.open(with(request(), "resume", json!({"task_token": TOKEN}))).await;
    let refused = world.call("POST", "/reviews", json!({"resume": {"task_token": TOKEN}, "tittle": TOKEN})).await;
    let refused_id = refused.json()["review_id"].as_str().expect("an id").to_owned();
    let ended = world.vote(&id, "ana@example.com", "reject").await;
    let mut answers = vec![refused, ended];
    for id in [id, refused_id] {
        answers.push(world.get(&format!("/reviews/{id}")).await);
        answers.push(world.get(&format!("/reviews/{id}/events")).await);
    }
    for answer in answers {
        assert!(!answer.text.contains(TOKEN), "{}", answer.text);
    }
}

fn row(n: u8, status: Status, reviewer: &str) -> ReviewRow {
    let at = events::Timestamp::from_millis(1_795_000_000_000 + i64::from(n) * 1_000).expect("a time");
    ReviewRow {
        review_id: events::ReviewId::for_event("local", "api", &n.to_string(), 1),
        version: Version(1),
        status,
        title: format!("Review {n}"),
        risk: Default::default(),
        requester: "rita@example.com".parse().ok(),
        source: "api".to_owned(),
        reviewers: vec![match reviewer.strip_prefix("group:") {
            Some(group) => Reviewer::Group(group.parse().expect("a group")),
            None => Reviewer::Person(reviewer.parse().expect("a person")),
        }],
        approvals: 0,
        decided: Vec::new(),
        quorum: 1,
        requested_at: at,
        expires_at: Some(at),
        ended_at: None,
        next_due: None,
        subject: None,
        voters: Vec::new(),
        executions: Vec::new(),
    }
}

/// Lists; the titles' numbers, newest first.
async fn check_list(world: &World, query: &str, expected: &[u8]) {
    let reply = world.get(&format!("/reviews?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text);
    let titles: Vec<Value> = expected.iter().map(|n| json!(format!("Review {n}"))).collect();
    let found = reply.json();
    let found: Vec<Value> = found["reviews"].as_array().expect("reviews").iter().map(|row| row["title"].clone()).collect();
    assert_eq!(found, titles, "{query}");
}

#[tokio::test]
async fn reviews_are_found_by_status_person_and_time_page_by_page() {
    let world = World::new();
    let directory = json!({
        "people": {"ana@example.com": {"aliases": ["slack:T1/U1"]}},
        "groups": {"oncall": ["slack:T1/U1"]},
    });
    assert_eq!(world.call("PUT", "/directory", directory).await.status, 200);
    let rows = [
        row(1, Status::Open, "ana@example.com"),
        row(2, Status::Approved, "slack:T1/U1"),
        row(3, Status::Open, "group:oncall"),
        row(4, Status::Open, "ben@example.com"),
    ];
    world.store.put(&rows).await.expect("rows");
    check_list(&world, "", &[4, 3, 2, 1]).await;
    check_list(&world, "status=open", &[4, 3, 1]).await;
    // By any of her names, and through her group.
    check_list(&world, "reviewer=ana@example.com", &[3, 2, 1]).await;
    check_list(&world, "reviewer=slack:T1/U1&status=open", &[3, 1]).await;
    check_list(&world, "reviewer=group:oncall", &[3]).await;
    check_list(&world, "requester=Rita@example.com&limit=1", &[4]).await;
    check_list(&world, "requester=ana@example.com", &[]).await;
    let (from, to) = (rows[1].requested_at, rows[3].requested_at);
    check_list(&world, &format!("from={from}&to={to}"), &[3, 2]).await;

    let first = world.get("/reviews?limit=3").await.json();
    let cursor = first["next"].as_str().expect("a next page");
    check_list(&world, &format!("limit=3&cursor={cursor}"), &[1]).await;
    check_list(&world, &format!("cursor={cursor}"), &[1]).await;
    // It says nothing to others, and is good for its own list alone.
    let (bent, start) = (format!("{}A", &cursor[..cursor.len() - 2]), cursor.len() / 2);
    let middle = format!("{}{}", &cursor[..start], &cursor[start + 1..]);
    for bad in ["elsewhere", "", "1795000001000:1", &bent, &middle, &format!("{cursor}&status=open")] {
        let reply = world.get(&format!("/reviews?cursor={bad}")).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (400, &json!("urn:countersign:bad-cursor")), "{bad}");
    }

    let reply = world.get("/reviews?status=lost&reviewer=x&from=today&limit=0&limit=9&page=2").await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.pointers(), ["/limit", "/status", "/reviewer", "/from", "/page"]);
}
