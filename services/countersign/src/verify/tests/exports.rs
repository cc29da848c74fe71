//! Exports that were tampered with. Whoever did it has repaired the last line, and all hashes where that
//! is said.

use events::{StoredCommit, StreamId, Version, digest::CommitHash};
use serde_json::{Value, json};
use transparency::PublicKey;

use super::log::{COMMITS, Log, Outcome, check, commit, events, key, repair, stream};
use crate::verify::finding::Kind;

/// The issue asks for a log of so many.
const REVIEWS: usize = 1_000;

/// How many places there are beside those, chosen by a seed.
const ANYWHERE: usize = 20;
/// Of so many ways one is tried at a place that was chosen by a seed.
const SOME: usize = 5;

/// Anywhere in the log.
fn anywhere(seed: u64) -> Vec<(usize, u64)> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| (random.usize(..REVIEWS), random.u64(1..=COMMITS))).take(ANYWHERE).collect()
}

/// Where in the log, and where in the stream: first, middle and last of each.
fn places() -> impl Iterator<Item = (usize, u64)> {
    [0, REVIEWS / 2, REVIEWS - 1].into_iter().flat_map(|stream| [1, 2, 4].map(|version| (stream, version)))
}

/// The lines of one commit.
fn lines_of(lines: &[String], stream: StreamId, version: u64) -> std::ops::Range<usize> {
    let place = format!("\"subject\":\"{stream}\"");
    let number = format!("\"streamversion\":{version},");
    let has = |line: &String| line.contains(&place) && line.contains(&number);
    let first = lines.iter().position(has).expect("the commit is there");
    first..first + lines[first..].iter().take_while(|line| has(line)).count()
}

/// What is done to the lines at a place, and what is to be found: kind and version.
type Crude = (&'static str, fn(&mut Vec<String>, StreamId, u64) -> (Kind, u64));

const CRUDE: &[Crude] = &[
    ("an event was altered", |lines, stream, version| {
        let at = lines_of(lines, stream, version).start;
        lines[at] = lines[at].replace(" ü ", " u ");
        (Kind::Altered, version)
    }),
    ("the time was altered", |lines, stream, version| {
        for at in lines_of(lines, stream, version) {
            lines[at] = lines[at].replacen("\"time\":\"20", "\"time\":\"19", 1);
        }
        (Kind::Altered, version)
    }),
    ("the type beside an event was altered", |lines, stream, version| {
        let at = lines_of(lines, stream, version).start;
        lines[at] = lines[at].replacen("\"type\":\"VoteRefused\"", "\"type\":\"VoteCast\"", 1);
        (Kind::Altered, version)
    }),
    ("the hash was altered", |lines, stream, version| {
        for at in lines_of(lines, stream, version) {
            let from = lines[at].find("\"commithash\":\"").expect("a hash") + 14;
            lines[at].replace_range(from..from + 8, "00000000");
        }
        (Kind::Altered, version)
    }),
    ("a commit was dropped", |lines, stream, version| {
        lines.drain(lines_of(lines, stream, version));
        (if version == 4 { Kind::Truncated } else { Kind::Dropped }, version)
    }),
    ("one event of two was dropped", |lines, stream, _| {
        let range = lines_of(lines, stream, 2);
        lines.remove(range.start);
        (Kind::Dropped, 2)
    }),
    ("a commit was inserted a second time", |lines, stream, version| {
        let range = lines_of(lines, stream, version);
        let copy = lines[range.clone()].to_vec();
        lines.splice(range.end..range.end, copy);
        (Kind::Inserted, version)
    }),
    ("a commit was inserted a second time elsewhere", |lines, stream, version| {
        let copy = lines[lines_of(lines, stream, version)].to_vec();
        let at = if lines[0].contains(&stream.to_string()) { lines_of(lines, stream, 4).end + 5 } else { 0 };
        lines.splice(at..at, copy);
        (Kind::Inserted, version)
    }),
    ("two commits were exchanged", |lines, stream, version| {
        let version = version.min(3);
        let (one, two) = (lines_of(lines, stream, version), lines_of(lines, stream, version + 1));
        let moved: Vec<String> = lines.drain(two).collect();
        lines.splice(one.start..one.start, moved);
        (Kind::Reordered, version)
    }),
    ("two events were exchanged", |lines, stream, _| {
        let range = lines_of(lines, stream, 2);
        lines.swap(range.start, range.start + 1);
        (Kind::Reordered, 2)
    }),
    ("the end of a stream was torn off and put elsewhere", |lines, stream, version| {
        let version = version.max(2);
        let moved: Vec<String> = lines.drain(lines_of(lines, stream, version).start..lines_of(lines, stream, 4).end).collect();
        // Between two other streams.
        let begins = |line: &String| line.contains("\"streamversion\":1,") && !line.contains(&stream.to_string());
        let first = lines[0].contains(&stream.to_string());
        let at = if first { lines.iter().rposition(begins) } else { lines.iter().position(begins) }.expect("a stream");
        lines.splice(at..at, moved);
        (Kind::Reordered, version)
    }),
    ("the end of a stream was cut off", |lines, stream, version| {
        let version = version.max(2);
        lines.drain(lines_of(lines, stream, version).start..lines_of(lines, stream, 4).end);
        (Kind::Truncated, version)
    }),
    ("a review was taken away", |lines, stream, _| {
        lines.drain(lines_of(lines, stream, 1).start..lines_of(lines, stream, 4).end);
        (Kind::MissingReview, 1)
    }),
    ("an event cannot be decoded", |lines, stream, version| {
        let at = lines_of(lines, stream, version).start;
        lines[at] = lines[at].replacen("\"data\":{", "\"data\":{{", 1);
        (Kind::Unreadable, version)
    }),
];

/// The stream after a forger had it who can hash: from `version` on it is another.
fn forged(name: usize, version: u64, events_of: impl Fn(u64) -> Vec<Value>, last: u64) -> Vec<StoredCommit> {
    let mut commits = stream(&name.to_string(), 4);
    commits.truncate(usize::try_from(version - 1).expect("small"));
    let id = stream(&name.to_string(), 1)[0].stream;
    for version in version..=last {
        let previous = commits.last().map_or(CommitHash::GENESIS, |commit| commit.hash);
        commits.push(commit(id, version, previous, &events_of(version)));
    }
    commits
}

fn expect(outcome: &Outcome, what: &str, kind: Kind, stream: StreamId, version: u64) {
    assert_eq!(outcome.first(), (kind, Some(stream), Some(Version(version))), "{what}: {:?}", outcome.findings);
}

/// Tampers at one place in these crude ways; how many.
fn tampered<'a>(
    log: &Log,
    key: &PublicKey,
    honest: &[String],
    (name, version): (usize, u64),
    ways: impl Iterator<Item = &'a Crude>,
) -> usize {
    let id = log.streams[name][0].stream;
    let try_one = |(what, tamper): &Crude| {
        let mut lines = honest.to_vec();
        let (kind, at) = tamper(&mut lines, id, version);
        repair(&mut lines);
        expect(&check(&lines, key, Some(&log.held), false), what, kind, id, at);
    };
    ways.map(try_one).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_tampering_at_every_place_is_found_and_rightly_named_and_nothing_in_an_honest_log() {
    let log = Log::new(REVIEWS).await;
    let (key, held) = (key().public().clone(), Some(&log.held));
    let honest = log.export(&log.streams).await;
    let outcome = check(&honest, &key, held, true);
    assert_eq!(outcome.findings, []);
    let counts = outcome.counts;
    assert_eq!((counts.streams, counts.commits, counts.covered, counts.uncovered), (1_000, 4_000, 4_000, 0));
    assert_eq!((counts.events, counts.roots), (5_000, 2));

    // The same places again: COUNTERSIGN_SEED=…
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let anywhere = anywhere(seed);
    println!("seed {seed}: {anywhere:?}");
    // A thread a place: a check of the whole log takes a while in a build for tests.
    let (log, key, honest) = (&log, &key, &honest);
    let crude = std::thread::scope(|scope| {
        let all = places().map(|place| scope.spawn(move || tampered(log, key, honest, place, CRUDE.iter())));
        // Some of the ways at each place, so that each way is tried at some.
        let some = (0..).zip(&anywhere).map(|(number, place)| {
            scope.spawn(move || tampered(log, key, honest, *place, CRUDE.iter().skip(number % SOME).step_by(SOME)))
        });
        let all: Vec<_> = all.chain(some).collect();
        all.into_iter().map(|place| place.join().expect("found")).sum::<usize>()
    });
    let mut found = crude;
    for (name, version) in places().chain(anywhere.into_iter().step_by(SOME)) {
        let id = log.streams[name][0].stream;
        let replaced = |with: Vec<StoredCommit>| {
            let mut streams = log.streams.clone();
            streams[name] = with;
            streams
        };
        let lie = |_| vec![json!({"type": "VoteCast", "v": 1, "vote": "approve"})];
        let altered = replaced(forged(name, version, lie, 4));
        expect(&check(&log.export(&altered).await, key, held, false), "a fork with all its hashes", Kind::Forked, id, version);
        // An event put in between, with all that follow moved up: from there on history is another.
        let between = |at| if at == version { lie(at) } else { events(&name.to_string(), at - 1) };
        let inserted = replaced(forged(name, version, between, 5));
        let what = "an event in between with all its hashes";
        expect(&check(&log.export(&inserted).await, key, held, false), what, Kind::Forked, id, version);
        found += 2;
    }
    println!("{found} logs tampered with, {found} found and rightly named; 1 honest log, nothing found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_cannot_be_altered_either() {
    let log = Log::new(20).await;
    let (key, held) = (key().public().clone(), Some(&log.held));
    let honest = log.export(&log.streams).await;
    let signed = honest.iter().position(|line| line.contains("CheckpointSigned")).expect("a root");
    let listed = honest.iter().position(|line| line.contains("EntriesListed")).expect("entries");
    let hash = log.streams[7][1].hash.to_string();
    let tampered = |from: &str, to: &str, at: usize| {
        let mut lines = honest.clone();
        assert!(lines[at].contains(from), "{}", lines[at]);
        lines[at] = lines[at].replacen(from, to, 1);
        repair(&mut lines);
        check(&lines, &key, None, false).first().0
    };
    assert_eq!(tampered(&hash, &hash.replacen(&hash[..4], "0000", 1), listed), Kind::RootMismatch);
    assert_eq!(tampered("\\n80\\n", "\\n79\\n", signed), Kind::BadSignature);
    assert_eq!(tampered("countersign/", "countersign.", signed), Kind::BadSignature);
    let mut lines = honest.clone();
    lines.remove(signed);
    repair(&mut lines);
    assert_eq!(check(&lines, &key, None, false).first().0, Kind::RootMismatch, "entries that no root signs");
    let mut lines = honest.clone();
    lines.drain(listed..=signed);
    repair(&mut lines);
    assert_eq!(check(&lines, &key, held, false).first().0, Kind::Inconsistent, "the held root covers more than nothing");
    let unsigned = check(&lines, &key, None, false);
    assert_eq!(
        (unsigned.findings.len(), unsigned.counts.uncovered),
        (0, 80),
        "without a root nothing is covered, and that is said"
    );
    let other = transparency::SigningKey::new(&[8; 32]).expect("a key");
    assert_eq!(check(&honest, other.public(), None, false).first().0, Kind::BadSignature);
    let mut lines = honest.clone();
    lines.pop();
    assert_eq!(check(&lines, &key, held, false).first().0, Kind::Incomplete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rewritten_and_signed_anew_is_not_consistent_with_the_root_that_is_held() {
    let streams: Vec<_> = (0..20).map(|name| stream(&name.to_string(), COMMITS)).collect();
    let log = Log::in_order(&streams).await;
    let lie = |_| vec![json!({"type": "VoteCast", "v": 1, "vote": "approve"})];
    // What is held covers the first half of the streams: its first and last, and one between, at every version.
    let places = [0, 3, 9].into_iter().flat_map(|name| (1..=COMMITS).map(move |version| (name, version)));
    let mut logs: Vec<(String, Vec<Vec<StoredCommit>>)> = places
        .map(|(name, version)| {
            let mut streams = log.streams.clone();
            streams[name] = forged(name, version, lie, COMMITS);
            (format!("rewritten from version {version} of stream {name}"), streams)
        })
        .collect();
    logs.push(("cut back".into(), log.streams[..4].to_vec()));
    let held = log.held.checkpoint.size;
    assert_eq!(held, 10 * COMMITS);
    for (what, streams) in logs {
        let other = Log::in_order(&streams).await;
        let lines = other.export(&streams).await;
        let (key, held) = (key().public().clone(), Some(&log.held));
        assert_eq!(check(&lines, &key, None, true).findings, [], "{what}: whole in itself");
        assert_eq!(check(&lines, &key, held, true).first(), (Kind::Inconsistent, None, None), "{what}");
    }
    // What was written since is not covered by what is held, and only the log's own root tells of it.
    let mut streams = log.streams.clone();
    streams[10] = forged(10, 1, lie, COMMITS);
    let other = Log::in_order(&streams).await;
    assert_eq!(check(&other.export(&streams).await, key().public(), Some(&log.held), true).findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_streams_says_nothing_and_what_came_after_the_root_is_not_yet_covered() {
    let log = Log::new(20).await;
    let mut streams = log.streams.clone();
    streams.reverse();
    streams.push(stream("new", 3));
    streams[0] = forged(19, 5, |at| events("19", at), 6);
    let outcome = check(&log.export(&streams).await, key().public(), Some(&log.held), true);
    assert_eq!(outcome.findings, []);
    assert_eq!((outcome.counts.covered, outcome.counts.uncovered), (80, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_going_reports_every_fault_and_without_it_the_first_is_the_last() {
    let log = Log::new(20).await;
    let mut lines = log.export(&log.streams).await;
    let mut expected = Vec::new();
    for (name, (_, tamper)) in CRUDE.iter().enumerate() {
        let id = log.streams[name][0].stream;
        let (kind, at) = tamper(&mut lines, id, 3);
        expected.push((kind, Some(id), Some(Version(at))));
    }
    repair(&mut lines);
    let all = check(&lines, key().public(), None, true).findings;
    for one in &expected {
        assert!(all.iter().any(|found| (found.kind, found.stream, found.version) == *one), "{one:?} is not in {all:#?}");
    }
    assert_eq!(check(&lines, key().public(), None, false).findings.len(), 1);
}
