//! Reviews: asking for one, finding some, following one until it ends.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{
    RequestKey, ReviewId, StreamId, Timestamp,
    digest::{self, ContentDigest},
    event::RefusalKind,
    ids::InvalidId,
    request::Reviewer,
};
use intake::{BusEvent, Received};
use ledger::{LedgerError, Search, Status};
use review::{Fold, State as Stream};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    access::{Caller, Right},
    cursor, fresh,
    input::{Body, Input, Named, Params},
    problem::Problem,
    review_document::{self, is_over, status},
};
use crate::Gateway;

/// Rows of a page, unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;
/// The longest wait in seconds: an HTTP API in front of a Lambda holds a request for 30 at most.
const WAIT_MAX: u64 = 30;

/// `POST /reviews`: opens a review, or finds the one that the same key opened.
///
/// An `Idempotency-Key` is the `request_key` of a body that has none, and stands for that one body: the
/// event's id is made of both, so that the log alone knows whether a call is the same again.
pub(super) async fn open(
    caller: Caller,
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Body(mut detail): Body,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?.filter(|_| detail.value.get("request_key").is_none_or(Value::is_null));
    let id = match &key {
        Some(key) => call_id(key, &detail.value)?,
        None => Uuid::new_v4().to_string(),
    };
    if let (Some(key), Value::Object(fields)) = (&key, &mut detail.value) {
        fields.insert("request_key".to_owned(), json!(key));
    }
    let event = BusEvent { id, sender: caller.sender(), detail_type: "ReviewRequested".to_owned(), detail };
    let received = match key {
        Some(_) => gateway.intake.receive_exactly(&event).await?,
        None => gateway.intake.receive(&event).await?,
    };
    match received {
        Received::Opened { review_id } => Ok(reference(&gateway, StatusCode::CREATED, review_id, Status::Open)),
        Received::Found { review_id } => {
            let status = status(&gateway.reviews.load(review_id).await?.state).unwrap_or(Status::Open);
            Ok(reference(&gateway, StatusCode::OK, review_id, status))
        }
        Received::Refused { review_id, kind, faults } => {
            let mut problem = Problem::faults(&faults).with("review_id", review_id);
            match (kind, key) {
                (RefusalKind::KeyReused, Some(_)) => problem.code = "idempotency-key-reused",
                (RefusalKind::KeyReused, None) => (problem.status, problem.code) = (StatusCode::CONFLICT, "key-reused"),
                (RefusalKind::Unapprovable, _) => problem.code = "unapprovable",
                (RefusalKind::Invalid, _) => {}
            }
            Err(problem)
        }
        // A ReviewRequested of this source is always one of the above.
        Received::Answered { .. }
        | Received::Invalid { .. }
        | Received::WorkflowEnded { .. }
        | Received::UnknownWorkflow
        | Received::Ignored => Err(Problem::faults(&[])),
    }
}

fn reference(gateway: &Gateway, status: StatusCode, review_id: ReviewId, stands: Status) -> Response {
    let location = [(header::LOCATION, format!("{}/reviews/{review_id}", super::PREFIX))];
    let link = format!("{}/reviews/{review_id}", gateway.base_url);
    let body = super::json(&json!({"review_id": review_id, "status": stands, "link": link}));
    (status, location, body).into_response()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<RequestKey>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(key) = given.next() else { return Ok(None) };
    match (key.to_str().ok().and_then(|key| key.parse().ok()), given.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-idempotency-key",
            "The Idempotency-Key cannot be used",
            "It is one text of 1 to 200 visible ASCII characters.",
        )),
    }
}

/// What stands for one call: its key and its body, however that is written.
fn call_id(key: &RequestKey, body: &Value) -> Result<String, Problem> {
    let call = json!({"idempotency_key": key, "body": body});
    let bytes = digest::canonical(&call).map_err(|error| Problem::internal(&error, false))?;
    Ok(format!("call-{}", ContentDigest::of(&bytes)))
}

/// `GET /reviews`: those that match, newest first.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Params(mut input): Params,
) -> Result<Response, Problem> {
    const PERSON: &str = "an e-mail address or slack:TEAM/USER";
    const TIME: &str = "a time as RFC 3339 writes it, such as 2026-11-23T04:11:21Z";
    let status = input.read("status", "\"open\", \"approved\", \"rejected\", \"expired\", \"cancelled\" or \"refused\"");
    let reviewer: Option<String> = input.parsed("reviewer", PERSON);
    let reviewer = reviewer.and_then(|text| {
        let read = match text.strip_prefix("group:") {
            Some(group) => group.parse().map(Reviewer::Group),
            None => text.parse().map(Reviewer::Person),
        };
        read.map_err(|invalid: InvalidId| input.fault("reviewer", format!("{}; or group:NAME", invalid.expected))).ok()
    });
    let requester = input.person_id("requester");
    let from: Option<Timestamp> = input.parsed("from", TIME);
    let to: Option<Timestamp> = input.parsed("to", TIME);
    let limit: Option<usize> = input.parsed("limit", "a whole number");
    if limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
        input.fault("limit", format!("a whole number from 1 to {PAGE_MAX}"));
    }
    let cursor: Option<String> = input.parsed("cursor", "the next of a page before");
    input.close()?;

    let reviewers = match reviewer {
        // Somebody is asked by any of their names, and through their groups.
        Some(Reviewer::Person(person)) => {
            let directory = gateway.reviews.directory().await?;
            directory.names_of(&directory.primary(&person))
        }
        Some(group) => vec![group],
        None => Vec::new(),
    };
    let requesters = match requester {
        Some(person) => {
            let directory = gateway.reviews.directory().await?;
            directory.recorded_ids_of(&directory.primary(&person))
        }
        None => Vec::new(),
    };
    let search = Search { status, requesters, reviewers, from, to, ..Search::default() };
    let from = cursor.map(|text| cursor::read(&gateway.keys, &search, &text)).transpose()?;
    let page = match gateway.views.search(&search, from.as_ref(), limit.unwrap_or(PAGE)).await {
        // A cursor of ours, but of a store that was replaced since.
        Err(LedgerError::Damaged { .. }) if from.is_some() => return Err(cursor::bad()),
        page => page?,
    };
    let next = page.next.map(|next| cursor::mint(&gateway.keys, &search, &next));
    fresh::by_content(&headers, &json!({"reviews": page.rows, "next": next}))
}

/// How a review is followed.
struct Follow {
    /// Until when.
    deadline: Instant,
    /// Whether only the end counts as news.
    until_ended: bool,
}

impl Follow {
    fn read(mut input: Input) -> Result<Follow, Problem> {
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
    right: Right,
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    headers: HeaderMap,
    Params(input): Params,
) -> Result<Response, Problem> {
    let follow = Follow::read(input)?;
    let mut fold = Fold::default();
    loop {
        let before = fold.version;
        gateway.reviews.catch_up(review_id, &mut fold).await?;
        if matches!(fold.state, Stream::Absent) {
            return Err(Problem::no_review(review_id));
        }
        let known = fresh::is_known(&headers, &fresh::etag(fold.version));
        let is_news = if follow.until_ended { is_over(&fold.state) } else { !known };
        let left = follow.deadline.saturating_duration_since(Instant::now());
        // Somebody who cannot hold a request comes back at once with nothing new: so do we.
        if is_news || left.is_zero() || fold.version == before {
            return review_document::answer(&headers, &fold);
        }
        gateway.arrivals.changed(review_id, fold.version, left).await;
        right.still_holds(&gateway, &headers).await?;
    }
}

/// `GET /reviews/{id}/events`: the log of a review as it is stored, event by event.
pub(super) async fn events(
    State(gateway): State<Gateway>,
    Named(review_id): Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    /// The stored body, with fields that this build does not know.
    #[derive(serde::Deserialize)]
    struct Stored {
        at: Value,
        previous: Value,
        events: Vec<Map<String, Value>>,
    }
    let commits = gateway.reviews.ledger().load(StreamId::Review(review_id), events::Version::NONE).await?;
    let Some(last) = commits.last().map(|commit| commit.version) else { return Err(Problem::no_review(review_id)) };
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
    fresh::tagged(&headers, &fresh::etag(last), &lines)
}
