//! What comes in: twice, wrong, or under a key that stands for something else.

use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::{
    asked, event, resume, row,
    support::{
        api::{request, review_of_key},
        eventually, log,
        process::Service,
        workflows::{Ended, Wire, Workflows},
    },
};

#[test]
fn invariant_06_a_request_that_is_refused_names_every_fault_and_fails_its_workflow() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    let (invalid, unapprovable) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    let mut detail = request("refused", resume(&invalid));
    (detail["reviewers"], detail["expires_in"], detail["colour"]) =
        (json!([{"group": "nobody-knows"}]), json!("tomorrow"), json!("red"));
    api.put_event("ReviewRequested", &detail);
    let mut detail = request("nobody could", resume(&unapprovable));
    detail["reviewers"] = json!([{"group": "nobody-knows"}]);
    api.put_event("ReviewRequested", &detail);

    for (task, kind, pointers) in [
        (&invalid, "invalid", vec!["/colour", "/expires_in", "/reviewers/0/group"]),
        (&unapprovable, "unapprovable", vec!["/reviewers/0/group"]),
    ] {
        let ended = eventually("the workflow is failed", crate::SOON, || workflows.ended(&task.0));
        let Ended::Failed(error, cause) = ended else { panic!("{ended:?}") };
        assert_eq!(error, "Countersign.Refused");
        let rows = eventually("both refusals are listed", crate::SOON, || Some(api.rows()).filter(|rows| rows.len() == 2));
        let review = rows
            .iter()
            .map(|row| row["review_id"].as_str().expect("an id"))
            .find(|review| cause.contains(*review))
            .expect("the cause names the refusal");
        let refused = &api.events(review)[0];
        assert_eq!((&refused["type"], &refused["kind"]), (&json!("ReviewRefused"), &json!(kind)));
        let mut named: Vec<&str> =
            refused["faults"].as_array().expect("faults").iter().filter_map(|fault| fault["pointer"].as_str()).collect();
        named.sort_unstable();
        assert_eq!(named, pointers);
        assert!(pointers.iter().all(|pointer| cause.contains(pointer)), "the workflow is told every fault: {cause}");
        event(&api, review, "WorkflowResumed");
    }
}

#[test]
fn invariant_06_a_key_that_stands_for_something_else_is_refused_and_the_first_review_is_untouched() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let api = service.api();
    let (first, second) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    let detail = |task, amount| {
        let mut detail = request("a payment", resume(task));
        (detail["request_key"], detail["subject"]) = (json!("payment"), json!({"amount": amount}));
        detail
    };
    api.put_event("ReviewRequested", &detail(&first, 100));
    let review = review_of_key("payment", 1);
    asked(&api, &review, 2);
    let before = api.events(&review);
    api.put_event("ReviewRequested", &detail(&second, 1_000_000));
    let ended = eventually("the second workflow is failed", crate::SOON, || workflows.ended(&second.0));
    assert!(matches!(ended, Ended::Failed(error, _) if error == "Countersign.KeyReused"));
    assert_eq!(api.events(&review), before);
    assert_eq!(workflows.ended(&first.0), None, "it waits");

    let by_api = json!({"request_key": "invoice"});
    api.create(&request("one", by_api.clone()));
    let reply = api.post("/api/v1/reviews", &request("another", by_api)).with_status(409);
    assert_eq!(reply.json["type"], "urn:countersign:key-reused");
}

#[test]
fn invariant_07_an_event_that_is_delivered_eight_times_at_once_is_one_review_with_one_waiting_workflow() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    let task = workflows.task(Wire::Whole);
    let mut detail = request("delivered often", resume(&task));
    detail["request_key"] = json!("often");
    let start = Arc::new(Barrier::new(8));
    let deliveries: Vec<_> = (0..8)
        .map(|_| {
            let (api, detail, start) = (service.api(), detail.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                api.put_event("ReviewRequested", &detail);
            })
        })
        .collect();
    deliveries.into_iter().for_each(|delivery| delivery.join().expect("taken"));
    let (api, review) = (service.api(), review_of_key("often", 1));
    asked(&api, &review, 2);
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    // The same vote, delivered again.
    assert_eq!(api.vote(&review, "ana@example.com", "approve").with_status(200).json["already"], true);
    event(&api, &review, "WorkflowResumed");
    let events = api.events(&review);
    assert_eq!(log::tokens(&events), [log::hash(&task.0)]);
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["ReviewRequested", "ReviewNotified", "ReviewNotified", "VoteCast", "ReviewDecided", "WorkflowResumed"]);
    assert_eq!(workflows.calls(&task.0).len(), 1);
    assert_eq!(api.rows().len(), 1);
}

#[test]
fn invariant_07_handlers_that_are_given_the_whole_log_again_do_nothing_twice() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let tasks: Vec<_> = (0..5).map(|_| workflows.task(Wire::Whole)).collect();
    let reviews: Vec<String> =
        tasks.iter().enumerate().map(|(number, task)| api.create(&request(&number.to_string(), resume(task)))).collect();
    for review in &reviews {
        asked(&api, review, 2);
    }
    for review in &reviews[..3] {
        api.vote(review, "ana@example.com", "approve").with_status(200);
        event(&api, review, "WorkflowResumed");
    }
    let logs = |service: &Service| reviews.iter().map(|review| service.api().events(review)).collect::<Vec<_>>();
    let rows = |service: &Service| reviews.iter().map(|review| row(&service.api(), review)).collect::<Vec<Value>>();
    let (logs_before, rows_before) = (logs(&service), rows(&service));
    service.stop_cleanly();
    // Views, checkpoints and claims: every consumer begins at the beginning.
    std::fs::remove_file(service.data().join("views.db")).expect("removed");
    service.start();
    assert_eq!(rows(&service), rows_before, "the views follow from the log");
    // A commit after all the others has been handled, so they have been.
    let last = service.api().create(&request("last", json!({})));
    asked(&service.api(), &last, 2);
    assert_eq!(logs(&service), logs_before, "nobody is asked again, no workflow is told again");
    assert!(tasks.iter().all(|(token, _)| workflows.calls(token).len() <= 1));
}
