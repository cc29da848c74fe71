//! Many people at once.

use std::sync::{Arc, Barrier};

use serde_json::json;

use crate::support::{api::request, log, process::Service, workflows::Workflows};

#[test]
fn invariant_02_of_sixteen_racing_voters_one_decides_and_each_loser_is_told_who_won() {
    let service = Service::start_new(&Workflows::listen());
    let people: Vec<String> = (0..16).map(|number| format!("voter{number:02}@example.com")).collect();
    let contacts: Vec<_> = people.iter().map(|email| json!({"email": email})).collect();
    let review = service.api().create(&request("a race", json!({"reviewers": contacts})));

    let start = Arc::new(Barrier::new(people.len()));
    let voters: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(number, person)| {
            let (api, start, review, person) = (service.api(), Arc::clone(&start), review.clone(), person.clone());
            let choice = if number % 2 == 0 { "approve" } else { "reject" };
            std::thread::spawn(move || {
                start.wait();
                (person.clone(), choice, api.vote(&review, &person, choice))
            })
        })
        .collect();
    let told: Vec<_> = voters.into_iter().map(|voter| voter.join().expect("voted")).collect();

    let (winners, losers): (Vec<_>, Vec<_>) = told.iter().partition(|(.., reply)| reply.status == 200);
    let [(winner, choice, reply)] = winners.as_slice() else { panic!("{} people decided", winners.len()) };
    let outcome = if *choice == "approve" { "approved" } else { "rejected" };
    assert_eq!(reply.json["verdict"], outcome);
    assert_eq!(losers.len(), 15);
    for (loser, _, reply) in losers {
        assert_eq!(
            (reply.status, &reply.json["type"]),
            (409, &json!("urn:countersign:already-decided")),
            "{loser}: {}",
            reply.text
        );
        assert_eq!(reply.json["ending"]["outcome"], outcome, "{loser}");
        assert_eq!(reply.json["ending"]["decided_by"], json!([winner]), "{loser} is told who");
        assert!(reply.json["ending"]["at"].is_string(), "{loser} is told when");
    }
    let events = service.api().events(&review);
    assert_eq!(log::status(&review, &events), outcome);
    log::assert_chain(&review, &events);
}

#[test]
fn invariant_02_when_approvals_cancellation_and_a_waiting_token_race_there_is_one_ending() {
    let workflows = Workflows::listen();
    let service = Service::start_new(&workflows);
    for round in 0..10 {
        let key = format!("race-{round}");
        let detail = request("a race", json!({"request_key": key}));
        let review = crate::support::api::review_of_key(&key, 1);
        service.api().put_event("ReviewRequested", &detail);
        let start = Arc::new(Barrier::new(4));
        let calls: [fn(&crate::support::api::Api, &str); 3] = [
            |api, review| drop(api.vote(review, "ana@example.com", "approve")),
            |api, review| drop(api.vote(review, "bob@example.com", "reject")),
            |api, review| drop(api.cancel(review)),
        ];
        let racers = calls.map(|call| {
            let (api, start, review) = (service.api(), Arc::clone(&start), review.clone());
            std::thread::spawn(move || {
                start.wait();
                call(&api, &review);
            })
        });
        start.wait();
        racers.into_iter().for_each(|racer| racer.join().expect("raced"));
        let events = service.api().events(&review);
        assert_ne!(log::status(&review, &events), "open", "and never two: status() says so");
        log::assert_chain(&review, &events);
    }
}
