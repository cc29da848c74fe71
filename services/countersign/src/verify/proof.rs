//! One review's commits, each with the proof that it is in the signed tree: a small file that anyone can
//! check with the public key alone. `docs/export-format.md` describes it.

use std::{io, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{ReviewId, StreamId, Version, digest::CommitHash};
use ledger::{Ledger, LedgerError};
use serde::{Deserialize, Serialize};
use transparency::{
    Checkpoint, CheckpointError, Entry, Hash, PublicKey,
    proof::{Subtrees, includes, inclusion_ranges},
};

use super::finding::{Finding, Kind};
use crate::{
    checkpoints::files::{Files, FilesError, Signed},
    log::format::Parts,
};

/// The version of the file's form that this build writes and reads.
const FORM: u32 = 1;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Proof {
    /// `FORM`.
    pub countersign_proof: u32,
    /// Which review.
    pub review: ReviewId,
    /// The signed root.
    pub checkpoint: String,
    /// The commits, in their order, from the first.
    pub commits: Vec<Proven>,
}

/// A commit and its proof.
#[derive(Debug, Serialize, Deserialize)]
pub struct Proven {
    /// Its stored bytes, which are JSON themselves.
    pub body: String,
    /// The index of its entry; absent when the root does not cover it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The hashes that lead from its leaf to the root, in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A proof that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// There is no such review.
    #[error("there is no review {0}")]
    NoReview(ReviewId),
    /// No root was signed yet.
    #[error("no checkpoint was signed yet: the service signs one a minute after it starts, and when it ends")]
    NoCheckpoint,
    /// The newest root covers no commit of the review yet.
    #[error("no root covers a commit of review {0} yet: prove it again in a minute")]
    NotCovered(ReviewId),
    /// The log and what was signed of it disagree.
    #[error("the entries do not have the root that was signed: run `countersign verify`")]
    Mismatch,
    /// A commit is no text.
    #[error("a commit of the review is damaged: run `countersign verify`")]
    Damaged,
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The checkpoints cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The checkpoints cannot be read.
    #[error("the entries cannot be read")]
    Io(#[from] io::Error),
}

impl Proof {
    /// Of a review, by the newest root. The entries are read twice: to find those of the review, and to
    /// hash what is around them.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub async fn of(review: ReviewId, ledger: &Arc<dyn Ledger>, files: &Files, signed: &Signed) -> Result<Proof, ProofError> {
        let Checkpoint { size, root } = signed.checkpoint;
        let commits = ledger.load(StreamId::Review(review), Version::NONE).await?;
        if commits.is_empty() {
            return Err(ProofError::NoReview(review));
        }
        let mut indexes = vec![None; commits.len()];
        for (index, entry) in (0..).zip(files.entries(0, size)?) {
            let entry = entry?;
            let at = commits
                .iter()
                .position(|commit| (commit.stream, commit.version, commit.hash) == (entry.stream, entry.version, entry.hash));
            if entry.stream.review() == Some(review)
                && let Some(place) = at.and_then(|at| indexes.get_mut(at))
            {
                *place = Some(index);
            }
        }
        let mut subtrees = Subtrees::default();
        let ranges = |index: Option<u64>| index.map(|index| inclusion_ranges(index, size)).unwrap_or_default();
        indexes.iter().flat_map(|index| ranges(*index)).for_each(|range| subtrees.want(&range));
        for (index, entry) in (0..).zip(files.entries(0, size)?) {
            subtrees.push(index, entry?.leaf());
        }
        let mut proven = Vec::with_capacity(commits.len());
        for (commit, index) in commits.iter().zip(indexes) {
            let path: Option<Vec<Hash>> = ranges(index).iter().map(|range| subtrees.root(range)).collect();
            let path = path.ok_or(ProofError::Mismatch)?;
            let leaf = Entry { stream: commit.stream, version: commit.version, hash: commit.hash }.leaf();
            if index.is_some_and(|index| !includes(root, size, index, leaf, &path)) {
                return Err(ProofError::Mismatch);
            }
            let body = String::from_utf8(commit.body.clone()).map_err(|_| ProofError::Damaged)?;
            proven.push(Proven { body, index, path: path.iter().map(|hash| BASE64.encode(hash.0)).collect() });
        }
        Ok(Proof { countersign_proof: FORM, review, checkpoint: signed.note.clone(), commits: proven })
    }

    /// Checks the file against the key: what is wrong with it, and how many commits are proven and not.
    pub fn check(&self, key: &PublicKey) -> (Vec<Finding>, usize, Vec<Version>) {
        let open = |commit: &Proven| commit.index.is_none();
        let open: Vec<Version> = (1..).zip(&self.commits).filter(|(_, commit)| open(commit)).map(|(at, _)| Version(at)).collect();
        let checkpoint = match Checkpoint::open(&self.checkpoint, key) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return (vec![unsigned(&error)], 0, open),
        };
        let (mut findings, mut proven) = (Vec::new(), 0);
        let (stream, mut before) = (StreamId::Review(self.review), (Version::NONE, CommitHash::GENESIS));
        if self.countersign_proof != FORM {
            let why = format!("the proof has form {}, and this build knows {FORM}", self.countersign_proof);
            findings.push(Finding::of_log(Kind::Unreadable, why));
        }
        for commit in &self.commits {
            let (version, hash) = (before.0.next(), CommitHash::of(commit.body.as_bytes()));
            let parts = match Parts::of(commit.body.as_bytes()) {
                Ok(parts) => parts,
                Err(error) => {
                    findings.push(Finding::at(Kind::Unreadable, stream, version, format_args!("cannot be read: {error}")));
                    break;
                }
            };
            if (parts.stream, parts.version) != (stream, version) {
                findings.push(Finding::at(Kind::Dropped, stream, version, "is not there: another commit stands in its place"));
                break;
            }
            if parts.previous != before.1 {
                findings.push(Finding::at(Kind::Forked, stream, version, "does not follow on from the commit before it"));
            }
            if let Some(index) = commit.index {
                let leaf = Entry { stream, version, hash }.leaf();
                let path: Option<Vec<Hash>> = commit.path.iter().map(|hash| decode(hash)).collect();
                match path.is_some_and(|path| includes(checkpoint.root, checkpoint.size, index, leaf, &path)) {
                    true => proven += 1,
                    false => findings.push(Finding::at(Kind::Altered, stream, version, "is not what was signed")),
                }
            }
            before = (version, hash);
        }
        if self.commits.is_empty() {
            findings.push(Finding::at(Kind::MissingReview, stream, Version(1), "is not in the proof"));
        } else if proven == 0 && findings.is_empty() {
            // Anybody can write commits that follow on from each other.
            let why = "and whatever follows it is not shown to be signed: the proof proves nothing";
            findings.push(Finding::at(Kind::NothingProven, stream, Version(1), why));
        }
        (findings, proven, open)
    }
}

fn unsigned(error: &CheckpointError) -> Finding {
    Finding::of_log(Kind::BadSignature, format!("the root of the proof is not one of this log: {error}"))
}

fn decode(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok().map(Hash)
}
