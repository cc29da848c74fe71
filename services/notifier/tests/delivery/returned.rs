//! A mail that came back after it had been taken for sent.

use events::{
    Event, Period, ReviewId,
    event::{Channel, Choice},
};
use notifier::returned::{Returned, Traced};

use crate::world::{Mood, World};

/// Ana and Bob were asked by mail, since Slack was out of reach, which it no longer is.
async fn asked_by_mail() -> World {
    let world = World::new().await;
    world.slack.set(Mood::Down);
    world.notify().await;
    assert_eq!(world.email.sent(), ["ana@x.com Asked", "bob@x.com Asked"]);
    world.slack.set(Mood::Works);
    world.pass(Period::seconds(20));
    world
}

async fn comes_back(world: &World, message_ref: &str) -> Traced {
    let (message_ref, why) = (message_ref.to_owned(), "bounced: Permanent, General".to_owned());
    let returned = Returned { review: world.review, channel: Channel::Email, message_ref, why };
    world.notifier.returned(&returned).await.expect("handled")
}

#[tokio::test]
async fn its_reader_is_told_by_the_next_channel_at_once_and_nobody_else_is() {
    let world = asked_by_mail().await;
    assert_eq!(comes_back(&world, "Email-1").await, Traced::Noted);
    assert_eq!(world.slack.sent(), ["ana@x.com Asked"]);
    let history = world.reviews.history(world.review).await.expect("read");
    let failed = history.iter().flat_map(|commit| &commit.events).rev().find_map(|event| match event {
        Event::NotificationFailed(failed) => Some(failed),
        _ => None,
    });
    let failed = failed.expect("on record");
    assert_eq!((failed.person.as_str(), failed.channel, failed.retry_at), ("ana@x.com", Channel::Email, None));
    assert_eq!((failed.message_ref.as_deref(), failed.error.as_str()), (Some("Email-1"), "bounced: Permanent, General"));

    world.minutes(100).await;
    assert_eq!(world.email.sent()[2..], ["bob@x.com Reminded(1)"], "no further mail goes where one came back from");
    assert_eq!(world.slack.sent()[1..], ["ana@x.com Reminded(1)"]);
}

#[tokio::test]
async fn invariant_07_news_of_it_that_comes_again_changes_nothing() {
    let world = asked_by_mail().await;
    comes_back(&world, "Email-2").await;
    let commits = world.commits().await;
    for _ in 0..3 {
        assert_eq!(comes_back(&world, "Email-2").await, Traced::Noted);
    }
    assert_eq!(world.commits().await, commits);
    assert_eq!(world.slack.sent(), ["bob@x.com Asked"]);
}

#[tokio::test]
async fn invariant_07_whoever_put_it_on_record_and_fell_over_is_caught_up_with() {
    let world = asked_by_mail().await;
    world.slack.set(Mood::Down);
    comes_back(&world, "Email-1").await;
    assert_eq!(world.slack.sent(), [""; 0]);
    world.slack.set(Mood::Works);
    world.pass(Period::seconds(60));
    assert_eq!(comes_back(&world, "Email-1").await, Traced::Noted);
    assert_eq!(world.slack.sent(), ["ana@x.com Asked"]);
}

#[tokio::test]
async fn one_that_no_review_sent_leaves_no_trace() {
    let world = asked_by_mail().await;
    let commits = world.commits().await;
    assert_eq!(comes_back(&world, "Email-9").await, Traced::Unknown);
    let stranger = ReviewId::for_event("1", "s", "another", 1);
    let returned =
        Returned { review: stranger, channel: Channel::Email, message_ref: "Email-1".to_owned(), why: "bounced".to_owned() };
    assert_eq!(world.notifier.returned(&returned).await.expect("handled"), Traced::Unknown);
    assert_eq!(world.commits().await, commits);
    assert_eq!(world.slack.sent(), [""; 0]);
}

#[tokio::test]
async fn one_that_comes_back_after_the_end_is_on_record_and_asks_nobody() {
    let world = asked_by_mail().await;
    world.vote("bob@x.com", Choice::Reject).await;
    world.notify().await;
    let sent = world.email.sent().len();
    assert_eq!(comes_back(&world, "Email-1").await, Traced::Noted);
    assert_eq!(world.commits().await.last().map(|events| events.contains(&"NotificationFailed")), Some(true));
    assert_eq!((world.slack.sent().len(), world.email.sent().len()), (0, sent));
}
