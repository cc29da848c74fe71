//! What becomes of a review, told by a model that knows nothing of the domain's code: people by
//! number, sets of them, and counts; and the steps of which random lives are made.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::Union};
use proptest_state_machine::ReferenceStateMachine;

/// Five people; Ana is named, Bob is named by his Slack id, Rita asks.
const PEOPLE: [&str; 5] = ["ana", "bob", "cy", "dan", "rita"];
const ANA: usize = 0;
const BOB: usize = 1;
const RITA: usize = 4;
/// A review lives an hour.
const LIFE: u32 = 3_600;

/// One of a person's two ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub who: usize,
    pub slack: bool,
}

impl Id {
    pub fn text(self) -> String {
        let name = PEOPLE[self.who];
        if self.slack { format!("slack:T1/{}", name.to_uppercase()) } else { format!("{name}@x.com") }
    }
}

#[derive(Debug, Clone)]
pub enum Step {
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
pub struct Model {
    pub quorum: usize,
    pub self_approval: bool,
    age: u32,
    /// Whose Slack id the directory knows to be theirs.
    pub linked: [bool; 5],
    pub group: BTreeSet<Id>,
    /// Whose word, by which id, and which, in the order of speaking; remarks apart.
    pub words: Vec<(Id, Id, &'static str)>,
    pub remarks: Vec<Id>,
    pub ended: Option<&'static str>,
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

    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.age < LIFE
    }

    fn approvers(&self) -> BTreeSet<Id> {
        let mut last = BTreeMap::new();
        for (id, acted, word) in &self.words {
            last.insert(self.canonical(*id), (self.canonical(*acted), *word));
        }
        let asks = |id: Id| !self.self_approval && self.is_requester(id);
        let approvals = last.into_iter().filter(|(id, (acted, word))| *word == "approve" && !asks(*id) && !asks(*acted));
        // Whoever acted for two people approves once.
        approvals.map(|(_, (acted, _))| acted).collect()
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
        let (id, acted) = (self.canonical(id), id);
        if remark {
            if !self.remarks.iter().any(|who| self.canonical(*who) == id) {
                self.remarks.push(id);
            }
            return;
        }
        if self.words.iter().rev().find(|(who, ..)| self.canonical(*who) == id).is_some_and(|(.., last)| *last == word) {
            return;
        }
        self.words.push((id, acted, word));
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

    pub fn owed(&self) -> BTreeSet<usize> {
        if self.ended.is_some() { self.attached.difference(&self.settled).copied().collect() } else { BTreeSet::new() }
    }
}

/// Any life of a review.
pub struct Lives;

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
