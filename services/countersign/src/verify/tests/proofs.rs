//! The proof of one review.

use std::sync::Arc;

use events::{StreamId, Version, digest::CommitHash};
use ledger::{Ledger, sqlite::SqliteStore};
use serde_json::{Value, json};

use super::log::{Log, commit, key};
use crate::verify::{finding::Kind, proof::Proof};

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_holds_for_every_review_and_no_tampering_with_it_does() {
    let log = Log::new(37).await;
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteStore::open_read_only(log.dir.path()).expect("a store"));
    let public = key().public().clone();
    for name in [0, 1, 18, 35, 36] {
        let review = log.streams[name][0].stream.review().expect("a review");
        let proof = Proof::of(review, &ledger, &log.files(), &log.newest).await.expect("proved");
        assert_eq!(proof.check(&public), (vec![], 4, vec![]));
        // By the root of half the log, the later half is not covered.
        let earlier = Proof::of(review, &ledger, &log.files(), &log.held).await.expect("proved");
        let (findings, proven, open) = earlier.check(&public);
        if name < 18 {
            assert_eq!((findings, proven, open), (vec![], 4, vec![]), "{name}");
        } else {
            assert_eq!((findings[0].kind, proven, open), (Kind::NothingProven, 0, (1..=4).map(Version).collect()), "{name}");
        }

        let honest = serde_json::to_value(&proof).expect("JSON");
        let check = |tamper: &dyn Fn(&mut Value)| {
            let mut json = honest.clone();
            tamper(&mut json);
            let proof: Proof = serde_json::from_value(json).expect("a proof");
            let (findings, ..) = proof.check(&public);
            findings.first().map(|finding| (finding.kind, finding.version.map_or(0, |version| version.0)))
        };
        for at in 0..4 {
            let version = at as u64 + 1;
            let body = |json: &mut Value| {
                let body = json["commits"][at]["body"].as_str().expect("a body").replacen(" ü ", " u ", 1);
                json["commits"][at]["body"] = json!(body);
            };
            assert_eq!(check(&body), Some((Kind::Altered, version)));
            assert_eq!(check(&|json| json["commits"][at]["index"] = json!(5_000)), Some((Kind::Altered, version)));
            assert_eq!(check(&|json| json["commits"][at]["path"][0] = json!("AAAA")), Some((Kind::Altered, version)));
            let drop = |json: &mut Value| drop(json["commits"].as_array_mut().expect("commits").remove(at));
            let expected = if at == 3 { None } else { Some((Kind::Dropped, version)) };
            assert_eq!(check(&drop), expected, "a proof shows what there was, and not that nothing followed");
        }
        let note = |from: &'static str, to: &'static str| {
            move |json: &mut Value| json["checkpoint"] = json!(json["checkpoint"].as_str().expect("a note").replacen(from, to, 1))
        };
        assert_eq!(check(&note("\n148\n", "\n149\n")), Some((Kind::BadSignature, 0)));
        assert_eq!(check(&|json| json["commits"] = json!([])), Some((Kind::MissingReview, 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_whose_commits_were_forged_and_stripped_of_their_places_proves_nothing() {
    let log = Log::new(10).await;
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteStore::open_read_only(log.dir.path()).expect("a store"));
    let review = log.streams[3][0].stream.review().expect("a review");
    let honest = Proof::of(review, &ledger, &log.files(), &log.newest).await.expect("proved");
    let public = key().public().clone();
    // From which version on it is forged: bodies that say something else, chained anew, and no places in the tree.
    let forged = |from: usize| {
        let mut json = serde_json::to_value(&honest).expect("JSON");
        let mut previous = CommitHash::GENESIS;
        for at in 0..4 {
            if at + 1 >= from {
                let lie = [json!({"type": "VoteCast", "v": 1, "vote": "approve"})];
                let forged = commit(StreamId::Review(review), at as u64 + 1, previous, &lie);
                json["commits"][at] = json!({"body": String::from_utf8(forged.body).expect("text")});
            }
            previous = CommitHash::of(json["commits"][at]["body"].as_str().expect("a body").as_bytes());
        }
        serde_json::from_value::<Proof>(json).expect("a proof").check(&public)
    };
    let (findings, proven, open) = forged(1);
    assert_eq!((findings.len(), findings[0].kind, findings[0].version), (1, Kind::NothingProven, Some(Version(1))));
    assert_eq!((proven, open), (0, (1..=4).map(Version).collect::<Vec<_>>()));
    // What follows on a commit that is proven may be newer than the root: it is said not to be covered.
    let (findings, proven, open) = forged(3);
    assert_eq!((findings, proven, open), (vec![], 2, vec![Version(3), Version(4)]));
}
