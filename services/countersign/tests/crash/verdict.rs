//! What must be true once the dust has settled.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use serde_json::Value;

use crate::{
    clients::{REVIEWERS, Told},
    support::{
        api::Api,
        eventually, log,
        process::Service,
        workflows::{Ended, Workflows},
    },
};

/// A message whose sender was killed may be sent again when its lease of 60 s is over.
const NOTICES_MAX: Duration = Duration::from_secs(75);
const SETTLE_MAX: Duration = Duration::from_secs(20);

/// Checks everything.
pub fn hold(service: &Service, told: &Told, workflows: &Workflows) {
    let api = service.api();
    let tokens: HashMap<String, String> = workflows.all().into_iter().map(|(token, ..)| (log::hash(&token), token)).collect();
    let logs = settle(&api, told, &tokens);

    let mut settled_by = BTreeMap::new();
    for (review, events) in &logs {
        log::assert_chain(review, events);
        let status = log::status(review, events);
        for hash in log::tokens(events) {
            let settled = log::settled(events, &hash);
            assert!(settled.len() <= 1, "{review} told one workflow {} times: {settled:?}", settled.len());
            if let Some(event) = settled.first() {
                assert_eq!(event["type"], "WorkflowResumed", "its history shows our answer: {event}");
                *settled_by.entry(event["confirmed_by"].as_str().expect("how it is known").to_owned()).or_insert(0) += 1;
            }
            answered_as_it_ended(workflows.ended(&tokens[&hash]).as_ref(), review, &status);
        }
    }
    acknowledged_is_there(told, &logs);
    views_equal_folds(&api, &logs);
    assert_eq!(api.dead_letters(), Vec::<Value>::new(), "nothing is parked");
    everybody_is_asked(&api, &logs);

    let calls: usize = workflows.all().iter().map(|(.., calls)| calls).sum();
    let answered = workflows.all().iter().filter(|(_, ended, _)| ended.is_some()).count();
    println!(
        "reviews {} (acknowledged {}), votes {}, cancellations {}, endings told {}, workflows attached {}, \
         resumed {answered} (on record {settled_by:?}), repeated calls {}",
        logs.len(),
        told.created.len(),
        told.votes.len(),
        told.cancelled.len(),
        told.waited,
        told.tokens.len(),
        calls - answered,
    );
    assert!(told.votes.len() > 10 && answered > 10, "there was a load to speak of");
}

/// Waits until every ended review has told its workflows and every overdue one is expired; all logs.
fn settle(api: &Api, told: &Told, tokens: &HashMap<String, String>) -> BTreeMap<String, Vec<Value>> {
    let mut done: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    eventually("every workflow is told and every overdue review expired", SETTLE_MAX, || {
        let now = events_now();
        for row in api.rows() {
            let review = row["review_id"].as_str().expect("an id").to_owned();
            if done.contains_key(&review) {
                continue;
            }
            let events = api.events(&review);
            let open = log::status(&review, &events) == "open";
            let overdue = events[0]["expires_at"].as_str().is_some_and(|at| at <= now.as_str());
            let owed = log::tokens(&events).iter().any(|hash| log::settled(&events, hash).is_empty());
            if if open { overdue } else { owed } {
                return None;
            }
            done.insert(review, events);
        }
        // An open review of a second's life may expire later: it is looked at again.
        done.retain(|review, events| log::status(review, events) != "open" || !is_short(events));
        let known: BTreeSet<String> = done.values().flat_map(|events| log::tokens(events)).collect();
        let acknowledged = told.tokens.iter().all(|token| known.contains(&log::hash(token)));
        let all = told.created.iter().all(|review| done.contains_key(review));
        assert!(known.iter().all(|hash| tokens.contains_key(hash)), "every token in the log is one of ours");
        (all && acknowledged).then_some(())
    });
    done
}

fn is_short(events: &[Value]) -> bool {
    let millis =
        |field: &str| serde_json::from_value::<events::Timestamp>(events[0][field].clone()).map_or(0, |time| time.millis());
    millis("expires_at") - millis("at") < 60_000
}

fn events_now() -> String {
    let now: events::Timestamp = chrono::Utc::now().into();
    serde_json::to_value(now).expect("a time").as_str().expect("text").to_owned()
}

/// The workflow took one answer, and it is the one the log ended with.
fn answered_as_it_ended(ended: Option<&Ended>, review: &str, status: &str) {
    match (ended, status) {
        (None, "open") => {}
        (Some(Ended::Succeeded(output)), "approved") => {
            assert_eq!((output["review_id"].as_str(), output["outcome"].as_str()), (Some(review), Some("approved")));
        }
        (Some(Ended::Failed(error, cause)), _) => {
            let expected = match status {
                "rejected" => "Countersign.Rejected",
                "expired" => "Countersign.Expired",
                "cancelled" => "Countersign.Cancelled",
                _ => panic!("{review} is {status} and its workflow was told {error}"),
            };
            assert_eq!(error, expected, "{review}");
            assert!(cause.contains(review), "{cause}");
        }
        other => panic!("{review}: {other:?}"),
    }
}

fn acknowledged_is_there(told: &Told, logs: &BTreeMap<String, Vec<Value>>) {
    for review in &told.created {
        assert_eq!(logs[review][0]["type"], "ReviewRequested", "{review} was acknowledged");
    }
    let has = |review: &str, what: &dyn Fn(&Value) -> bool| logs[review].iter().filter(|event| what(event)).count();
    for (review, person, choice) in &told.votes {
        let is_it = |event: &Value| event["type"] == "VoteCast" && event["person"] == *person && event["choice"] == *choice;
        assert_eq!(has(review, &is_it), 1, "{person} was told that {choice} on {review} counts, once");
    }
    for review in &told.cancelled {
        assert_eq!(has(review, &|event| event["type"] == "ReviewCancelled"), 1, "{review} was withdrawn");
    }
    for (review, ending) in &told.endings {
        assert_eq!(&log::status(review, &logs[review]), ending, "somebody was told how {review} ended");
    }
    let attached: Vec<String> = logs.values().flat_map(|events| log::tokens(events)).collect();
    let distinct: BTreeSet<&String> = attached.iter().collect();
    assert_eq!(attached.len(), distinct.len(), "each token waits on one review");
}

/// The checkpoints were resumed: the lists say what the log says, of every review.
fn views_equal_folds(api: &Api, logs: &BTreeMap<String, Vec<Value>>) {
    let rows = api.rows();
    assert_eq!(rows.len(), logs.len(), "a row for each review and no other");
    for row in rows {
        let review = row["review_id"].as_str().expect("an id");
        // What was written since, of notices, is read anew.
        let (row, events) = eventually("the row has caught up", SETTLE_MAX, || {
            let events = api.events(review);
            let caught_up = |row: &Value| row["version"] == events.last().expect("an event")["version"];
            let row = if caught_up(&row) { row.clone() } else { api.row(review)? };
            caught_up(&row).then_some((row, events))
        });
        assert_eq!(row["status"], log::status(review, &events), "{review}");
        assert_eq!((&row["title"], &row["requested_at"]), (&events[0]["title"], &events[0]["at"]), "{review}");
        assert_eq!(row["expires_at"], events[0]["expires_at"], "{review}");
        let open = row["status"] == "open";
        assert_eq!(row["ended_at"].is_null(), open, "{review}");
        assert!(row["next_due"].is_null() != open, "{review} is due at {}", row["next_due"]);
    }
}

/// Every open review has its notices, each on record once.
fn everybody_is_asked(api: &Api, logs: &BTreeMap<String, Vec<Value>>) {
    let open: Vec<&String> =
        logs.iter().filter(|(review, events)| log::status(review, events) == "open").map(|(id, _)| id).collect();
    assert!(!open.is_empty(), "some reviews were left open");
    let mut asked = BTreeSet::new();
    eventually("everybody is asked", NOTICES_MAX, || {
        for review in &open {
            if asked.contains(review) {
                continue;
            }
            let events = api.events(review);
            let mut people = log::notified(&events);
            people.sort_unstable();
            if people.len() < REVIEWERS.len() {
                return None;
            }
            assert_eq!(people, REVIEWERS, "{review}: once each");
            asked.insert(review);
        }
        Some(())
    });
}
