//! Only a deliberate POST decides, and whoever comes second is told who was first.

use axum::http::StatusCode;
use events::{
    Event,
    event::{Channel, Choice, VoteRefusal},
};
use serde_json::json;

use super::{World, request, with};

#[tokio::test]
async fn invariant_08_looking_at_a_link_or_a_page_changes_nothing() {
    let world = World::new();
    let id = world.ask(request()).await;
    let cookie = world.sign_in().await;
    let before = world.version(id).await;
    for path in [world.link(id, "ana@example.com"), format!("/reviews/{id}")] {
        for query in ["", "?choice=approve&csrf=x"] {
            for method in ["GET", "GET", "HEAD"] {
                let reply = world.send(method, &format!("{path}{query}"), &[("cookie", &cookie)], String::new()).await;
                assert_eq!(reply.status, 200, "{method} {path}");
            }
        }
    }
    for form in ["vote", "cancel"] {
        let reply =
            world.send("GET", &format!("/reviews/{id}/{form}?choice=approve"), &[("cookie", &cookie)], String::new()).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, format!("/reviews/{id}").as_str()));
    }
    assert_eq!(world.version(id).await, before);
}

#[tokio::test]
async fn invariant_08_a_post_without_token_choice_or_our_origin_decides_nothing() {
    let world = World::new();
    let id = world.ask(request()).await;
    let link = world.link(id, "ana@example.com");
    let before = world.version(id).await;
    let page = world.get(&link).await;
    let (csrf, digest) = (page.field("csrf"), page.field("subject_digest"));
    let others = world.get(&world.link(id, "ben@example.com")).await.field("csrf");

    let whole = [("csrf", csrf.as_str()), ("subject_digest", digest.as_str()), ("choice", "approve")];
    let without = |name: &str| whole.into_iter().filter(|(field, _)| *field != name).collect::<Vec<_>>();
    let instead = |name: &str, value| {
        whole.into_iter().map(|(field, old)| (field, if field == name { value } else { old })).collect::<Vec<_>>()
    };
    for (fields, status) in [
        (without("csrf"), 403),
        (instead("csrf", &others), 403),
        (without("choice"), 422),
        (instead("choice", "yes"), 422),
        (instead("choice", "comment"), 422),
        (without("subject_digest"), 422),
        ([whole.as_slice(), &[("reason", &"x".repeat(4_001))]].concat(), 422),
        ([whole.as_slice(), &[("choice", "reject")]].concat(), 422),
    ] {
        let reply = world.post(&link, &[], &fields).await;
        assert_eq!(reply.status.as_u16(), status, "{fields:?}");
        assert!(reply.text.contains("<!DOCTYPE html>") && reply.text.contains("Nothing was"), "{}", reply.text);
    }
    for origin in ["http://evil.example", "null"] {
        assert_eq!(world.post(&link, &[("origin", origin)], &whole).await.status, 403);
    }
    assert_eq!(world.post(&link, &[("host", "evil.example")], &whole).await.status, 421);
    assert_eq!(world.send("POST", &link, &[("content-type", "application/json")], "{}".into()).await.status, 422);
    assert_eq!(world.version(id).await, before);

    assert_eq!(world.post(&link, &[], &whole).await.status, 303);
    assert!(world.get(&link).await.words().contains("Approved by ana@example.com"));
}

#[tokio::test]
async fn what_was_typed_is_kept_when_a_form_decided_nothing() {
    let world = World::new();
    let id = world.ask(request()).await;
    let reply = world.press(&world.link(id, "ana@example.com"), "", "figures <look> right").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text.contains(">figures &lt;look&gt; right</textarea>"), "{}", reply.text);
}

#[tokio::test]
async fn a_reason_is_counted_in_characters_and_one_that_is_too_long_is_kept_in_the_form() {
    let world = World::new();
    for letter in ["a", "承", "😀"] {
        let id = world.ask(with(request(), "title", json!(letter))).await;
        let link = world.link(id, "ana@example.com");
        let reply = world.press(&link, "comment", &letter.repeat(4_001)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            reply.text.contains(&format!(">{}</textarea>", letter.repeat(4_001))) && reply.words().contains("4000 characters")
        );
        // A browser sends two characters for each end of a line; one is counted, and kept.
        let lines = format!("{}{}", "\r\n".repeat(100), letter.repeat(3_900));
        assert_eq!(world.press(&link, "comment", &format!("{letter}{lines}")).await.status, 422);
        assert_eq!(world.press(&link, "comment", &format!("{letter}{}", lines.replacen(letter, "", 1))).await.status, 303);
    }
    // Of a review that somebody wants to withdraw as well.
    let cookie = world.sign_in().await;
    let id = world.ask(request()).await;
    let page = world.look(&cookie, &format!("/reviews/{id}")).await;
    let fields = [("csrf", page.field("csrf")), ("reason", "x".repeat(4_001))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = world.post(&format!("/reviews/{id}/cancel"), &[("cookie", &cookie)], &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text.contains(&format!("value=\"{}\"", "x".repeat(4_001))), "{:.3000}", reply.text);
}

#[tokio::test]
async fn comments_without_end_are_refused_with_words() {
    let world = World::new();
    let id = world.ask(request()).await;
    let link = world.link(id, "ana@example.com");
    for number in 0..100 {
        assert_eq!(world.press(&link, "comment", &number.to_string()).await.status, 303);
    }
    let reply = world.press(&link, "comment", "one more").await;
    assert!(reply.words().contains("No more comments") && reply.words().contains("rejecting still count"), "{}", reply.words());
    assert!(reply.status == StatusCode::CONFLICT && reply.text.contains(">one more</textarea>"), "{}", reply.text);
    assert_eq!(world.press(&link, "approve", "").await.status, 303);
}

#[tokio::test]
async fn a_vote_keeps_its_reason_and_waits_for_the_others() {
    let world = World::new();
    let id = world.ask(with(request(), "policy", json!({"quorum": 2}))).await;
    let link = world.link(id, "ana@example.com");
    assert_eq!(world.press(&link, "approve", " fine\r\nby me ").await.status, 303);
    let page = world.get(&link).await;
    assert!(page.words().contains("You approved just now.") && page.words().contains("1 of 2"), "{}", page.words());
    let events = world.events(id).await;
    let Some(Event::VoteCast(vote)) = events.last() else { panic!("{events:?}") };
    assert_eq!((vote.reason.as_deref(), vote.channel, vote.entered_by.as_ref()), (Some("fine\nby me"), Channel::Web, None));
    // The same again, as when a browser sends a form twice.
    let before = world.version(id).await;
    assert_eq!(world.press(&link, "approve", "fine\nby me").await.status, 303);
    assert_eq!(world.version(id).await, before);
}

#[tokio::test]
async fn of_two_who_race_the_second_is_told_who_decided() {
    let world = World::new();
    let id = world.ask(request()).await;
    let (ana, ben) = (world.link(id, "ana@example.com"), world.link(id, "ben@example.com"));
    let (anas, bens) = (world.get(&ana).await, world.get(&ben).await);
    let (first, second) =
        tokio::join!(world.send_ballot(&ana, &anas, "approve", ""), world.send_ballot(&ben, &bens, "reject", "too early"));
    let (winner, loser, page) = match (first.status.as_u16(), second.status.as_u16()) {
        (303, 200) => ("Approved by ana@example.com", "ben@example.com", second),
        (200, 303) => ("Rejected by ben@example.com", "ana@example.com", first),
        other => panic!("{other:?}"),
    };
    assert!(page.words().contains("Your vote did not count"), "{}", page.words());
    assert!(page.words().contains(winner) && page.words().contains("on record as refused"), "{}", page.words());
    let refused = |event: &Event| matches!(event, Event::VoteRefused(vote) if vote.person.as_str() == loser && vote.why == VoteRefusal::AlreadyDecided);
    assert!(world.events(id).await.iter().any(refused));
}

#[tokio::test]
async fn invariant_09_a_vote_after_the_deadline_does_not_count_though_no_timer_has_fired() {
    let world = World::new();
    let id = world.ask(with(request(), "expires_in", json!("PT1H"))).await;
    let link = world.link(id, "ana@example.com");
    let form = world.get(&link).await;
    world.pass(3_600);
    let page = world.get(&link).await;
    assert!(page.words().contains("The time to decide ran out") && !page.text.contains("value=\"approve\""), "{}", page.words());
    let fields = [("csrf", form.field("csrf")), ("subject_digest", form.field("subject_digest")), ("choice", "approve".into())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = world.post(&link, &[], &fields).await;
    assert!(
        reply.words().contains("Your vote did not count") && reply.words().contains("Expired: nobody decided in time"),
        "{}",
        reply.words()
    );
    let events = world.events(id).await;
    assert!(events.iter().any(|event| matches!(event, Event::ReviewExpired(_))));
    assert!(!events.iter().any(|event| matches!(event, Event::VoteCast(_))));
}

#[tokio::test]
async fn invariant_03_a_link_of_somebody_who_is_no_reviewer_decides_nothing_and_is_on_record() {
    let world = World::new();
    let id = world.ask(request()).await;
    let digest = world.get(&world.link(id, "ana@example.com")).await.field("subject_digest");
    for (person, why) in [("eve@example.com", VoteRefusal::NotAReviewer), ("rita@example.com", VoteRefusal::OwnRequest)] {
        let link = world.link(id, person);
        let page = world.get(&link).await;
        assert!(!page.text.contains("value=\"approve\""), "{}", page.text);
        let csrf = channels::session::form_token(&world.gateway.keys, link.trim_start_matches("/a/"));
        let reply = world.post(&link, &[], &[("csrf", &csrf), ("subject_digest", &digest), ("choice", "approve")]).await;
        assert!(reply.words().contains("Your vote did not count"), "{}", reply.words());
        let refused =
            |event: &Event| matches!(event, Event::VoteRefused(vote) if vote.person.as_str() == person && vote.why == why);
        assert!(world.events(id).await.iter().any(refused), "{person}");
    }
}

#[tokio::test]
async fn a_vote_on_other_content_is_refused() {
    let world = World::new();
    let id = world.ask(request()).await;
    let other = world.ask(with(with(request(), "title", json!("Other")), "subject", json!({"id": "v43"}))).await;
    let digest = world.get(&world.link(other, "ana@example.com")).await.field("subject_digest");
    let link = world.link(id, "ana@example.com");
    let csrf = world.get(&link).await.field("csrf");
    let reply = world.post(&link, &[], &[("csrf", &csrf), ("subject_digest", &digest), ("choice", "approve")]).await;
    assert!(reply.words().contains("what they saw is not what the review holds"), "{}", reply.words());
}

#[tokio::test]
async fn in_development_mode_the_operator_decides_on_behalf_and_is_named_for_it() {
    let world = World::with_dev(true);
    let id = world.ask(request()).await;
    let (cookie, path) = (world.sign_in().await, format!("/reviews/{id}"));
    let page = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await;
    let (csrf, digest) = (page.field("csrf"), page.field("subject_digest"));
    let fields = [("csrf", csrf.as_str()), ("subject_digest", digest.as_str()), ("choice", "reject"), ("reason", "by phone")];
    let vote = format!("{path}/vote");
    assert_eq!(world.post(&vote, &[], &fields).await.status, 403, "without the cookie");
    assert_eq!(world.post(&vote, &[("cookie", &cookie)], &fields).await.status, 422, "without a person");
    let whole = [fields.as_slice(), &[("person", "ben@example.com")]].concat();
    assert_eq!(world.post(&vote, &[("cookie", &cookie)], &whole).await.status, 303);
    let events = world.events(id).await;
    let cast = events.iter().find_map(|event| if let Event::VoteCast(vote) = event { Some(vote) } else { None }).expect("a vote");
    assert_eq!((cast.person.as_str(), cast.choice), ("ben@example.com", Choice::Reject));
    assert_eq!(cast.entered_by, Some(events::event::EnteredBy::Operator));
    let page = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await;
    assert!(page.words().contains("entered by the operator"), "{}", page.words());

    let cancel = world.post(&format!("{path}/cancel"), &[("cookie", &cookie)], &[("csrf", &csrf)]).await;
    assert!(
        cancel.words().contains("Nothing was changed") && cancel.words().contains("Rejected by ben@example.com"),
        "{}",
        cancel.words()
    );
}

#[tokio::test]
async fn the_operator_cancels_with_a_reason() {
    let world = World::new();
    let id = world.ask(request()).await;
    let (cookie, path) = (world.sign_in().await, format!("/reviews/{id}"));
    let csrf = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("reason", "asked by mistake")];
    assert_eq!(world.post(&format!("{path}/cancel"), &[("cookie", &cookie)], &fields).await.status, 303);
    let page = world.send("GET", &path, &[("cookie", &cookie)], String::new()).await;
    assert!(page.words().contains("Cancelled by the operator") && page.words().contains("asked by mistake"), "{}", page.words());
    assert!(!page.text.contains("value=\"approve\""));
}
