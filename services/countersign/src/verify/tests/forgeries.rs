//! Invariant 15: what no signed root covers is never whole. Each forgery is one that anybody can make who has a genuine
//! export or proof and no key: every hash is made anew, and so is the last line.

use std::{fs, sync::Arc};

use events::{StoredCommit, StreamId, Version, digest::CommitHash};
use ledger::{Ledger, sqlite::SqliteStore};
use serde_json::{Value, json};
use transparency::PublicKey;

use super::log::{Log, check_file, commit, key, repair, stream};
use crate::{
    checkpoints::files::Signed,
    log::write::Tree,
    verify::{
        proof::Proof,
        report::{Key, KeyFrom, Report, Verdict},
        sources,
    },
};

/// What `verify --file` comes to.
fn report(lines: &[String], key: &PublicKey, held: Option<&Signed>) -> Report {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), lines.join("\n") + "\n").expect("written");
    let audit = check_file(file.path(), key, held, true);
    let key = Key { key: key.clone(), from: KeyFrom::Given };
    Report::of(audit, Some(key), sources::selected(file.path()).expect("read"))
}

/// That somebody approved.
fn approval(stream: StreamId, version: u64, previous: CommitHash) -> StoredCommit {
    let decided = json!({"type": "ReviewDecided", "v": 1, "outcome": "approved"});
    commit(stream, version, previous, &[json!({"type": "VoteCast", "v": 1, "vote": "approve"}), decided])
}

/// One more commit at the end of a stream.
fn approve(commits: &mut Vec<StoredCommit>) -> String {
    let last = commits.last().expect("a stream").clone();
    let forged = approval(last.stream, last.version.0 + 1, last.hash);
    let name = crate::log::format::name(&forged);
    commits.push(forged);
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_15_commits_behind_what_is_covered_are_named_and_not_whole() {
    let log = Log::new(12).await;
    let public = key().public().clone();
    assert_eq!(report(&log.export(&log.streams).await, &public, Some(&log.held)).verdict, Verdict::Whole);

    // At the end of a covered stream; a stream of its own; who is who.
    let mut approved = log.streams.clone();
    let at_the_end = approve(&mut approved[5]);
    let mut invented = log.streams.clone();
    invented.push(stream("invented", 3));
    let mut directory = log.streams.clone();
    let forged = [json!({"type": "PersonSaved", "v": 1, "person": "ana@example.com", "aliases": ["mallory@example.com"]})];
    directory.push(vec![commit(StreamId::Directory, 1, CommitHash::GENESIS, &forged)]);
    let of_invented = crate::log::format::name(&invented[12][0]);
    for (streams, uncovered, name) in
        [(approved, 1, at_the_end), (invented, 3, of_invented), (directory, 1, "the directory version 1".to_owned())]
    {
        let lines = log.export(&streams).await;
        for held in [None, Some(&log.held), Some(&log.newest)] {
            let report = report(&lines, &public, held);
            assert_eq!((report.verdict, report.whole), (Verdict::Uncovered, false), "{name}");
            assert_eq!((report.checked.uncovered, report.not_covered.first()), (uncovered, Some(&name)));
            let said = report.lines("this export", false).join("\n");
            assert!(said.starts_with(&format!("NOT covered: {uncovered} of ")) && said.contains(&name), "{said}");
            let allowed = report.lines("this export", true).join("\n");
            assert!(allowed.contains(&format!("{uncovered} commits are vouched for by nobody")), "{allowed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_15_an_export_that_was_rewritten_is_not_whole_whatever_it_says_of_itself() {
    let log = Log::new(6).await;
    let public = key().public().clone();
    let mut streams = log.streams.clone();
    for commits in &mut streams {
        let id = commits[0].stream;
        commits.truncate(1);
        commits[0] = commit(id, 1, CommitHash::GENESIS, &[json!({"type": "ReviewRequested", "v": 1, "title": "forged"})]);
        approve(commits);
    }
    let marked = |lines: &mut Vec<String>, selected: Option<Value>| {
        let mut end: Value = serde_json::from_str(&lines.pop().expect("a last line")).expect("JSON");
        if let Some(selected) = selected {
            end["data"]["selected"] = selected;
        }
        lines.push(end.to_string());
        repair(lines);
    };
    for (selected, expected) in [
        (None, Verdict::Unsigned),
        (Some(json!({})), Verdict::Unsigned),
        (Some(json!({"requester": "rita@example.com"})), Verdict::Part),
        (Some(json!({"unknown": true})), Verdict::Part),
    ] {
        let mut lines = log.export_signed(&streams, None).await;
        marked(&mut lines, selected.clone());
        let unsigned = report(&lines, &public, None);
        assert_eq!((unsigned.verdict, unsigned.whole, unsigned.found), (expected, false, 0), "{selected:?}");
        let said = unsigned.lines("this export", false).join("\n");
        assert!(said.starts_with("NOT covered: ") && said.contains("anybody can make anew"), "{said}");
        // Whoever holds a root sees that it is another log.
        assert_eq!(report(&lines, &public, Some(&log.held)).verdict, Verdict::Tampered);
        // With what was signed it is another log for everybody.
        let mut lines = log.export(&streams).await;
        marked(&mut lines, selected);
        assert_eq!(report(&lines, &public, None).verdict, Verdict::Tampered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_15_roots_that_do_not_sign_all_that_is_listed_make_nothing_whole() {
    let log = Log::new(6).await;
    let public = key().public().clone();
    let other = transparency::SigningKey::new(&[8; 32]).expect("a key");
    // A root of another key, over the very same tree.
    let note = log.newest.checkpoint.sign(&other);
    let tree = |signed: Signed| Tree { files: log.files(), signed, key: public.clone() };
    let foreign = tree(Signed { note, ..log.newest.clone() });
    assert_eq!(report(&log.export_signed(&log.streams, Some(&foreign)).await, &public, None).verdict, Verdict::Tampered);
    // A genuine root of half the tree, beside all its entries, before them or behind them.
    let lines = log.export(&log.streams).await;
    let at = lines.iter().position(|line| line.contains("CheckpointSigned")).expect("a root");
    let quoted = |note: &str| serde_json::to_string(note).expect("JSON");
    let smaller = lines[at].replace(&quoted(&log.newest.note), &quoted(&log.held.note));
    assert_ne!(smaller, lines[at]);
    for before in [false, true] {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.insert(if before { at - 1 } else { at }, smaller.clone());
        repair(&mut lines);
        assert_eq!(report(&lines, &public, None).verdict, Verdict::Tampered, "before {before}");
    }
    // The same with the entries of half: the other half is not covered.
    let half = tree(log.held.clone());
    let report = report(&log.export_signed(&log.streams, Some(&half)).await, &public, Some(&log.held));
    assert_eq!((report.verdict, report.checked.covered, report.checked.uncovered), (Verdict::Uncovered, 12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_15_a_log_of_no_commits_is_whole_only_when_a_root_says_so() {
    let log = Log::signed(&[]).await;
    let public = key().public().clone();
    let signed = report(&log.export(&[]).await, &public, None);
    assert_eq!((signed.verdict, signed.checkpoint), (Verdict::Whole, Some(0)));
    let emptied = report(&log.export_signed(&[], None).await, &public, None);
    assert_eq!((emptied.verdict, emptied.whole), (Verdict::Unsigned, false));
    assert!(emptied.lines("this export", false)[0].contains("all may have been taken away"));
    let full = Log::new(2).await;
    assert_eq!(report(&log.export(&[]).await, &public, Some(&full.held)).verdict, Verdict::Tampered);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_15_a_proof_with_anything_that_no_root_covers_is_not_whole() {
    let log = Log::new(9).await;
    let public = key().public().clone();
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteStore::open_read_only(log.dir.path()).expect("a store"));
    let review = log.streams[3][0].stream.review().expect("a review");
    let honest = Proof::of(review, &ledger, &log.files(), &log.newest).await.expect("proved");
    let verdict = |proof: &Proof| {
        let (findings, _, open) = proof.check(&public);
        let signed = transparency::Checkpoint::open(&proof.checkpoint, &public).ok();
        let key = Key { key: public.clone(), from: KeyFrom::Given };
        let report = Report::of_proof(review.into(), proof.commits.len() as u64, &open, signed, key, findings);
        (report.verdict, report.lines("this proof", false).join("\n"))
    };
    assert_eq!(verdict(&honest).0, Verdict::Whole);
    let last = log.streams[3].last().expect("a commit");
    let forged = approval(last.stream, 5, last.hash);
    let mut json = serde_json::to_value(&honest).expect("JSON");
    let commits = json["commits"].as_array_mut().expect("commits");
    commits.push(json!({"body": String::from_utf8(forged.body.clone()).expect("text")}));
    let (came_to, said) = verdict(&serde_json::from_value(json.clone()).expect("a proof"));
    assert_eq!(came_to, Verdict::Uncovered);
    assert!(said.starts_with("NOT covered: 1 of 5 commits") && said.contains("version 5"), "{said}");
    // Lent the place of a commit that is covered, it is not what was signed there.
    let place = json["commits"][3].clone();
    json["commits"][4]["index"] = place["index"].clone();
    json["commits"][4]["path"] = place["path"].clone();
    assert_eq!(verdict(&serde_json::from_value(json).expect("a proof")).0, Verdict::Tampered);
    assert_eq!(forged.version, Version(5));
}
