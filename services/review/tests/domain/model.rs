//! Random lives of a review against a model that knows nothing of the domain's code: people by
//! number, sets of them, and counts.

use std::collections::{BTreeMap, BTreeSet};

use events::{Period, event::Canceller};
use proptest::{prelude::*, strategy::Union, test_runner::Config};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use review::{Command, Fold, owed};
use serde_json::json;

use crate::{
    commands::{cancel, ended, told, told_failed, unreached, vote},
    world::{World, person, request, token_hash, wish},
};

/// Five people; Ana is named, Bob is named by his Slack id, Rita asks.
const PEOPLE: [&str; 5] = ["ana", "bob", "cy", "dan", "rita"];
const ANA: usize = 0;
const BOB: usize = 1;
const RITA: usize = 4;
/// A review lives an hour.
const LIFE: u32 = 3_600;

/// One of a person's two ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    who: usize,
    slack: bool,
}

impl Id {
    fn text(self) -> String {
        let name = PEOPLE[self.who];
        if self.slack { format!("slack:T1/{}", name.to_uppercase()) } else { format!("{name}@x.com") }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u32),
    Vote(Id, &'static str),
    VoteUntrusted(Id),
    Link(usize, bool),
    Group(BTreeSet<Id>),
    Cancel(bool),
    Expire,
    Attach(usize),
    Tell(usize, bool),
    WorkflowEnds(usize),
    Unreached(usize, i64),
}

/// What the model knows.
#[derive(Debug, Clone)]
struct Model {
    quorum: usize,
    self_approval: bool,
    age: u32,
    /// Whose Slack id the directory knows to be theirs.
    linked: [bool; 5],
    group: BTreeSet<Id>,
    /// The last word of each id, in the order of speaking; remarks apart.
    words: Vec<(Id, &'static str)>,
    remarks: Vec<Id>,
    ended: Option<&'static str>,
    attached: BTreeSet<usize>,
    settled: BTreeSet<usize>,
}

impl Model {
    /// The id that the directory takes this one for.
    fn canonical(&self, id: Id) -> Id {
        Id { slack: id.slack && !self.linked[id.who], ..id }
    }

    fn is_requester(&self, id: Id) -> bool {
        self.canonical(id) == Id { who: RITA, slack: false }
    }

    fn asked(&self, id: Id) -> bool {
        let id = self.canonical(id);
        let named = [Id { who: ANA, slack: false }, self.canonical(Id { who: BOB, slack: true })];
        named.contains(&id) || self.group.iter().any(|member| self.canonical(*member) == id)
    }

    fn is_open(&self) -> bool {
        self.ended.is_none() && self.age < LIFE
    }

    fn approvers(&self) -> BTreeSet<Id> {
        let mut last = BTreeMap::new();
        for (id, word) in &self.words {
            last.insert(self.canonical(*id), *word);
        }
        let approvers = last.into_iter().filter(|(_, word)| *word == "approve").map(|(id, _)| id);
        approvers.filter(|id| self.self_approval || !self.is_requester(*id)).collect()
    }

    fn vote(&mut self, id: Id, word: &'static str) {
        let remark = word == "comment";
        let allowed = if self.is_requester(id) { remark || (self.self_approval && self.asked(id)) } else { self.asked(id) };
        if !allowed {
            return;
        }
        if self.age >= LIFE {
            self.ended.get_or_insert("expired");
        }
        if self.ended.is_some() {
            return;
        }
        let id = self.canonical(id);
        if remark {
            if !self.remarks.contains(&id) {
                self.remarks.push(id);
            }
            return;
        }
        if self.words.iter().rev().find(|(who, _)| *who == id).is_some_and(|(_, last)| *last == word) {
            return;
        }
        self.words.push((id, word));
        if word == "reject" {
            self.ended = Some("rejected");
        } else if self.approvers().len() >= self.quorum {
            self.ended = Some("approved");
        }
    }

    fn end(&mut self, how: &'static str) {
        let how = if self.age >= LIFE { "expired" } else { how };
        self.ended.get_or_insert(how);
    }

    fn owed(&self) -> BTreeSet<usize> {
        if self.ended.is_some() { self.attached.difference(&self.settled).copied().collect() } else { BTreeSet::new() }
    }
}

struct Lives;

impl ReferenceStateMachine for Lives {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let linked = prop::array::uniform5(any::<bool>());
        (1..=3_usize, any::<bool>(), linked)
            .prop_map(|(quorum, self_approval, linked)| Model {
                quorum,
                self_approval,
                age: 0,
                linked,
                group: [2, RITA].map(|who| Id { who, slack: false }).into(),
                words: Vec::new(),
                remarks: Vec::new(),
                ended: None,
                attached: [0].into(),
                settled: BTreeSet::new(),
            })
            .boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        let id = || (0..PEOPLE.len(), any::<bool>()).prop_map(|(who, slack)| Id { who, slack });
        let word = prop::sample::select(vec!["approve", "approve", "approve", "reject", "request-changes", "comment"]);
        Union::new_weighted(vec![
            (10, (id(), word).prop_map(|(id, word)| Step::Vote(id, word)).boxed()),
            (1, id().prop_map(Step::VoteUntrusted).boxed()),
            (3, prop_oneof![Just(1_u32), Just(600), Just(LIFE / 2), Just(LIFE - 1)].prop_map(Step::Wait).boxed()),
            (4, (0..PEOPLE.len(), any::<bool>()).prop_map(|(who, linked)| Step::Link(who, linked)).boxed()),
            (2, prop::collection::btree_set(id(), 0..6).prop_map(Step::Group).boxed()),
            (1, any::<bool>().prop_map(Step::Cancel).boxed()),
            (1, Just(Step::Expire).boxed()),
            (2, (0..4_usize).prop_map(Step::Attach).boxed()),
            (2, (0..4_usize, any::<bool>()).prop_map(|(token, done)| Step::Tell(token, done)).boxed()),
            (2, (0..4_usize).prop_map(Step::WorkflowEnds).boxed()),
            (1, (0..PEOPLE.len(), 1..7_200_i64).prop_map(|(who, retry)| Step::Unreached(who, retry)).boxed()),
        ])
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        match step {
            Step::Wait(seconds) => model.age += seconds,
            Step::Vote(id, word) => model.vote(*id, word),
            Step::Link(who, linked) => model.linked[*who] = *linked,
            Step::Group(members) => model.group.clone_from(members),
            Step::Cancel(true) => model.end("cancelled"),
            Step::Expire if model.age >= LIFE => model.end("expired"),
            Step::Attach(token) if !model.attached.contains(token) => {
                if model.age >= LIFE {
                    model.end("expired");
                }
                if !matches!(model.ended, Some("expired" | "cancelled")) {
                    model.attached.insert(*token);
                }
            }
            Step::Tell(token, true) if model.owed().contains(token) => {
                model.settled.insert(*token);
            }
            Step::WorkflowEnds(token) if model.attached.contains(token) && model.ended.is_none() => {
                model.settled.insert(*token);
                if model.attached.is_subset(&model.settled) {
                    model.end("cancelled");
                }
            }
            Step::VoteUntrusted(_)
            | Step::Cancel(false)
            | Step::Expire
            | Step::Attach(_)
            | Step::Tell(..)
            | Step::WorkflowEnds(_)
            | Step::Unreached(..) => {}
        }
        model
    }
}

/// What the log must show of a model's life.
struct Life {
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
        assert_eq!(counted, model.words.iter().map(|(id, _)| id.text()).collect::<Vec<_>>());
        assert_eq!(said(true).count(), model.remarks.len());
        assert!(review.votes.iter().all(|vote| vote.at < review.request.expires_at), "invariant 9");
        if let Some(ending) = &review.ending {
            assert!(review.votes.iter().all(|vote| vote.at <= ending.at), "invariant 2");
            if let review::Ending::Decided { verdict: events::event::Verdict::Approved, decided_by, .. } = &ending.what {
                let people: BTreeSet<_> = decided_by.iter().collect();
                assert_eq!(people.len(), decided_by.len(), "different people");
                assert!(people.len() >= model.quorum, "a quorum");
                assert!(model.self_approval || !people.contains(&person("rita@x.com")), "invariant 3");
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
