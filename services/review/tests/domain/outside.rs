//! Invariant 13: what comes from outside is a request, never a fact.

use events::event::{Canceller, Channel, Occasion, OutsideRefusal, Program};
use proptest::prelude::*;
use review::{
    Answer, Command,
    command::{Report, Stated, Vote},
    contact::{Kind, Route},
    owed,
    tally::Tally,
};
use serde_json::json;

use crate::{
    commands::{vote, when},
    world::{World, person, request, wish},
};

/// Channels that do all that one can.
const ROUTES: [Route; 2] = [
    Route { channel: Channel::Slack, by: &[Kind::Slack, Kind::Anywhere], reminds: true, tells_end: true, updates: true },
    Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: true, updates: true },
];

fn program(source: &str) -> Program {
    Program { account: "444455556666".to_owned(), source: source.to_owned() }
}

fn report(who: &str, occasion: Occasion, trusted: bool) -> Command {
    Command::Report(Report {
        person: person(who),
        occasion,
        message_ref: Some("D0MALLORY/1.2".to_owned()),
        by: program("com.example.pager"),
        trusted,
    })
}

fn open() -> World {
    World::new().then(when("asks, no token"))
}

#[test]
fn invariant_13_a_report_of_somebody_untrusted_keeps_nobody_from_being_asked() {
    let before = open();
    let owed_before = owed::messages(before.fold.state.review().expect("a review"), &before.directory, &ROUTES, before.now);
    for who in ["ana@x.com", "eve@x.com", "rita@x.com"] {
        let mut world = before.clone();
        let decision = world.does(&report(who, Occasion::Asked, false));
        assert_eq!(decision.answer, Answer::Refused(OutsideRefusal::UntrustedSource), "{who}");
        let review = world.fold.state.review().expect("a review");
        assert_eq!(owed::messages(review, &world.directory, &ROUTES, world.now), owed_before, "{who}");
        assert!(review.cards.is_empty() && review.notified.is_empty(), "{who}");
        assert_eq!(world.history(), ["ReviewRequested", "OutsideEventRefused"], "on record");
    }
}

#[test]
fn invariant_13_a_trusted_report_makes_no_card_no_thread_and_no_reader() {
    let mut world = open();
    for who in ["eve@x.com", "rita@x.com"] {
        let answer = world.does(&report(who, Occasion::Asked, true)).answer;
        assert_eq!(answer, Answer::Refused(OutsideRefusal::NotAsked), "{who} is not asked");
    }
    assert_eq!(world.does(&report("ana@x.com", Occasion::Ended, true)).answer, Answer::Refused(OutsideRefusal::NotDue));
    assert_eq!(world.does(&report("slack:T1/ANA", Occasion::Asked, true)).answer, Answer::Noted);
    assert_eq!(world.does(&report("ana@x.com", Occasion::Asked, true)).events, [], "once");

    let review = world.fold.state.review().expect("a review");
    assert_eq!(review.notified.len(), 1);
    assert_eq!((review.notified[0].what.channel, &review.notified[0].what.person), (Channel::Bus, &person("ana@x.com")));
    assert!(review.cards.is_empty(), "a message of somebody else's is never changed by us");

    let world = world.then(when("bob rejects"));
    let review = world.fold.state.review().expect("a review");
    assert!(review.ending.is_some());
    assert_eq!(owed::messages(review, &world.directory, &ROUTES, world.now), [], "nobody whom we wrote to is told of the end");
    assert_eq!(owed::updates(review, &ROUTES, world.now), Vec::<&review::state::Card>::new());
}

#[test]
fn invariant_13_a_flood_of_refused_events_leaves_room_for_what_matters() {
    let mut world = open();
    for number in 0..200 {
        let mut untrusted = match vote(&format!("p{number}@x.com"), "approve") {
            Command::Vote(vote) => vote,
            _ => unreachable!("a vote"),
        };
        untrusted.trusted = false;
        world.does(&Command::Vote(untrusted));
        world.does(&report(&format!("p{number}@x.com"), Occasion::Asked, false));
        let (account, source) = ("9".to_owned(), format!("s{number}"));
        world.does(&Command::Cancel { by: Canceller::Source { account, source }, reason: None });
        world.does(&vote(&format!("stranger{number}@x.com"), "approve"));
    }
    let review = world.fold.state.review().expect("a review");
    assert_eq!((review.refused_votes.len(), review.refused_events.len()), (120, 20));
    let decision = world.does(&when("requester approves"));
    assert_eq!(decision.events.len(), 1, "the requester's own attempt is on record: {decision:?}");
}

#[test]
fn a_flood_by_those_who_take_part_leaves_room_for_the_others() {
    let mut world = open();
    world.group("oncall", &["cy@x.com"]);
    for number in 0..200 {
        world.does(&vote(&format!("stranger{number}@x.com"), "approve"));
    }
    let mut untrusted = match vote("bob@x.com", "approve") {
        Command::Vote(vote) => vote,
        _ => unreachable!("a vote"),
    };
    untrusted.trusted = false;
    assert_eq!(world.does(&Command::Vote(untrusted)).events.len(), 1, "each sort has room of its own");
}

#[derive(Debug, Clone)]
enum Outside {
    Vote { who: String, choice: &'static str },
    Report { who: String, occasion: Occasion },
    Cancel { source: String },
}

fn outside() -> impl Strategy<Value = Outside> {
    let who = prop::sample::select(vec!["ana@x.com", "bob@x.com", "cy@x.com", "rita@x.com", "eve@x.com", "slack:T1/ANA"]);
    let who = who.prop_map(str::to_owned);
    prop_oneof![
        (who.clone(), prop::sample::select(vec!["approve", "reject", "request-changes", "comment"]))
            .prop_map(|(who, choice)| Outside::Vote { who, choice }),
        (who, prop::sample::select(vec![Occasion::Asked, Occasion::Ended]))
            .prop_map(|(who, occasion)| Outside::Report { who, occasion }),
        "[a-z]{1,8}".prop_map(|source| Outside::Cancel { source }),
    ]
}

proptest! {
    #[test]
    fn invariant_13_no_event_of_an_untrusted_sender_changes_what_is_owed_who_sees_or_the_tally(
        events in prop::collection::vec(outside(), 1..30)
    ) {
        let before = open().then(when("bob approves"));
        let mut world = before.clone();
        for event in events {
            world.does(&match event {
                Outside::Vote { who, choice } => Command::Vote(Vote {
                    person: person(&who),
                    choice: serde_json::from_value(json!(choice)).expect("a choice"),
                    reason: None,
                    channel: Channel::Bus,
                    entered_by: None,
                    integration: None,
                    matched_account: None,
                    stated: Stated::NOTHING,
                    trusted: false,
                }),
                Outside::Report { who, occasion } => report(&who, occasion, false),
                Outside::Cancel { source } => {
                    Command::Cancel { by: Canceller::Source { account: "444455556666".to_owned(), source }, reason: None }
                }
            });
        }
        let standing = |world: &World| {
            let review = world.fold.state.review().expect("a review").clone();
            let tally = Tally::of(review.votes.iter().map(|vote| vote.what.as_ref()), &world.directory);
            let asked = owed::asked(&review, &world.directory);
            let owed = owed::messages(&review, &world.directory, &ROUTES, world.now);
            (tally, asked, owed, review.notified.clone(), review.cards.clone(), review.ending.clone(), owed::next_due(&world.fold.state))
        };
        prop_assert_eq!(standing(&world), standing(&before));
    }
}

#[test]
fn whoever_asks_for_the_same_does_not_decide_it_either() {
    let bob_asks = |token| wish(request(json!({"requester": {"email": "bob@x.com"}})), token);
    let mut world = open();
    let decision = world.does(&bob_asks(Some("token-2")));
    assert_eq!(decision.answer, Answer::Found);
    assert_eq!(world.history(), ["ReviewRequested", "RequestRepeated", "ResumeAttached"]);
    let refused = world.does(&when("bob approves")).answer;
    assert!(matches!(refused, Answer::NotCounted { why: events::event::VoteRefusal::OwnRequest, .. }), "{refused:?}");
    assert!(
        !owed::asked(world.fold.state.review().expect("a review"), &world.directory)
            .contains(&world.directory.primary(&person("bob@x.com")))
    );

    // Two of Ana, Bob and Cy are needed: without Bob and Ana there is one.
    let ana_asks = wish(request(json!({"requester": {"slack": "T1/ANA"}})), Some("token-3"));
    assert!(matches!(world.does(&ana_asks).answer, Answer::Unapprovable(faults) if faults[0].pointer == "/requester"));
}

#[test]
fn whoever_approved_cannot_ask_for_the_same_and_be_answered_at_once() {
    let world = open().then(when("bob approves")).then(when("ana approves"));
    assert!(world.fold.state.review().expect("a review").ending.is_some());
    let asks = |who| wish(request(json!({"requester": {"email": who}})), Some("token-2"));
    assert!(matches!(world.decide(&asks("bob@x.com")).answer, Answer::Unapprovable(_)));
    assert_eq!(world.decide(&asks("someone@x.com")).answer, Answer::Found);
}
