//! What people press in Slack, signed as Slack signs, against the whole router over a real store.

mod matching;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use channels::slack::{Message, button, modal::Metadata, signature::SigningSecrets};
use events::{
    Event, ReviewId,
    event::{Changed, Changer, Channel, Choice, Door, VoteRefusal},
};
use hmac::{Hmac, KeyInit, Mac};
use ledger::Clock as _;
use review::directory::{Person, Wanted};
use serde_json::{Value, json};
use sha2::Sha256;
use slack::{SlackError, TrustedTeam, User};

use super::{App, Place, Slack, routes};
use crate::{
    router_beside,
    web::tests::{Reply, World, encode, request, with},
};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Writes down what Slack is asked, and knows its users.
#[derive(Default)]
struct Recorder {
    calls: Mutex<Vec<(&'static str, Value)>>,
    users: Mutex<BTreeMap<String, Result<Value, SlackError>>>,
}

impl Recorder {
    fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.calls.lock().expect("the calls"))
    }

    fn note(&self, name: &'static str, what: Value) -> Result<(), String> {
        self.calls.lock().expect("the calls").push((name, what));
        Ok(())
    }
}

#[async_trait]
impl Slack for Recorder {
    async fn open(&self, trigger_id: &str, view: &Value) -> Result<(), String> {
        self.note("open", json!({"trigger": trigger_id, "view": view}))
    }
    async fn replace(&self, place: &Place, message: &Message) -> Result<(), String> {
        self.note("replace", json!({"place": place.to_string(), "message": message}))
    }
    async fn whisper(&self, channel: &str, user: &str, text: &str) -> Result<(), String> {
        self.note("whisper", json!({"channel": channel, "user": user, "text": text}))
    }
    async fn user(&self, id: &str) -> Result<User, SlackError> {
        self.calls.lock().expect("the calls").push(("user", json!(id)));
        let found = self.users.lock().expect("the users").get(id).cloned().expect("nobody else is asked for");
        found.map(|user| serde_json::from_value(user).expect("a user"))
    }
}

struct Workspace {
    world: World,
    slack: Arc<Recorder>,
}

impl Workspace {
    /// Ana is `U01` and Ben `U02` of `T01`; Rita, who asks, is `U03`.
    async fn new() -> Workspace {
        Workspace::trusting(None).await
    }

    /// The same, where the addresses of this workspace's profiles are believed.
    async fn trusting(trusted: Option<TrustedTeam>) -> Workspace {
        let mut world = World::new();
        let person =
            |user: &str| Person { aliases: [format!("slack:T01/{user}").parse().expect("an id")].into(), ..Person::default() };
        let people =
            [("ana@example.com", "U01"), ("ben@example.com", "U02"), ("rita@example.com", "U03"), ("cy@example.com", "U04")];
        let mut wanted = Wanted::default();
        for (id, user) in people {
            wanted.add_person(&id.parse().expect("an id"), person(user)).expect("nobody else's ids");
        }
        world.gateway.reviews.apply_directory(&wanted, &Changed::new(Changer::Operator, Door::Api)).await.expect("a directory");
        let slack = Arc::new(Recorder::default());
        let secrets = SigningSecrets::new(["new".to_owned(), SECRET.to_owned()]).expect("secrets");
        let app = App { secrets, slack: Arc::clone(&slack) as Arc<dyn Slack>, trusted };
        world.router = router_beside(world.gateway.clone(), routes(app));
        Workspace { world, slack }
    }

    async fn value(&self, review: ReviewId) -> String {
        let fold = self.world.gateway.reviews.load(review).await.expect("a fold");
        let digest = fold.state.review().expect("a review").request.seen_digest();
        button::mint(&self.world.gateway.keys, review, events::event::Seen::Excerpt, digest)
    }

    async fn press(&self, user: &str, action: &str, value: &str) -> Reply {
        self.interact(&json!({
            "type": "block_actions", "user": {"id": user, "team_id": "T01"}, "team": {"id": "T01"}, "trigger_id": "13345.67",
            "container": {"type": "message", "channel_id": "D07", "message_ts": "1795000000.000100"},
            "actions": [{"type": "button", "action_id": action, "block_id": "decide", "value": value}],
        }))
        .await
    }

    async fn submit(&self, user: &str, choice: Choice, value: &str, reason: Value) -> Reply {
        let metadata = Metadata { button: value.into(), choice, channel: "D07".into(), message: "1795000000.000100".into() };
        let metadata = serde_json::to_string(&metadata).expect("metadata");
        self.interact(&json!({
            "type": "view_submission", "user": {"id": user, "team_id": "T01"}, "team": {"id": "T01"},
            "view": {"callback_id": "reason", "private_metadata": metadata,
                "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}}},
        }))
        .await
    }

    async fn interact(&self, payload: &Value) -> Reply {
        let body = format!("payload={}", encode(&payload.to_string()));
        let moment = (self.world.clock.now().millis() / 1_000).to_string();
        self.send(&moment, &sign(&moment, &body), body).await
    }

    async fn send(&self, moment: &str, signature: &str, body: String) -> Reply {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("x-slack-request-timestamp", moment), ("x-slack-signature", signature)];
        self.world.send("POST", "/slack/interactions", &headers, body).await
    }

    /// Every vote on record: who, by which channel, what, and why it did not count.
    async fn votes(&self, review: ReviewId) -> Vec<(String, Channel, Choice, Option<VoteRefusal>)> {
        let events = self.world.events(review).await.into_iter();
        let vote = |event| match event {
            Event::VoteCast(cast) => Some((cast.person.to_string(), cast.channel, cast.choice, None)),
            Event::VoteRefused(refused) => Some((refused.person.to_string(), refused.channel, refused.choice, Some(refused.why))),
            _ => None,
        };
        events.filter_map(vote).collect()
    }
}

fn sign(moment: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(format!("v0:{moment}:{body}").as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={tag}")
}

fn ana() -> String {
    "ana@example.com".to_owned()
}

#[tokio::test]
async fn an_approval_is_in_the_log_before_slack_is_answered_and_a_second_click_is_the_same_vote() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(with(request(), "policy", json!({"quorum": 2}))).await;
    let value = workspace.value(review).await;
    for _ in 0..3 {
        let reply = workspace.press("U01", "approve", &value).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""));
        assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, None)]);
    }
    assert_eq!(workspace.slack.take(), [], "nothing is asked of Slack before it is answered");
}

#[tokio::test]
async fn trap_one_click_n_executions_slacks_retries_side_by_side_make_one_vote() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    let click = || async { workspace.press("U01", "approve", &value).await.status.as_u16() };
    let (one, two, three, four) = tokio::join!(click(), click(), click(), click());
    assert_eq!([one, two, three, four, click().await], [200; 5]);
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, None)]);
    let decided = workspace.world.events(review).await.into_iter().filter(|event| matches!(event, Event::ReviewDecided(_)));
    assert_eq!(decided.count(), 1);
    // From the second click on the card shows how it ended, whatever became of its first update.
    assert!(workspace.slack.take().iter().all(|(name, _)| *name == "replace"));
}

#[tokio::test]
async fn a_rejection_without_a_reason_counts_as_at_every_other_door() {
    for empty in [Value::Null, json!(""), json!(" \n\u{200b}")] {
        let workspace = Workspace::new().await;
        let review = workspace.world.ask(request()).await;
        let value = workspace.value(review).await;
        assert_eq!(workspace.submit("U01", Choice::Reject, &value, empty).await.text, "");
        let fold = workspace.world.gateway.reviews.load(review).await.expect("a fold");
        let vote = &fold.state.review().expect("a review").votes[0].what;
        assert_eq!((vote.choice, &vote.reason, vote.seen), (Choice::Reject, &None, Some(events::event::Seen::Excerpt)));
    }
}

#[tokio::test]
async fn a_high_risk_is_not_approved_by_a_card_that_shows_a_part() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(with(request(), "risk", json!("high"))).await;
    let value = workspace.value(review).await;
    assert_eq!(workspace.press("U01", "approve", &value).await.status, 200);
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, Some(VoteRefusal::NotSeenWhole))]);
    let calls = workspace.slack.take();
    assert!(
        matches!(calls.as_slice(), [("whisper", what)] if what["text"].as_str().is_some_and(|text| text.contains("Open the page"))),
        "{calls:?}"
    );
}

#[tokio::test]
async fn a_click_that_was_recorded_and_is_sent_again_does_not_undo_a_newer_vote() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(with(request(), "policy", json!({"quorum": 2}))).await;
    let value = workspace.value(review).await;
    let body = format!(
        "payload={}",
        encode(
            &json!({
                "type": "block_actions", "user": {"id": "U01", "team_id": "T01"}, "team": {"id": "T01"}, "trigger_id": "1.2",
                "container": {"type": "message", "channel_id": "D07", "message_ts": "1795000000.000100"},
                "actions": [{"type": "button", "action_id": "approve", "block_id": "decide", "value": value}],
            })
            .to_string()
        )
    );
    let moment = (workspace.world.clock.now().millis() / 1_000).to_string();
    let signature = sign(&moment, &body);
    // The same bytes, and the same signature in capitals.
    let again = [signature.clone(), signature.replace("v0=", "").to_uppercase()]
        .map(|digits| if digits.starts_with("v0=") { digits } else { format!("v0={digits}") });
    assert_eq!(workspace.send(&moment, &signature, body.clone()).await.status, 200);
    workspace.world.pass(10);
    let link = workspace.world.link(review, "ana@example.com");
    workspace.world.press(&link, "request-changes", "Too few rows").await;
    for signature in &again {
        workspace.world.pass(60);
        let reply = workspace.send(&moment, signature, body.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""), "answered as before");
    }
    let newer = (ana(), Channel::Web, Choice::RequestChanges, None);
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, None), newer]);
    // A click of now is another request.
    assert_eq!(workspace.press("U01", "approve", &value).await.status, 200);
    assert_eq!(workspace.votes(review).await.len(), 3);
}

#[tokio::test]
async fn a_rejection_asks_why_and_counts_with_the_reason() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    assert_eq!(workspace.press("U01", "reject", &value).await.status, 200);
    assert_eq!(workspace.votes(review).await, [], "the button alone rejects nothing");
    let calls = workspace.slack.take();
    let [("open", opened)] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(opened["trigger"], "13345.67");
    assert_eq!(opened["view"]["blocks"][1]["optional"], true, "a reason is optional at every door");

    let long = workspace.submit("U01", Choice::Reject, &value, json!("é".repeat(4_001))).await;
    assert!(long.text.contains("too long"), "{}", long.text);
    assert_eq!(workspace.votes(review).await, []);
    let reply = workspace.submit("U01", Choice::Reject, &value, json!("The wrong table")).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""), "an empty answer closes the window");
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Reject, None)]);
}

#[tokio::test]
async fn an_approval_may_have_a_note() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    workspace.press("U01", "approve_with_note", &value).await;
    assert_eq!(workspace.slack.take()[0].1["view"]["blocks"][1]["optional"], true);
    assert_eq!(workspace.submit("U01", Choice::Approve, &value, json!("Checked the rows")).await.text, "");
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, None)]);
}

#[tokio::test]
async fn a_late_click_is_answered_with_who_decided() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    workspace.press("U01", "approve", &value).await;
    for action in ["approve", "reject", "approve_with_note"] {
        assert_eq!(workspace.press("U02", action, &value).await.status, 200);
        let calls = workspace.slack.take();
        let [("replace", replaced)] = calls.as_slice() else { panic!("{action}: {calls:?}") };
        assert_eq!(replaced["place"], "D07/1795000000.000100");
        let shown = replaced["message"].to_string();
        assert!(shown.contains("*Approved* by ana@example.com") && !shown.contains("\"actions\""), "{shown}");
        assert!(shown.contains("/a/"), "the reader's own link: {shown}");
    }
    let window = workspace.submit("U02", Choice::Reject, &value, json!("No")).await;
    let shown: Value = serde_json::from_str(&window.text).expect("JSON");
    assert_eq!(shown["response_action"], "update");
    assert!(window.text.contains("came after the end") && window.text.contains("ana@example.com"), "{}", window.text);
    let late = ("ben@example.com".to_owned(), Channel::Slack);
    let refused = Some(VoteRefusal::AlreadyDecided);
    let logged = workspace.votes(review).await;
    assert!(logged.contains(&(late.0.clone(), late.1, Choice::Approve, refused)), "{logged:?}");
    assert!(logged.contains(&(late.0, late.1, Choice::Reject, refused)), "{logged:?}");
}

#[tokio::test]
async fn invariant_09_a_click_after_the_deadline_finds_the_review_expired_without_a_timer() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    workspace.world.pass(25 * 60 * 60);
    workspace.press("U01", "approve", &value).await;
    let calls = workspace.slack.take();
    assert!(calls.len() == 1 && calls[0].1.to_string().contains("*Expired*"), "{calls:?}");
    assert!(workspace.world.events(review).await.iter().any(|event| matches!(event, Event::ReviewExpired(_))));
}

#[tokio::test]
async fn invariant_03_trap_identity_is_who_slack_signed_never_whose_card_it_is() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    // Rita asked, Cy is no reviewer, U99 is nobody whom the directory knows.
    for (user, words) in [("U03", "your own request"), ("U04", "not one of the reviewers"), ("U99", "slack = \\\"T01/U99\\\"")] {
        assert_eq!(workspace.press(user, "approve", &value).await.status, 200);
        let calls = workspace.slack.take();
        let [("whisper", said)] = calls.as_slice() else { panic!("{user}: {calls:?}") };
        assert_eq!((&said["channel"], &said["user"]), (&json!("D07"), &json!(user)));
        assert!(said.to_string().contains(words), "{said}");
        let window = workspace.submit(user, Choice::Approve, &value, json!("x")).await;
        assert!(window.text.contains("update"), "{}", window.text);
    }
    workspace.press("U99", "reject", &value).await;
    assert_eq!(workspace.slack.take()[0].0, "whisper", "no window for an account that nobody knows");
    let refused = workspace.votes(review).await;
    assert!(refused.len() == 3 && refused.iter().all(|vote| vote.3.is_some()), "every denial is on record: {refused:?}");
    // The same user id in another workspace is another account.
    workspace
        .interact(&json!({
            "type": "block_actions", "user": {"id": "U01", "team_id": "T02"}, "team": {"id": "T01"},
            "container": {"channel_id": "C1", "message_ts": "1.1"}, "actions": [{"action_id": "approve", "value": value}],
        }))
        .await;
    assert!(workspace.votes(review).await.iter().all(|vote| vote.3.is_some()));
}

#[tokio::test]
async fn trap_the_signature_is_over_the_raw_body_within_five_minutes() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let value = workspace.value(review).await;
    let payload = json!({
        "type": "block_actions", "user": {"id": "U01"}, "team": {"id": "T01"},
        "container": {"channel_id": "D07", "message_ts": "1.1"}, "actions": [{"action_id": "approve", "value": value}],
    });
    let body = format!("payload={}", encode(&payload.to_string()));
    let now = workspace.world.clock.now().millis() / 1_000;
    let old = (now - 301).to_string();
    let moment = now.to_string();
    let wrong = [
        (moment.as_str(), sign(&moment, &body), body.replace("U01", "U02")),
        (&moment, sign(&moment, &body), format!("{body}&x=1")),
        (&old, sign(&old, &body), body.clone()),
        (&moment, sign(&old, &body), body.clone()),
        (&moment, String::new(), body.clone()),
        ("", sign(&moment, &body), body.clone()),
    ];
    for (moment, signature, body) in wrong {
        assert_eq!(workspace.send(moment, &signature, body).await.status, 401);
    }
    assert_eq!(workspace.votes(review).await, []);
    assert_eq!(workspace.send(&moment, &sign(&moment, &body), body).await.status, 200);
    assert_eq!(workspace.votes(review).await.len(), 1);
}

#[tokio::test]
async fn a_button_of_another_key_or_subject_decides_nothing_and_says_so() {
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(request()).await;
    let other = button::mint(
        &workspace.world.gateway.keys,
        review,
        events::event::Seen::Whole,
        "ab".repeat(32).parse().expect("a digest"),
    );
    workspace.press("U01", "approve", "made up").await;
    workspace.press("U01", "approve", &other).await;
    let said: Vec<String> = workspace.slack.take().into_iter().map(|(name, said)| format!("{name} {said}")).collect();
    assert!(
        said.len() == 2 && said[0].contains("keys were replaced") && said[1].contains("not what the review holds"),
        "{said:?}"
    );
    assert_eq!(workspace.votes(review).await, [(ana(), Channel::Slack, Choice::Approve, Some(VoteRefusal::OtherSubject))]);
}

#[tokio::test]
async fn what_asks_nothing_of_us_is_acknowledged_and_what_is_no_interaction_is_refused() {
    let workspace = Workspace::new().await;
    assert_eq!(workspace.press("U01", "details", "").await.status, 200);
    assert_eq!(workspace.interact(&json!({"type": "view_closed"})).await.status, 200);
    assert_eq!(workspace.interact(&json!({"type": "block_actions"})).await.status, 400);
    let moment = (workspace.world.clock.now().millis() / 1_000).to_string();
    for body in ["", "payload=", "payload=%FF", "x=y"] {
        assert_eq!(workspace.send(&moment, &sign(&moment, body), body.to_owned()).await.status, 400);
    }
    assert_eq!(workspace.slack.take(), []);
}
