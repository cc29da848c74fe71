//! Telling workflows: once, whatever the wire does, and on record how it went.

use std::time::Duration;

use serde_json::json;

use crate::{
    event, resume,
    support::{
        api::{Api, request, review_of_key},
        eventually, log,
        process::Service,
        workflows::{Ended, Wire, Workflows},
    },
};

/// An approved review that a workflow waits on.
fn approved(api: &Api, detail: serde_json::Value) -> String {
    let review = api.create(&detail);
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    review
}

#[test]
fn invariant_05_every_ending_is_told_once_under_its_name() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    let tasks = [(); 3].map(|()| workflows.task(Wire::Whole));
    let reviews = [0, 1, 2].map(|number| api.create(&request(&number.to_string(), resume(&tasks[number]))));
    api.vote(&reviews[0], "ana@example.com", "approve").with_status(200);
    api.vote(&reviews[1], "ana@example.com", "reject").with_status(200);
    api.cancel(&reviews[2]).with_status(200);
    for (review, told) in reviews.iter().zip(["success", "Countersign.Rejected", "Countersign.Cancelled"]) {
        let resumed = event(&api, review, "WorkflowResumed");
        assert_eq!((&resumed["told"], &resumed["confirmed_by"]), (&json!(told), &json!("answer")));
    }
    let Some(Ended::Succeeded(output)) = workflows.ended(&tasks[0].0) else { panic!("approved") };
    assert_eq!((&output["outcome"], &output["decided_by"]), (&json!("approved"), &json!(["ana@example.com"])));
    assert_eq!(output["subject_digest"], api.review(&reviews[0])["subject_digest"]);
    assert!(tasks.iter().all(|(token, _)| workflows.calls(token).len() == 1));
}

#[test]
fn invariant_05_an_answer_that_was_taken_and_never_acknowledged_is_known_from_the_history() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let task = workflows.task(Wire::LosesReplies);
    let review = approved(&service.api(), request("lost reply", resume(&task)));
    let resumed = event(&service.api(), &review, "WorkflowResumed");
    assert_eq!(resumed["confirmed_by"], "history");
    assert_eq!(workflows.calls(&task.0).len(), 2, "told, and told that it was told");
}

#[test]
fn invariant_05_a_kill_between_the_answer_and_its_record_is_made_good_from_the_history() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let task = workflows.task(Wire::HoldsReplies);
    let review = approved(&service.api(), request("held reply", resume(&task)));
    eventually("the answer was taken", crate::SOON, || workflows.ended(&task.0));
    service.kill();
    assert_eq!(workflows.calls(&task.0).len(), 1);
    service.start();
    assert_eq!(event(&service.api(), &review, "WorkflowResumed")["confirmed_by"], "history");
    assert_eq!(workflows.calls(&task.0).len(), 2);
}

#[test]
fn invariant_05_a_workflow_that_stopped_waiting_by_itself_is_on_record_as_not_told_and_never_asked_again() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let [seen, nameless, hidden] = [(); 3].map(|()| workflows.task(Wire::Whole));
    [&seen, &nameless, &hidden].iter().for_each(|task| workflows.time_out(&task.0));
    workflows.hide(&hidden.1);

    let review = approved(&api, request("timed out", resume(&seen)));
    let failed = event(&api, &review, "WorkflowResumeFailed");
    assert!(failed["retry_at"].is_null(), "{failed}");
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("timed out by itself")), "{failed}");

    let unknown = approved(&api, request("no execution named", json!({"resume": {"task_token": nameless.0}})));
    event(&api, &unknown, "WorkflowResumeUnconfirmed");
    let unreadable = approved(&api, request("a history that we may not read", resume(&hidden)));
    event(&api, &unreadable, "WorkflowResumeUnconfirmed");

    service.kill();
    service.start();
    service.api().reconcile();
    for (review, task) in [(&review, &seen), (&unknown, &nameless), (&unreadable, &hidden)] {
        assert_eq!(workflows.calls(&task.0).len(), 1, "{review}");
        assert_eq!(service.api().review(review)["waiting"][0]["told"], "settled");
    }
}

#[test]
fn invariant_05_a_workflow_service_that_is_down_is_tried_again_with_growing_pauses_and_loses_nothing() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    workflows.set_down(true);
    let task = workflows.task(Wire::Whole);
    let review = approved(&api, request("down", resume(&task)));
    let failures = eventually("two failures", Duration::from_secs(30), || {
        let failures = api.events_of(&review, "WorkflowResumeFailed");
        (failures.len() >= 2).then_some(failures)
    });
    let pauses: Vec<i64> = failures
        .iter()
        .map(|failed| {
            ["at", "retry_at"]
                .map(|field| serde_json::from_value::<events::Timestamp>(failed[field].clone()).expect(field).millis())
        })
        .map(|[at, retry_at]| retry_at - at)
        .collect();
    assert!(pauses[0] <= 5_000 && pauses[1] > pauses[0] && pauses[1] <= 10_000, "{pauses:?} ms");
    assert_eq!(api.review(&review)["waiting"][0]["told"], "retrying");
    service.kill();
    workflows.set_down(false);
    service.start();
    eventually("resumed", Duration::from_secs(20), || service.api().events_of(&review, "WorkflowResumed").pop());
    assert!(matches!(workflows.ended(&task.0), Some(Ended::Succeeded(_))));
}

#[test]
fn invariant_05_a_token_that_comes_after_the_approval_is_told_at_once() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    let detail = |task| {
        let mut detail = request("retried", resume(task));
        detail["request_key"] = json!("retried");
        detail
    };
    let (first, second) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    api.put_event("ReviewRequested", &detail(&first));
    let review = review_of_key("retried", 1);
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    event(&api, &review, "WorkflowResumed");
    api.put_event("ReviewRequested", &detail(&second));
    let ended = eventually("the second workflow is told", crate::SOON, || workflows.ended(&second.0));
    assert_eq!(Some(ended), workflows.ended(&first.0), "the same");
    let events = eventually("on record", crate::SOON, || {
        Some(api.events(&review)).filter(|log| log.iter().filter(|event| event["type"] == "WorkflowResumed").count() == 2)
    });
    assert_eq!(log::tokens(&events), [log::hash(&first.0), log::hash(&second.0)]);
}

#[test]
fn invariant_05_a_token_that_comes_after_expiry_opens_a_new_review_linked_to_the_old() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    let detail = |task, expires_in| {
        let mut detail = request("asked again", resume(task));
        (detail["request_key"], detail["expires_in"]) = (json!("again"), json!(expires_in));
        detail
    };
    let (first, second) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    api.put_event("ReviewRequested", &detail(&first, "PT1S"));
    let (old, new) = (review_of_key("again", 1), review_of_key("again", 2));
    event(&api, &old, "ReviewExpired");
    for _ in 0..2 {
        // The second time is a redelivery.
        api.put_event("ReviewRequested", &detail(&second, "PT24H"));
    }
    assert_eq!((&api.review(&new)["status"], &api.review(&new)["follows"]), (&json!("open"), &json!(old)));
    api.vote(&new, "ana@example.com", "approve").with_status(200);
    event(&api, &new, "WorkflowResumed");
    event(&api, &old, "WorkflowResumed");
    assert!(matches!(workflows.ended(&first.0), Some(Ended::Failed(error, _)) if error == "Countersign.Expired"));
    assert!(matches!(workflows.ended(&second.0), Some(Ended::Succeeded(_))));
    assert_eq!(api.rows().len(), 2);
}

#[test]
fn invariant_05_a_timer_and_the_log_never_tell_one_workflow_side_by_side() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    // Without its execution, no history could tell a repeated call from a workflow that is gone.
    let tasks: Vec<_> = (0..20).map(|_| workflows.task(Wire::Whole)).collect();
    let reviews: Vec<String> = tasks
        .iter()
        .map(|(token, _)| api.create(&request("short", json!({"expires_in": "PT1S", "resume": {"task_token": token}}))))
        .collect();
    for (review, (token, _)) in reviews.iter().zip(&tasks) {
        let resumed = event(&api, review, "WorkflowResumed");
        assert_eq!((&resumed["told"], &resumed["confirmed_by"]), (&json!("Countersign.Expired"), &json!("answer")));
        assert_eq!(workflows.calls(token).len(), 1);
    }
}

#[test]
fn invariant_11_a_workflow_whose_answer_hangs_holds_up_no_other() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let hanging = workflows.task(Wire::HoldsReplies);
    let held = approved(&api, request("hangs", resume(&hanging)));
    eventually("its answer was taken", crate::SOON, || workflows.ended(&hanging.0));
    for number in 0..5 {
        let task = workflows.task(Wire::Whole);
        let review = approved(&api, request(&number.to_string(), resume(&task)));
        eventually("resumed beside it", Duration::from_secs(2), || api.events_of(&review, "WorkflowResumed").pop());
    }
    let (status, took) = service.stop();
    assert!(status.success() && took < Duration::from_secs(3), "SIGTERM does not wait for it: {status} after {took:?}");
    service.start();
    assert_eq!(event(&service.api(), &held, "WorkflowResumed")["confirmed_by"], "history");
}
