//! The reviews that begin in a batch of the log, each whole.

use std::collections::HashMap;

use events::{CommitError, ReviewId, StoredCommit, StreamId, Version};
use ledger::{Ledger, LedgerError};
use review::{Fold, FoldError};

/// A review and the commits of it that were read together with its first.
pub type Stream = (ReviewId, Vec<StoredCommit>);

/// The reviews whose first commit is in a batch. Every stream has exactly one first commit, so each is
/// given once in a scan; most are short and young when they end, so most are whole already.
pub fn beginnings(batch: Vec<StoredCommit>) -> Vec<Stream> {
    let mut places: HashMap<StreamId, usize> = HashMap::new();
    let mut streams: Vec<Stream> = Vec::new();
    for commit in batch {
        let Some(review) = commit.stream.review() else { continue };
        if commit.version == Version(1) {
            places.insert(commit.stream, streams.len());
            streams.push((review, vec![commit]));
        } else if let Some((_, begun)) = places.get(&commit.stream).and_then(|place| streams.get_mut(*place)) {
            begun.push(commit);
        }
    }
    streams
}

/// The whole stream, of which `begun` is the beginning or nothing.
///
/// # Errors
/// When the log fails or has a gap.
pub async fn whole(
    ledger: &dyn Ledger,
    review: ReviewId,
    mut begun: Vec<StoredCommit>,
) -> Result<Vec<StoredCommit>, LedgerError> {
    let last = begun.last().map_or(Version::NONE, |commit| commit.version);
    begun.extend(ledger.load(review.into(), last).await?);
    Ok(begun)
}

/// Folds stored commits.
///
/// # Errors
/// When one cannot be read, was written by a newer build, or cannot stand where it stands; names stream and version.
pub fn fold(commits: &[StoredCommit]) -> Result<Fold, FoldError> {
    let mut fold = Fold::default();
    for stored in commits {
        fold.apply(&stored.decode_understood().map_err(|error: CommitError| FoldError::from(error))?)?;
    }
    Ok(fold)
}
