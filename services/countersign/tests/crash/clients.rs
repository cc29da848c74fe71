//! Clients that ask, decide, withdraw and wait, and keep a record of what they were told. A call
//! without an answer may or may not have been taken: it is made again, as a careful client would.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::{
    api::{Api, Outcome, Reply, request, review_of_key},
    workflows::{Wire, Workflows},
};

/// People who are asked in every review.
pub const REVIEWERS: [&str; 2] = ["ana@example.com", "bob@example.com"];

/// What the service acknowledged.
#[derive(Default)]
pub struct Told {
    /// Reviews that were opened, by the API or by an event.
    pub created: Vec<String>,
    /// Votes that counted: review, person, choice.
    pub votes: Vec<(String, &'static str, &'static str)>,
    /// Reviews that were withdrawn.
    pub cancelled: Vec<String>,
    /// Tokens that came with a request that was taken.
    pub tokens: Vec<String>,
    /// How a review ended, as somebody was told: a waiting client, or a voter who came too late.
    pub endings: BTreeMap<String, String>,
    /// How many were told.
    pub waited: u64,
}

/// What the clients share.
pub struct Load {
    pub stop: AtomicBool,
    pub told: Mutex<Told>,
    api: Api,
    workflows: Workflows,
    keys: AtomicU64,
}

impl Load {
    pub fn new(api: Api, workflows: Workflows) -> Load {
        Load { stop: AtomicBool::new(false), told: Mutex::default(), api, workflows, keys: AtomicU64::new(0) }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Until there is an answer; `None` when the load is to end.
    fn insist<T>(&self, mut call: impl FnMut() -> Result<T, ureq::Error>) -> Option<T> {
        while !self.stopped() {
            match call() {
                Ok(answer) => return Some(answer),
                Err(_) => std::thread::sleep(Duration::from_millis(3)),
            }
        }
        None
    }

    fn ask(&self, call: impl FnMut() -> Outcome) -> Option<Reply> {
        let reply = self.insist(call)?;
        assert!(reply.status < 500, "a kill shows as a broken connection, never as an answer: {} {}", reply.status, reply.text);
        Some(reply)
    }

    fn note(&self, note: impl FnOnce(&mut Told)) {
        note(&mut self.told.lock().expect("told"));
    }

    /// Two clients that are told how a review ended are told the same.
    fn note_ending(&self, review: &str, ending: &Value) {
        let ending = ending.as_str().expect("a word").to_owned();
        self.note(|told| {
            told.waited += 1;
            let before = told.endings.entry(review.to_owned()).or_insert_with(|| ending.clone());
            assert_eq!(*before, ending, "{review} ended in two ways");
        });
    }

    fn key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }
}

/// Starts them.
pub fn start(load: &Arc<Load>, seed: u64) -> Vec<JoinHandle<()>> {
    let client = |number: u64, live: fn(&Load, &mut Rng) -> Option<()>| {
        let (load, mut random) = (Arc::clone(load), Rng::with_seed(seed ^ (number << 32)));
        std::thread::spawn(move || while !load.stopped() && live(&load, &mut random).is_some() {})
    };
    vec![client(1, caller), client(2, caller), client(3, pipeline), client(4, pipeline), client(5, watcher)]
}

/// A program that uses the API.
fn caller(load: &Load, random: &mut Rng) -> Option<()> {
    let detail = detail(load.key(), random);
    let reply = load.ask(|| load.api.try_post("/api/v1/reviews", &detail))?;
    assert!([200, 201].contains(&reply.status), "{}", reply.text);
    let review = reply.review_id();
    load.note(|told| told.created.push(review.clone()));
    decide(load, random, &review)
}

/// Workflows that put events with their tokens, some of them twice, some with a retry's second token.
fn pipeline(load: &Load, random: &mut Rng) -> Option<()> {
    let key = load.key();
    let mut detail = detail(key.clone(), random);
    for _ in 0..random.u8(1..=2) {
        let (token, execution) = load.workflows.task(Wire::Whole);
        detail["resume"] = json!({"task_token": token, "execution_arn": execution});
        for _ in 0..random.u8(1..=2) {
            let refused = load.insist(|| load.api.try_put_event("ReviewRequested", &detail))?;
            assert_eq!(refused, None, "an event is taken, or there is no answer");
        }
        load.note(|told| told.tokens.push(token));
    }
    let review = review_of_key(&key, 1);
    load.note(|told| told.created.push(review.clone()));
    decide(load, random, &review)
}

fn detail(key: String, random: &mut Rng) -> Value {
    let reviewers = REVIEWERS.map(|email| json!({"email": email}));
    let expires_in = if random.u8(..8) == 0 { "PT1S" } else { "PT24H" };
    let quorum = random.u8(1..=2);
    let more = json!({"request_key": key, "reviewers": reviewers, "policy": {"quorum": quorum}, "expires_in": expires_in});
    request(&key, more)
}

/// People, who do not wait for each other.
fn decide(load: &Load, random: &mut Rng, review: &str) -> Option<()> {
    for person in REVIEWERS {
        match random.u8(..8) {
            0..=4 => vote(load, review, person, "approve")?,
            5 => vote(load, review, person, "reject")?,
            6 => cancel(load, review)?,
            _ => {}
        }
    }
    Some(())
}

fn vote(load: &Load, review: &str, person: &'static str, choice: &'static str) -> Option<()> {
    let reply = load.ask(|| load.api.try_vote(review, person, choice))?;
    match reply.status {
        200 => load.note(|told| told.votes.push((review.to_owned(), person, choice))),
        409 => load.note_ending(review, &reply.json["ending"]["outcome"]),
        _ => panic!("{} {}", reply.status, reply.text),
    }
    Some(())
}

fn cancel(load: &Load, review: &str) -> Option<()> {
    let reply = load.ask(|| load.api.try_post(&format!("/api/v1/reviews/{review}/cancel"), &json!({})))?;
    match reply.status {
        200 => load.note(|told| told.cancelled.push(review.to_owned())),
        409 => load.note_ending(review, &reply.json["ending"]["outcome"]),
        _ => panic!("{} {}", reply.status, reply.text),
    }
    Some(())
}

/// Somebody who waits for a review to end, over restarts.
fn watcher(load: &Load, random: &mut Rng) -> Option<()> {
    let review = {
        let told = load.told.lock().expect("told");
        told.created.last().cloned()
    };
    let Some(review) = review else {
        std::thread::sleep(Duration::from_millis(5));
        return Some(());
    };
    for _ in 0..random.u8(1..=4) {
        let reply = load.ask(|| load.api.try_get(&format!("/api/v1/reviews/{review}?wait=1&until=ended"), &[]))?;
        assert_eq!(reply.status, 200, "what was acknowledged is there: {}", reply.text);
        if reply.json["status"] != "open" {
            load.note_ending(&review, &reply.json["status"]);
            break;
        }
    }
    Some(())
}
