//! The EventBridge `PutEvents` call as AWS documents it, so that stock clients work unchanged
//! (Amazon EventBridge API Reference: PutEvents, PutEventsRequestEntry, PutEventsResultEntry, Common
//! Errors; the wire form is AWS JSON 1.1 of the Smithy documentation).
//!
//! Any signature is taken: this is a local endpoint that only asks and never decides. A page of
//! another site cannot call it: the target header makes a browser ask first (CORS preflight), and
//! that is never granted.

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{json, published};
use intake::{BusEvent, LOCAL_ACCOUNT};
use ledger::with_causes;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use uuid::Uuid;

use crate::{Gateway, security};

const TARGET: &str = "AWSEvents.PutEvents";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// The most entries of one call (API Reference, PutEvents: array members).
const ENTRIES_MAX: usize = 10;
/// The largest sum of entry sizes in bytes (API Reference, PutEvents; it was 256 KB before 2026). How it
/// is counted: User Guide, "Calculating PutEvents event entry size".
const SIZE_MAX: usize = 1_024 * 1_024;
/// The largest body in bytes: entries of that sum stay below it however much of their details is escaped
/// inside JSON.
pub(super) const BODY_MAX: usize = 5 * SIZE_MAX;
/// What a time counts for in that sum, in bytes (same page).
const TIME_SIZE: usize = 14;
/// The longest detail-type in characters (API Reference, PutEventsRequestEntry).
const DETAIL_TYPE_MAX: usize = 128;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Option<Vec<Entry>>,
}

/// One entry. The bus name, trace header and time are accepted and stand for nothing here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    resources: Option<Vec<String>>,
    time: Option<Number>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EntryResult {
    #[serde(rename_all = "PascalCase")]
    Put { event_id: String },
    #[serde(rename_all = "PascalCase")]
    Failed { error_code: &'static str, error_message: &'static str },
}

/// `POST /`.
pub(super) async fn call(State(gateway): State<Gateway>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    if headers.get("x-amz-target").and_then(|target| target.to_str().ok()) != Some(TARGET) {
        return error(StatusCode::BAD_REQUEST, "UnknownOperationException", "The only operation here is AWSEvents.PutEvents.");
    }
    let Ok(body) = body else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", "The request is too large.");
    };
    let entries = match serde_json::from_slice::<PutEvents>(&body) {
        Ok(call) => call.entries.unwrap_or_default(),
        Err(_) => {
            return error(StatusCode::BAD_REQUEST, "SerializationException", "The request is not a PutEvents call in JSON.");
        }
    };
    if !(1..=ENTRIES_MAX).contains(&entries.len()) {
        let length = if entries.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" };
        let message = format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length {length}"
        );
        return error(StatusCode::BAD_REQUEST, "ValidationException", &message);
    }
    if entries.iter().map(Entry::size).sum::<usize>() > SIZE_MAX {
        let message = "Total size of the entries in the request is over the limit.";
        return error(StatusCode::BAD_REQUEST, "ValidationException", message);
    }
    let results = put_all(&gateway, entries).await;
    let failed = results.iter().filter(|result| matches!(result, EntryResult::Failed { .. })).count();
    answer(StatusCode::OK, None, &json!({"FailedEntryCount": failed, "Entries": results}))
}

/// Puts them on record side by side, so that they share a disk sync; in tasks of their own, so that
/// a caller who hangs up cuts none short.
async fn put_all(gateway: &Gateway, entries: Vec<Entry>) -> Vec<EntryResult> {
    let tasks: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let gateway = gateway.clone();
            tokio::spawn(async move { put(&gateway, entry).await })
        })
        .collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.unwrap_or_else(|_| failed("InternalFailure", "The event could not be put on record.")));
    }
    results
}

async fn put(gateway: &Gateway, entry: Entry) -> EntryResult {
    let event = match entry.into_event() {
        Ok(event) => event,
        Err(result) => return result,
    };
    match gateway.intake.receive(&event).await {
        Ok(_) => EntryResult::Put { event_id: event.id },
        Err(error) => {
            let (event_id, retryable) = (event.id.as_str(), error.is_retryable());
            tracing::error!(event_id, retryable, error = with_causes(&error), "an event could not be put on record");
            failed("InternalFailure", "The event could not be put on record.")
        }
    }
}

fn failed(error_code: &'static str, error_message: &'static str) -> EntryResult {
    EntryResult::Failed { error_code, error_message }
}

impl Entry {
    fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let resources = self.resources.iter().flatten().map(String::len).sum::<usize>();
        let time = self.time.as_ref().map_or(0, |_| TIME_SIZE);
        time + text(&self.source) + text(&self.detail_type) + text(&self.detail) + resources
    }

    /// The event, or why there is none (PutEventsResultEntry: ErrorCode).
    fn into_event(self) -> Result<BusEvent, EntryResult> {
        let required = |value: Option<String>, message| {
            value.filter(|text| !text.is_empty()).ok_or_else(|| failed("InvalidArgument", message))
        };
        let source = required(self.source, "Parameter Source is not valid. Reason: Source is a required argument.")?;
        let detail_type =
            required(self.detail_type, "Parameter DetailType is not valid. Reason: DetailType is a required argument.")?;
        let detail = required(self.detail, "Parameter Detail is not valid. Reason: Detail is a required argument.")?;
        if detail_type.chars().count() > DETAIL_TYPE_MAX {
            return Err(failed(
                "InvalidArgument",
                "Parameter DetailType is not valid. Reason: DetailType has at most 128 characters.",
            ));
        }
        if source.starts_with("aws.") || source == published::SOURCE {
            return Err(failed("NotAuthorizedForSourceException", "Not authorized for the source."));
        }
        let detail = json::read(detail.as_bytes()).ok().filter(|detail| detail.value.is_object());
        let detail = detail.ok_or_else(|| failed("MalformedDetail", "Detail is malformed."))?;
        let id = Uuid::new_v4().to_string();
        Ok(BusEvent { id, account: LOCAL_ACCOUNT.to_owned(), source, detail_type, detail })
    }
}

fn error(status: StatusCode, code: &'static str, message: &str) -> Response {
    answer(status, Some(code), &json!({"__type": code, "message": message}))
}

fn answer(status: StatusCode, code: Option<&'static str>, body: &Value) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response();
    if let Some(id) = security::request_id() {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    if let Some(code) = code {
        response.headers_mut().insert("x-amzn-errortype", header::HeaderValue::from_static(code));
    }
    response
}
