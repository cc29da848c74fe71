//! Who is owed which message on which channel, as the log alone says.

use events::{
    Event, Period,
    event::{Channel, NoticeUpdated, NotificationFailed, Purpose, ReviewNotified, V},
};
use review::{
    Command, Review,
    command::Notice,
    contact::{Kind, Route},
    owed::{self, ENDED_LIFE, Owed},
};

use crate::{
    commands::{reached_on, returned, vote},
    states::given,
    world::{World, person},
};

const SLACK: Route = Route { channel: Channel::Slack, by: &[Kind::Slack], reminds: true, tells_end: true, updates: true };
const EMAIL: Route = Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: true, updates: false };
const SMS: Route = Route { channel: Channel::Sms, by: &[Kind::Phone], reminds: true, tells_end: false, updates: false };
const ROUTES: [Route; 3] = [SLACK, EMAIL, SMS];

fn review(world: &World) -> &Review {
    world.fold.state.review().expect("recorded")
}

fn owed(world: &World) -> Vec<String> {
    let owed = owed::messages(review(world), &world.directory, &ROUTES, world.now);
    owed.iter().map(|Owed { person, channel, purpose }| format!("{person} {channel:?} {purpose:?}")).collect()
}

fn to(world: &World, who: &str) -> Vec<String> {
    owed(world).into_iter().filter(|owed| owed.starts_with(who)).collect()
}

fn sent(who: &str, channel: Channel, purpose: Purpose, message_ref: &str) -> Command {
    Command::Notices(vec![Notice::Reached(ReviewNotified {
        v: V,
        person: person(who),
        channel,
        occasion: purpose.occasion(),
        reminder: purpose.reminder(),
        message_ref: Some(message_ref.to_owned()),
        shows: 0,
        reported_by: None,
    })])
}

/// `seconds` from now, or never again.
fn failed(world: &World, who: &str, channel: Channel, purpose: Purpose, seconds: Option<i64>, waits: bool) -> Command {
    Command::Notices(vec![Notice::Failed(NotificationFailed {
        v: V,
        person: person(who),
        channel,
        occasion: purpose.occasion(),
        reminder: purpose.reminder(),
        error: "no".to_owned(),
        retry_at: seconds.map(|seconds| world.now.after(Period::seconds(seconds))),
        waits,
        message_ref: None,
    })])
}

/// A review of 24 hours in which everybody was asked by mail.
fn asked() -> World {
    let mut world = given("open", None);
    for who in ["ana@x.com", "bob@x.com", "cy@x.com"] {
        world.does(&sent(who, Channel::Email, Purpose::Asked, who));
    }
    world.pass(Period::seconds(1));
    world
}

fn remind(world: &mut World) -> Vec<Event> {
    world.does(&Command::Remind).events
}

#[test]
fn each_person_is_asked_on_the_first_channel_that_knows_them() {
    let world = given("open", None);
    assert_eq!(owed(&world), ["ana@x.com Slack Asked", "bob@x.com Email Asked", "cy@x.com Email Asked"]);
}

#[test]
fn a_channel_that_is_down_or_does_not_know_somebody_is_passed_over_at_once_and_one_that_is_busy_waited_for() {
    for (seconds, waits, expected) in
        [(Some(60), false, vec!["ana@x.com Email Asked"]), (None, false, vec!["ana@x.com Email Asked"]), (Some(5), true, vec![])]
    {
        let mut world = given("open", None);
        let failure = failed(&world, "ana@x.com", Channel::Slack, Purpose::Asked, seconds, waits);
        world.does(&failure);
        assert_eq!(to(&world, "ana"), expected, "{seconds:?} {waits}");
        world.pass(Period::seconds(60));
        let later = if seconds.is_some() { "ana@x.com Slack Asked" } else { "ana@x.com Email Asked" };
        assert_eq!(to(&world, "ana"), [later], "each is tried again when its time comes");
    }
}

#[test]
fn when_every_channel_failed_nothing_is_owed_until_the_first_is_to_be_tried_again() {
    let mut world = given("open", None);
    for (channel, seconds) in [(Channel::Slack, 60), (Channel::Email, 30)] {
        let failure = failed(&world, "ana@x.com", channel, Purpose::Asked, Some(seconds), false);
        world.does(&failure);
    }
    assert_eq!(to(&world, "ana"), [""; 0]);
    assert_eq!(owed::next_due(&world.fold.state), Some(world.now.after(Period::seconds(30))));
    world.pass(Period::seconds(30));
    assert_eq!(to(&world, "ana"), ["ana@x.com Email Asked"]);
}

#[test]
fn reminders_come_with_doubling_pauses_until_the_deadline_to_those_who_have_not_voted() {
    let mut world = asked();
    let hours: Vec<_> = owed::reminders::times(review(&world))
        .map(|(number, at)| (number, at.since(review(&world).requested_at).num_minutes()))
        .collect();
    assert_eq!(hours, [(1, 90), (2, 270), (3, 630), (4, 1_350)]);
    assert_eq!(owed::next_due(&world.fold.state), owed::reminders::times(review(&world)).next().map(|(_, at)| at));
    assert_eq!(remind(&mut world), [], "too early");

    world.pass(Period::seconds(90 * 60));
    world.does(&vote("bob@x.com", "approve"));
    assert_eq!(remind(&mut world).len(), 1);
    assert_eq!(remind(&mut world), [], "once");
    // Ana is on Slack, but mail reached her last.
    assert_eq!(owed(&world), ["ana@x.com Email Reminded(1)", "cy@x.com Email Reminded(1)"], "Bob has voted");
    world.does(&sent("ana@x.com", Channel::Email, Purpose::Reminded(1), "r-1"));
    world.does(&vote("cy@x.com", "comment"));
    assert_eq!(owed(&world), ["cy@x.com Email Reminded(1)"], "a comment is no decision");
    let failure = failed(&world, "cy@x.com", Channel::Email, Purpose::Reminded(1), None, false);
    world.does(&failure);
    assert_eq!(owed(&world), [""; 0], "Cy has no other channel");
}

#[test]
fn reminders_that_an_outage_swallowed_are_not_made_up_for() {
    let mut world = asked();
    world.pass(Period::hours(11));
    let events = remind(&mut world);
    assert!(matches!(&events[..], [Event::ReviewReminded(reminded)] if reminded.number == 3), "{events:?}");
    assert_eq!(owed(&world).len(), 3);
    assert_eq!(owed::next_due(&world.fold.state), owed::reminders::times(review(&world)).last().map(|(_, at)| at));
}

#[test]
fn whoever_was_asked_only_now_is_not_reminded_at_once() {
    let mut world = given("open", None);
    world.pass(Period::hours(2));
    remind(&mut world);
    world.does(&sent("ana@x.com", Channel::Slack, Purpose::Asked, "C/1"));
    assert_eq!(to(&world, "ana"), [""; 0]);
    assert_eq!(to(&world, "bob"), ["bob@x.com Email Asked"]);
}

#[test]
fn a_review_of_minutes_reminds_nobody() {
    let world = World::new().then(crate::world::wish(crate::world::request(serde_json::json!({"expires_in": "PT8M"})), None));
    assert_eq!(owed::reminders::times(review(&world)).count(), 0);
    assert_eq!(owed::next_due(&world.fold.state), Some(review(&world).request.expires_at));
}

#[test]
fn those_who_were_asked_are_told_the_end_once_where_they_were_reached_and_soon_or_not_at_all() {
    let mut world = given("open", None);
    world.does(&sent("ana@x.com", Channel::Slack, Purpose::Asked, "C/1"));
    world.does(&sent("bob@x.com", Channel::Email, Purpose::Asked, "m-1"));
    world.does(&vote("ana@x.com", "reject"));
    assert_eq!(owed(&world), ["ana@x.com Slack Ended", "bob@x.com Email Ended"], "Cy was never asked");
    let failure = failed(&world, "ana@x.com", Channel::Slack, Purpose::Ended, Some(60), true);
    world.does(&failure);
    world.does(&sent("bob@x.com", Channel::Email, Purpose::Ended, "m-2"));
    assert_eq!(owed(&world), [""; 0]);
    assert_eq!(owed::next_due(&world.fold.state), Some(world.now.after(Period::seconds(60))));
    world.pass(Period::seconds(60));
    assert_eq!(owed(&world), ["ana@x.com Slack Ended"]);
    world.pass(ENDED_LIFE);
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn a_mail_that_came_back_falls_to_the_next_channel_whatever_was_recorded_first() {
    for back_first in [false, true] {
        let mut world = given("open", None);
        let notices =
            [sent("ana@x.com", Channel::Email, Purpose::Asked, "m-1"), Command::Notices(vec![returned("ana@x.com", "m-1")])];
        if back_first {
            notices.iter().rev().for_each(|notice| drop(world.does(notice)));
        } else {
            notices.iter().for_each(|notice| drop(world.does(notice)));
        }
        assert!(
            !review(&world).was_reached(&world.directory.primary(&person("ana@x.com")), Purpose::Asked, &world.directory),
            "{back_first}"
        );
        assert_eq!(to(&world, "ana"), ["ana@x.com Slack Asked"], "{back_first}");
        world.does(&sent("ana@x.com", Channel::Slack, Purpose::Asked, "C/1"));
        world.pass(Period::hours(2));
        remind(&mut world);
        assert_eq!(to(&world, "ana"), ["ana@x.com Slack Reminded(1)"], "{back_first}");
    }
}

#[test]
fn a_message_at_a_channel_is_owed_a_change_until_it_shows_every_vote_and_the_end() {
    let mut world = given("open", None);
    world.does(&sent("ana@x.com", Channel::Slack, Purpose::Asked, "C/1"));
    world.does(&sent("bob@x.com", Channel::Email, Purpose::Asked, "m-1"));
    let behind = |world: &World| owed::updates(review(world), &ROUTES, world.now).len();
    assert_eq!(behind(&world), 0);
    world.does(&vote("ana@x.com", "approve"));
    assert_eq!(behind(&world), 1, "a mail cannot be changed");
    let shows = |shows| {
        let (person, message_ref) = (person("ana@x.com"), "C/1".to_owned());
        Command::Notices(vec![Notice::Updated(NoticeUpdated { v: V, person, channel: Channel::Slack, message_ref, shows })])
    };
    world.does(&shows(1));
    assert_eq!(behind(&world), 0);
    world.does(&vote("bob@x.com", "approve"));
    assert_eq!(behind(&world), 1, "no live buttons on a review that has ended");
    world.does(&shows(3));
    assert_eq!(behind(&world), 0);
}

#[test]
fn a_retry_that_nobody_is_owed_any_more_is_settled_and_not_due_for_ever() {
    let mut world = given("open", None);
    let failure = failed(&world, "cy@x.com", Channel::Email, Purpose::Asked, Some(60), false);
    world.does(&failure);
    world.group("oncall", &[]);
    world.pass(Period::seconds(60));
    let lapsed = owed::lapsed(review(&world), &world.directory, &ROUTES, world.now);
    let [failed] = &lapsed[..] else { panic!("{lapsed:?}") };
    let settled = NotificationFailed { retry_at: None, ..failed.last.clone() };
    world.does(&Command::Notices(vec![Notice::Failed(settled)]));
    assert!(owed::next_due(&world.fold.state) > Some(world.now));
    world.does(&Command::Notices(vec![reached_on("bob@x.com", Channel::Email)]));
}
