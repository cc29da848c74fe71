//! What whoever presses a button is told.

use super::*;

/// What whoever pressed or sent off is told, and nothing else that Slack was asked.
async fn said(workspace: &Workspace, window: Option<Reply>) -> Value {
    let whispers = workspace.slack.take().into_iter().filter(|(name, _)| *name == "whisper");
    let whispers: Vec<Value> = whispers.map(|(_, what)| what["text"].clone()).collect();
    let window = window.map(|reply| serde_json::from_str::<Value>(&reply.text).expect("JSON"));
    json!({"whispers": whispers, "window": window})
}

#[tokio::test]
async fn every_word_to_whoever_presses_a_button_is_as_reviewed() {
    const HOSTILE: &str =
        "<!channel> <@U02> <https://evil.example|https://good.example> *b* `c` <b>x</b> \u{202E}gnp.exe & مرحبا";
    let workspace = Workspace::new().await;
    let review = workspace.world.ask(with(request(), "title", json!(HOSTILE))).await;
    let value = workspace.value(review).await;
    let keys = &workspace.world.gateway.keys;
    let digest = "ab".repeat(32).parse().expect("a digest");
    let other = button::mint(keys, review, events::event::Seen::Whole, digest);
    let gone = button::mint(keys, ReviewId::for_event("1", "x", "gone", 1), events::event::Seen::Whole, digest);
    for (name, user, value) in [
        ("nobody_known", "U99", &value),
        ("own_request", "U03", &value),
        ("no_reviewer", "U04", &value),
        ("other_subject", "U01", &other),
        ("gone", "U01", &gone),
        ("old_key", "U01", &"made up".to_owned()),
    ] {
        workspace.press(user, "approve", value).await;
        let window = workspace.submit(user, Choice::Approve, value, json!("x")).await;
        insta::assert_json_snapshot!(name, said(&workspace, Some(window)).await);
    }
    for action in ["reject", "approve_with_note"] {
        workspace.press("U99", action, &value).await;
        workspace.press("U01", action, &gone).await;
        insta::assert_json_snapshot!(format!("{action}_refused"), said(&workspace, None).await);
    }
    for (name, choice, reason) in
        [("long_reason", Choice::Reject, json!("é".repeat(4_001))), ("strange_choice", Choice::Comment, json!("x"))]
    {
        let window = workspace.submit("U01", choice, &value, reason).await;
        insta::assert_json_snapshot!(name, said(&workspace, Some(window)).await);
    }
    assert_eq!(workspace.submit("U01", Choice::Reject, &value, json!(HOSTILE)).await.text, "");
    let late = said(&workspace, Some(workspace.submit("U02", Choice::Approve, &value, json!("x")).await)).await;
    let words = late.to_string();
    assert!(["<!channel>", "<@U02>", "<https", "\u{202E}"].iter().all(|bad| !words.contains(bad)), "{words}");
    insta::assert_json_snapshot!("late_and_hostile", late);
}
