//! People whom the directory binds to no account, looked up by their address where the operator opted in.

use events::event::Channel;
use serde_json::{Value, json};
use slack::TrustedTeam;

use crate::workspace::{Mood, Workspace};

const LOOK_UP: &str = "users.lookupByEmail";

async fn trusting() -> Workspace {
    Workspace::trusting(TrustedTeam::new("T1")).await
}

/// What Slack says of Dora, who is no more than an address to us.
fn dora(more: Value) -> Value {
    let mut user = json!({
        "id": "U07", "team_id": "T1", "deleted": false, "is_bot": false, "is_restricted": false, "is_ultra_restricted": false,
        "is_email_confirmed": true, "profile": {"email": "dora@x.com"},
    });
    user.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    user
}

fn knows(workspace: &Workspace, user: Value) {
    workspace.api.users.lock().expect("users").insert("dora@x.com".to_owned(), user);
}

#[tokio::test]
async fn who_has_an_address_alone_is_looked_up_and_gets_a_card_that_is_kept_up_to_date_and_reminders() {
    let workspace = trusting().await;
    knows(&workspace, dora(json!({})));
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}, {"email": "dora@x.com"}])).await;
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked(LOOK_UP), [json!({"email": "dora@x.com"})], "Ana is in the directory");
    let posted = workspace.api.asked("chat.postMessage");
    let channels: Vec<_> = posted.iter().map(|message| message["channel"].as_str().expect("a channel")).collect();
    assert_eq!(channels, ["DU01", "DU07"]);
    assert!(workspace.mails.lock().expect("mails").is_empty());
    workspace.seconds(review, 3 * 60 * 60).await;
    let posted = workspace.api.asked("chat.postMessage");
    assert_eq!(posted.iter().filter(|message| message["channel"] == "DU07" && message["thread_ts"].is_string()).count(), 1);
    workspace.approve(review, "U01").await;
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked("chat.update").len(), 2);
    assert_eq!(workspace.api.asked(LOOK_UP).len(), 1, "the thread says where she is");
}

#[tokio::test]
async fn without_the_opt_in_nobody_is_looked_up() {
    let workspace = Workspace::new().await;
    knows(&workspace, dora(json!({})));
    let review = workspace.ask("e", json!([{"email": "dora@x.com"}])).await;
    workspace.notify(review).await;
    assert!(workspace.api.calls.lock().expect("calls").is_empty());
    assert_eq!(workspace.reached(review).await, [Channel::Email]);
}

#[tokio::test]
async fn whom_slack_does_not_know_or_vouch_for_gets_a_mail_at_once() {
    let wrong = [
        Value::Null,
        dora(json!({"is_email_confirmed": false})),
        dora(json!({"is_restricted": true})),
        dora(json!({"is_ultra_restricted": true})),
        dora(json!({"deleted": true})),
        dora(json!({"is_bot": true})),
        dora(json!({"is_stranger": true})),
        dora(json!({"team_id": "T2"})),
        dora(json!({"profile": {"email": "somebody@x.com"}})),
        // The directory binds this account, and that address, to Ana.
        dora(json!({"id": "U01"})),
        dora(json!({"profile": {"email": "ana@x.com"}})),
    ];
    for user in wrong {
        let workspace = trusting().await;
        if user.is_object() {
            knows(&workspace, user.clone());
        }
        let review = workspace.ask("e", json!([{"email": "dora@x.com"}])).await;
        workspace.notify(review).await;
        assert_eq!(workspace.reached(review).await, [Channel::Email], "{user}");
        assert!(workspace.api.asked("chat.postMessage").is_empty(), "{user}");
        let failures = workspace.failures(review).await;
        assert!(failures.len() == 1 && failures[0].1.is_none(), "final: {failures:?}");
    }
}

#[tokio::test]
async fn an_app_without_the_right_to_look_up_still_writes_to_whom_the_directory_knows() {
    let workspace = trusting().await;
    workspace.api.set(Mood::RefusesOne(LOOK_UP, "missing_scope"));
    // Who is looked up comes first.
    let review = workspace.ask("e", json!([{"email": "aaa@x.com"}, {"slack": "T1/U02"}])).await;
    workspace.notify(review).await;
    assert_eq!(workspace.reached(review).await.len(), 2);
    assert_eq!(workspace.api.asked("chat.postMessage").len(), 1);
    assert_eq!(*workspace.mails.lock().expect("mails"), ["aaa@x.com"]);
}

#[tokio::test]
async fn trap_429_of_a_look_up_is_waited_for_like_any_other() {
    let workspace = trusting().await;
    knows(&workspace, dora(json!({})));
    workspace.api.set(Mood::BusyWith(LOOK_UP, 7));
    let review = workspace.ask("e", json!([{"email": "dora@x.com"}])).await;
    workspace.notify(review).await;
    assert_eq!(workspace.failures(review).await.first().and_then(|failure| failure.1), Some(7));
    assert!(workspace.mails.lock().expect("mails").is_empty());
    workspace.api.set(Mood::Works);
    workspace.pass(7);
    workspace.notify(review).await;
    assert_eq!(workspace.reached(review).await, [Channel::Slack]);
}
