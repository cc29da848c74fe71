//! Every target over its corpus, and over variations of it: cut short, a byte changed, a part doubled.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "this is a test, helpers included")]

use std::{collections::BTreeSet, fs, panic, path::PathBuf};

use fuzz::{TARGETS, Target};

/// How many variations of a file are looked at.
const VARIATIONS: usize = 150;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folders: BTreeSet<String> = fs::read_dir(corpus())
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(folders, targets);
    for target in TARGETS {
        assert!(files(target).len() >= 3, "{} has fewer than three inputs", target.0);
    }
}

fn files((name, _): &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(corpus().join(name))
        .expect("a folder of the corpus")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), fs::read(path).expect("a file")))
        .collect();
    files.sort();
    files
}

/// A file and what it is turned into; the same in every run.
fn variations(file: &[u8]) -> Vec<Vec<u8>> {
    let step = (file.len() / VARIATIONS).max(1);
    let mut all = vec![file.to_vec()];
    for (count, place) in (0..file.len()).step_by(step).enumerate() {
        let mut changed = file.to_vec();
        match count % 4 {
            0 => changed.truncate(place),
            1 => changed[place] ^= 1 << (count % 8),
            2 => changed[place] = b"\"\\<[{0\n\0"[count % 8],
            _ => changed.extend_from_within(place..(place + 64).min(file.len())),
        }
        all.push(changed);
    }
    all
}

fn holds(name: &str) {
    let target = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    for (path, file) in files(target) {
        for input in variations(&file) {
            if panic::catch_unwind(|| (target.1)(&input)).is_err() {
                panic!("{name} does not hold for {} as {:?}", path.display(), String::from_utf8_lossy(&input));
            }
        }
    }
}

macro_rules! hold {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })+

        #[test]
        fn every_target_is_run_here() {
            assert_eq!([$(stringify!($name)),+].to_vec(), TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    };
}

hold! {
    bus_event,
    capability,
    checkpoint,
    export_line,
    markdown_card,
    markdown_mail,
    markdown_page,
    proof,
    request,
    session,
    slack_interaction,
    vote,
}

/// Else the targets would hold because nothing is ever taken.
#[test]
fn what_is_whole_in_the_corpus_is_taken() {
    let read = |path: &str| fs::read(corpus().join(path)).expect("a file");
    let json = |path: &str| serde_json::from_slice::<serde_json::Value>(&read(path)).expect("JSON");
    for file in ["whole.json", "least.json", "unicode.json"] {
        events::ReviewRequest::parse(&json(&format!("request/{file}"))).expect(file);
    }
    events::inbound::VoteSubmitted::parse(&json("vote/whole.json")).expect("a vote");
    let pressed = channels::slack::interaction::read(&read("slack_interaction/pressed.form")).expect("an interaction");
    assert!(matches!(pressed, channels::slack::interaction::Interaction::BlockActions(_)));
    for file in ["whole.jsonl", "body_and_handle.jsonl"] {
        let export = read(&format!("export_line/{file}"));
        let mut reader = countersign::log::read::Reader::new(&export[..]);
        while reader.next_stream().expect(file).is_some() {}
    }
}
