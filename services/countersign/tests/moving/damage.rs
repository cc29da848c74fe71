//! An export that is not as it was written: refused by review and version before anything is imported.

use std::fs;

use events::digest::CommitHash;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::places::{Ground, commits, import, lines, made_log, refused, succeeded};

/// What is done to the lines of an export, and what the import then says.
type Damage = (&'static str, fn(&mut Vec<String>), &'static str);

/// Ends the lines as an export does that holds them, so that the last line gives nothing away.
fn seal(lines: &mut Vec<String>) {
    let mut end: Value = serde_json::from_str(&lines.pop().expect("an end")).expect("JSON");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let sha256 = hex::encode(Sha256::digest(&text));
    let events: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let count = |of: fn(&Value) -> String| {
        let mut all: Vec<String> = events.iter().map(of).collect();
        all.dedup();
        all.len()
    };
    end["data"]["events"] = json!(lines.len());
    end["data"]["streams"] = json!(count(|event| event["subject"].to_string()));
    end["data"]["commits"] = json!(count(|event| format!("{}{}", event["subject"], event["streamversion"])));
    (end["data"]["sha256"], end["id"]) = (json!(sha256), json!(sha256));
    lines.push(end.to_string());
}

fn replaced(lines: &mut [String], line: usize, from: &str, to: &str) {
    assert!(lines[line].contains(from), "{} has no {from}", lines[line]);
    lines[line] = lines[line].replace(from, to);
}

/// The first review stands on lines 0 to 3 (version 2 has two events), the next on 4 to 7.
const DAMAGES: &[Damage] = &[
    ("data altered", |lines| replaced(lines, 0, "Größe", "Grösse"), "{0} version 1 was altered"),
    ("second event altered", |lines| replaced(lines, 2, "\"asked\"", "\"asket\""), "{0} version 2 was altered"),
    ("time altered", |lines| replaced(lines, 3, "2026-11-18", "2026-11-17"), "{0} version 3 was altered"),
    (
        "type altered",
        |lines| replaced(lines, 3, "\"type\":\"ReviewExpired\",\"subject", "\"type\":\"ReviewDecided\",\"subject"),
        "{0} version 3 was altered: id or type",
    ),
    ("commit dropped", |lines| drop(lines.drain(1..3)), "{0} version 2 is not there: version 3 stands in its place"),
    ("first commit dropped", |lines| drop(lines.remove(0)), "{0} version 1 is not there"),
    ("event dropped", |lines| drop(lines.remove(2)), "{0} version 2 was altered: one of its events is missing"),
    ("commits exchanged", |lines| lines.rotate_commits(), "{0} version 2 is not there"),
    (
        "stream twice",
        |lines| {
            let again = lines[0..4].to_vec();
            lines.splice(8..8, again);
        },
        "stands in the export twice",
    ),
    ("no JSON", |lines| lines[4].truncate(40), "after {0} version 3) is no line of an export"),
    ("rewritten with a hash of its own", |lines| lines.rewrite(), "{0} version 2 does not follow on"),
];

trait Rewrite {
    fn rotate_commits(&mut self);
    fn rewrite(&mut self);
}

impl Rewrite for Vec<String> {
    fn rotate_commits(&mut self) {
        let last = self.remove(3);
        self.insert(1, last);
    }

    /// Version 1 says something else and hashes to it.
    fn rewrite(&mut self) {
        replaced(self, 0, "Größe", "Grösse");
        let line: Value = serde_json::from_str(&self[0]).expect("JSON");
        let data = self[0].split_once(",\"data\":").expect("data").1.strip_suffix('}').expect("the end").to_owned();
        let body = format!(
            "{{\"at\":{},\"events\":[{data}],\"previous\":{},\"stream\":{},\"version\":1}}",
            line["time"], line["previoushash"], line["subject"]
        );
        let hash = CommitHash::of(body.as_bytes()).to_string();
        let old = line["commithash"].as_str().expect("a hash").to_owned();
        replaced(self, 0, &old, &hash);
    }
}

#[test]
fn whatever_was_done_to_an_export_is_named_by_review_and_version_and_nothing_is_imported() {
    let ground = Ground::new();
    made_log(&ground.path("old"), 5);
    let file = ground.export(&ground.path("old"), "log.jsonl");
    let honest = lines(&file);
    let subject =
        |line: &String| serde_json::from_str::<Value>(line).expect("JSON")["subject"].as_str().expect("one").replace('#', " ");
    let first = subject(&honest[0]);
    for (what, damage, says) in DAMAGES {
        let mut lines = honest.clone();
        damage(&mut lines);
        for sealed in [false, true] {
            if sealed {
                seal(&mut lines);
            }
            fs::write(ground.path("damaged.jsonl"), lines.join("\n") + "\n").expect("written");
            let said = refused(import(&ground.path("new"), &ground.path("damaged.jsonl")));
            assert!(said.contains(&says.replace("{0}", &first)), "{what}, sealed {sealed}: {said}");
            assert!(said.contains("nothing was imported") && commits(&ground.path("new")).is_empty(), "{what}: {said}");
        }
    }
    // The yardstick itself: an honest export that is sealed anew is taken.
    let mut lines = honest.clone();
    seal(&mut lines);
    fs::write(&file, lines.join("\n") + "\n").expect("written");
    assert_eq!(succeeded(import(&ground.path("new"), &file))["written"], 15);
}

#[test]
fn an_export_whose_end_was_cut_off_or_whose_streams_were_dropped_is_refused() {
    let ground = Ground::new();
    made_log(&ground.path("old"), 5);
    let file = ground.export(&ground.path("old"), "log.jsonl");
    let honest = fs::read_to_string(&file).expect("read");
    let refuses = |text: &str, says: &str| {
        fs::write(&file, text).expect("written");
        let said = refused(import(&ground.path("new"), &file));
        assert!(said.contains(says), "{said}");
        assert!(commits(&ground.path("new")).is_empty());
    };
    let lines: Vec<&str> = honest.lines().collect();
    refuses("", "the export ends early, after the beginning");
    refuses(&honest[..honest.len() - 1], "the export ends early, after review");
    refuses(&(lines[..20].join("\n") + "\n"), "the export ends early, after review");
    refuses(&(lines[..6].join("\n") + "\n"), "the export ends early, after review");
    refuses(&([&lines[..4], &lines[8..]].concat().join("\n") + "\n"), "something was dropped");
    refuses(&(honest.clone() + lines[0] + "\n"), "something stands after the last line");
    refuses(&honest.replace("\"format\":2", "\"format\":3"), "the export has format 3");
}
