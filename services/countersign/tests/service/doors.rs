//! Who may do what, whichever way they come.

use serde_json::json;

use crate::{
    asked,
    support::{
        api::{SOURCE, request, review_of_key},
        process::Service,
        workflows::Workflows,
    },
};

#[test]
fn invariant_03_the_same_people_may_vote_by_every_way_in() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let directory = json!({
        "people": {"ana@example.com": {"name": "Ana", "aliases": ["slack:T1/ANA"]}, "cy@example.com": {"name": "Cy"}},
        "groups": {"oncall": ["cy@example.com"]},
    });
    let put = |body: &serde_json::Value| {
        let key = std::fs::read_to_string(service.data().join("operator.key")).expect("a key");
        let request =
            ureq::put(format!("{}/api/v1/directory", service.url())).header("authorization", format!("Bearer {}", key.trim()));
        request.send_json(body).expect("applied");
    };
    put(&directory);
    let detail = request(
        "who may",
        json!({"request_key": "who", "requester": {"slack": "T1/ANA"}, "reviewers": [{"email": "ana@example.com"}, {"group": "oncall"}]}),
    );
    api.put_event("ReviewRequested", &detail);
    let review = review_of_key("who", 1);
    asked(&api, &review, 1);

    let refused = |person: &str| api.vote(&review, person, "approve").with_status(403).json["type"].clone();
    assert_eq!(refused("eve@example.com"), "urn:countersign:not-a-reviewer");
    assert_eq!(refused("ana@example.com"), "urn:countersign:own-request", "by another of their names too");
    // A member of the group, by a program that says nothing of itself.
    let submitted = json!({"review_id": review, "person": {"email": "cy@example.com"}, "choice": "approve"});
    api.put_event("VoteSubmitted", &submitted);
    let why: Vec<_> = api.events_of(&review, "VoteRefused").into_iter().map(|event| event["why"].clone()).collect();
    assert_eq!(why, ["not_a_reviewer", "own_request", "untrusted_source"], "each on record");

    // By a tool that was registered for it. What it writes as its source is checked, and counts for nothing else.
    let wanted = json!({"name": "approver", "scopes": ["votes:cast"], "source": SOURCE});
    let token = api.post("/api/v1/integrations", &wanted).with_status(201).json["token"].as_str().expect("a token").to_owned();
    service.stop_cleanly();
    service.start();
    let api = service.api();
    let submit = |person: &str| {
        let vote = json!({"review_id": review, "person": {"email": person}, "choice": "approve"});
        let entry = json!({"Source": SOURCE, "DetailType": "VoteSubmitted", "Detail": vote.to_string()});
        let bearer = format!("Bearer {token}");
        let headers = [("x-amz-target", "AWSEvents.PutEvents"), ("authorization", bearer.as_str())];
        api.strange_post("/", &headers, &json!({"Entries": [entry]}).to_string()).with_status(200);
    };
    submit("ana@example.com");
    assert_eq!(api.review(&review)["status"], "open", "trusted to vote for others, not to let the requester in");
    submit("cy@example.com");
    assert_eq!(api.review(&review)["ending"]["decided_by"], json!(["cy@example.com"]));
    assert_eq!(api.events_of(&review, "VoteCast")[0]["integration"], "approver");
}

#[test]
fn only_the_operators_key_opens_the_api() {
    let service = Service::start_new(&Workflows::listen());
    let detail = request("no key", json!({})).to_string();
    for headers in [vec![], vec![("authorization", "Bearer wrong")]] {
        let headers: Vec<_> = headers.into_iter().chain([("content-type", "application/json")]).collect();
        service.api().strange_post("/api/v1/reviews", &headers, &detail).with_status(401);
    }
    assert!(service.api().rows().is_empty());
}

#[test]
fn invariant_08_a_call_for_another_host_or_from_another_site_changes_nothing() {
    let service = Service::start_new(&Workflows::listen());
    let api = service.api();
    let put = json!({"Entries": [{"Source": SOURCE, "DetailType": "ReviewRequested", "Detail": request("foreign", json!({})).to_string()}]});
    let put = put.to_string();
    let target = ("x-amz-target", "AWSEvents.PutEvents");
    api.strange_post("/", &[target, ("host", "evil.example")], &put).with_status(421);
    api.strange_post("/", &[target, ("origin", "http://evil.example")], &put).with_status(403);
    api.strange_post("/", &[target, ("origin", "null")], &put).with_status(403);
    assert!(api.rows().is_empty());
    api.strange_post("/", &[target, ("origin", &service.url())], &put).with_status(200);
    crate::support::eventually("the honest one is listed", crate::SOON, || (api.rows().len() == 1).then_some(()));
}
