//! Reviews: asking for one, finding some, following one until it ends.

use std::time::Duration;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{Fault, PersonId, ReviewId, StreamId, Timestamp, event::RefusalKind, request::Reviewer};
use intake::{API_SOURCE, BusEvent, LOCAL_ACCOUNT, Received};
use ledger::{LedgerError, Search, Status};
use review::{Fold, State as Stream};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    input::{Body, Input, Named, Operator},
    problem::Problem,
    review_document::{self, is_over, status},
};
use crate::Gateway;

/// The longest `Idempotency-Key` in bytes.
const IDEMPOTENCY_KEY_MAX: usize = 200;
/// Rows of a page, unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;
/// The longest wait in seconds: an HTTP API in front of a Lambda holds a request for 30 at most.
const WAIT_MAX: u64 = 30;

/// `POST /reviews`: opens a review, or finds the one that the same key opened.
pub(super) async fn open(
    _: Operator,
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Body(detail): Body,
) -> Result<Response, Problem> {
    let event = BusEvent {
        id: idempotency_key(&headers)?.unwrap_or_else(|| Uuid::new_v4().to_string()),
        account: LOCAL_ACCOUNT.to_owned(),
        source: API_SOURCE.to_owned(),
        detail_type: "ReviewRequested".to_owned(),
        detail,
    };
    match gateway.intake.receive(&event).await? {
        Received::Opened { review_id } => {
            let location = [(header::LOCATION, format!("{}/reviews/{review_id}", super::PREFIX))];
            let body = super::json(&reference(&gateway, review_id, Status::Open));
            Ok((StatusCode::CREATED, location, body).into_response())
        }
        Received::Found { review_id } => {
            let status = status(&gateway.reviews.load(review_id).await?.state).unwrap_or(Status::Open);
            Ok(super::json(&reference(&gateway, review_id, status)))
        }
        Received::Refused { review_id, kind, faults } => {
            let mut problem = Problem::faults(&faults).with("review_id", review_id);
            if kind == RefusalKind::KeyReused {
                (problem.status, problem.code) = (StatusCode::CONFLICT, "key-reused");
            } else if kind == RefusalKind::Unapprovable {
                problem.code = "unapprovable";
            }
            Err(problem)
        }
        // A ReviewRequested of this source is always one of the above.
        Received::Answered { .. } | Received::Invalid { .. } | Received::Ignored => Err(Problem::faults(&[])),
    }
}

fn reference(gateway: &Gateway, review_id: ReviewId, status: Status) -> Value {
    json!({"review_id": review_id, "status": status, "link": format!("{}/reviews/{review_id}", gateway.base_url)})
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-idempotency-key",
            "The Idempotency-Key cannot be used",
            format!("It is a text of 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters."),
        )),
    }
}

/// `GET /reviews`: those that match, newest first.
pub(super) async fn list(
    _: Operator,
    State(gateway): State<Gateway>,
    query: Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    const PERSON: &str = "an e-mail address or slack:TEAM/USER";
    const TIME: &str = "a time as RFC 3339 writes it, such as 2026-11-23T04:11:21Z";
    let mut input = Input::query(query);
    let status = input.read("status", "\"open\", \"approved\", \"rejected\", \"expired\", \"cancelled\" or \"refused\"");
    let reviewer: Option<String> = input.parsed("reviewer", PERSON);
    let reviewer = reviewer.and_then(|text| {
        let read = match text.strip_prefix("group:") {
            Some(group) => group.parse().map(Reviewer::Group),
            None => text.parse().map(Reviewer::Person),
        };
        read.map_err(|_| input.fault("reviewer", format!("{PERSON}, or group:NAME"))).ok()
    });
    let requester: Option<PersonId> = input.parsed("requester", PERSON);
    let from: Option<Timestamp> = input.parsed("from", TIME);
    let to: Option<Timestamp> = input.parsed("to", TIME);
    let limit: Option<usize> = input.parsed("limit", "a whole number");
    if limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
        input.fault("limit", format!("a whole number from 1 to {PAGE_MAX}"));
    }
    let cursor = input.parsed("cursor", "the next of a page before").map(ledger::Position);
    input.close()?;

    let reviewers = match reviewer {
        // Somebody is asked by any of their names, and through their groups.
        Some(Reviewer::Person(person)) => gateway.reviews.directory().await?.names_of(&person),
        Some(group) => vec![group],
        None => Vec::new(),
    };
    let search = Search { status, requester, reviewers, from, to };
    let page = match gateway.views.search(&search, cursor.as_ref(), limit.unwrap_or(PAGE)).await {
        // Only the store knows what it once gave out as a cursor.
        Err(LedgerError::Damaged { .. }) if cursor.is_some() => {
            return Err(Problem::faults(&[Fault::new("/cursor", "the next of a page before")]));
        }
        page => page?,
    };
    Ok(super::json(&json!({"reviews": page.rows, "next": page.next})))
}

/// How a review is followed.
struct Follow {
    /// Until when.
    deadline: Instant,
    /// Whether only the end counts as news.
    until_ended: bool,
}

impl Follow {
    fn read(query: Query<Vec<(String, String)>>) -> Result<Follow, Problem> {
        let mut input = Input::query(query);
        let wait: Option<u64> = input.parsed("wait", "a whole number of seconds");
        if wait.is_some_and(|wait| wait > WAIT_MAX) {
            input.fault("wait", format!("a whole number of seconds from 0 to {WAIT_MAX}"));
        }
        let until: Option<String> = input.parsed("until", "\"ended\"");
        if until.as_deref().is_some_and(|until| until != "ended") {
            input.fault("until", "\"ended\"");
        }
        input.close()?;
        let deadline = Instant::now() + Duration::from_secs(wait.unwrap_or_default());
        Ok(Follow { deadline, until_ended: until.is_some() })
    }
}

/// `GET /reviews/{id}`: the review; with `wait`, as soon as it is news to the caller.
pub(super) async fn show(
    _: Operator,
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    headers: HeaderMap,
    query: Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let follow = Follow::read(query)?;
    let mut fold = Fold::default();
    loop {
        let before = fold.version;
        gateway.reviews.catch_up(review_id, &mut fold).await?;
        if matches!(fold.state, Stream::Absent) {
            return Err(Problem::no_review(review_id));
        }
        let known = review_document::is_known(&headers, fold.version);
        let is_news = if follow.until_ended { is_over(&fold.state) } else { !known };
        let left = follow.deadline.saturating_duration_since(Instant::now());
        // Somebody who cannot hold a request comes back at once with nothing new: so do we.
        if is_news || left.is_zero() || fold.version == before {
            return review_document::answer(&fold, known);
        }
        gateway.arrivals.changed(review_id, fold.version, left).await;
    }
}

/// `GET /reviews/{id}/events`: the log of a review as it is stored, event by event.
pub(super) async fn events(_: Operator, State(gateway): State<Gateway>, Named(review_id): Named) -> Result<Response, Problem> {
    /// The stored body, with fields that this build does not know.
    #[derive(serde::Deserialize)]
    struct Stored {
        at: Value,
        previous: Value,
        events: Vec<Map<String, Value>>,
    }
    let commits = gateway.reviews.ledger().load(StreamId::Review(review_id), events::Version::NONE).await?;
    if commits.is_empty() {
        return Err(Problem::no_review(review_id));
    }
    let mut lines = Vec::with_capacity(commits.len());
    for commit in commits {
        let body: Stored = serde_json::from_slice(&commit.body).map_err(|error| Problem::internal(&error, false))?;
        for (index, mut event) in body.events.into_iter().enumerate() {
            let id = events::EventId { review: review_id, version: commit.version, index };
            event.insert("event_id".to_owned(), Value::String(id.to_string()));
            event.insert("version".to_owned(), json!(commit.version));
            event.insert("at".to_owned(), body.at.clone());
            event.insert("hash".to_owned(), json!(commit.hash));
            event.insert("previous".to_owned(), body.previous.clone());
            lines.push(event);
        }
    }
    Ok(super::json(&lines))
}
