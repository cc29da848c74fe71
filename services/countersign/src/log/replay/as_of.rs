//! What stood in the log at a time. A commit counts when it and all before it were decided by then, so
//! that a clock that once stepped backwards cannot show a stream with a hole.

use std::{fs::File, io::BufReader, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use events::{Commit, ReviewId, StoredCommit, Timestamp};
use ledger::{Ledger, Position, ReviewRow, Status};
use projector::{
    rebuild::{beginnings, whole},
    row,
};
use review::{Fold, FoldError};

use super::UNREADABLE;
use crate::{
    client::past,
    log::{decoded::Decoded, progress::Progress},
    terminal,
};

/// How many commits one read of the log takes.
const PAGE: usize = 2_048;

/// The fold of what was decided by `time`.
fn fold_by(commits: impl IntoIterator<Item = Result<Commit, FoldError>>, time: Timestamp) -> Result<Fold, FoldError> {
    let mut fold = Fold::default();
    for commit in commits {
        let commit = commit?;
        if commit.at > time {
            break;
        }
        fold.apply(&commit)?;
    }
    Ok(fold)
}

fn stored(commits: &[StoredCommit]) -> impl Iterator<Item = Result<Commit, FoldError>> {
    commits.iter().map(|stored| stored.decode().map_err(FoldError::from))
}

/// Prints a review as it was.
pub(super) async fn review(ledger: &dyn Ledger, id: ReviewId, time: Timestamp, as_json: bool) -> anyhow::Result<ExitCode> {
    let commits = whole(ledger, id, Vec::new()).await?;
    if commits.is_empty() {
        bail!("there is no review {id}");
    }
    print_review(id, &fold_by(stored(&commits), time)?, time, as_json)
}

/// The same, or the inbox when no review is named, from an export alone.
pub(super) fn of_export(file: &Path, id: Option<ReviewId>, time: Timestamp, as_json: bool) -> anyhow::Result<ExitCode> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (size, mut progress) = (opened.metadata()?.len(), Progress::start());
    let mut decoded = Decoded::new(BufReader::with_capacity(1 << 16, opened));
    let (mut open, mut found, mut streams) = (Vec::new(), None, 0u64);
    while let Some(commits) = decoded.next_stream()? {
        streams += 1;
        if streams.is_multiple_of(256) {
            progress.part(streams, "streams", decoded.bytes(), size);
        }
        let stream = commits.first().and_then(|commit| commit.stream.review());
        match (stream, id) {
            (Some(_), None) => {
                open.extend(row(&fold_by(commits.into_iter().map(Ok), time)?).filter(|row| is_open(row, time)));
            }
            // Read to its end all the same: an export that is not whole shows nothing.
            (Some(review), Some(id)) if review == id => found = Some(fold_by(commits.into_iter().map(Ok), time)?),
            _ => {}
        }
    }
    progress.end();
    match (id, found) {
        (None, _) => print_inbox(open, time, as_json)?,
        (Some(id), None) => bail!("there is no review {id} in {}", file.display()),
        (Some(id), Some(fold)) => return print_review(id, &fold, time, as_json),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_review(id: ReviewId, fold: &Fold, time: Timestamp, as_json: bool) -> anyhow::Result<ExitCode> {
    match gateway::api::document(fold)? {
        None => bail!("there was no review {id} yet at {time}"),
        Some(document) if as_json => terminal::json_line(&document)?,
        Some(document) => print!("{}", past(&document, time)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the reviews that were open, nearest expiry first.
pub(super) async fn inbox(
    ledger: &Arc<dyn Ledger>,
    time: Timestamp,
    keep_going: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let (mut open, mut unreadable): (Vec<ReviewRow>, u64) = (Vec::new(), 0);
    let mut position = Position::default();
    loop {
        let batch = ledger.scan(&position, PAGE).await?;
        for (review, begun) in beginnings(batch.commits) {
            let commits = whole(ledger.as_ref(), review, begun).await?;
            match fold_by(stored(&commits), time) {
                Ok(fold) => open.extend(row(&fold).filter(|row| is_open(row, time))),
                Err(error) => {
                    unreadable += 1;
                    eprintln!("error: {error}");
                    if !keep_going {
                        return Ok(ExitCode::from(UNREADABLE));
                    }
                }
            }
        }
        if !batch.more {
            break;
        }
        position = batch.position;
    }
    print_inbox(open, time, as_json)?;
    Ok(ExitCode::from(if unreadable > 0 { UNREADABLE } else { 0 }))
}

fn print_inbox(mut open: Vec<ReviewRow>, time: Timestamp, as_json: bool) -> anyhow::Result<()> {
    open.sort_by_key(|row| (row.expires_at, row.review_id));
    if as_json {
        return Ok(open.iter().try_for_each(terminal::json)?);
    } else if open.is_empty() {
        println!("nothing was open at {time}");
    } else {
        print!("{}", crate::client::past_inbox(&open, time));
    }
    Ok(())
}

/// Nobody could decide at or after the expiry, whether a timer had said so yet or not.
fn is_open(row: &ReviewRow, time: Timestamp) -> bool {
    row.status == Status::Open && row.expires_at.is_none_or(|expires_at| time < expires_at)
}

#[cfg(test)]
mod tests {
    use events::{NewCommit, StreamId, Version, digest::CommitHash, event::*, request::*};
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + seconds * 1_000).expect("a time")
    }

    /// A review that was asked for, and two comments, at these times.
    fn decided_at(times: [i64; 3]) -> Vec<StoredCommit> {
        let id = ReviewId::for_event("local", "as of", "1", 1);
        let person = |id: &str| id.parse().expect("a person");
        let (subject, evidence) = (json!({"id": 1}), json!([]));
        let subject_digest = events::digest::SubjectDigest::of_subject(&subject, &evidence);
        let request = ReviewRequested {
            v: V,
            origin: Origin { account: "local".into(), source: "as of".into(), event_id: "1".into() },
            request_key: None,
            title: "First".into(),
            summary: None,
            subject,
            evidence: Vec::new(),
            requester: None,
            reviewers: vec![Reviewer::Person(person("ana@example.com"))],
            policy: Policy { self_approval: SelfApproval::Allowed, ..Policy::default() },
            risk: Risk::Normal,
            expires_at: at(86_400),
            on_expiry: OnEnd::Fail,
            on_reject: OnEnd::Fail,
            subject_digest,
            content_digest: events::digest::ContentDigest::of(b"1"),
            content_recipe: events::request::ContentRecipe::Decided,
            action_digest: None,
            seen_digest: None,
            follows: None,
            resume: None,
        };
        let comment = |reason: &str| VoteCast {
            v: V,
            person: person("ana@example.com"),
            choice: Choice::Comment,
            reason: Some(reason.into()),
            channel: Channel::Web,
            entered_by: None,
            integration: None,
            matched_account: None,
            acted_as: None,
            subject_digest,
            seen: None,
            seen_digest: None,
        };
        let events = [request.into(), comment("one").into(), comment("two").into()];
        let mut previous = CommitHash::GENESIS;
        let commits = (1..).zip(times).zip(events).map(|((version, seconds), event)| {
            let (stream, version) = (StreamId::Review(id), Version(version));
            let commit = NewCommit { stream, version, previous, at: at(seconds), events: vec![event], sealed: None };
            let stored = commit.store().expect("storable");
            previous = stored.hash;
            stored
        });
        commits.collect()
    }

    #[test]
    fn a_clock_that_stepped_backwards_shows_no_stream_with_a_hole() {
        let commits = decided_at([10, 30, 20]);
        let version = |seconds| fold_by(stored(&commits), at(seconds)).expect("folds").version.0;
        assert_eq!([version(9), version(10), version(19)], [0, 1, 1]);
        // The third had been decided by then, if its clock is believed, and the second before it had not.
        assert_eq!([version(20), version(29)], [1, 1]);
        assert_eq!([version(30), version(31)], [3, 3], "both of them, in their order");
        let ordered = decided_at([10, 20, 30]);
        assert_eq!([20, 30].map(|seconds| fold_by(stored(&ordered), at(seconds)).expect("folds").version.0), [2, 3]);
    }
}
