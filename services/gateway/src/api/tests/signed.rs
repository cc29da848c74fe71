//! PutEvents calls of programs that say who they are: by a signature, by a token, by the operator's key.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{KEY, Reply, World, request, with};

const SOURCE: &str = "com.example.approver";
const HOST: &str = "127.0.0.1:8787";
const TARGET: (&str, &str) = ("x-amz-target", "AWSEvents.PutEvents");

/// A registered integration.
struct Pair {
    token: String,
    id: String,
    secret: String,
}

async fn register(world: &World, wanted: Value) -> Pair {
    let reply = world.call("POST", "/integrations", with(wanted, "aws_keys", json!(true))).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let field = |name: &str| reply.json()[name].as_str().expect("a text").to_owned();
    Pair { token: field("token"), id: field("access_key_id"), secret: field("secret_access_key") }
}

/// What is signed, as an SDK would; each test bends some of it.
#[derive(Clone)]
struct Signing<'a> {
    id: &'a str,
    secret: &'a str,
    at: DateTime<Utc>,
    service: &'a str,
    body: String,
}

impl Pair {
    fn signing(&self, entries: &[Value]) -> Signing<'_> {
        let body = json!({"Entries": entries}).to_string();
        Signing { id: &self.id, secret: &self.secret, at: Utc::now(), service: "events", body }
    }
}

impl Signing<'_> {
    /// The headers that an SDK sends.
    fn headers(&self) -> Vec<(String, String)> {
        let date = self.at.format("%Y%m%dT%H%M%SZ").to_string();
        let identity = Credentials::new(self.id, self.secret, None, None, "a test").into();
        let params = v4::SigningParams::builder().identity(&identity).region("eu-central-1").name(self.service);
        let params = params.time(self.at.into()).settings(SigningSettings::default()).build().expect("parameters").into();
        let headers = [("host", HOST), TARGET, ("content-type", "application/x-amz-json-1.1")];
        let body = SignableBody::Bytes(self.body.as_bytes());
        let request = SignableRequest::new("POST", "/", headers.into_iter(), body).expect("a request");
        let (instructions, _) = sign(request, &params).expect("signed").into_parts();
        let (signed, _) = instructions.into_parts();
        let mut all = vec![(TARGET.0.to_owned(), TARGET.1.to_owned())];
        all.push(("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()));
        all.extend(signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned())));
        assert!(all.iter().any(|(name, value)| name == "x-amz-date" && *value == date));
        all
    }
}

async fn send(world: &World, headers: &[(String, String)], body: &str) -> Reply {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.send("POST", "/", &headers, body.to_owned()).await
}

async fn call(world: &World, signing: &Signing<'_>) -> Reply {
    send(world, &signing.headers(), &signing.body).await
}

async fn by_token(world: &World, token: &str, entries: &[Value]) -> Reply {
    let bearer = format!("Bearer {token}");
    world.send("POST", "/", &[TARGET, ("authorization", &bearer)], json!({"Entries": entries}).to_string()).await
}

fn entry(source: &str, detail_type: &str, detail: &Value) -> Value {
    json!({"Source": source, "DetailType": detail_type, "Detail": detail.to_string()})
}

fn asking() -> Value {
    entry("com.example.pipeline", "ReviewRequested", &with(request(), "request_key", json!("k")))
}

fn voting(review: &str, email: &str, choice: &str) -> Value {
    entry(SOURCE, "VoteSubmitted", &json!({"review_id": review, "person": {"email": email}, "choice": choice}))
}

/// The code that a whole call fails with.
fn refused(reply: &Reply) -> String {
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert_eq!(reply.json()["__type"], reply.header("x-amzn-errortype"));
    reply.header("x-amzn-errortype").to_owned()
}

/// The code of each entry, or "" where it was taken.
fn codes(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    let entries = answer["Entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["ErrorCode"].as_str().unwrap_or_default().to_owned()).collect()
}

fn review_of(account: &str, source: &str) -> String {
    events::ReviewId::for_key(account, source, &"k".parse().expect("a key"), 1).to_string()
}

#[tokio::test]
async fn a_published_service_takes_no_call_without_credentials() {
    let world = World::new().published();
    let body = json!({"Entries": [asking()]}).to_string();
    let check = async |headers: &[(&str, &str)], code: &str| {
        let reply = world.send("POST", "/", &[&[TARGET], headers].concat(), body.clone()).await;
        assert_eq!(refused(&reply), code, "{headers:?}");
    };
    check(&[], "MissingAuthenticationTokenException").await;
    check(&[("authorization", "Bearer wrong")], "UnrecognizedClientException").await;
    check(&[("authorization", "Basic b3BlcmF0b3I6eA==")], "UnrecognizedClientException").await;
    check(&[("authorization", "AWS4-HMAC-SHA256 nonsense")], "IncompleteSignatureException").await;
    // The keys that an SDK finds on any machine are none of ours.
    let stock = Pair { token: String::new(), id: "test".into(), secret: "test".into() };
    assert_eq!(refused(&call(&world, &stock.signing(&[asking()])).await), "UnrecognizedClientException");
    // Nor are they read before that is clear: the answer is the same for what is too large.
    let large = "x".repeat(6 << 20);
    let reply = world.send("POST", "/", &[TARGET], large).await;
    assert_eq!(refused(&reply), "MissingAuthenticationTokenException");
    assert_eq!(world.types(&review_of("local", "com.example.pipeline")).await, Vec::<String>::new());
}

#[tokio::test]
async fn on_loopback_whatever_shows_something_of_ours_has_to_show_it_right() {
    let world = World::new();
    let pair = register(&world, json!({"name": "ci", "scopes": ["reviews:request"]})).await;
    // Keys of elsewhere cannot be verified and are not asked for.
    let stock = Pair { token: String::new(), id: "AKIAIOSFODNN7EXAMPLE".into(), secret: "any".into() };
    assert_eq!(codes(&call(&world, &stock.signing(&[asking()])).await), [""]);
    assert_eq!(world.types(&review_of("local", "com.example.pipeline")).await, ["ReviewRequested"]);
    // A signature of ours that does not hold is not taken for none.
    let wrong = Signing { secret: "wrong", ..pair.signing(&[asking()]) };
    assert_eq!(refused(&call(&world, &wrong).await), "InvalidSignatureException");
    let unknown = Pair { id: "CSGNAAAAAAAAAAAAAAAA".into(), ..stock };
    assert_eq!(refused(&call(&world, &unknown.signing(&[asking()])).await), "UnrecognizedClientException");
    assert_eq!(refused(&by_token(&world, "wrong", &[asking()]).await), "UnrecognizedClientException");
    // What came through a proxy came from elsewhere, whatever Host it left.
    let body = json!({"Entries": [asking()]}).to_string();
    for by in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let reply = world.send("POST", "/", &[TARGET, (by, "192.0.2.1")], body.clone()).await;
        assert_eq!(refused(&reply), "MissingAuthenticationTokenException", "{by}");
    }
}

#[tokio::test]
async fn a_signed_call_is_that_of_its_integration() {
    let world = World::new().published();
    let wanted = json!({"name": "ci", "scopes": ["reviews:request"], "acts_as": {"email": "pia@example.com"}});
    let pair = register(&world, wanted).await;
    let detail = with(with(request(), "request_key", json!("k")), "requester", Value::Null);
    let asked = entry("com.example.pipeline", "ReviewRequested", &detail);
    assert_eq!(codes(&call(&world, &pair.signing(std::slice::from_ref(&asked))).await), [""]);
    let id = review_of("integration", "ci");
    let document = world.get(&format!("/reviews/{id}")).await.json();
    assert_eq!((&document["origin"]["account"], &document["origin"]["source"]), (&json!("integration"), &json!("ci")));
    assert_eq!(document["requester"], "pia@example.com", "as by the API");
    // The token of the same integration is the same caller.
    assert_eq!(codes(&by_token(&world, &pair.token, std::slice::from_ref(&asked)).await), [""]);
    assert_eq!(world.types(&id).await, ["ReviewRequested"]);
    let other = register(&world, json!({"name": "other", "scopes": ["reviews:request"]})).await;
    let cancel = |id: &str| entry("com.example.pipeline", "ReviewCancelled", &json!({"review_id": id}));
    call(&world, &other.signing(&[cancel(&id)])).await;
    assert_eq!(world.types(&id).await, ["ReviewRequested", "OutsideEventRefused"], "who did not ask does not withdraw");
    call(&world, &pair.signing(&[cancel(&id)])).await;
    assert_eq!(world.types(&id).await, ["ReviewRequested", "OutsideEventRefused", "ReviewCancelled"]);
    // The operator is who they are by the API: they withdraw anything, and ask in nobody's name.
    assert_eq!(codes(&by_token(&world, KEY, &[asking()]).await), [""]);
    assert_eq!(world.types(&review_of("local", "com.example.pipeline")).await, ["ReviewRequested"]);
}

#[tokio::test]
async fn a_call_that_was_changed_on_the_way_is_not_taken() {
    let world = World::new().published();
    let pair = register(&world, json!({"name": "ci", "scopes": ["reviews:request"]})).await;
    let other = register(&world, json!({"name": "other", "scopes": ["reviews:request"]})).await;
    let good = pair.signing(&[asking()]);
    let headers = good.headers();
    let bent = |name: &str, value: Option<&str>| -> Vec<(String, String)> {
        let keep = |(known, had): &(String, String)| match value {
            _ if known != name => Some((known.clone(), had.clone())),
            Some(value) => Some((known.clone(), value.to_owned())),
            None => None,
        };
        headers.iter().filter_map(keep).collect()
    };
    let invalid = "InvalidSignatureException";
    assert_eq!(refused(&send(&world, &headers, &good.body.replace("churn", "CHURN")).await), invalid, "the body");
    assert_eq!(refused(&send(&world, &bent("content-type", Some("text/plain")), &good.body).await), invalid, "a signed header");
    assert_eq!(refused(&send(&world, &bent("content-type", None), &good.body).await), invalid, "a signed header removed");
    let later = (good.at + TimeDelta::seconds(1)).format("%Y%m%dT%H%M%SZ").to_string();
    assert_eq!(refused(&send(&world, &bent("x-amz-date", Some(&later)), &good.body).await), invalid, "the date");
    let incomplete = "IncompleteSignatureException";
    assert_eq!(refused(&send(&world, &bent("x-amz-date", None), &good.body).await), incomplete, "the date removed");
    assert_eq!(refused(&send(&world, &bent("authorization", None), &good.body).await), "MissingAuthenticationTokenException");
    // Two of them are not one.
    let twice = [headers.clone(), vec![("authorization".to_owned(), format!("Bearer {}", pair.token))]].concat();
    assert_eq!(refused(&send(&world, &twice, &good.body).await), incomplete);

    let old = |seconds: i64| Signing { at: Utc::now() + TimeDelta::seconds(seconds), ..good.clone() };
    for seconds in [-310, 310] {
        assert_eq!(refused(&call(&world, &old(seconds)).await), invalid, "{seconds} s");
    }
    assert_eq!(refused(&call(&world, &Signing { service: "states", ..good.clone() }).await), invalid, "another service");
    assert_eq!(refused(&call(&world, &Signing { id: &other.id, ..good.clone() }).await), invalid, "another's key id");
    assert_eq!(refused(&call(&world, &Signing { secret: &other.secret, ..good.clone() }).await), invalid, "another's secret");
    assert_eq!(refused(&call(&world, &Signing { secret: &pair.token, ..good.clone() }).await), invalid, "the token");
    let id = review_of("integration", "ci");
    assert_eq!(world.types(&id).await, Vec::<String>::new());
    assert_eq!(codes(&call(&world, &old(-290)).await), [""]);
    assert_eq!(world.types(&id).await, ["ReviewRequested"]);
}

#[tokio::test]
async fn a_call_that_comes_again_opens_nothing_and_takes_no_vote_back() {
    let world = World::new().published();
    let wanted = json!({"name": "tool", "scopes": ["reviews:request", "votes:cast"], "source": SOURCE});
    let pair = register(&world, wanted).await;
    let unkeyed = entry(SOURCE, "ReviewRequested", &request());
    let asked = pair.signing(&[unkeyed]);
    let first = call(&world, &asked).await.json();
    assert_eq!(call(&world, &asked).await.json()["Entries"], first["Entries"], "the same event");

    let review = world.open(with(request(), "policy", json!({"quorum": 2}))).await;
    let approving = pair.signing(&[voting(&review, "ana@example.com", "approve")]);
    assert_eq!(codes(&call(&world, &approving).await), [""]);
    assert_eq!(codes(&call(&world, &pair.signing(&[voting(&review, "ana@example.com", "request-changes")])).await), [""]);
    let before = world.types(&review).await;
    assert_eq!(before, ["ReviewRequested", "VoteCast", "VoteCast"]);
    assert_eq!(codes(&call(&world, &approving).await), ["InvalidSignatureException"], "her word stands");
    assert_eq!(world.types(&review).await, before);
}

#[tokio::test]
async fn an_entry_that_an_integration_may_not_put_fails_alone_and_is_not_put_on_record() {
    let world = World::new().published();
    let review = world.open(request()).await;
    let before = world.types(&review).await;
    let notice = json!({"review_id": review, "person": {"email": "ana@example.com"}, "channel": "bus", "occasion": "asked"});
    let entries = |source: &str| {
        let vote = json!({"review_id": review, "person": {"email": "ana@example.com"}, "choice": "approve"});
        [
            entry(source, "ReviewRequested", &with(request(), "request_key", json!("k"))),
            entry(source, "ReviewCancelled", &json!({"review_id": review})),
            entry(source, "VoteSubmitted", &vote),
            entry(source, "ReviewNotified", &notice),
            entry(source, "SomethingElse", &json!({})),
        ]
    };
    let (denied, foreign) = ("AccessDeniedException", "NotAuthorizedForSourceException");
    for (name, wanted, expected) in [
        ("reader", json!({"scopes": ["reviews:read"]}), [denied, denied, denied, denied, ""]),
        (
            "voter",
            json!({"scopes": ["votes:cast"], "acts_as": {"email": "ana@example.com"}}),
            [denied, denied, denied, denied, ""],
        ),
        ("elsewhere", json!({"scopes": ["reviews:request", "votes:cast"], "source": "com.other"}), [foreign; 5]),
    ] {
        let pair = register(&world, with(wanted, "name", json!(name))).await;
        assert_eq!(codes(&call(&world, &pair.signing(&entries(SOURCE))).await), expected, "{name}");
        assert_eq!(codes(&by_token(&world, &pair.token, &entries(SOURCE)).await), expected, "{name} by its token");
        assert_eq!(world.types(&review_of("integration", name)).await, Vec::<String>::new(), "{name}");
    }
    assert_eq!(codes(&by_token(&world, KEY, &entries(SOURCE)[2..]).await), [denied, denied, ""], "the operator votes by the API");
    assert_eq!(world.types(&review).await, before);
}

#[tokio::test]
async fn invariant_13_a_vote_counts_from_an_integration_with_the_scope_and_a_source_and_from_nobody_else() {
    let world = World::new();
    let events = async |review: &str| world.get(&format!("/reviews/{review}/events")).await.json();
    let review = world.open(request()).await;
    // Whatever is written, it is nobody's.
    let unsigned = json!({"Entries": [voting(&review, "ana@example.com", "approve")]}).to_string();
    assert_eq!(codes(&world.send("POST", "/", &[TARGET], unsigned).await), [""], "as a bus takes it");
    assert_eq!(events(&review).await[1]["why"], "untrusted_source");

    let tool = register(&world, json!({"name": "tool", "scopes": ["votes:cast"], "source": SOURCE})).await;
    assert_eq!(codes(&call(&world, &tool.signing(&[voting(&review, "eve@example.com", "approve")])).await), [""]);
    assert_eq!(events(&review).await[2]["why"], "not_a_reviewer", "who may vote, one function says for all");
    assert_eq!(codes(&call(&world, &tool.signing(&[voting(&review, "ana@example.com", "approve")])).await), [""]);
    let cast = events(&review).await[3].clone();
    assert_eq!(
        (&cast["type"], &cast["person"], &cast["integration"], &cast["channel"]),
        (&json!("VoteCast"), &json!("ana@example.com"), &json!("tool"), &json!("bus"))
    );

    // As whom it acts and as nobody else.
    let review = world.open(with(request(), "request_key", json!("second"))).await;
    let wanted = json!({"name": "anas", "scopes": ["votes:cast"], "source": SOURCE, "acts_as": {"email": "ana@example.com"}});
    let anas = register(&world, wanted).await;
    call(&world, &anas.signing(&[voting(&review, "ben@example.com", "approve")])).await;
    assert_eq!(events(&review).await[1]["why"], "untrusted_source");
    call(&world, &anas.signing(&[voting(&review, "ana@example.com", "approve")])).await;
    assert_eq!(events(&review).await[2]["type"], "VoteCast");

    // Never on what it asked for itself, whatever its policy says.
    let wanted = json!({"name": "both", "scopes": ["reviews:request", "votes:cast"], "source": SOURCE});
    let both = register(&world, wanted).await;
    let own = with(request(), "policy", json!({"quorum": 1, "self_approval": "allowed"}));
    call(&world, &both.signing(&[entry(SOURCE, "ReviewRequested", &with(own, "request_key", json!("k")))])).await;
    let own = review_of("integration", "both");
    call(&world, &both.signing(&[voting(&own, "ana@example.com", "approve")])).await;
    assert_eq!(events(&own).await[1]["why"], "own_request");
}

#[tokio::test]
async fn invariant_13_a_report_of_a_notice_is_believed_from_an_integration_with_the_scope_alone() {
    let world = World::new();
    let review = world.open(request()).await;
    let notice = json!({"review_id": review, "person": {"email": "ana@example.com"}, "channel": "bus", "occasion": "asked"});
    let notice = entry(SOURCE, "ReviewNotified", &notice);
    let body = json!({"Entries": [notice]}).to_string();
    assert_eq!(codes(&world.send("POST", "/", &[TARGET], body).await), [""]);
    let before = ["ReviewRequested", "OutsideEventRefused"];
    assert_eq!(world.types(&review).await, before, "from nobody");
    let tool = register(&world, json!({"name": "tool", "scopes": ["notices:report"]})).await;
    assert_eq!(codes(&call(&world, &tool.signing(&[notice])).await), [""]);
    assert_eq!(world.types(&review).await, [before[0], before[1], "ReviewNotified"]);
    let events = world.get(&format!("/reviews/{review}/events")).await.json();
    assert_eq!(events[2]["reported_by"], json!({"account": "integration", "source": "tool"}));
}

#[tokio::test]
async fn nobody_without_credentials_withdraws_what_the_operator_asked_by_the_api() {
    let world = World::new();
    let review = world.open(request()).await;
    let body = json!({"Entries": [entry("api", "ReviewCancelled", &json!({"review_id": review}))]}).to_string();
    assert_eq!(codes(&world.send("POST", "/", &[TARGET], body).await), ["NotAuthorizedForSourceException"]);
    assert_eq!(world.types(&review).await, ["ReviewRequested"]);
}

#[tokio::test]
async fn a_pair_of_keys_goes_with_its_registration_and_its_secret_is_nowhere() {
    let world = World::new().published();
    let wanted = json!({"name": "ci", "scopes": ["reviews:request"]});
    let first = register(&world, wanted.clone()).await;
    assert!(first.id.starts_with("CSGN") && first.id.len() == 20 && first.secret.len() == 64, "{}", first.id);
    let listed = world.get("/integrations").await;
    assert_eq!(listed.json()["integrations"][0]["access_key_id"], first.id.as_str());
    let log = world.gateway.reviews.ledger().load(events::StreamId::Directory, events::Version::NONE).await.expect("a log");
    let stored = String::from_utf8(log[0].body.clone()).expect("text");
    assert!(stored.contains(&first.id) && !stored.contains(&first.secret) && !listed.text.contains(&first.secret), "{stored}");

    world.call("DELETE", "/integrations/ci", Value::Null).await;
    assert_eq!(refused(&call(&world, &first.signing(&[asking()])).await), "UnrecognizedClientException", "revoked");
    let second = register(&world, wanted).await;
    assert_eq!(refused(&call(&world, &first.signing(&[asking()])).await), "UnrecognizedClientException", "replaced");
    let mixed = Signing { secret: &first.secret, ..second.signing(&[asking()]) };
    assert_eq!(refused(&call(&world, &mixed).await), "InvalidSignatureException");
    assert_eq!(codes(&call(&world, &second.signing(&[asking()])).await), [""]);
    // Without being asked for, there is none.
    let plain = world.call("POST", "/integrations", json!({"name": "plain", "scopes": ["reviews:request"]})).await.json();
    assert_eq!((&plain["access_key_id"], plain.get("secret_access_key")), (&Value::Null, None));
}

#[tokio::test]
async fn a_service_that_takes_no_such_calls_has_no_route_and_gives_no_keys() {
    let world = World::new().without_put_events();
    let reply = world.send("POST", "/", &[TARGET, ("authorization", &format!("Bearer {KEY}"))], "{}").await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET,HEAD"));
    let wanted = json!({"name": "ci", "scopes": ["reviews:request"], "aws_keys": true});
    let reply = world.call("POST", "/integrations", wanted).await;
    assert_eq!((reply.status.as_u16(), reply.json()["type"].clone()), (409, json!("urn:countersign:no-signed-calls")));
    assert!(reply.json()["detail"].as_str().expect("words").contains("events:PutEvents"), "{}", reply.text);
    assert_eq!(world.get("/integrations").await.json(), json!({"integrations": []}));
}
