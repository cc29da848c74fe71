//! The proof of one review, a file that strangers check with the public key of a log.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use countersign::verify::proof::{Proof, Proven};
use events::{
    ReviewId, StreamId, Timestamp, Version,
    digest::{CommitHash, canonical},
};
use serde_json::json;
use transparency::{
    Checkpoint, Entry, Frontier, SigningKey,
    proof::{Subtrees, inclusion_ranges},
};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::new(&[7; 32]).expect("a key"));
/// The only proof that the log of this key can give: of a review of three commits in a log of five.
static HONEST: LazyLock<Proof> = LazyLock::new(honest);

/// A proof in which nothing is found shows nothing but commits that are in the signed log, each in its place.
pub(crate) fn check(data: &[u8]) {
    if data == b"honest" {
        let (findings, proven, open) = HONEST.check(KEY.public());
        assert!(findings.is_empty() && proven == 3 && open.is_empty(), "{findings:?}");
    }
    let Ok(proof) = serde_json::from_slice::<Proof>(data) else { return };
    let (findings, proven, open) = proof.check(KEY.public());
    assert!(proven + open.len() <= proof.commits.len());
    if !findings.is_empty() {
        return;
    }
    assert!(proven > 0, "a proof that proves nothing is a finding");
    assert_eq!((proof.review, &proof.checkpoint), (HONEST.review, &HONEST.checkpoint));
    for (commit, honest) in proof.commits.iter().zip(&HONEST.commits) {
        assert!(commit.index.is_none() || commit.body == honest.body, "it was never signed: {}", commit.body);
    }
    let last = proof.commits.iter().rposition(|commit| commit.index.is_some()).expect("one is proven");
    assert!(last < HONEST.commits.len(), "more is proven than there is");
}

fn honest() -> Proof {
    let review = ReviewId::for_event("1", "fuzz", "e", 1);
    let stream = StreamId::Review(review);
    let mut previous = CommitHash::GENESIS;
    let bodies: Vec<Vec<u8>> = (1..=3)
        .map(|version| {
            let at = Timestamp::from_millis(1_795_000_000_000).expect("a time");
            let events = [json!({"type": "VoteRefused", "v": 1, "n": version})];
            let body = json!({"at": at, "events": events, "previous": previous, "stream": stream, "version": version});
            let body = canonical(&body).expect("canonical bytes");
            previous = CommitHash::of(&body);
            body
        })
        .collect();
    let mut entries: Vec<Entry> = (1..)
        .zip(&bodies)
        .map(|(version, body)| Entry { stream, version: Version(version), hash: CommitHash::of(body) })
        .collect();
    let other = |version| Entry { stream: StreamId::Directory, version: Version(version), hash: [9; 32].into() };
    entries.insert(0, other(1));
    entries.push(other(2));

    let (mut tree, size) = (Frontier::default(), entries.len() as u64);
    entries.iter().for_each(|entry| tree.push(entry.leaf()));
    let path = |index: u64| {
        let (ranges, mut subtrees) = (inclusion_ranges(index, size), Subtrees::default());
        ranges.iter().for_each(|range| subtrees.want(range));
        (0..).zip(&entries).for_each(|(index, entry)| subtrees.push(index, entry.leaf()));
        ranges.iter().map(|range| BASE64.encode(subtrees.root(range).expect("a root").0)).collect()
    };
    let commits = (1..).zip(&bodies).map(|(index, body)| Proven {
        body: String::from_utf8(body.clone()).expect("text"),
        index: Some(index),
        path: path(index),
    });
    let checkpoint = Checkpoint { size, root: tree.root() }.sign(&KEY);
    Proof { countersign_proof: 1, review, checkpoint, commits: commits.collect() }
}
