//! Programs with a token of their own, and how far it reaches.

use events::event::Scope;
use serde_json::{Value, json};

use super::{KEY, Reply, World, request, with};
use crate::api::{PREFIX, access::Needs, resources};

/// Registers one and gives its token.
pub(super) async fn register(world: &World, name: &str, scopes: &[Scope], acts_as: Option<&str>) -> String {
    let acts_as = acts_as.map(|email| json!({"email": email}));
    let reply = world.call("POST", "/integrations", json!({"name": name, "scopes": scopes, "acts_as": acts_as})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["token"].as_str().expect("a token").to_owned()
}

/// Calls the API with a token.
pub(super) async fn by(world: &World, token: &str, method: &str, path: &str, body: Value) -> Reply {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.send(method, &format!("{PREFIX}{path}"), &headers, body).await
}

fn code(reply: &Reply) -> String {
    reply.json()["type"].as_str().unwrap_or_default().trim_start_matches("urn:countersign:").to_owned()
}

#[tokio::test]
async fn every_route_is_reached_by_its_scope_and_by_no_other() {
    let world = World::new();
    let mut tokens = Vec::new();
    for scope in Scope::ALL {
        let name = scope.as_str().replace(':', "-");
        tokens.push((scope, register(&world, &name, &[scope], Some("bot@example.com")).await));
    }
    let all = register(&world, "all", &Scope::ALL, Some("bot@example.com")).await;
    for (method, path, needs, _) in resources() {
        let at = path.replace("{review_id}", "01234567-89ab-cdef-0123-456789abcdef").replace("{name}", "nobody");
        for (scope, token) in &tokens {
            let reply = by(&world, token, method, &at, json!({})).await;
            let place = format!("{method} {path} with {scope}");
            match needs {
                Needs::Nothing => assert_eq!(reply.status, 200, "{place}"),
                Needs::OperatorKey => {
                    assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (403, "operator-only"), "{place}")
                }
                Needs::Scope(needed) if needed == *scope => {
                    assert!(!matches!(reply.status.as_u16(), 401 | 403), "{place}: {}", reply.text)
                }
                Needs::Scope(needed) => {
                    assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (403, "insufficient-scope"), "{place}");
                    let challenge = format!("Bearer realm=\"countersign\", error=\"insufficient_scope\", scope=\"{needed}\"");
                    assert_eq!(reply.header("www-authenticate"), challenge, "{place}");
                }
            }
        }
        let reply = by(&world, &all, method, &at, json!({})).await;
        assert_eq!(reply.status == 403, needs == Needs::OperatorKey, "{method} {path}: {}", reply.text);
        let reply = by(&world, KEY, method, &at, json!({})).await;
        assert!(!matches!(reply.status.as_u16(), 401 | 403), "{method} {path} with the operator's key: {}", reply.text);
        let reply = world.send(method, &format!("{PREFIX}{at}"), &[], "").await;
        assert_eq!(reply.status == 401, needs != Needs::Nothing, "{method} {path} with nothing");
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_only_its_hash_is_on_record() {
    let world = World::new();
    let token = register(&world, "ci", &[Scope::ReadReviews], None).await;
    assert!(token.starts_with("csgn_") && token.len() == 69, "{token}");
    assert_eq!(by(&world, &token, "GET", "/reviews", Value::Null).await.status, 200);

    let listed = world.get("/integrations").await;
    assert!(!listed.text.contains("csgn_") && !listed.text.contains("hash"), "{}", listed.text);
    let line = &listed.json()["integrations"][0];
    assert_eq!((&line["name"], &line["status"], &line["scopes"]), (&json!("ci"), &json!("active"), &json!(["reviews:read"])));
    let directory = world.gateway.reviews.ledger().load(events::StreamId::Directory, events::Version::NONE).await.expect("a log");
    let body = String::from_utf8(directory[0].body.clone()).expect("text");
    let hash = events::digest::BearerHash::of(token.as_bytes()).to_string();
    assert!(body.contains("IntegrationRegistered") && body.contains(&hash) && !body.contains("csgn_"), "{body}");
    // People and groups are as they were.
    assert_eq!(world.call("PUT", "/directory", json!({"people": {}, "groups": {}})).await.json(), json!({"changes": 0}));
    assert_eq!(by(&world, &token, "GET", "/reviews", Value::Null).await.status, 200);
}

async fn check_refused_token(world: &World, token: &str, says: &str) {
    let reply = by(world, token, "GET", "/reviews", Value::Null).await;
    assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (401, "unauthorized"), "{}", reply.text);
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"countersign\", error=\"invalid_token\"");
    assert!(reply.json()["detail"].as_str().expect("a detail").contains(says), "{}", reply.text);
}

#[tokio::test]
async fn a_token_that_is_revoked_replaced_or_past_its_time_is_not_taken() {
    let world = World::new();
    let first = register(&world, "ci", &[Scope::ReadReviews], None).await;
    let other = register(&world, "other", &[Scope::ReadReviews], None).await;
    let taken = world.call("POST", "/integrations", json!({"name": "ci", "scopes": ["operate"]})).await;
    assert_eq!((taken.status.as_u16(), code(&taken).as_str()), (409, "integration-exists"));
    let revoked = world.call("DELETE", "/integrations/ci", Value::Null).await.json();
    assert_eq!((&revoked["name"], &revoked["status"]), (&json!("ci"), &json!("revoked")));
    check_refused_token(&world, &first, "was revoked at 20").await;
    for name in ["ci", "nobody", "a%20b"] {
        let reply = world.call("DELETE", &format!("/integrations/{name}"), Value::Null).await;
        assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (404, "no-such-integration"), "{name}");
    }
    let second = register(&world, "ci", &[Scope::ReadReviews], None).await;
    check_refused_token(&world, &first, "No integration").await;
    check_refused_token(&world, &format!("csgn_{}", "0".repeat(64)), "No integration").await;
    for token in [second, other] {
        assert_eq!(by(&world, &token, "GET", "/reviews", Value::Null).await.status, 200);
    }

    let short = json!({"name": "short", "scopes": ["reviews:read"], "expires_in": "PT1S"});
    let short = world.call("POST", "/integrations", short).await.json();
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    check_refused_token(&world, short["token"].as_str().expect("a token"), "expired at 20").await;
    let statuses = world.get("/integrations").await.json();
    let status = |index: usize| statuses["integrations"][index]["status"].clone();
    assert_eq!([status(0), status(1), status(2)], ["active", "active", "expired"]);
}

#[tokio::test]
async fn an_integration_that_is_none_names_every_fault() {
    let world = World::new();
    for (body, pointers) in [
        (json!({}), vec!["/name", "/scopes"]),
        (
            json!({"name": "a b", "scopes": [], "expires_in": "P0D", "admin": true}),
            vec!["/name", "/scopes", "/expires_in", "/admin"],
        ),
        (json!({"name": "ci", "scopes": ["reviews:all"], "acts_as": {"group": "g"}}), vec!["/scopes", "/acts_as"]),
        (json!({"name": "ci", "scopes": ["votes:cast"]}), vec!["/acts_as"]),
    ] {
        let reply = world.call("POST", "/integrations", body.clone()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.pointers()),
            (422, pointers.iter().map(ToString::to_string).collect()),
            "{body}"
        );
    }
    assert_eq!(world.get("/integrations").await.json(), json!({"integrations": []}));
}

#[tokio::test]
async fn what_an_integration_asks_for_is_known_as_its_own() {
    let world = World::new();
    let scopes = [Scope::RequestReviews, Scope::ReadReviews];
    let ci = register(&world, "ci", &scopes, Some("pipeline@example.com")).await;
    let other = register(&world, "other", &scopes, None).await;
    let keyed = with(with(request(), "requester", Value::Null), "request_key", json!("churn-v42"));
    let opened = by(&world, &ci, "POST", "/reviews", keyed.clone()).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let id = opened.json()["review_id"].as_str().expect("an id").to_owned();
    let document = by(&world, &ci, "GET", &format!("/reviews/{id}"), Value::Null).await.json();
    assert_eq!((&document["origin"]["account"], &document["origin"]["source"]), (&json!("integration"), &json!("ci")));
    assert_eq!(document["requester"], "pipeline@example.com");
    // The same key of somebody else is another review.
    for token in [&other, KEY] {
        let opened = by(&world, token, "POST", "/reviews", keyed.clone()).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        assert_ne!(opened.json()["review_id"], id.as_str());
    }
    // Only what it asked for, and in nobody's name, may it withdraw.
    let cancel = format!("/reviews/{id}/cancel");
    let strange = by(&world, &other, "POST", &cancel, Value::Null).await;
    assert_eq!((strange.status.as_u16(), code(&strange).as_str()), (403, "not-yours"));
    let named = by(&world, &ci, "POST", &cancel, json!({"as": {"email": "pipeline@example.com"}})).await;
    assert_eq!((named.status.as_u16(), code(&named).as_str()), (403, "operator-only"));
    for already in [false, true] {
        let cancelled = by(&world, &ci, "POST", &cancel, Value::Null).await;
        assert_eq!((cancelled.status.as_u16(), &cancelled.json()["already"]), (200, &json!(already)));
    }
    assert_eq!(by(&world, &other, "POST", &cancel, Value::Null).await.status, 403);
    assert_eq!(world.call("POST", &cancel, Value::Null).await.status, 409);
}

#[tokio::test]
async fn invariant_03_an_integration_votes_as_whom_it_acts_and_never_on_its_own_request() {
    let world = World::new();
    let scopes = [Scope::RequestReviews, Scope::CastVotes];
    let bot = register(&world, "bot", &scopes, Some("ana@example.com")).await;
    let id = world.open(request()).await;
    let vote = format!("/reviews/{id}/votes");
    let check = |reply: Reply, status: u16, expected: &str| {
        assert_eq!((reply.status.as_u16(), code(&reply).as_str()), (status, expected), "{}", reply.text);
    };
    let ben = json!({"person": {"email": "ben@example.com"}, "choice": "approve"});
    check(by(&world, &bot, "POST", &vote, ben).await, 403, "untrusted-source");
    let cast = by(&world, &bot, "POST", &vote, json!({"choice": "approve"})).await;
    assert_eq!((cast.status.as_u16(), &cast.json()["verdict"]), (200, &json!("approved")), "{}", cast.text);
    let events = world.get(&format!("/reviews/{id}/events")).await.json();
    let recorded = |index: usize, field: &str| events[index][field].clone();
    assert_eq!([recorded(1, "type"), recorded(1, "integration")], ["VoteRefused", "bot"]);
    assert_eq!([recorded(2, "type"), recorded(2, "integration"), recorded(2, "person")], ["VoteCast", "bot", "ana@example.com"]);
    assert_eq!(recorded(2, "entered_by"), Value::Null);

    // Its own request, whatever its policy says.
    let own = with(with(request(), "policy", json!({"quorum": 1, "self_approval": "allowed"})), "requester", Value::Null);
    let own = by(&world, &bot, "POST", "/reviews", own).await.json();
    let id = own["review_id"].as_str().expect("an id");
    check(by(&world, &bot, "POST", &format!("/reviews/{id}/votes"), json!({"choice": "approve"})).await, 403, "own-request");
    assert_eq!(world.get(&format!("/reviews/{id}")).await.json()["status"], "open");
}

#[tokio::test]
async fn a_program_does_not_say_by_which_door_its_vote_came() {
    let world = World::new();
    let bot = register(&world, "bot", &[Scope::CastVotes], Some("ana@example.com")).await;
    let id = world.open(with(request(), "policy", json!({"quorum": 2}))).await;
    let vote = format!("/reviews/{id}/votes");
    for door in ["cli", "web", "slack", "email", "sms", "bus", "outbox", "fax"] {
        let reply = by(&world, &bot, "POST", &vote, json!({"choice": "approve", "channel": door})).await;
        assert_eq!((reply.status.as_u16(), reply.pointers()), (422, vec!["/channel".to_owned()]), "{door}");
    }
    assert_eq!(world.types(&id).await, ["ReviewRequested"]);
    for body in [json!({"choice": "comment", "reason": "one"}), json!({"choice": "comment", "reason": "two", "channel": "api"})] {
        assert_eq!(by(&world, &bot, "POST", &vote, body).await.status, 200);
    }
    let events = world.get(&format!("/reviews/{id}/events")).await.json();
    assert_eq!([&events[1]["channel"], &events[2]["channel"]], [&json!("api"), &json!("api")]);
}
