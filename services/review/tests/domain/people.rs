//! Who somebody is may change while a review is open: an address becomes an alias, another becomes the primary
//! one. Whatever is on record under any of their ids is theirs.

use events::{
    Event, Period, PersonId,
    event::{Canceller, Channel, PersonRemoved, Purpose, V},
};
use review::{
    Command, Review,
    contact::{Kind, Route},
    owed,
};
use serde_json::json;

use crate::{
    commands::{cancel, later, reached, returned, unreached, vote},
    world::{World, person, request, wish},
};

const EMAIL: Route = Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: true, updates: false };

/// Old and Bob are asked; both must approve.
fn asked() -> World {
    World::new().then(wish(request(json!({"reviewers": [{"email": "old@x.com"}, {"email": "bob@x.com"}]})), None))
}

/// Old has got another address, and the old one is an alias.
fn rename(world: &mut World) {
    world.register("new@x.com", &["old@x.com"]);
}

fn review(world: &World) -> &Review {
    world.fold.state.review().expect("recorded")
}

fn owed_to(world: &World) -> Vec<String> {
    let owed = owed::messages(review(world), &world.directory, &[EMAIL], world.now);
    owed.iter().map(|owed| format!("{} {:?}", owed.person, owed.purpose)).collect()
}

fn ended(who: &str) -> review::command::Notice {
    let review::command::Notice::Reached(notice) = reached(who) else { unreachable!("reached") };
    let (occasion, reminder) = (Purpose::Ended.occasion(), None);
    review::command::Notice::Reached(events::event::ReviewNotified { occasion, reminder, ..notice })
}

#[test]
fn whoever_was_asked_under_a_former_id_is_not_asked_again() {
    let mut world = asked();
    world.does(&Command::Notices(vec![reached("old@x.com"), reached("bob@x.com")]));
    rename(&mut world);
    assert_eq!(owed_to(&world), [] as [&str; 0]);
    world.does(&vote("bob@x.com", "reject"));
    assert_eq!(owed_to(&world), ["bob@x.com Ended", "new@x.com Ended"], "one mail each");
    world.does(&Command::Notices(vec![ended("new@x.com"), ended("bob@x.com")]));
    assert_eq!(owed_to(&world), [] as [&str; 0]);
    assert_eq!(world.decide(&Command::Notices(vec![ended("old@x.com"), reached("new@x.com")])).events, [], "on record already");
}

#[test]
fn two_who_turn_out_to_be_one_are_told_once() {
    let mut world = World::new().then(wish(
        request(json!({"reviewers": [{"email": "old@x.com"}, {"email": "new@x.com"}, {"email": "bob@x.com"}]})),
        None,
    ));
    world.does(&Command::Notices(vec![reached("old@x.com"), reached("new@x.com"), reached("bob@x.com")]));
    rename(&mut world);
    world.does(&vote("bob@x.com", "reject"));
    assert_eq!(owed_to(&world), ["bob@x.com Ended", "new@x.com Ended"]);
}

#[test]
fn a_reminder_goes_to_a_person_once_whichever_id_it_names() {
    let mut world = asked();
    world.does(&Command::Notices(vec![reached("old@x.com"), reached("bob@x.com")]));
    world.pass(Period::hours(2));
    world.does(&Command::Remind);
    rename(&mut world);
    assert_eq!(owed_to(&world), ["bob@x.com Reminded(1)", "new@x.com Reminded(1)"]);
    world.does(&vote("old@x.com", "comment"));
    world.does(&vote("new@x.com", "request-changes"));
    assert_eq!(owed_to(&world), ["bob@x.com Reminded(1)"], "who has voted is awaited no more");
}

#[test]
fn a_failure_under_a_former_id_is_tried_at_the_new_address_and_does_not_stay_due() {
    let mut world = asked();
    world.does(&Command::Notices(vec![unreached("old@x.com", Some(later(60))), reached("bob@x.com")]));
    rename(&mut world);
    assert_eq!(owed_to(&world), ["new@x.com Asked"], "the new address has not been tried");
    world.does(&Command::Notices(vec![reached("new@x.com")]));
    world.pass(Period::seconds(60));
    let lapsed: Vec<_> = owed::lapsed(review(&world), &world.directory, &[EMAIL], world.now).into_iter().cloned().collect();
    assert_eq!(lapsed.len(), 1, "the failure of old");
    let settled = events::event::NotificationFailed { retry_at: None, ..lapsed[0].last.clone() };
    let settled = Command::Notices(vec![review::command::Notice::Failed(settled)]);
    world.does(&settled);
    assert_eq!(world.decide(&settled).events, [], "once");
    assert!(owed::lapsed(review(&world), &world.directory, &[EMAIL], world.now).is_empty());
    assert!(owed::next_due(&world.fold.state).is_some_and(|due| due > world.now), "nothing is due any more");
    assert_eq!(owed_to(&world), [] as [&str; 0]);
}

#[test]
fn a_mail_that_came_back_from_a_former_address_is_sent_to_the_new_one() {
    let mut world = asked();
    let review::command::Notice::Reached(notice) = reached("old@x.com") else { unreachable!("reached") };
    let sent = events::event::ReviewNotified { message_ref: Some("m-1".into()), ..notice };
    world.does(&Command::Notices(vec![review::command::Notice::Reached(sent), reached("bob@x.com")]));
    rename(&mut world);
    world.does(&Command::Notices(vec![returned("old@x.com", "m-1")]));
    assert_eq!(owed_to(&world), ["new@x.com Asked"]);
}

#[test]
fn a_refused_vote_is_on_record_once_whichever_id_it_came_by() {
    let mut world = asked();
    world.does(&vote("eve@x.com", "approve"));
    world.register("mallory@x.com", &["eve@x.com"]);
    for who in ["eve@x.com", "mallory@x.com"] {
        assert_eq!(world.does(&vote(who, "approve")).answer.name(), "not_counted");
    }
    assert_eq!(world.history().iter().filter(|event| **event == "VoteRefused").count(), 1);
}

#[test]
fn who_asked_is_who_asked_by_every_id() {
    let mut world = World::new().then(wish(request(json!({"requester": {"email": "old@x.com"}})), None));
    world.register("new@x.com", &["old@x.com", "slack:T1/NEW"]);
    world.group("oncall", &["slack:T1/NEW", "cy@x.com"]);
    for who in ["old@x.com", "new@x.com", "slack:t1/new"] {
        assert_eq!(world.does(&vote(who, "approve")).answer.name(), "not_counted", "{who}");
        let withdrawn = world.decide(&cancel(Canceller::Requester(person(who)))).answer;
        assert_eq!(withdrawn.name(), "ended", "{who}");
    }
    assert!(owed_to(&world).iter().all(|owed| !owed.starts_with("new@x.com")), "nor is asked");
}

/// An id as an earlier version wrote it.
fn of_old(id: &str) -> PersonId {
    PersonId::recorded(id).expect("taken once")
}

#[test]
fn a_spelling_on_record_is_the_person_whom_it_always_meant() {
    let spelled = |world: &World, id: &str| world.directory.primary(&of_old(id)).to_string();
    let mut world = World::new();
    assert_eq!(spelled(&world, "ana@bücher.example"), "ana@xn--bcher-kva.example");
    world.register("ana@x.com", &["ana@bücher.example", "slack:t1/ana"]);
    for id in ["ana@bücher.example", "ana@bu\u{308}cher.example", "ana@xn--bcher-kva.example", "slack:t1/ana", "slack:T1/ANA"] {
        assert_eq!(spelled(&world, id), "ana@x.com", "{id}");
    }
    let names = world.directory.names_of(&world.directory.primary(&person("ana@x.com")));
    let found = |id: &str| names.iter().any(|name| *name == events::request::Reviewer::Person(of_old(id)));
    assert!(found("ana@bücher.example"), "what was filed under it is found");
    world.change_directory(PersonRemoved { v: V, person: of_old("ana@x.com"), changed: None }.into());
    assert_eq!(spelled(&world, "slack:t1/ana"), "slack:T1/ANA");
}

#[test]
fn one_mailbox_in_three_spellings_is_one_vote_and_no_requester_decides_by_another() {
    let reviewers = json!([{"email": "ana@bücher.example"}, {"email": "ana@bu\u{308}cher.example"}, {"email": "bob@x.com"}]);
    let Command::Request(mut wish) = wish(request(json!({"reviewers": reviewers})), None) else { unreachable!("a request") };
    assert_eq!(wish.request.reviewers.len(), 2, "one mailbox is asked once");
    // As an earlier version put it on record.
    wish.request.requester = Some(of_old("rita@bücher.example"));
    wish.request.reviewers = ["ana@bücher.example", "ana@bu\u{308}cher.example", "rita@bu\u{308}cher.example", "bob@x.com"]
        .map(|id| events::request::Reviewer::Person(of_old(id)))
        .into();
    let mut world = World::new().then(Command::Request(wish));
    assert_eq!(owed_to(&world), ["ana@xn--bcher-kva.example Asked", "bob@x.com Asked"]);
    world.does(&Command::Notices(vec![reached("ana@xn--bcher-kva.example")]));
    assert_eq!(owed_to(&world), ["bob@x.com Asked"]);
    assert_eq!(world.does(&vote("rita@xn--bcher-kva.example", "approve")).answer.name(), "not_counted");
    assert_eq!(world.does(&vote("ana@xn--bcher-kva.example", "approve")).answer.name(), "counted");
    assert_eq!(world.does(&vote("ana@BÜCHER.example", "approve")).answer.name(), "already_counted");
    let decided = world.does(&vote("bob@x.com", "approve"));
    assert!(matches!(decided.events.last(), Some(Event::ReviewDecided(decided)) if decided.decided_by.len() == 2));
}

#[test]
fn the_same_request_finds_its_review_when_its_reviewers_are_spelled_as_today() {
    let reviewers = json!([{"email": "ana@bücher.example"}, {"email": "bob@x.com"}]);
    let Command::Request(mut before) = wish(request(json!({"reviewers": reviewers})), None) else { unreachable!("a request") };
    let today = Command::Request(before.clone());
    before.request.reviewers[0] = events::request::Reviewer::Person(of_old("ana@bücher.example"));
    let world = World::new().then(Command::Request(before.clone()));
    for again in [today, Command::Request(before)] {
        assert_eq!(world.decide(&again).answer.name(), "found");
    }
    let others = json!([{"email": "ana@buecher.example"}, {"email": "bob@x.com"}]);
    assert_eq!(world.decide(&wish(request(json!({"reviewers": others})), None)).answer.name(), "key_reused");
}

#[test]
fn who_voted_by_an_alias_that_is_taken_away_again_counts_once() {
    let mut world = World::new()
        .then(wish(request(json!({"reviewers": [{"email": "ana@x.com"}, {"email": "bob@x.com"}, {"email": "cy@x.com"}]})), None));
    world.register("ana@x.com", &["bob@x.com"]);
    world.does(&vote("bob@x.com", "approve"));
    world.register("ana@x.com", &[]);
    assert_eq!(world.does(&vote("bob@x.com", "approve")).answer.name(), "counted", "his own, of two that are needed");
    assert!(review(&world).ending.is_none(), "one hand approves once");
    assert_eq!(world.does(&vote("cy@x.com", "approve")).answer.name(), "decided");
}

#[test]
fn who_asked_does_not_decide_by_an_address_that_was_somebody_elses_for_a_while() {
    let mut world = World::new().then(wish(
        request(json!({
            "requester": {"email": "rita@x.com"},
            "reviewers": [{"email": "ana@x.com"}, {"email": "bob@x.com"}, {"email": "cy@x.com"}],
        })),
        None,
    ));
    // Rita's other address is made Ana's, votes, and is Rita's again.
    world.register("ana@x.com", &["rita@y.example"]);
    world.does(&vote("rita@y.example", "approve"));
    world.register("ana@x.com", &[]);
    world.register("rita@x.com", &["rita@y.example"]);
    assert_eq!(world.does(&vote("rita@y.example", "approve")).answer.name(), "not_counted");
    assert_eq!(world.does(&vote("bob@x.com", "approve")).answer.name(), "counted", "what she said as Ana does not");
    assert_eq!(world.does(&vote("cy@x.com", "approve")).answer.name(), "decided");
}
