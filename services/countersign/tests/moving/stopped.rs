//! Commands that are killed half-way, and given again.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use events::{
    NewCommit, StreamId, Timestamp, Version,
    digest::CommitHash,
    event::{PersonRegistered, ReviewExpired, V},
};
use rusqlite::{Connection, OpenFlags};

use crate::{
    places::{Ground, append, commits, import, lines, made_log, made_streams, refused, run, sign, succeeded, text},
    support::process::countersign,
};

const REVIEWS: usize = 3_000;
/// How often an import is killed.
const KILLS: usize = 3;

/// Runs a command and kills it after a while (SIGKILL); whether it was done before.
fn killed_after(arguments: &[&str], pause: Duration) -> bool {
    let mut command = countersign();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(pause);
    child.kill().expect("killed, or gone");
    child.wait().expect("gone").success()
}

/// Runs a command and kills it (SIGKILL) once something is so, or waits for its end.
fn killed_once(arguments: &[&str], is_so: impl Fn() -> bool) {
    let mut command = countersign();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let until = Instant::now() + Duration::from_secs(120);
    while child.try_wait().expect("a status").is_none() && !is_so() {
        assert!(Instant::now() < until, "it does nothing");
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    child.wait().expect("gone");
}

/// How many commits a log has, while another process writes it.
fn count(data: &Path) -> usize {
    let log = Connection::open_with_flags(data.join("countersign.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    log.and_then(|log| log.query_row("SELECT count(*) FROM commits", [], |row| row.get(0))).unwrap_or(0)
}

/// Exports until one was killed after it had noted how far it was.
fn interrupted(file: &Path, data: &Path, options: &[&str]) {
    let export = [&["export", "--out", text(file), "--data", text(data)][..], options].concat();
    let notes = file.with_extension("jsonl.part.json");
    let mut pause = Duration::from_millis(10);
    while !notes.exists() {
        pause = pause.mul_f32(1.2);
        assert!(pause < Duration::from_secs(60), "it is never stopped on its way");
        if killed_after(&export, pause) {
            fs::remove_file(file).expect("it was done");
            pause = Duration::from_millis(10);
        }
    }
    assert!(!file.exists());
}

#[test]
fn an_import_that_is_killed_leaves_whole_beginnings_of_streams_and_the_next_one_goes_on() {
    let ground = Ground::new();
    let (old, new) = (ground.path("old"), ground.path("new"));
    made_log(&old, REVIEWS);
    let file = ground.export(&old, "log.jsonl");
    let all = commits(&old);
    assert_eq!(all.len(), REVIEWS * 3);
    let (mut partly, mut before) = (0, 0);
    for _ in 0..KILLS {
        killed_once(&["import", text(&file), "--data", text(&new), "--allow-uncovered"], || count(&new) > before);
        let there = commits(&new);
        assert!(there.len() >= before, "nothing that was there is lost");
        for ((stream, version), commit) in &there {
            assert_eq!(all.get(&(*stream, *version)), Some(commit));
            let last = events::Version(version.0.saturating_sub(1));
            assert!(last.0 == 0 || there.contains_key(&(*stream, last)), "{stream} has a gap before version {version}");
        }
        before = there.len();
        partly += usize::from((1..all.len()).contains(&before));
    }
    assert!(partly > 0, "it was killed while it wrote");
    succeeded(import(&new, &file));
    assert_eq!(succeeded(import(&new, &file))["written"], 0);
    assert_eq!(commits(&new), all);
}

#[test]
fn an_export_that_is_killed_leaves_no_file_that_could_be_taken_for_one_and_the_next_one_goes_on() {
    let ground = Ground::new();
    let (old, file) = (ground.path("old"), ground.path("log.jsonl"));
    made_log(&old, REVIEWS);
    let whole = lines(&ground.export(&old, "whole.jsonl"));
    for form in [&[][..], &["--csv"]] {
        let export = [&["export", "--out", text(&file), "--data", text(&old)][..], form].concat();
        interrupted(&file, &old, form);
        let went_on = succeeded(run(&old, &[&["--json"][..], &export[..3], form].concat()))["went_on_from"].as_u64();
        assert!(went_on.is_some_and(|from| from > 0), "it began anew: {went_on:?}");
        assert!(!ground.path("log.jsonl.part").exists() && !ground.path("log.jsonl.part.json").exists());
        if form.is_empty() {
            let gone_on = lines(&file);
            assert_eq!(gone_on[..gone_on.len() - 1], whole[..whole.len() - 1]);
            succeeded(import(&ground.path("new"), &file));
            assert_eq!(commits(&ground.path("new")), commits(&old));
        } else {
            let gone_on = fs::read(&file).expect("a table");
            succeeded(run(&old, &["export", "--out", text(&file), "--csv"]));
            assert!(gone_on == fs::read(&file).expect("a table"), "the two tables differ");
        }
        fs::remove_file(&file).expect("removed");
    }
}

#[test]
fn an_export_is_gone_on_with_only_by_the_same_command_over_what_it_left() {
    let ground = Ground::new();
    let (old, part, notes) = (ground.path("old"), ground.path("log.jsonl.part"), ground.path("log.jsonl.part.json"));
    made_log(&old, REVIEWS);
    let file = ground.path("log.jsonl");
    interrupted(&file, &old, &[]);
    let (kept, noted) = (fs::read(&part).expect("a part"), fs::read(&notes).expect("notes"));
    let went_on = |options: &[&str]| {
        let done = run(&old, &[&["--json", "export", "--out", text(&file)], options].concat());
        succeeded(done)["went_on_from"].as_u64().expect("a number")
    };
    let again = |kept: &[u8], noted: &[u8], options: &[&str]| {
        fs::write(&part, kept).expect("written");
        fs::write(&notes, noted).expect("written");
        went_on(options)
    };
    assert!(again(&kept, &noted, &[]) > 0);
    assert_eq!(again(&kept, &noted, &["--restart"]), 0);
    assert_eq!(again(&kept, &noted, &["--source", "moving"]), 0, "something else is asked for");
    assert_eq!(again(&kept[..100], &noted, &[]), 0, "its end was lost");
    let mut altered = kept.clone();
    altered[50] ^= 1;
    assert_eq!(again(&altered, &noted, &[]), 0, "it was altered");
    let mut mark: serde_json::Value = serde_json::from_slice(&noted).expect("JSON");
    mark["about"]["begun"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(again(&kept, &serde_json::to_vec(&mark).expect("JSON"), &[]), 0, "it is too old");
    assert_eq!(again(&kept, b"{", &[]), 0);
    assert_eq!(lines(&file).len(), lines(&ground.export(&old, "whole.jsonl")).len());

    let held = fs::File::create(&part).expect("made");
    held.lock().expect("locked");
    let said = refused(run(&old, &["export", "--out", text(&file)]));
    assert!(said.contains("log.jsonl.part") && said.contains("another process is writing it"), "{said}");
}

#[test]
fn a_signed_export_that_is_gone_on_with_is_whole_beside_what_was_appended_meanwhile() {
    let ground = Ground::new();
    let (old, file, key) = (ground.path("old"), ground.path("log.jsonl"), ground.path("log.pub"));
    made_log(&old, REVIEWS);
    let signed = sign(&old);
    assert_eq!(signed, REVIEWS as u64 * 3);
    interrupted(&file, &old, &[]);
    // One more commit of a stream that is in the file already, new streams, and a root that covers them.
    let part = fs::read(ground.path("log.jsonl.part")).expect("a part");
    let first = part.split(|byte| *byte == b'\n').next().expect("a line");
    let first: serde_json::Value = serde_json::from_slice(first).expect("JSON");
    let stream: StreamId = first["subject"].as_str().expect("a stream").parse().expect("a stream");
    let at = Timestamp::from_millis(1_796_000_000_000).expect("a time");
    let previous = commits(&old)[&(stream, Version(3))].hash;
    let events = vec![ReviewExpired { v: V, expires_at: at }.into()];
    append(&old, NewCommit { stream, version: Version(4), previous, at, events, sealed: None });
    made_streams(&old, REVIEWS..REVIEWS + 40);
    assert_eq!(sign(&old), signed + 121);

    let said = succeeded(run(&old, &["--json", "export", "--out", text(&file)]));
    assert!(said["went_on_from"].as_u64() > Some(0), "{said}");
    fs::write(&key, run(&old, &["checkpoint", "--public-key"]).stdout).expect("written");
    let report = succeeded(run(&old, &["--json", "verify", "--file", text(&file), "--public-key", text(&key)]));
    assert_eq!((&report["whole"], &report["checkpoint"]), (&true.into(), &signed.into()), "{report}");
    let checked = &report["checked"];
    assert_eq!((&checked["covered"], &checked["uncovered"], &checked["roots"]), (&signed.into(), &0.into(), &1.into()));
    let subject = format!("\"subject\":\"{stream}\"");
    let versions = lines(&file).iter().filter(|line| line.contains(&subject) && line.contains("\"streamversion\":4,")).count();
    assert_eq!(versions, 0, "what was written since is not taken: no root of the export would cover it");
    // The next one has all.
    succeeded(run(&old, &["export", "--out", text(&file)]));
    let arguments = ["--json", "verify", "--file", text(&file), "--public-key", text(&key), "--all-covered"];
    assert_eq!(succeeded(run(&old, &arguments))["checked"]["covered"], signed + 121);
}

#[test]
fn an_export_is_not_gone_on_with_over_a_log_that_was_restored_or_once_a_reviewer_has_another_name() {
    let ground = Ground::new();
    let (old, file) = (ground.path("old"), ground.path("log.jsonl"));
    let (part, notes) = (ground.path("log.jsonl.part"), ground.path("log.jsonl.part.json"));
    made_log(&old, REVIEWS);
    let ana = ["--reviewer", "ana@example.com"];
    interrupted(&file, &old, &ana);
    let (kept, noted) = (fs::read(&part).expect("a part"), fs::read(&notes).expect("notes"));
    let again = |options: &[&str]| {
        fs::write(&part, &kept).expect("written");
        fs::write(&notes, &noted).expect("written");
        let done = run(&old, &[&["--json", "export", "--out", text(&file)], options].concat());
        succeeded(done)["went_on_from"].as_u64().expect("a number")
    };
    assert!(again(&ana) > 0);
    let person = |id: &str| id.parse().expect("a person");
    let aliases = vec![person("slack:T01/U01")];
    let registered =
        PersonRegistered { v: V, person: person("ana@example.com"), name: None, aliases, phone: None, changed: None };
    let at = Timestamp::from_millis(1_796_000_000_000).expect("a time");
    let (stream, version, previous) = (StreamId::Directory, Version(1), CommitHash::GENESIS);
    append(&old, NewCommit { stream, version, previous, at, events: vec![registered.into()], sealed: None });
    assert_eq!(again(&ana), 0, "she may have been asked by the other name too");

    // Another state of the log in its place, as long as the one before.
    fs::remove_file(&file).expect("it was done");
    interrupted(&file, &old, &[]);
    fs::remove_dir_all(&old).expect("lost");
    made_streams(&old, REVIEWS..2 * REVIEWS);
    let said = succeeded(run(&old, &["--json", "export", "--out", text(&file)]));
    assert_eq!((&said["went_on_from"], &said["export"]["streams"]), (&0.into(), &REVIEWS.into()), "{said}");
}

#[test]
fn what_an_export_leaves_when_it_is_killed_while_it_notes_how_far_it_is_goes_with_the_next() {
    let ground = Ground::new();
    let (old, left) = (ground.path("old"), ground.path("log.jsonl.part.json.new"));
    made_log(&old, 5);
    fs::write(&left, "{").expect("written");
    ground.export(&old, "log.jsonl");
    assert!(!left.exists());
}
