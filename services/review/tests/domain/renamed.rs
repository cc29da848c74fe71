//! Random lives of a review in which the directory changes between any two steps.

use std::collections::BTreeSet;

use events::{
    Event, Period,
    event::{Channel, Choice, NotificationFailed, PersonRemoved, ReviewNotified, V},
};
use proptest::prelude::*;
use review::{
    Command, Review,
    command::Notice,
    contact::{Kind, Route},
    owed::{self, Owed},
};
use serde_json::json;

use crate::{
    commands::vote,
    world::{World, person, request, wish},
};

/// Ids that the directory binds to each other in any way. The review names some of them.
const IDS: [&str; 7] =
    ["ana@old.example", "ana@bücher.example", "slack:T1/ANA", "bob@x.com", "slack:T1/BOB", "rita@x.com", "rita@y.example"];
const ROUTES: [Route; 2] = [
    Route { channel: Channel::Slack, by: &[Kind::Slack], reminds: true, tells_end: true, updates: true },
    Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: true, updates: false },
];

#[derive(Debug, Clone)]
enum Step {
    /// The directory says that these ids are one person, the first of them the primary one.
    Bind(usize, Vec<usize>),
    /// The directory forgets whoever has this primary id.
    Forget(usize),
    /// A run of the notifier; how each message goes.
    Notify(Vec<Went>),
    /// The mail that went out so many mails ago comes back.
    Bounce(usize),
    Vote(usize, &'static str),
    Remind,
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
enum Went {
    Out,
    Busy,
    Nowhere,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = || 0..IDS.len();
    let went = prop_oneof![3 => Just(Went::Out), 1 => Just(Went::Busy), 1 => Just(Went::Nowhere)];
    let choice = prop::sample::select(vec!["approve", "approve", "request-changes", "comment"]);
    let step = prop_oneof![
        4 => (id(), prop::collection::vec(id(), 0..3)).prop_map(|(primary, aliases)| Step::Bind(primary, aliases)),
        1 => id().prop_map(Step::Forget),
        5 => prop::collection::vec(went, 4).prop_map(Step::Notify),
        1 => (0..4_usize).prop_map(Step::Bounce),
        4 => (id(), choice).prop_map(|(who, choice)| Step::Vote(who, choice)),
        1 => Just(Step::Remind),
        2 => (1..20_000_i64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..30)
}

struct Life {
    world: World,
    sent: u32,
}

impl Life {
    fn review(&self) -> &Review {
        self.world.fold.state.review().expect("recorded")
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Bind(primary, aliases) => {
                let aliases: Vec<&str> = aliases.iter().filter(|alias| *alias != primary).map(|alias| IDS[*alias]).collect();
                self.world.register(IDS[*primary], &aliases);
            }
            Step::Forget(who) => {
                self.world.change_directory(PersonRemoved { v: V, person: person(IDS[*who]), changed: None }.into())
            }
            Step::Notify(went) => self.notify(went),
            Step::Bounce(ago) => self.bounce(*ago),
            Step::Vote(who, choice) => self.vote(IDS[*who], choice),
            Step::Remind => drop(self.does(&Command::Remind)),
            Step::Wait(seconds) => self.world.pass(Period::seconds(*seconds)),
        }
    }

    /// Does a command, which changes nothing a second time.
    fn does(&mut self, command: &Command) -> Vec<Event> {
        let events = self.world.does(command).events;
        assert_eq!(self.world.decide(command).events, [], "{command:?} again");
        events
    }

    /// As the notifier runs: until nothing is owed now.
    fn notify(&mut self, went: &[Went]) {
        for round in 0.. {
            assert!(round < 10, "a run that never ends");
            let World { directory, now, .. } = self.world.clone();
            let owed = owed::messages(self.review(), &directory, &ROUTES, now);
            let each: BTreeSet<_> = owed.iter().map(|owed| (&owed.person, owed.purpose)).collect();
            assert_eq!(each.len(), owed.len(), "one message each: {owed:?}");
            let mut notices: Vec<Notice> = Vec::new();
            for (index, owed) in owed.iter().enumerate() {
                assert_eq!(directory.primary(owed.person.recorded()), owed.person);
                let before = |notice: &ReviewNotified| {
                    notice.purpose() == owed.purpose && directory.primary(&notice.person) == owed.person
                };
                assert!(!self.review().reached().any(|notice| before(&notice.what)), "asked twice: {owed:?}");
                notices.push(self.outcome(owed, went[index % went.len()]));
            }
            for lapsed in owed::lapsed(self.review(), &directory, &ROUTES, now) {
                notices.push(Notice::Failed(NotificationFailed { retry_at: None, ..lapsed.last.clone() }));
            }
            if notices.is_empty() {
                break;
            }
            let events = self.does(&Command::Notices(notices.clone()));
            assert_eq!(events.len(), notices.len(), "each is on record: {notices:?}");
        }
        let (review, now) = (self.review(), self.world.now);
        let awaits_time = [review.request.expires_at].into_iter().chain(owed::reminders::next(review).map(|(_, at)| at));
        let due = owed::next_due(&self.world.fold.state);
        let is_over = review.ending.is_none() && awaits_time.into_iter().any(|at| at <= now);
        assert!(is_over || due.is_none_or(|due| due > now), "due for ever: {due:?} at {now}");
    }

    fn outcome(&mut self, owed: &Owed, went: Went) -> Notice {
        let Owed { person, channel, purpose } = owed.clone();
        let (person, occasion, reminder) = (person.into(), purpose.occasion(), purpose.reminder());
        self.sent += 1;
        let retry_at = match went {
            Went::Out => {
                let message_ref = Some(format!("m-{}", self.sent));
                let notice =
                    ReviewNotified { v: V, person, channel, occasion, reminder, message_ref, shows: 0, reported_by: None };
                return Notice::Reached(notice);
            }
            Went::Busy => Some(self.world.now.after(Period::seconds(60))),
            Went::Nowhere => None,
        };
        let (error, message_ref) = (format!("no {}", self.sent), None);
        Notice::Failed(NotificationFailed {
            v: V,
            person,
            channel,
            occasion,
            reminder,
            error,
            retry_at,
            waits: false,
            message_ref,
        })
    }

    fn bounce(&mut self, ago: usize) {
        let Some(sent) = self.review().notified.iter().rev().nth(ago).map(|notice| notice.what.clone()) else { return };
        let failed = NotificationFailed {
            v: V,
            person: sent.person.clone(),
            channel: sent.channel,
            occasion: sent.occasion,
            reminder: sent.reminder,
            error: "came back".to_owned(),
            retry_at: None,
            waits: false,
            message_ref: sent.message_ref.clone(),
        };
        self.does(&Command::Notices(vec![Notice::Failed(failed)]));
    }

    fn vote(&mut self, who: &str, choice: &str) {
        let directory = self.world.directory.clone();
        let voter = directory.primary(&person(who));
        let last = self.review().last_words(&directory).get(&voter).map(|vote| vote.what.choice);
        let events = self.does(&vote(who, choice));
        for event in &events {
            match event {
                Event::VoteCast(cast) => {
                    assert_eq!(cast.person, *voter.recorded());
                    assert!(cast.choice == Choice::Comment || Some(cast.choice) != last, "{who} votes twice");
                    let is_remark = cast.choice == Choice::Comment;
                    assert!(is_remark || !self.review().is_requester(&voter, &directory), "{who} asked");
                }
                Event::ReviewDecided(decided) => {
                    let people: BTreeSet<_> = decided.decided_by.iter().map(|id| directory.primary(id)).collect();
                    assert_eq!(people.len(), decided.decided_by.len(), "different people");
                    assert!(people.len() >= 2, "a quorum");
                    assert!(
                        people.iter().all(|person| !self.review().is_requester(person, &directory)),
                        "who asked does not decide"
                    );
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariant_03_nobody_is_asked_twice_votes_twice_or_decides_what_they_asked_whoever_is_who(steps in steps()) {
        let reviewers = json!([
            {"email": "ana@old.example"}, {"email": "ana@bücher.example"}, {"slack": "T1/BOB"}, {"email": "rita@y.example"},
        ]);
        let mut life = Life { world: World::new(), sent: 0 };
        life.world.change_directory(PersonRemoved { v: V, person: person("ana@x.com"), changed: None }.into());
        let wish = wish(request(json!({"reviewers": reviewers})), None);
        prop_assert_eq!(life.world.does(&wish).answer.name(), "opened");
        for step in &steps {
            life.step(step);
        }
    }
}
