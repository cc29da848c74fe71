//! Invariant 10: every event version ever written still folds, to the same state and the same things owed.
//! The corpus lies with the vocabulary, one commit per event type and version; those of a review follow on
//! from its `ReviewRequested` of the first version. What each comes to is in `snapshots/`, which CI
//! compares; a change there is a change of what old logs mean.

#[path = "../../../../events/tests/support/corpus.rs"]
pub mod stored;

use std::fmt::Write as _;

use events::{Commit, StreamId, Timestamp, event::Channel};
use review::{
    Directory, Fold, State,
    contact::{Kind, Route},
    owed, task,
};

/// The fold before a commit and after it.
fn folded(name: &str, commit: Commit) -> (Fold, Fold) {
    let history = stored::history(commit);
    let (commit, earlier) = history.split_last().expect("a commit");
    let before = Fold::of(earlier).expect("folds");
    let mut after = before.clone();
    after.apply(commit).unwrap_or_else(|error| panic!("{name}: {error}"));
    (before, after)
}

#[test]
fn invariant_10_every_stored_event_of_the_corpus_folds() {
    for (name, commit) in stored::commits() {
        if commit.stream == StreamId::Directory {
            let mut directory = Directory::default();
            directory.apply(&commit);
            assert_eq!((directory.version, directory.hash), (commit.version, commit.hash), "{name}");
            continue;
        }
        let previous = commit.previous;
        let (before, after) = folded(&name, commit);
        assert_ne!(after.state, before.state, "{name} left no trace");
        assert_eq!(previous, before.hash, "{name} does not follow on");
    }
}

#[test]
fn invariant_10_the_corpus_folds_to_the_state_and_owes_what_it_always_did() {
    let mut golden = String::new();
    for (name, commit) in stored::commits() {
        writeln!(golden, "=== {name}").expect("written");
        if commit.stream == StreamId::Directory {
            let mut directory = Directory::default();
            directory.apply(&commit);
            writeln!(golden, "{directory:#?}").expect("written");
            continue;
        }
        let at = commit.at;
        let (_, after) = folded(&name, commit);
        writeln!(golden, "{:#?}", after.state).expect("written");
        write!(golden, "{}", owes(&after.state, at)).expect("written");
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("every_event_of_the_corpus", golden);
    });
}

/// A channel that does all that one can.
const OUTBOX: Route = Route { channel: Channel::Outbox, by: &[Kind::Anywhere], reminds: true, tells_end: true, updates: true };

/// What is owed at the moment of the commit, and when all that is to be tried again is due.
fn owes(state: &State, at: Timestamp) -> String {
    let mut text = String::new();
    let late: Timestamp = "2026-12-31T00:00:00Z".parse().expect("a time");
    writeln!(text, "next due: {:?}", owed::next_due(state).map(|due| due.to_string())).expect("written");
    for (when, now) in [("then", at), ("later", late)] {
        let tokens: Vec<String> = owed::resumptions(state, now).map(|waiting| waiting.resume.token_hash.to_string()).collect();
        writeln!(text, "owed {when}: to be told {tokens:?}").expect("written");
        if let Some(review) = state.review() {
            let messages = owed::messages(review, &Directory::default(), &[OUTBOX], now);
            let messages: Vec<String> =
                messages.iter().map(|owed| format!("{} {:?} by {:?}", owed.person, owed.purpose, owed.channel)).collect();
            writeln!(text, "owed {when}: to be sent {messages:?}").expect("written");
            let updates = owed::updates(review, &[OUTBOX], now);
            let updates: Vec<&str> = updates.iter().map(|card| card.message_ref.as_str()).collect();
            writeln!(text, "owed {when}: to be changed {updates:?}").expect("written");
        }
    }
    writeln!(text, "the workflow's answer: {:#?}", task::answer(state)).expect("written");
    text
}

#[test]
fn invariant_10_a_stored_request_folds_to_what_it_said() {
    let State::Recorded(review) = Fold::of([&stored::request()]).expect("folds").state else { panic!("no review") };
    assert_eq!((review.request.title.as_str(), review.request.policy.quorum), ("Promote churn-model v42", 2));
    assert_eq!((review.request.reviewers.len(), review.request.evidence.len(), review.waiting.len()), (3, 4, 1));
}
