//! A channel that is out of reach, busy, or will not have somebody.

use events::{Period, event::Choice};
use ledger::Work;

use crate::world::{Mood, World};

#[tokio::test]
async fn a_healthy_run_asks_everybody_on_the_preferred_channel_in_one_commit_and_nobody_twice() {
    let world = World::new().await;
    world.notify().await;
    world.notify().await;
    assert_eq!(world.slack.sent(), ["ana@x.com Asked", "bob@x.com Asked"]);
    assert_eq!(world.email.sent(), [""; 0]);
    assert_eq!(world.commits().await, [vec!["ReviewRequested"], vec!["ReviewNotified"; 2]]);
}

#[tokio::test]
async fn slack_down_means_mail_in_the_same_run_and_slack_is_asked_once_not_once_a_person() {
    let world = World::new().await;
    world.slack.set(Mood::Down);
    world.notify().await;
    assert_eq!(world.email.sent(), ["ana@x.com Asked", "bob@x.com Asked"]);
    assert_eq!(world.slack.tries(), 1);
    let failed_then_reached = [vec!["ReviewRequested"], vec!["NotificationFailed"; 2], vec!["ReviewNotified"; 2]];
    assert_eq!(world.commits().await, failed_then_reached);
}

#[tokio::test]
async fn a_busy_slack_is_waited_for_but_not_past_the_first_minute() {
    let world = World::new().await;
    world.slack.set(Mood::BusyFor(5));
    world.notify().await;
    assert_eq!(world.email.sent(), [""; 0], "Retry-After of a few seconds is no outage");
    let due = review::owed::next_due(&world.fold().await.state);
    assert_eq!(due, Some(world.now().after(Period::seconds(5))), "and is honoured, without sleeping");
    for _ in 0..12 {
        world.pass(Period::seconds(5));
        world.notify().await;
    }
    assert_eq!(world.email.sent(), ["ana@x.com Asked", "bob@x.com Asked"]);
    assert_eq!(world.slack.sent(), [""; 0]);
}

#[tokio::test]
async fn sso_elevator_139_a_reviewer_who_is_missing_from_slack_is_asked_by_mail_at_once_and_slack_is_left_alone() {
    for mood in [Mood::Unreachable, Mood::Refuses] {
        let world = World::new().await;
        world.slack.set(mood);
        world.notify().await;
        assert_eq!(world.email.sent(), ["ana@x.com Asked", "bob@x.com Asked"]);
        let tries = world.slack.tries();
        world.slack.set(Mood::Works);
        world.minutes(100).await;
        assert_eq!(world.slack.tries(), tries);
        assert_eq!(world.email.sent()[2..], ["ana@x.com Reminded(1)", "bob@x.com Reminded(1)"]);
    }
}

#[tokio::test]
async fn an_hour_without_any_channel_loses_nothing_parks_nothing_and_costs_few_commits() {
    let world = World::new().await;
    world.slack.set(Mood::Down);
    world.email.set(Mood::Down);
    world.notify().await;
    world.minutes(60).await;
    assert_eq!((world.slack.sent().len(), world.email.sent().len()), (0, 0));
    let during = world.commits().await.len();
    assert!(during <= 40, "{during} commits in an hour of outage");

    world.email.set(Mood::Works);
    world.minutes(11).await;
    assert_eq!(world.email.sent(), ["ana@x.com Asked", "bob@x.com Asked"], "within the longest pause");
    assert_eq!(world.slack.sent(), [""; 0]);
    assert!(world.store.parked(10).await.expect("read").is_empty());
}

#[tokio::test]
async fn when_slack_heals_new_reviews_go_there_and_cards_that_could_not_be_changed_are() {
    let world = World::new().await;
    world.notify().await;
    world.slack.set(Mood::Down);
    world.vote("ana@x.com", Choice::Approve).await;
    world.notify().await;
    assert_eq!(world.slack.sent().len(), 2, "the cards are behind");
    world.minutes(60).await;
    world.slack.set(Mood::Works);
    world.minutes(11).await;
    assert_eq!(world.slack.sent()[2..4], ["Slack-1 shows 1", "Slack-2 shows 1"]);
    world.vote("bob@x.com", Choice::Approve).await;
    world.notify().await;
    let told = ["ana@x.com Ended", "bob@x.com Ended", "Slack-1 shows 3", "Slack-2 shows 3"];
    assert_eq!(world.slack.sent()[4..], told, "curie 419: no card of an ended review keeps live buttons");
    assert_eq!(world.email.sent(), [""; 0], "how it ended is no hurry and stays in its thread");
}

#[tokio::test]
async fn team_191_who_was_asked_is_reminded_on_the_channel_that_reached_them_and_told_the_end_there() {
    let world = World::new().await;
    world.slack.set(Mood::Down);
    world.notify().await;
    world.slack.set(Mood::Works);
    world.vote("bob@x.com", Choice::Approve).await;
    world.notify().await;
    world.minutes(91).await;
    assert_eq!(world.email.sent()[2..], ["ana@x.com Reminded(1)"], "mail reached her last; Bob has voted");
    world.vote("ana@x.com", Choice::Reject).await;
    world.notify().await;
    world.notify().await;
    assert_eq!(world.email.sent()[3..], ["ana@x.com Ended", "bob@x.com Ended"], "once each");
    assert_eq!(world.slack.sent(), [""; 0]);
}
