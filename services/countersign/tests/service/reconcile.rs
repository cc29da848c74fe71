//! Everything that is owed follows from the log alone.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    asked, event, resume, row,
    support::{
        api::{request, review_of_key},
        process::Service,
        workflows::{Ended, Wire, Workflows},
    },
};

/// Puts every consumer's checkpoint far ahead: nobody hears of what is appended now, as when a stream
/// is switched off and its records are gone.
fn deafen(service: &Service) {
    let views = Connection::open(service.data().join("views.db")).expect("the views");
    for consumer in ["views", "notifier", "resumer"] {
        let sql = "INSERT INTO checkpoints VALUES (?1, '1000000') ON CONFLICT DO UPDATE SET position = excluded.position";
        views.execute(sql, params![consumer]).expect("saved");
    }
}

#[test]
fn invariant_01_12_what_no_consumer_ever_heard_of_is_put_right_from_the_log_alone() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let heard = service.api().create(&request("heard of", json!({})));
    asked(&service.api(), &heard, 2);
    row(&service.api(), &heard);
    service.stop_cleanly();
    deafen(&service);
    service.start();

    let api = service.api();
    let [approved, overdue, refused] = [(); 3].map(|()| workflows.task(Wire::Whole));
    let open = api.create(&request("open", json!({})));
    let decided = api.create(&request("decided", resume(&approved)));
    api.vote(&decided, "ana@example.com", "approve").with_status(200);
    let mut detail = request("overdue", resume(&overdue));
    (detail["request_key"], detail["expires_in"]) = (json!("overdue"), json!("PT1S"));
    api.put_event("ReviewRequested", &detail);
    let expired = review_of_key("overdue", 1);
    let mut detail = request("refused", resume(&refused));
    detail["reviewers"] = json!([]);
    api.put_event("ReviewRequested", &detail);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(api.rows().len(), 1, "nobody heard");
    assert!([&approved, &overdue, &refused].iter().all(|(token, _)| workflows.ended(token).is_none()));
    assert!(api.events_of(&open, "ReviewNotified").is_empty() && api.events_of(&expired, "ReviewExpired").is_empty());

    let found = api.reconcile();
    let expected = json!({"reviews": 5, "rows": 4, "expired": 1, "notices": 1, "resumptions": 2, "strays": 0, "failed": []});
    assert_eq!(found, expected);
    assert_eq!(api.events_of(&open, "ReviewNotified").len(), 2);
    assert!(matches!(workflows.ended(&approved.0), Some(Ended::Succeeded(_))));
    assert!(matches!(workflows.ended(&overdue.0), Some(Ended::Failed(error, _)) if error == "Countersign.Expired"));
    assert!(matches!(workflows.ended(&refused.0), Some(Ended::Failed(error, _)) if error == "Countersign.Refused"));
    event(&api, &decided, "WorkflowResumed");
    let statuses = [&heard, &open, &decided, &expired].map(|review| row(&api, review)["status"].clone());
    assert_eq!(statuses, ["open", "open", "approved", "expired"]);
    let again = api.reconcile();
    let expected = json!({"reviews": 5, "rows": 0, "expired": 0, "notices": 0, "resumptions": 0, "strays": 0, "failed": []});
    assert_eq!(again, expected, "nothing is owed any more");
}

#[test]
fn invariant_01_rows_that_are_lost_or_stand_for_nothing_are_put_right() {
    let mut service = Service::start_new(&Workflows::listen());
    let reviews: Vec<String> = (0..3).map(|number| service.api().create(&request(&number.to_string(), json!({})))).collect();
    for review in &reviews {
        asked(&service.api(), review, 2);
    }
    let rows = |service: &Service| reviews.iter().map(|review| row(&service.api(), review)).collect::<Vec<Value>>();
    let before = rows(&service);
    service.stop_cleanly();
    let views = Connection::open(service.data().join("views.db")).expect("the views");
    let bytes = |review: &str| review.parse::<uuid::Uuid>().expect("a UUID").into_bytes();
    let stray = "00000000-0000-4000-8000-000000000000";
    // One is gone, another stands where no review is.
    views.execute("DELETE FROM reviews WHERE review = ?1", params![bytes(&reviews[0]).as_slice()]).expect("deleted");
    let copied = views.execute(
        "INSERT INTO reviews (review, version, status, requested_at, next_due, row) \
         SELECT ?1, version, status, requested_at, next_due, CAST(replace(CAST(row AS TEXT), ?2, ?3) AS BLOB) FROM reviews WHERE review = ?4",
        params![bytes(stray).as_slice(), reviews[1], stray, bytes(&reviews[1]).as_slice()],
    );
    assert_eq!(copied.expect("copied"), 1);
    drop(views);
    service.start();
    let found = service.api().reconcile();
    assert_eq!((&found["rows"], &found["strays"]), (&json!(1), &json!(1)), "{found}");
    assert_eq!(rows(&service), before);
    assert_eq!(service.api().rows().len(), 3);
}

#[test]
fn invariant_12_a_reconciliation_goes_on_when_whoever_asked_for_it_hangs_up() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    service.stop_cleanly();
    deafen(&service);
    service.start();
    let api = service.api();
    // Each takes as long as a call may hang: 5 s.
    let tasks = [(); 2].map(|()| workflows.task(Wire::HoldsReplies));
    let reviews = tasks.each_ref().map(|task| api.create(&request("slow", resume(task))));
    for review in &reviews {
        api.vote(review, "ana@example.com", "approve").with_status(200);
    }
    let impatient = api.patient_for(std::time::Duration::from_secs(1));
    assert!(impatient.try_post("/api/v1/reconcile", &json!({})).is_err(), "it takes longer than that");
    for review in &reviews {
        assert_eq!(event(&api, review, "WorkflowResumed")["confirmed_by"], "history");
    }
}
