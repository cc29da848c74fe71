//! Commands that are killed half-way, and given again.

use std::{process::Stdio, time::Duration};

use crate::{
    places::{Ground, commits, import, made_log, succeeded, text},
    support::process::countersign,
};

const REVIEWS: usize = 3_000;

/// Runs a command and kills it after a while (SIGKILL); whether it was done before.
fn killed_after(arguments: &[&str], pause: Duration) -> bool {
    let mut command = countersign();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(pause);
    child.kill().expect("killed, or gone");
    child.wait().expect("gone").success()
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
    let mut pause = Duration::from_millis(100);
    loop {
        pause = pause.mul_f32(1.4);
        assert!(pause < Duration::from_secs(60), "it is never done");
        let done = killed_after(&["import", text(&file), "--data", text(&new)], pause);
        let there = commits(&new);
        assert!(there.len() >= before, "nothing that was there is lost");
        for ((stream, version), commit) in &there {
            assert_eq!(all.get(&(*stream, *version)), Some(commit));
            let last = events::Version(version.0.saturating_sub(1));
            assert!(last.0 == 0 || there.contains_key(&(*stream, last)), "{stream} has a gap before version {version}");
        }
        before = there.len();
        partly += usize::from((1..all.len()).contains(&before));
        if done || before == all.len() {
            break;
        }
    }
    assert!(partly > 0, "it was killed while it wrote");
    succeeded(import(&new, &file));
    assert_eq!(succeeded(import(&new, &file))["written"], 0);
    assert_eq!(commits(&new), all);
}

#[test]
fn an_export_that_is_killed_leaves_no_file_that_could_be_taken_for_one() {
    let ground = Ground::new();
    let (old, file) = (ground.path("old"), ground.path("log.jsonl"));
    made_log(&old, REVIEWS);
    let mut stopped = 0;
    let mut pause = Duration::from_millis(10);
    loop {
        pause = pause.mul_f32(1.4);
        assert!(pause < Duration::from_secs(60), "it is never done");
        if killed_after(&["export", "--out", text(&file), "--data", text(&old)], pause) {
            break;
        }
        // Killed before it was in place, or in the moment after.
        if !file.exists() {
            stopped += 1;
        }
    }
    assert!(stopped > 0, "it was killed while it wrote");
    let file = ground.export(&old, "log.jsonl");
    succeeded(import(&ground.path("new"), &file));
    assert_eq!(commits(&ground.path("new")), commits(&old));
    assert!(!ground.path("log.jsonl.part").exists());
}
