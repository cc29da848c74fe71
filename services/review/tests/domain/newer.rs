//! What a newer build stored: fields that this one does not know are read over wherever they stand, and
//! nothing is decided by the part of a policy, of a vote or of a history that happens to be understood.

use events::{Commit, Event, StoredCommit, digest::CommitHash};
use review::{Answer, Fold, State, decide};
use serde_json::{Value, json};

use crate::{
    commands::when,
    corpus::stored,
    world::{World, start},
};

/// Every object inside `value` as a JSON pointer, the outermost first.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            for (name, inside) in fields {
                objects(inside, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inside)| objects(inside, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn decoded(commit: &Commit, body: &Value) -> Commit {
    let body = serde_json::to_vec(body).expect("JSON");
    let stored = StoredCommit { stream: commit.stream, version: commit.version, hash: CommitHash::of(&body), body, sealed: None };
    stored.decode().expect("read")
}

fn body_of(commit: &Commit) -> Value {
    let Commit { stream, version, previous, at, events, sealed, .. } = commit.clone();
    let new = events::NewCommit { stream, version, previous, at, events, sealed };
    serde_json::from_slice(&new.store().expect("storable").body).expect("JSON")
}

/// Whether a field there may say who decides.
fn decides(pointer: &str) -> bool {
    pointer.starts_with("/events/0/policy") || pointer.starts_with("/events/0/reviewers/")
}

#[test]
fn a_field_that_this_build_does_not_know_is_read_over_at_every_depth_of_every_event() {
    for (name, commit) in stored::commits() {
        let body = body_of(&commit);
        let mut places = Vec::new();
        objects(&body, "", &mut places);
        assert!(places.len() >= 2, "{name}");
        for place in places {
            let mut newer = body.clone();
            let object = newer.pointer_mut(&place).and_then(Value::as_object_mut).expect("an object");
            object.insert("x_later".to_owned(), json!({"deep": [1]}));
            let read = decoded(&commit, &newer);
            assert!(!matches!(read.events.as_slice(), [Event::Unknown(_)]), "{name}{place} is not understood any more");
            if read.stream.review().is_none() {
                continue;
            }
            let mut history = stored::history(read);
            let last = history.pop().expect("a commit");
            let mut fold = Fold::of(&history).expect("folds");
            fold.apply(&last).unwrap_or_else(|error| panic!("{name}{place}: {error}"));
            let beyond = fold.state.review().map_or(0, |review| review.beyond.len());
            let expected = usize::from(decides(&place) && name.contains("ReviewRequested"));
            assert_eq!(beyond, expected, "{name}{place}");
        }
    }
}

#[test]
fn a_review_that_says_more_than_this_build_knows_is_shown_and_not_decided() {
    let world = World::new().then(when("asks, no token"));
    let request = world.commits.first().expect("a request");
    for (place, value) in [
        ("/events/0/policy/stages", json!([{"from": "ops", "approvals": 2}])),
        ("/events/0/policy/quorum", json!("all")),
        ("/events/0/policy/self_approval", json!("by_delegate")),
        ("/events/0/reviewers/0/at_least", json!(2)),
        ("/events/0/reviewers/0", json!({"role": "manager-of:requester"})),
    ] {
        let mut body = body_of(request);
        let (parent, name) = place.rsplit_once('/').expect("a place");
        match body.pointer_mut(parent).expect("a parent") {
            Value::Object(fields) => drop(fields.insert(name.to_owned(), value)),
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
            _ => unreachable!("neither object nor array"),
        }
        let fold = Fold::of([&decoded(request, &body)]).expect("folds");
        check_undecided(&world, &fold, place);
    }
    for later in [
        json!({"type": "ReviewRevised", "v": 1, "title": "Another"}),
        json!({"type": "VoteCast", "v": 1, "person": "bob@x.com", "choice": "abstain", "channel": "web", "subject_digest": "0".repeat(64)}),
        json!({"type": "VoteCast", "v": 2, "voter": "bob@x.com"}),
    ] {
        let mut body = body_of(request);
        (body["version"], body["previous"], body["events"]) = (json!(2), json!(request.hash), json!([later]));
        let second = Commit { version: events::Version(2), ..request.clone() };
        let fold = Fold::of([request, &decoded(&second, &body)]).expect("folds");
        check_undecided(&world, &fold, &later.to_string());
    }
}

fn check_undecided(world: &World, fold: &Fold, what: &str) {
    let State::Recorded(review) = &fold.state else { panic!("{what}: nothing to show") };
    assert_eq!(review.request.title, "Promote churn-model v42", "{what}");
    let day = start().after(events::Period::hours(48));
    for (command, now) in [
        ("bob approves", world.now),
        ("bob rejects", world.now),
        ("bob comments", world.now),
        ("operator cancels", world.now),
        ("source cancels", world.now),
        ("asks, new token", world.now),
        ("expire", day),
        ("remind", world.now),
    ] {
        let decision = decide(&fold.state, &when(command), &world.directory, now);
        assert!(matches!(&decision.answer, Answer::NeedsNewer(what) if !what.is_empty()), "{what}: {command}: {decision:?}");
        assert_eq!(decision.events, [], "{what}: {command}");
    }
    let routes = [review::contact::Route {
        channel: events::event::Channel::Outbox,
        by: &[review::contact::Kind::Anywhere],
        reminds: true,
        tells_end: true,
        updates: true,
    }];
    assert_eq!(review::owed::messages(review, &world.directory, &routes, world.now), [], "{what}");
}
