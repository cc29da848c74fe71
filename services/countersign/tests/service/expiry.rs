//! Deadlines.

use std::time::Duration;

use events::Timestamp;
use serde_json::{Value, json};

use crate::{
    event, resume, row,
    support::{
        api::{Api, request, review_of_key},
        eventually, log,
        process::Service,
        workflows::{Ended, Wire, Workflows},
    },
};

fn millis(time: &Value) -> i64 {
    serde_json::from_value::<Timestamp>(time.clone()).expect("a time").millis()
}

fn now() -> i64 {
    Timestamp::from(chrono::Utc::now()).millis()
}

/// How long after the deadline the review expired, once it has.
fn lateness(api: &Api, review: &str) -> i64 {
    let expired = event(api, review, "ReviewExpired");
    millis(&expired["at"]) - millis(&expired["expires_at"])
}

#[test]
fn invariant_05_a_timer_ends_what_nobody_decides_and_its_workflow_is_told() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let (strict, lenient) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    for (key, task, more) in [("strict", &strict, json!({})), ("lenient", &lenient, json!({"on_expiry": "succeed"}))] {
        let mut detail = request(key, resume(task));
        (detail["request_key"], detail["expires_in"]) = (json!(key), json!("PT1S"));
        more.as_object().expect("an object").iter().for_each(|(name, value)| detail[name] = value.clone());
        service.api().put_event("ReviewRequested", &detail);
    }
    for key in ["strict", "lenient"] {
        let late = lateness(&service.api(), &review_of_key(key, 1));
        assert!((0..2_000).contains(&late), "{key} expired {late} ms after its deadline");
    }
    let ended = |token: &str| eventually("the workflow is told", crate::SOON, || workflows.ended(token));
    assert!(matches!(ended(&strict.0), Ended::Failed(error, _) if error == "Countersign.Expired"));
    let Ended::Succeeded(output) = ended(&lenient.0) else { panic!("on_expiry is succeed") };
    assert_eq!(output["outcome"], "expired", "no setting makes an approval of it");
    assert_eq!(row(&service.api(), &review_of_key("strict", 1))["status"], "expired");
}

#[test]
fn invariant_09_a_vote_after_the_deadline_finds_the_review_expired_before_any_timer_has_fired() {
    let service = Service::start_new(&Workflows::listen());
    let api = service.api();
    let reviews: Vec<String> = (0..10)
        .map(|number| {
            // Deadlines at all moments between two ticks of the timer.
            std::thread::sleep(Duration::from_millis(90));
            api.create(&request(&format!("short {number}"), json!({"expires_in": "PT1S"})))
        })
        .collect();
    let mut by_vote = 0;
    for review in &reviews {
        let deadline = millis(&api.review(review)["expires_at"]);
        std::thread::sleep(Duration::from_millis((deadline - now()).clamp(0, 1_000) as u64));
        let reply = api.vote(review, "ana@example.com", "approve").with_status(409);
        assert_eq!(
            (&reply.json["type"], &reply.json["ending"]["outcome"]),
            (&json!("urn:countersign:expired"), &json!("expired"))
        );
        let events = api.events(review);
        assert_eq!(log::status(review, &events), "expired");
        let version = |kind: &str| events.iter().find(|event| event["type"] == kind).expect(kind)["version"].clone();
        by_vote += usize::from(version("ReviewExpired") == version("VoteRefused"));
    }
    assert!(by_vote >= 5, "the vote itself ended {by_vote} of {}; the timer cannot have been first so often", reviews.len());
}

#[test]
fn invariant_11_a_workflow_service_that_is_down_holds_up_no_deadline() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    workflows.set_down(true);
    let waiting: Vec<String> =
        (0..20).map(|number| api.create(&request(&number.to_string(), resume(&workflows.task(Wire::Whole))))).collect();
    for review in &waiting {
        api.vote(review, "ana@example.com", "approve").with_status(200);
    }
    for review in &waiting {
        event(&api, review, "WorkflowResumeFailed");
    }
    // Their first retries are due in 5 s, and each takes seconds: the deadlines fall into them.
    for delay in [4, 6, 8] {
        let review = api.create(&request("short", json!({"expires_in": format!("PT{delay}S")})));
        std::thread::sleep(Duration::from_millis(10));
        let late = lateness(&api, &review);
        assert!((0..2_000).contains(&late), "expired {late} ms after its deadline, {delay} s after the failures");
    }
}

#[test]
fn a_deadline_that_passes_while_the_service_is_down_is_kept_when_it_starts() {
    let mut service = Service::start_new(&Workflows::listen());
    let review = service.api().create(&request("short", json!({"expires_in": "PT1S"})));
    service.kill();
    std::thread::sleep(Duration::from_millis(1_200));
    service.start();
    event(&service.api(), &review, "ReviewExpired");
}
