//! Records that a consumer could not handle: seeing them, and putting them back to work.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use events::{StreamId, Version};
use ledger::{LedgerError, Parked};
use serde_json::{Value, json};

use super::{
    fresh,
    input::{Body, Input, Params},
    problem::Problem,
};
use crate::Gateway;
use events::json::Typed;

/// The most dead letters that one call lists or puts back to work.
const PARKED_MAX: usize = 1_000;

/// `GET /dead-letters`: oldest first.
pub(super) async fn list(State(gateway): State<Gateway>, headers: HeaderMap, Params(input): Params) -> Result<Response, Problem> {
    input.close()?;
    let parked = gateway.work.parked(PARKED_MAX).await?;
    fresh::by_content(&headers, &json!({"dead_letters": parked}))
}

/// `POST /dead-letters/redrive`: one record, or all; each is taken away when its consumer took it.
pub(super) async fn redrive(State(gateway): State<Gateway>, Body(body): Body) -> Result<Response, Problem> {
    let wish = Wish::read(body)?;
    let mut parked = gateway.work.parked(PARKED_MAX).await?;
    if let Wish::One { consumer, stream, version } = &wish {
        parked.retain(|parked| (&parked.consumer, &parked.stream, &parked.version) == (consumer, stream, version));
        if parked.is_empty() {
            let detail = format!("{consumer} has no dead letter for {stream} version {version}.");
            return Err(Problem::new(StatusCode::NOT_FOUND, "no-such-dead-letter", "No such dead letter", detail));
        }
    }
    let mut results = Vec::with_capacity(parked.len());
    for parked in &parked {
        results.push(redrive_one(&gateway, parked).await?);
    }
    Ok(super::json(&json!({"results": results})))
}

async fn redrive_one(gateway: &Gateway, parked: &Parked) -> Result<Value, LedgerError> {
    let Parked { consumer, stream, version, .. } = parked;
    let outcome = gateway.redrive.redrive(parked).await;
    tracing::info!(consumer, %stream, %version, redriven = outcome.is_ok(), "dead letter redriven by the operator");
    if outcome.is_ok() {
        gateway.work.unpark(consumer, *stream, *version).await?;
    }
    Ok(json!({"consumer": consumer, "stream": stream, "version": version, "redriven": outcome.is_ok(), "error": outcome.err()}))
}

enum Wish {
    All,
    One { consumer: String, stream: StreamId, version: Version },
}

impl Wish {
    fn read(body: Typed) -> Result<Wish, Problem> {
        const STREAM: &str = "a stream: \"directory\", or \"review#\" and a review id";
        let mut input = Input::body(body)?;
        if let Some(all) = input.take("all") {
            if all != Value::Bool(true) {
                input.fault("all", "true, or consumer, stream and version in its place");
            }
            input.close()?;
            return Ok(Wish::All);
        }
        let consumer: Option<String> = input.parsed("consumer", "the name of a consumer");
        let consumer = input.required("consumer", "the name of a consumer, or all: true", consumer);
        let stream = input.parsed("stream", STREAM);
        let stream = input.required("stream", STREAM, stream);
        let version = input.read("version", "a version, a whole number from 1");
        let version = input.required("version", "a version, a whole number from 1", version);
        input.close()?;
        match (consumer, stream, version) {
            (Some(consumer), Some(stream), Some(version)) => Ok(Wish::One { consumer, stream, version }),
            _ => Err(Problem::faults(&[])),
        }
    }
}
