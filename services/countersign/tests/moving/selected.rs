//! A part of the log: whole reviews, each with its whole chain, and a last line that says what was asked.

use std::fs;

use serde_json::{Value, json};

use crate::{
    places::{Ground, commits, import, lines, made_log, refused, run, succeeded, text},
    support::{
        api::{Api, request},
        eventually,
        process::Service,
        workflows::Workflows,
    },
};

const SOON: std::time::Duration = std::time::Duration::from_secs(30);

/// The reviews in an export.
fn reviews(file: &std::path::Path) -> Vec<String> {
    let mut found: Vec<String> = lines(file)
        .iter()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["subject"].as_str()?.strip_prefix("review#").map(str::to_owned)
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

fn quiet(api: &Api, review: &str) {
    eventually("asked", SOON, || (api.events_of(review, "ReviewNotified").len() == 2).then_some(()));
}

#[test]
fn whole_reviews_are_selected_by_each_field_and_what_is_selected_can_be_imported() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    let people =
        "[[people]]\nemail = \"fay@example.com\"\naliases = [\"fay@example.org\"]\n\n[groups]\nrota = [\"fay@example.com\"]\n";
    fs::write(ground.path("reviewers.toml"), people).expect("written");
    succeeded(run(&data, &["directory", "apply", text(&ground.path("reviewers.toml")), "--url", &service.url()]));
    let ask = |title: &str, more: Value| {
        // No two at the same time, as the log tells it.
        std::thread::sleep(std::time::Duration::from_millis(2));
        api.create(&request(title, more))
    };
    let first = ask("First", json!({"requester": {"email": "rita@example.com"}}));
    let second = ask("Second", json!({"reviewers": [{"email": "cyd@example.com"}, {"email": "dan@example.com"}]}));
    let third = ask("Third", json!({"reviewers": [{"group": "rota"}, {"email": "gil@example.com"}]}));
    let fourth = ask("Fourth", json!({"reviewers": [{"email": "fay@example.org"}, {"email": "gil@example.com"}]}));
    for review in [&first, &second, &third, &fourth] {
        quiet(&api, review);
    }
    api.vote(&first, "ana@example.com", "approve").with_status(200);
    api.vote(&second, "eve@example.com", "approve").with_status(403);
    let asked_at = |review: &str| api.review(review)["requested_at"].as_str().expect("a time").to_owned();
    let (second_at, third_at) = (asked_at(&second), asked_at(&third));
    assert!(asked_at(&first) < second_at && second_at < third_at);
    service.stop_cleanly();

    let all = ground.export(&data, "all.jsonl");
    let export = |name: &str, options: &[&str]| {
        let file = ground.path(name);
        succeeded(run(&data, &[&["export", "--out", text(&file)], options].concat()));
        file
    };
    for (options, expected) in [
        (&["--requester", "rita@example.com"][..], vec![&first]),
        (&["--outcome", "approved"], vec![&first]),
        (&["--outcome", "open", "--source", "api"], vec![&second, &third, &fourth]),
        (&["--reviewer", "cyd@example.com"], vec![&second]),
        (&["--reviewer", "eve@example.com"], vec![&second]),
        (&["--from", "2020-01-01", "--to", "2999-01-01"], vec![&first, &second, &third, &fourth]),
        // At or after the one, and before the other.
        (&["--from", &second_at], vec![&second, &third, &fourth]),
        (&["--to", &second_at], vec![&first]),
        (&["--from", &second_at, "--to", &third_at], vec![&second]),
        (&["--from", &second_at, "--to", &second_at], vec![]),
        // Through her group, and by another of her names.
        (&["--reviewer", "group:rota"], vec![&third]),
        (&["--reviewer", "fay@example.com"], vec![&third, &fourth]),
        (&["--reviewer", "fay@example.org"], vec![&third, &fourth]),
        (&["--source", "elsewhere"], vec![]),
        (&["--to", "2020-01-01"], vec![]),
    ] {
        let file = export("part.jsonl", options);
        assert_eq!(reviews(&file), sorted(&expected), "{options:?}");
        let end: Value = serde_json::from_str(lines(&file).last().expect("an end")).expect("JSON");
        assert!(end["data"]["selected"].is_object(), "{end}");
        // The very lines that the whole export has.
        let whole = lines(&all);
        let kept = lines(&file);
        assert!(kept[..kept.len() - 1].iter().all(|line| whole.contains(line)), "{options:?}");
    }
    let file = export("part.jsonl", &["--outcome", "approved"]);
    let said = succeeded(import(&ground.path("new"), &file));
    assert_eq!(said["streams"], 1);
    let there = commits(&ground.path("new"));
    assert!(there.iter().all(|(place, commit)| commits(&data).get(place).is_some_and(|one| one.body == commit.body)));
    // A part that lacks a commit is found all the same.
    let cut: Vec<String> = lines(&file).into_iter().filter(|line| !line.contains("\"VoteCast\"")).collect();
    fs::write(&file, cut.join("\n") + "\n").expect("written");
    assert!(refused(import(&ground.path("other"), &file)).contains("nothing was imported"));
    assert!(!run(&data, &["export", "--out", "x", "--move", "--to-key", "k", "--outcome", "open"]).status.success());
}

#[test]
fn a_selected_export_is_checked_like_any_other_and_an_alteration_of_it_is_found() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    let review = api.create(&request("First", json!({"requester": {"email": "rita@example.com"}})));
    let other = api.create(&request("Second", json!({})));
    for review in [&review, &other] {
        quiet(&api, review);
    }
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    service.stop_cleanly();
    let (file, key) = (ground.path("part.jsonl"), ground.path("log.pub"));
    let printed = run(&data, &["checkpoint", "--public-key"]);
    fs::write(&key, &printed.stdout).expect("written");
    succeeded(run(&data, &["export", "--out", text(&file), "--requester", "rita@example.com"]));
    let verify = |options: &[&str]| {
        let arguments = [&["verify", "--file", text(&file), "--public-key", text(&key)], options].concat();
        let output = run(&data, &arguments);
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };

    let (code, said) = verify(&[]);
    // Whoever rewrites an export can say that it is a part, so a part is whole for nobody.
    assert_eq!(code, Some(5), "{said}");
    assert!(said.starts_with("NOT covered: this export says that it is a part of a log"), "{said}");
    let (code, said) = verify(&["--allow-uncovered"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("allowed by --allow-uncovered: 3 commits are vouched for by nobody"), "{said}");
    let (code, said) = verify(&["--json"]);
    let report: Value = serde_json::from_str(&said).expect("a report");
    assert_eq!((code, &report["whole"], &report["verdict"]), (Some(5), &json!(false), &json!("part")), "{said}");
    assert_eq!(report["findings"], json!([]), "{said}");
    assert_eq!(report["selected"], json!({"requester": "rita@example.com"}));
    assert_eq!((&report["checked"]["streams"], &report["checked"]["covered"]), (&json!(1), &json!(0)), "{said}");

    let honest = fs::read_to_string(&file).expect("read");
    let part = "\"selected\":{\"requester\":\"rita@example.com\"}";
    for (what, altered, expected, says) in [
        ("an event", honest.replacen("\"title\":\"First\"", "\"title\":\"Forth\"", 1), 3, "was altered"),
        ("it is said to be all", honest.replacen(&format!("{part},"), "", 1), 5, "no signed root in this export"),
        ("it is said to be a part that is all", honest.replacen(part, "\"selected\":{}", 1), 5, "no signed root in this export"),
    ] {
        assert_ne!(altered, honest, "{what}");
        fs::write(&file, altered).expect("written");
        let (code, said) = verify(&[]);
        assert_eq!(code, Some(expected), "{what}: {said}");
        assert!(said.contains(says), "{what}: {said}");
    }

    // A root covers the whole log, and says nothing of a part.
    fs::write(&file, &honest).expect("written");
    let held = ground.path("held.txt");
    fs::write(&held, run(&data, &["checkpoint"]).stdout).expect("written");
    let output = run(&data, &["verify", "--file", text(&file), "--public-key", text(&key), "--checkpoint", text(&held)]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("a part of a log"), "{output:?}");
}

#[test]
fn a_table_has_an_event_a_line_and_no_formula() {
    let ground = Ground::new();
    let data = ground.path("data");
    made_log(&data, 3);
    let file = ground.path("log.csv");
    let said = succeeded(run(&data, &["--json", "export", "--csv", "--out", text(&file)]));
    assert_eq!((&said["events"], &said["reviews"]), (&json!(3 * 4), &json!(3)));
    let table = fs::read_to_string(&file).expect("a table");
    assert!(
        table.starts_with("review,version,event,time,type,title,person,what,reason,channel,commit hash,all of it\r\n"),
        "{table}"
    );
    assert_eq!(table.matches("\r\n").count(), 1 + 3 * 4);
    assert!(table.contains("ReviewNotified") && table.contains("Größe 1"), "{table}");
    let none = succeeded(run(&data, &["--json", "export", "--csv", "--out", text(&file), "--source", "elsewhere"]));
    assert_eq!((&none["events"], fs::read_to_string(&file).expect("a table").lines().count()), (&json!(0), 1));
    assert!(!ground.path("log.csv.part").exists());
}
