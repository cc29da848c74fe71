//! The notifier and Slack's Web API: what goes out, and what is done when Slack is busy, broken, or will
//! not have somebody.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

mod matching;
mod meanwhile;
mod workspace;

use std::sync::Arc;

use events::event::Channel;
use ledger::Work as _;
use serde_json::json;
use workspace::{Mood, Workspace};

#[tokio::test]
async fn everybody_gets_a_card_of_their_own_and_it_is_changed_where_it_stands() {
    let workspace = Workspace::new().await;
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}, {"slack": "T1/U02"}])).await;
    workspace.notify(review).await;
    let posted = workspace.api.asked("chat.postMessage");
    let channels: Vec<_> = posted.iter().map(|message| message["channel"].as_str().expect("a channel")).collect();
    assert_eq!(channels, ["DU01", "DU02"]);
    assert!(posted.iter().all(|message| message["unfurl_links"] == false && message["unfurl_media"] == false));
    assert_eq!(posted[0]["blocks"].as_array().and_then(|blocks| blocks.last()).expect("buttons")["type"], "actions");

    workspace.approve(review, "U01").await;
    workspace.notify(review).await;
    workspace.notify(review).await;
    let updated = workspace.api.asked("chat.update");
    let places: Vec<_> = updated.iter().map(|message| format!("{}", message["channel"])).collect();
    assert_eq!(places, ["\"DU01\"", "\"DU02\""], "each once");
    assert!(
        updated.iter().all(|message| message.to_string().contains("*Approved*") && !message.to_string().contains("\"actions\""))
    );
}

#[tokio::test]
async fn trap_dm_fan_out_with_no_follow_up_a_reminder_goes_into_the_thread_of_the_card() {
    let workspace = Workspace::new().await;
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
    workspace.notify(review).await;
    workspace.seconds(review, 3 * 60 * 60).await;
    let posted = workspace.api.asked("chat.postMessage");
    assert_eq!(posted.len(), 2, "{posted:?}");
    assert_eq!((&posted[1]["channel"], &posted[1]["thread_ts"]), (&json!("DU01"), &json!("1795000000.000001")));
    assert!(posted[1].to_string().contains("still waits for you"));
}

#[tokio::test]
async fn slack_broken_for_an_hour_loses_nothing_parks_nothing_and_comes_back_by_itself() {
    for status in [500, 503] {
        let workspace = Workspace::new().await;
        workspace.api.set(Mood::Broken(status));
        // Bo can be reached in Slack alone; Ana has mail.
        let review = workspace.ask("e", json!([{"email": "ana@x.com"}, {"slack": "T1/U02"}])).await;
        workspace.notify(review).await;
        assert_eq!(*workspace.mails.lock().expect("mails"), ["ana@x.com"], "whoever can be is told at once");
        workspace.seconds(review, 60 * 60).await;
        assert_eq!(workspace.reached(review).await, [Channel::Email]);
        let tries = workspace.failures(review).await.len();
        assert!((8..30).contains(&tries), "with pauses that grow: {tries}");
        workspace.api.set(Mood::Works);
        workspace.seconds(review, 11 * 60).await;
        assert_eq!(workspace.reached(review).await, [Channel::Email, Channel::Slack]);
        assert_eq!(workspace.api.asked("chat.postMessage").len(), 1, "once");
        assert!(workspace.store.parked(10).await.expect("read").is_empty());
    }
}

#[tokio::test]
async fn trap_429_retry_after_goes_on_record_and_is_kept_without_sleeping() {
    let workspace = Workspace::new().await;
    workspace.api.set(Mood::Busy(7));
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
    let begin = std::time::Instant::now();
    workspace.notify(review).await;
    assert!(begin.elapsed().as_secs() < 5, "nobody sleeps");
    let failures = workspace.failures(review).await;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].1, Some(7), "{failures:?}");
    assert!(workspace.mails.lock().expect("mails").is_empty(), "a busy Slack is no outage");
    workspace.api.set(Mood::Works);
    workspace.pass(7);
    workspace.notify(review).await;
    assert_eq!(workspace.reached(review).await, [Channel::Slack]);
}

#[tokio::test]
async fn trap_429_is_heard_by_everybody_who_comes_after_and_costs_no_further_call() {
    for (mood, method) in [(Mood::Busy(7), "conversations.open"), (Mood::BusyWith("chat.postMessage", 7), "chat.postMessage")] {
        let workspace = Workspace::new().await;
        workspace.api.set(mood);
        let first = workspace.ask("e", json!([{"email": "ana@x.com"}, {"slack": "T1/U02"}])).await;
        let second = workspace.ask("f", json!([{"slack": "T1/U02"}])).await;
        workspace.notify(first).await;
        workspace.pass(2);
        workspace.notify(second).await;
        assert_eq!(workspace.api.asked(method).len(), 1, "{method}");
        let waits: Vec<_> = [workspace.failures(first).await, workspace.failures(second).await].concat();
        assert!(
            waits.iter().all(|(error, wait)| error.contains(method) && *wait == Some(5)),
            "all at the same moment: {waits:?}"
        );
        assert_eq!(waits.len(), 3);
        assert!(workspace.mails.lock().expect("mails").is_empty(), "a busy Slack is no outage");
        workspace.api.set(Mood::Works);
        workspace.pass(5);
        workspace.notify(first).await;
        workspace.notify(second).await;
        assert_eq!(workspace.reached(first).await, [Channel::Slack, Channel::Slack]);
        assert_eq!(workspace.reached(second).await, [Channel::Slack]);
    }
}

#[tokio::test]
async fn trap_429_of_an_update_goes_on_record_with_its_time_and_the_other_cards_wait_too() {
    let workspace = Workspace::new().await;
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}, {"slack": "T1/U02"}])).await;
    workspace.notify(review).await;
    workspace.api.set(Mood::BusyWith("chat.update", 7));
    workspace.approve(review, "U01").await;
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked("chat.update").len(), 1);
    let stale = workspace.stale(review).await;
    assert!(stale.len() == 2 && stale.iter().all(|(error, wait)| error.contains("chat.update") && *wait == Some(7)), "{stale:?}");
    let other = workspace.ask("f", json!([{"slack": "T1/U02"}])).await;
    workspace.notify(other).await;
    assert_eq!(workspace.reached(other).await, [Channel::Slack], "whoever posts is not held back");
    workspace.api.set(Mood::Works);
    workspace.pass(7);
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked("chat.update").len(), 3);
    assert_eq!(workspace.stale(review).await.len(), 2);
}

#[tokio::test]
async fn trap_one_message_a_second_in_each_conversation_the_rest_is_owed_at_moments_of_its_own() {
    let workspace = Workspace::new().await;
    let mut reviews = Vec::new();
    for number in 0..8 {
        reviews.push(workspace.ask(&number.to_string(), json!([{"slack": "T1/U02"}])).await);
    }
    for review in &reviews {
        workspace.notify(*review).await;
    }
    assert_eq!(workspace.api.asked("chat.postMessage").len(), 5, "a burst, then one a second");
    let mut waits = Vec::new();
    for review in &reviews {
        waits.extend(workspace.failures(*review).await.into_iter().filter_map(|(_, wait)| wait));
    }
    assert_eq!(waits, [1, 2, 3]);
    for _ in 0..3 {
        workspace.pass(1);
        for review in &reviews {
            workspace.notify(*review).await;
        }
    }
    assert_eq!(workspace.api.asked("chat.postMessage").len(), 8);
    assert_eq!(workspace.api.asked("conversations.open").len(), 1, "a conversation is opened once");
}

#[tokio::test]
async fn trap_approvers_missing_from_slack_are_told_by_the_next_channel_and_slack_is_left_alone() {
    for code in ["channel_not_found", "user_not_found", "is_archived", "not_in_channel"] {
        let workspace = Workspace::new().await;
        workspace.api.set(Mood::Refuses(code));
        let review = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(review).await;
        assert_eq!(workspace.reached(review).await, [Channel::Email], "{code}");
        let failures = workspace.failures(review).await;
        assert!(failures.len() == 1 && failures[0].1.is_none() && failures[0].0.contains(code), "{failures:?}");
    }
}

#[tokio::test]
async fn trap_a_conversation_that_is_gone_when_a_message_is_posted_is_opened_anew_for_the_next_one() {
    for code in ["channel_not_found", "is_archived", "not_in_channel"] {
        let workspace = Workspace::new().await;
        let known = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(known).await;
        workspace.api.set(Mood::RefusesOne("chat.postMessage", code));
        let review = workspace.ask("f", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(review).await;
        assert_eq!(workspace.reached(review).await, [Channel::Email], "{code}");
        let failures = workspace.failures(review).await;
        assert!(failures.len() == 1 && failures[0].1.is_none() && failures[0].0.contains(code), "{failures:?}");
        assert_eq!(workspace.api.asked("conversations.open").len(), 1, "it was known");
        workspace.api.set(Mood::Works);
        let next = workspace.ask("g", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(next).await;
        assert_eq!(workspace.api.asked("conversations.open").len(), 2, "{code}");
        assert_eq!(workspace.reached(next).await, [Channel::Slack]);
    }
}

#[tokio::test]
async fn trap_a_card_whose_conversation_is_gone_is_left_for_good_and_the_next_one_goes_elsewhere() {
    for (code, opened) in [("channel_not_found", 2), ("message_not_found", 1)] {
        let workspace = Workspace::new().await;
        let review = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(review).await;
        workspace.api.set(Mood::RefusesOne("chat.update", code));
        workspace.approve(review, "U01").await;
        for _ in 0..3 {
            workspace.notify(review).await;
            workspace.pass(600);
        }
        assert_eq!(workspace.api.asked("chat.update").len(), 1, "{code}");
        let stale = workspace.stale(review).await;
        assert!(stale.len() == 1 && stale[0].1.is_none() && stale[0].0.contains(code), "{stale:?}");
        workspace.api.set(Mood::Works);
        let next = workspace.ask("f", json!([{"email": "ana@x.com"}])).await;
        workspace.notify(next).await;
        assert_eq!(workspace.reached(next).await, [Channel::Slack]);
        assert_eq!(workspace.api.asked("conversations.open").len(), opened, "{code}");
    }
}

#[tokio::test]
async fn a_revoked_token_sends_everybody_to_the_next_channel_and_is_tried_again() {
    for code in ["account_inactive", "token_revoked", "missing_scope"] {
        let workspace = Workspace::new().await;
        workspace.api.set(Mood::Refuses(code));
        let review = workspace.ask("e", json!([{"email": "ana@x.com"}, {"slack": "T1/U02"}])).await;
        workspace.notify(review).await;
        assert_eq!(*workspace.mails.lock().expect("mails"), ["ana@x.com"], "{code}");
        assert_eq!(workspace.api.calls.lock().expect("calls").len(), 1, "asked once, not once a person");
        assert!(workspace.failures(review).await.iter().all(|failure| failure.1.is_some()), "an operator may mend it");
        workspace.api.set(Mood::Works);
        workspace.seconds(review, 60).await;
        assert!(workspace.reached(review).await.contains(&Channel::Slack));
    }
}

#[tokio::test]
async fn invariant_07_a_crash_between_send_and_record_shows_a_second_card_after_the_lease_at_most() {
    let workspace = Workspace::new().await;
    let review = workspace.ask("e", json!([{"email": "ana@x.com"}])).await;
    workspace.api.set(Mood::Hangs);
    let notifier = Arc::clone(&workspace.notifier);
    let crashing = tokio::spawn(async move { notifier.notify(review).await });
    while workspace.api.asked("chat.postMessage").is_empty() {
        tokio::task::yield_now().await;
    }
    crashing.abort();
    assert!(crashing.await.expect_err("it ended in the middle").is_cancelled());
    workspace.api.set(Mood::Works);
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked("chat.postMessage").len(), 1, "it may be under way");
    workspace.pass(60);
    workspace.notify(review).await;
    workspace.notify(review).await;
    assert_eq!(workspace.api.asked("chat.postMessage").len(), 2);
    assert_eq!(workspace.reached(review).await, [Channel::Slack]);
}
