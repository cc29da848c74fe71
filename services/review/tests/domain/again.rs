//! The same key again: what it stands for, and how to ask anew.

use review::{Answer, Command};
use serde_json::json;

use crate::{
    commands::when,
    world::{World, request, wish},
};

fn again(event_id: &str) -> Command {
    let Command::Request(mut asked) = wish(request(json!({"again": true})), None) else { unreachable!("a request") };
    asked.origin.event_id = event_id.to_owned();
    Command::Request(asked)
}

#[test]
fn an_ended_review_is_asked_anew_when_that_is_wanted_and_once_an_event() {
    for end in ["operator cancels", "bob rejects"] {
        let world = World::new().then(when("asks, no token")).then(when(end));
        assert_eq!(world.decide(&when("asks, no token")).answer, Answer::Found, "{end}");
        assert_eq!(world.decide(&again("another call")).answer, Answer::Superseded, "{end}");
        let first = world.fold.state.origin().expect("an origin").event_id.clone();
        assert_eq!(world.decide(&again(&first)).answer, Answer::Found, "the event that opened it, delivered again");
    }
}

#[test]
fn an_event_that_found_an_open_review_asks_nothing_anew_after_its_end() {
    let mut world = World::new().then(when("asks, no token"));
    assert_eq!(world.does(&again("second")).answer, Answer::Found);
    assert_eq!(world.does(&again("second")).events, [], "on record once");
    let world = world.then(when("operator cancels"));
    assert_eq!(world.decide(&again("second")).answer, Answer::Found);
    assert_eq!(world.decide(&again("third")).answer, Answer::Superseded);
}

#[test]
fn a_key_stands_for_all_that_people_read_or_that_decides() {
    let world = World::new().then(when("asks, no token"));
    for (field, change) in [
        ("/title", json!({"title": "To production"})),
        ("/summary", json!({"summary": "words"})),
        ("/subject", json!({"subject": {"id": "other"}})),
        ("/evidence", json!({"evidence": []})),
        ("/reviewers", json!({"reviewers": [{"email": "ana@x.com"}, {"email": "bob@x.com"}]})),
        ("/policy", json!({"policy": {"quorum": 1}})),
        ("/risk", json!({"risk": "low"})),
        ("/on_expiry", json!({"on_expiry": "succeed"})),
        ("/on_reject", json!({"on_reject": "succeed"})),
    ] {
        let answer = world.decide(&wish(request(change), Some("token-2"))).answer;
        assert!(matches!(&answer, Answer::KeyReused(faults) if faults[0].pointer == field), "{field}: {answer:?}");
    }
    for change in [json!({"expires_in": "PT1H"}), json!({"requester": {"email": "other@x.com"}}), json!({"summary": " "})] {
        assert_eq!(world.decide(&wish(request(change), Some("token-2"))).answer, Answer::Found);
    }
}

#[test]
fn a_review_of_an_earlier_build_is_found_by_the_recipe_that_it_was_recorded_with() {
    let mut world = World::new().then(when("asks, no token"));
    let mut first = world.commits[0].clone();
    let events::Event::ReviewRequested(requested) = &mut first.events[0] else { unreachable!("a request") };
    let requested = std::sync::Arc::make_mut(requested);
    requested.content_recipe = events::request::ContentRecipe::Decided;
    requested.content_digest = request(json!({})).content_digest(events::request::ContentRecipe::Decided);
    world.fold = review::Fold::of([&first]).expect("folds");
    assert_eq!(world.decide(&wish(request(json!({"title": "Reworded"})), Some("token-2"))).answer, Answer::Found);
    let answer = world.decide(&wish(request(json!({"subject": {"id": "other"}})), Some("token-2"))).answer;
    assert!(matches!(answer, Answer::KeyReused(_)), "{answer:?}");
}
