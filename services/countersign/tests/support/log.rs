//! Checks of one review's log as the API shows it, written without the code that wrote it: hashes are
//! taken anew, and the ending is read off the events.

use std::collections::BTreeMap;

use events::digest::{CommitHash, canonical};
use serde_json::{Map, Value, json};

/// The types that end a review.
const ENDINGS: [&str; 3] = ["ReviewDecided", "ReviewExpired", "ReviewCancelled"];
/// The types after which a workflow is owed nothing more, when they name no `retry_at`.
const TOLD: [&str; 3] = ["WorkflowResumed", "WorkflowResumeFailed", "WorkflowResumeUnconfirmed"];

/// Versions are 1, 2, 3 … and each commit's hash is the SHA-256 of its canonical body, which carries
/// the hash before it.
pub fn assert_chain(review: &str, log: &[Value]) {
    let mut commits: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for event in log {
        commits.entry(event["version"].as_u64().expect("a version")).or_default().push(event);
    }
    let mut previous = CommitHash::GENESIS.to_string();
    for (place, (version, events)) in (1..).zip(commits) {
        assert_eq!(version, place, "versions of {review} are contiguous");
        let bare = |event: &Value| {
            let added = ["event_id", "version", "at", "hash", "previous"];
            let fields = event.as_object().expect("an object").iter().filter(|(name, _)| !added.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>()
        };
        let body = json!({
            "at": events[0]["at"],
            "events": events.iter().map(|event| bare(event)).collect::<Vec<_>>(),
            "previous": previous,
            "stream": format!("review#{review}"),
            "version": version,
        });
        let hash = CommitHash::of(&canonical(&body).expect("canonical")).to_string();
        assert_eq!(events[0]["previous"], previous, "{review} version {version} carries the hash before it");
        assert_eq!(events[0]["hash"], hash, "{review} version {version} hashes to what it says");
        previous = hash;
    }
}

/// Where the log says that the review stands, in the words of the lists. Two endings are one too many.
pub fn status(review: &str, log: &[Value]) -> String {
    let endings: Vec<&Value> = log.iter().filter(|event| ENDINGS.iter().any(|kind| event["type"] == *kind)).collect();
    assert!(endings.len() <= 1, "{review} ended {} times", endings.len());
    match (endings.first(), log[0]["type"].as_str()) {
        (None, Some("ReviewRefused")) => "refused",
        (None, _) => "open",
        (Some(ending), _) => match ending["type"].as_str() {
            Some("ReviewDecided") => ending["outcome"].as_str().expect("an outcome"),
            Some("ReviewExpired") => "expired",
            _ => "cancelled",
        },
    }
    .to_owned()
}

/// The hashes of the tokens that wait, or waited, on this review.
pub fn tokens(log: &[Value]) -> Vec<String> {
    log.iter().filter_map(|event| event["resume"]["token_hash"].as_str()).map(str::to_owned).collect()
}

/// What settled this token: what is on record about telling it, without what is to be tried again.
pub fn settled<'a>(log: &'a [Value], token_hash: &str) -> Vec<&'a Value> {
    log.iter()
        .filter(|event| TOLD.iter().any(|kind| event["type"] == *kind))
        .filter(|event| event["token_hash"] == token_hash && event["retry_at"].is_null())
        .collect()
}

/// What a token is known by in the log.
pub fn hash(token: &str) -> String {
    events::TaskToken::new(token).expect("a token").hash().to_string()
}

/// Whoever is on record as reached.
pub fn notified(log: &[Value]) -> Vec<&str> {
    log.iter().filter(|event| event["type"] == "ReviewNotified").filter_map(|event| event["person"].as_str()).collect()
}
