//! Accounts that the directory does not know, matched by the confirmed address of their profile: only where
//! the operator opted in, and never against what the directory or the request says.

use events::PersonId;

use super::*;

/// Dora has no account in the directory; she is `U07` in Slack.
const DORA: &str = "dora@example.com";

async fn trusting() -> Workspace {
    let workspace = Workspace::trusting(TrustedTeam::new("T01")).await;
    workspace.knows("U07", "T01", DORA, json!({}));
    workspace
}

impl Workspace {
    /// Slack says this of a user.
    fn knows(&self, id: &str, team: &str, email: &str, more: Value) {
        let mut user = json!({
            "id": id, "team_id": team, "deleted": false, "is_bot": false, "is_restricted": false, "is_ultra_restricted": false,
            "is_email_confirmed": true, "profile": {"email": email},
        });
        user.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.slack.users.lock().expect("the users").insert(id.to_owned(), Ok(user));
    }

    /// Dora is asked.
    async fn ask_dora(&self) -> (ReviewId, String) {
        let review = self.world.ask(with(request(), "reviewers", json!([{"email": DORA}, {"email": ana()}]))).await;
        let value = self.value(review).await;
        (review, value)
    }

    /// Whose votes are on record, and by which account where that was matched.
    async fn matched(&self, review: ReviewId) -> Vec<(String, Option<PersonId>)> {
        let events = self.world.events(review).await.into_iter();
        let vote = |event| match event {
            Event::VoteCast(cast) => Some((cast.person.to_string(), cast.matched_account.clone())),
            Event::VoteRefused(refused) => Some((refused.person.to_string(), refused.matched_account)),
            _ => None,
        };
        events.filter_map(vote).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.slack.take().into_iter().map(|(name, _)| name).collect()
    }
}

fn account(user: &str) -> Option<PersonId> {
    Some(format!("slack:T01/{user}").parse().expect("an account"))
}

#[tokio::test]
async fn who_is_matched_decides_by_one_call_and_the_log_says_by_which_account() {
    let workspace = trusting().await;
    let (review, value) = workspace.ask_dora().await;
    assert_eq!(workspace.press("U07", "approve", &value).await.status, 200);
    assert_eq!(workspace.matched(review).await, [(DORA.to_owned(), account("U07"))]);
    assert_eq!(workspace.names(), ["user"]);

    let (review, value) = {
        let asked = with(request(), "reviewers", json!([{"email": DORA}]));
        let review = workspace.world.ask(with(asked, "request_key", json!("second"))).await;
        (review, workspace.value(review).await)
    };
    workspace.press("U07", "reject", &value).await;
    assert_eq!(workspace.names(), ["user", "open"]);
    assert_eq!(workspace.submit("U07", Choice::Reject, &value, json!("No")).await.text, "");
    assert_eq!(workspace.names(), ["user"]);
    assert_eq!(workspace.matched(review).await, [(DORA.to_owned(), account("U07"))]);
}

#[tokio::test]
async fn without_the_opt_in_nobody_is_matched_and_slack_is_not_asked() {
    let workspace = Workspace::new().await;
    let (review, value) = workspace.ask_dora().await;
    workspace.press("U07", "approve", &value).await;
    assert_eq!(workspace.names(), ["whisper"]);
    assert_eq!(workspace.matched(review).await, [("slack:T01/U07".to_owned(), None)]);
}

#[tokio::test]
async fn whom_the_directory_or_the_request_knows_slack_is_not_asked_about() {
    let workspace = trusting().await;
    let asked = with(request(), "reviewers", json!([{"email": ana()}, {"slack": "T01/U08"}]));
    let review = workspace.world.ask(with(asked, "policy", json!({"quorum": 2}))).await;
    let value = workspace.value(review).await;
    workspace.press("U01", "approve", &value).await;
    workspace.press("U08", "approve", &value).await;
    assert_eq!(workspace.slack.take(), []);
    assert_eq!(workspace.matched(review).await, [(ana(), None), ("slack:T01/U08".to_owned(), None)]);
}

#[tokio::test]
async fn whom_slack_does_not_vouch_for_is_nobody() {
    for (more, team) in [
        (json!({"is_email_confirmed": false}), "T01"),
        (json!({"is_restricted": true}), "T01"),
        (json!({"is_ultra_restricted": true}), "T01"),
        (json!({"deleted": true}), "T01"),
        (json!({"is_bot": true}), "T01"),
        (json!({"is_stranger": true}), "T01"),
        (json!({}), "T02"),
        (json!({"id": "U09"}), "T01"),
        (json!({"profile": {}}), "T01"),
    ] {
        let workspace = trusting().await;
        workspace.knows("U07", team, DORA, more.clone());
        let (review, value) = workspace.ask_dora().await;
        workspace.press("U07", "approve", &value).await;
        workspace.press("U07", "reject", &value).await;
        assert_eq!(workspace.names(), ["user", "whisper", "user", "whisper"], "{more}");
        let window = workspace.submit("U07", Choice::Approve, &value, json!("x")).await;
        assert!(window.text.contains("not known to Countersign"), "{}", window.text);
        assert_eq!(workspace.matched(review).await, [("slack:T01/U07".to_owned(), None)], "{more}");
    }
}

#[tokio::test]
async fn another_workspace_of_the_same_user_ids_is_not_asked_about() {
    let workspace = trusting().await;
    let (review, value) = workspace.ask_dora().await;
    workspace
        .interact(&json!({
            "type": "block_actions", "user": {"id": "U07", "team_id": "T02"}, "team": {"id": "T01"},
            "container": {"channel_id": "C1", "message_ts": "1.1"}, "actions": [{"action_id": "approve", "value": value}],
        }))
        .await;
    assert_eq!(workspace.names(), ["whisper"]);
    assert_eq!(workspace.matched(review).await, [("slack:T02/U07".to_owned(), None)]);
}

#[tokio::test]
async fn invariant_03_an_address_of_somebody_with_an_account_matches_no_other_account() {
    let workspace = trusting().await;
    // Whoever runs the workspace gives another account Ana's address.
    workspace.knows("U66", "T01", "ana@example.com", json!({}));
    let (review, value) = workspace.ask_dora().await;
    workspace.press("U66", "approve", &value).await;
    assert_eq!(workspace.matched(review).await, [("slack:T01/U66".to_owned(), None)]);
}

#[tokio::test]
async fn invariant_03_nobody_approves_what_their_account_asked_for_by_way_of_their_address() {
    let workspace = trusting().await;
    for (key, requester) in [("as their account", json!({"slack": "T01/U07"})), ("as their address", json!({"email": DORA}))] {
        let asked = with(request(), "reviewers", json!([{"email": DORA}, {"email": ana()}]));
        let asked = with(with(asked, "requester", requester), "request_key", json!(key));
        let review = workspace.world.ask(asked).await;
        let value = workspace.value(review).await;
        workspace.press("U07", "approve", &value).await;
        let votes = workspace.votes(review).await;
        assert!(votes.len() == 1 && votes[0].3 == Some(VoteRefusal::OwnRequest), "{key}: {votes:?}");
    }
}

#[tokio::test]
async fn when_slack_does_not_say_who_it_is_nothing_counts_and_no_further_call_is_made() {
    for error in [
        SlackError::Unavailable("users.info: no answer within 0.7 s".to_owned()),
        SlackError::Busy { method: "users.info".to_owned(), retry_after: 7 },
    ] {
        let workspace = trusting().await;
        workspace.slack.users.lock().expect("the users").insert("U07".to_owned(), Err(error));
        let (review, value) = workspace.ask_dora().await;
        for action in ["approve", "reject"] {
            assert_eq!(workspace.press("U07", action, &value).await.status, 503);
        }
        assert_eq!(workspace.submit("U07", Choice::Reject, &value, json!("x")).await.status, 503);
        assert_eq!(workspace.names(), ["user", "user", "user"]);
        assert_eq!(workspace.matched(review).await, []);
    }
}

#[tokio::test]
async fn an_app_without_the_rights_matches_nobody_and_says_so() {
    let workspace = trusting().await;
    let error = SlackError::Bot { method: "users.info".to_owned(), code: "missing_scope".to_owned() };
    workspace.slack.users.lock().expect("the users").insert("U07".to_owned(), Err(error));
    let (review, value) = workspace.ask_dora().await;
    assert_eq!(workspace.press("U07", "approve", &value).await.status, 200);
    assert_eq!(workspace.names(), ["user", "whisper"]);
    assert_eq!(workspace.matched(review).await, [("slack:T01/U07".to_owned(), None)]);
}
