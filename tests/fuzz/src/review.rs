//! A review with a summary of the input's, as the messages about it are made of.

use std::sync::LazyLock;

use events::{Event, NewCommit, ReviewId, StreamId, Timestamp, Version, digest::CommitHash};
use review::{Fold, Review, State};
use serde_json::json;

/// When it was asked.
pub(crate) static NOW: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::from_millis(1_795_000_000_000).expect("a time"));

/// An open review whose summary, title and evidence are what a stranger wrote.
pub(crate) fn asked(text: &str) -> Review {
    let digest = "0".repeat(64);
    let event = json!({
        "type": "ReviewRequested", "v": 1, "origin": {"account": "1", "source": "com.example", "event_id": "e"},
        "title": text.chars().take(100).collect::<String>(), "summary": text, "subject": {},
        "evidence": [{"label": text.chars().take(50).collect::<String>(), "value": text.chars().take(80).collect::<String>()}],
        "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1}, "risk": "normal",
        "expires_at": "2026-11-24T06:10:09.132Z", "on_expiry": "fail", "on_reject": "fail",
        "subject_digest": digest, "content_digest": digest,
    });
    let event: Event = serde_json::from_value(event).expect("an event");
    let commit = NewCommit {
        stream: StreamId::Review(ReviewId::for_event("1", "com.example", "e", 1)),
        version: Version(1),
        previous: CommitHash::GENESIS,
        at: *NOW,
        events: vec![event],
        sealed: None,
    };
    let commit = commit.store().and_then(|stored| stored.decode()).expect("a commit");
    match Fold::of([&commit]).expect("it folds").state {
        State::Recorded(review) => *review,
        state => panic!("no review: {state:?}"),
    }
}
