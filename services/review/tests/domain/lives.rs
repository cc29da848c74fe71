//! Random lives of a review, each step of which the model says the outcome of.

use std::collections::BTreeSet;

use events::{Period, event::Canceller};
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use review::{Command, Fold, owed};
use serde_json::json;

use crate::{
    commands::{cancel, ended, told, told_failed, unreached, vote},
    model::{Id, Lives, Model, Step},
    world::{World, person, request, token_hash, wish},
};

/// What the log must show of a model's life.
pub struct Life {
    world: World,
    wish: fn(&Model) -> serde_json::Value,
}

impl Life {
    fn command(&self, model: &Model, step: &Step) -> Option<Command> {
        let token = |n: &usize| format!("token-{n}");
        Some(match step {
            Step::Wait(_) | Step::Link(..) | Step::Group(_) => return None,
            Step::Vote(id, word) => {
                let Command::Vote(mut vote) = vote(&id.text(), word) else { return None };
                vote.reason = None;
                Command::Vote(vote)
            }
            Step::VoteUntrusted(id) => {
                let Command::Vote(mut vote) = vote(&id.text(), "approve") else { return None };
                vote.trusted = false;
                Command::Vote(vote)
            }
            Step::Cancel(true) => cancel(Canceller::Requester(person("rita@x.com"))),
            Step::Cancel(false) => cancel(Canceller::Requester(person("dan@x.com"))),
            Step::Expire => Command::Expire,
            Step::Attach(n) => wish(request((self.wish)(model)), Some(&token(n))),
            Step::Tell(n, true) => told(&token(n)),
            Step::Tell(n, false) => told_failed(&token(n), Some(self.world.now.after(Period::seconds(-1)))),
            Step::WorkflowEnds(n) => ended(&token(n)),
            Step::Unreached(who, retry) => {
                let retry_at = self.world.now.after(Period::seconds(*retry));
                Command::Notices(vec![unreached(&Id { who: *who, slack: false }.text(), Some(retry_at))])
            }
        })
    }

    fn link(&mut self, who: usize, linked: bool) {
        let slack = Id { who, slack: true }.text();
        let aliases: &[&str] = if linked { &[&slack] } else { &[] };
        self.world.register(&Id { who, slack: false }.text(), aliases);
    }

    fn group(&mut self, members: &BTreeSet<Id>) {
        let members: Vec<String> = members.iter().map(|id| id.text()).collect();
        self.world.group("oncall", &members.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

impl StateMachineTest for Lives {
    type SystemUnderTest = Life;
    type Reference = Lives;

    fn init_test(model: &Model) -> Life {
        let wish = |model: &Model| {
            let self_approval = if model.self_approval { "allowed" } else { "forbidden" };
            json!({
                "reviewers": [{"email": "ana@x.com"}, {"slack": "T1/BOB"}, {"group": "oncall"}],
                "policy": {"quorum": model.quorum, "self_approval": self_approval},
                "expires_in": "PT1H",
            })
        };
        let mut life = Life { world: World::new(), wish };
        for (who, linked) in model.linked.into_iter().enumerate() {
            life.link(who, linked);
        }
        life.group(&model.group);
        let decision = life.world.does(&self::wish(request(wish(model)), Some("token-0")));
        assert_eq!(decision.answer.name(), "opened");
        life
    }

    fn apply(mut life: Life, model: &Model, step: Step) -> Life {
        match &step {
            Step::Wait(seconds) => life.world.pass(Period::seconds(i64::from(*seconds))),
            Step::Link(who, linked) => life.link(*who, *linked),
            Step::Group(members) => life.group(members),
            _ => {}
        }
        let Some(command) = life.command(model, &step) else { return life };
        life.world.does(&command);
        let again = life.world.decide(&command).events;
        assert_eq!(again, [], "invariant 7: {step:?} again");
        life
    }

    fn check_invariants(life: &Life, model: &Model) {
        let World { commits, fold, now, .. } = &life.world;
        let review = fold.state.review().expect("opened");

        // Who counted, and how it ended.
        assert_eq!(review.ending.as_ref().map(|ending| ending.what.outcome()), model.ended);
        let said = |remarks: bool| {
            review.votes.iter().filter(move |vote| (vote.what.choice == events::event::Choice::Comment) == remarks)
        };
        let counted: Vec<String> = said(false).map(|vote| vote.what.person.to_string()).collect();
        assert_eq!(counted, model.words.iter().map(|(id, ..)| id.text()).collect::<Vec<_>>());
        assert_eq!(said(true).count(), model.remarks.len());
        assert!(review.votes.iter().all(|vote| vote.at < review.request.expires_at), "invariant 9");
        if let Some(ending) = &review.ending {
            assert!(review.votes.iter().all(|vote| vote.at <= ending.at), "invariant 2");
            if let review::Ending::Decided { verdict: events::event::Verdict::Approved, decided_by, .. } = &ending.what {
                // By the directory of that moment, as they were recorded.
                let people: BTreeSet<_> = decided_by.iter().map(|person| person.as_str()).collect();
                assert_eq!(people.len(), decided_by.len(), "different people");
                assert!(people.len() >= model.quorum, "a quorum");
                assert!(model.self_approval || !people.contains("rita@x.com"), "invariant 3");
            }
        }
        let ends = life
            .world
            .history()
            .iter()
            .filter(|event| ["ReviewDecided", "ReviewExpired", "ReviewCancelled"].contains(event))
            .count();
        assert_eq!(ends, usize::from(model.ended.is_some()), "invariant 2");

        // What is owed, and when it is looked at again.
        let owed: Vec<_> = owed::resumptions(&fold.state, *now).map(|waiting| waiting.resume.token_hash).collect();
        let mut expected: Vec<_> = model.owed().iter().map(|n| token_hash(&format!("token-{n}"))).collect();
        let mut found = owed.clone();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "invariant 5");
        assert!(fold.state.waiting().iter().all(|waiting| waiting.sealed.is_some()), "every token can be opened");
        if model.ended.is_none() {
            assert!(owed::next_due(&fold.state).is_some_and(|due| due <= review.request.expires_at));
        }
        assert_eq!(model.is_open(), review.ending.is_none() && *now < review.request.expires_at);

        // The log.
        assert!(commits.iter().zip(1..).all(|(commit, version)| commit.version.0 == version), "contiguous");
        assert!(commits.windows(2).all(|pair| pair[1].previous == pair[0].hash), "chained");
        assert_eq!(&Fold::of(commits).expect("folds"), fold, "invariant 1");
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 1_024, failure_persistence: None, ..Config::default() })]

    #[test]
    fn invariant_02_03_05_09_hold_in_any_life_of_a_review(sequential 1..40 => Lives);
}
