//! Every state × every command. The snapshot is to be read; what must never change is written by
//! hand in `cells`.

use std::fmt::Write as _;

use events::Event;
use review::{Answer, Fold, owed};

use crate::{commands::COMMANDS, states::STATES};

/// The ends of a review.
const FINAL: [&str; 3] = ["ReviewDecided", "ReviewExpired", "ReviewCancelled"];

/// `answer` and the events, as one line of the table.
pub fn outcome(answer: &Answer, events: &[Event]) -> String {
    let answer = match answer {
        Answer::NotCounted { why, ending } => {
            let why = serde_json::to_value(why).expect("a word");
            let ending = ending.as_ref().map_or(String::new(), |ending| format!(", {}", ending.what.outcome()));
            format!("not_counted ({}{ending})", why.as_str().expect("a word"))
        }
        Answer::EndedBefore(ending) => format!("ended_before ({})", ending.what.outcome()),
        Answer::KeyReused(faults) | Answer::Unapprovable(faults) => {
            format!("{} ({})", answer.name(), faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>().join(" "))
        }
        _ => answer.name().to_owned(),
    };
    let events: Vec<&str> = events.iter().map(Event::type_name).collect();
    if events.is_empty() { answer } else { format!("{answer}: {}", events.join(" + ")) }
}

#[test]
fn every_command_in_every_state() {
    let mut table = String::new();
    for (state, reach) in STATES {
        writeln!(table, "# {state}").expect("text");
        for (command, make) in COMMANDS {
            let of = |token| {
                let decision = reach(token).decide(&make());
                outcome(&decision.answer, &decision.events)
            };
            let (alone, waited) = (of(None), of(Some("token-1")));
            writeln!(table, "{command:34}{alone}").expect("text");
            if waited != alone {
                writeln!(table, "{:34}{waited}", "  … with token-1 waiting").expect("text");
            }
        }
        table.push('\n');
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("every_command_in_every_state", table);
    });
}

/// Runs `check` on every cell, before and after its command.
fn each_cell(check: impl Fn(&str, &crate::world::World, &crate::world::World, &review::Command)) {
    for (state, reach) in STATES {
        for token in [None, Some("token-1")] {
            for (command, make) in COMMANDS {
                let before = reach(token);
                let mut after = before.clone();
                after.does(&make());
                check(&format!("{state} ({token:?}), {command}"), &before, &after, &make());
            }
        }
    }
}

#[test]
fn invariant_07_the_same_command_again_changes_nothing() {
    each_cell(|cell, _, after, command| {
        let again = after.decide(command);
        assert_eq!(again.events, [], "{cell}");
    });
}

#[test]
fn invariant_01_what_is_folded_commit_by_commit_is_what_the_log_folds_to() {
    each_cell(|cell, _, after, _| {
        assert_eq!(Fold::of(&after.commits).expect("folds"), after.fold, "{cell}");
    });
}

#[test]
fn invariant_02_a_review_ends_once_and_nothing_counts_after() {
    each_cell(|cell, before, after, _| {
        let ends = after.history().iter().filter(|event| FINAL.contains(event)).count();
        assert!(ends <= 1, "{cell}: {:?}", after.history());
        if let Some(ended) = before.fold.state.review().filter(|review| review.ending.is_some()) {
            let review = after.fold.state.review().expect("still there");
            assert_eq!((&review.ending, &review.votes), (&ended.ending, &ended.votes), "{cell}");
        }
    });
}

#[test]
fn invariant_05_a_waiting_workflow_is_owed_an_answer_exactly_when_there_is_one() {
    each_cell(|cell, _, after, _| {
        let answered = review::task::answer(&after.fold.state).is_some();
        let unsettled = after.fold.state.waiting().iter().filter(|waiting| waiting.told == review::state::Told::NotYet).count();
        let owed = owed::resumptions(&after.fold.state, after.now).count();
        assert!(owed <= unsettled + 1 && (answered || owed == 0), "{cell}: {owed} of {unsettled} owed");
        assert!(!answered || owed >= unsettled, "{cell}: {owed} of {unsettled} owed");
    });
}
