//! An export of any length, made without a store: the log is computed as it is read.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use async_trait::async_trait;
use countersign::{
    checkpoints::files::{Files, Signed},
    log::write::{self, Tree},
};
use events::{Event, ReviewId, StoredCommit, StreamId, Timestamp, Version, commit::NewCommit, digest::CommitHash};
use ledger::{AppendError, Batch, Landed, Ledger, LedgerError, Position};
use serde_json::{Value, json};
use transparency::{Checkpoint, Entry, Frontier, SigningKey};

use crate::Outcome;

/// What was made.
pub struct Made {
    pub events: u64,
    pub event_bytes: u64,
}

/// The key that signs.
pub fn key() -> Outcome<SigningKey> {
    Ok(SigningKey::new(&[7; 32])?)
}

/// Four events of a review, about 350 bytes each.
pub fn events(number: u64) -> Outcome<[Event; 4]> {
    let digest = "3c7dffe6dbcb51a3f25a205f0b1d20fd8d31c4c1c35f855e07aa7deef7ded548";
    let requested = json!({
        "type": "ReviewRequested", "v": 1, "title": format!("Promote churn-model v{number}"),
        "content_digest": digest, "subject_digest": digest, "subject": {"kind": "model-promotion", "id": number},
        "evidence": [{"label": "Flagged rows", "value": "7.4 %"}, {"label": "Report", "url": "https://example.com/report"}],
        "origin": {"account": "111122223333", "event_id": format!("f2a7c2de-{number}"), "source": "ml.pipeline"},
        "requester": "pipeline@example.com", "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1},
        "risk": "normal", "on_expiry": "fail", "on_reject": "fail", "expires_at": "2026-11-24T04:00:00.000Z"
    });
    let notified = json!({
        "type": "ReviewNotified", "v": 1, "channel": "email", "occasion": "asked", "person": "ana@example.com",
        "message_ref": format!("<0102019a-{number:0>40}-000000@eu-central-1.amazonses.com>")
    });
    let reason = "The flagged rows are test accounts that the import of last night brought in.";
    let vote = json!({
        "type": "VoteCast", "v": 1, "channel": "web", "choice": "approve", "person": "ana@example.com", "reason": reason,
        "subject_digest": digest
    });
    let decided = json!({
        "type": "ReviewDecided", "v": 1, "outcome": "approved", "decided_by": ["ana@example.com"], "reason": reason,
        "subject_digest": digest
    });
    let event = |json: Value| serde_json::from_value::<Event>(json);
    Ok([event(requested)?, event(notified)?, event(vote)?, event(decided)?])
}

/// Review number so many, by an id that tells its number.
pub fn commits(number: u64) -> Outcome<Vec<StoredCommit>> {
    let review: ReviewId = format!("0190b6a8-7f5e-5c1e-9d52-{number:012x}").parse()?;
    let (mut commits, mut previous) = (Vec::with_capacity(4), CommitHash::GENESIS);
    for (version, event) in (1..).zip(events(number)?) {
        let at = Timestamp::from_millis(1_795_000_000_000 + i64::try_from(version)?).ok_or("a time")?;
        let stream = StreamId::Review(review);
        let commit = NewCommit { stream, version: Version(version), previous, at, events: vec![event], sealed: None }.store()?;
        previous = commit.hash;
        commits.push(commit);
    }
    Ok(commits)
}

/// Writes the export of so many reviews, signed.
pub fn export(path: &Path, reviews: u64) -> Outcome<Made> {
    let folder = path.parent().ok_or("a folder")?;
    let (files, key) = (Files::of(folder), key()?);
    let (mut appending, _) = files.append(key.public())?;
    let (mut tree, mut event_bytes) = (Frontier::default(), 0);
    for number in 0..reviews {
        for commit in commits(number)? {
            let entry = Entry { stream: commit.stream, version: commit.version, hash: commit.hash };
            appending.entry(&entry)?;
            tree.push(entry.leaf());
        }
        for event in events(number)? {
            event_bytes += serde_json::to_vec(&event)?.len() as u64;
        }
    }
    let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
    let signed = Signed { checkpoint, note: checkpoint.sign(&key) };
    appending.root(&signed.note)?;
    std::fs::write(folder.join("log.pub"), key.public().to_string())?;
    let (ledger, tree): (Arc<dyn Ledger>, _) = (Arc::new(Computed(reviews)), Tree { files, signed, key: key.public().clone() });
    let at = Timestamp::from_millis(1_795_000_000_000).ok_or("a time")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let out = BufWriter::with_capacity(1 << 16, File::create(path)?);
    let end = runtime.block_on(write::whole(&ledger, out, Some(&tree), at))?;
    Ok(Made { events: end.events, event_bytes })
}

struct Computed(u64);

fn failed(error: impl ToString) -> LedgerError {
    LedgerError::Refused { what: "compute a commit", source: error.to_string().into() }
}

#[async_trait]
impl Ledger for Computed {
    async fn append(&self, _: &StoredCommit) -> Result<Landed, AppendError> {
        Err(failed("it is only read").into())
    }

    async fn load(&self, stream: StreamId, _: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        let id = stream.to_string();
        let number = u64::from_str_radix(&id[id.len() - 12..], 16).map_err(failed)?;
        commits(number).map_err(failed)
    }

    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        let from = from.0.parse().unwrap_or(0);
        let to = self.0.min(from + limit as u64);
        let firsts = (from..to).map(|number| commits(number).map(|commits| commits.into_iter().next()));
        let found = firsts.collect::<Outcome<Vec<_>>>().map_err(failed)?.into_iter().flatten().collect();
        Ok(Batch { commits: found, position: Position(to.to_string()), more: to < self.0 })
    }
}
