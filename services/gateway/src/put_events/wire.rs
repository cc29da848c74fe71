//! The wire form: AWS JSON 1.1 (Smithy documentation), and the limits that AWS documents.

use std::borrow::Cow;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{
    json::{self, Typed},
    published,
};
use intake::{API_SOURCE, TooMany};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use crate::security;

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
pub(super) struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    resources: Option<Vec<String>>,
    time: Option<Number>,
}

/// An entry as AWS would take it: it names a source, a type, and a detail that is an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// What the caller wrote. Who they are, their credentials say.
    pub(super) source: String,
    pub(super) detail_type: String,
    pub(super) detail: Typed,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum EntryResult {
    #[serde(rename_all = "PascalCase")]
    Put { event_id: String },
    #[serde(rename_all = "PascalCase")]
    Failed {
        error_code: &'static str,
        error_message: Cow<'static, str>,
        /// After how many seconds it may be taken, where that is all that is wrong.
        #[serde(skip)]
        retry_after: Option<i64>,
    },
}

impl EntryResult {
    /// The sender has put too many (PutEvents, "Common Errors": `ThrottlingException`).
    pub(super) fn throttled(over: &TooMany) -> EntryResult {
        EntryResult::Failed {
            error_code: THROTTLED,
            error_message: over.to_string().into(),
            retry_after: Some(over.retry_after.as_seconds()),
        }
    }
}

const THROTTLED: &str = "ThrottlingException";

/// Why one entry fails, while those beside it are taken.
pub(super) fn failed(error_code: &'static str, error_message: impl Into<Cow<'static, str>>) -> EntryResult {
    EntryResult::Failed { error_code, error_message: error_message.into(), retry_after: None }
}

/// A whole call that fails: its status, the code that SDKs branch on, and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// After how many seconds the same call may be taken.
    pub(super) retry_after: Option<i64>,
}

impl CallError {
    /// 400, as AWS JSON services answer what the caller has to mend, credentials included (DynamoDB developer guide,
    /// "Error messages and codes").
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> CallError {
        CallError { status: StatusCode::BAD_REQUEST, code, message: message.into(), retry_after: None }
    }
}

impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        let mut response = answer(self.status, Some(self.code), &json!({"__type": self.code, "message": self.message}));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        response
    }
}

/// The entries of a call.
pub(super) fn entries(body: &[u8]) -> Result<Vec<Entry>, CallError> {
    // Whole, since the parser looks at no byte of what it passes over.
    let call: Option<PutEvents> = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str(text).ok());
    let call = call.ok_or_else(|| CallError::new("SerializationException", "The request is not a PutEvents call in JSON."))?;
    let entries = call.entries.unwrap_or_default();
    if !(1..=ENTRIES_MAX).contains(&entries.len()) {
        let length = if entries.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" };
        let message = format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length {length}"
        );
        return Err(CallError::new("ValidationException", message));
    }
    if entries.iter().map(Entry::size).sum::<usize>() > SIZE_MAX {
        return Err(CallError::new("ValidationException", "Total size of the entries in the request is over the limit."));
    }
    Ok(entries)
}

/// The answer to a call: what became of each entry. Where none was taken but for want of patience, the call itself is
/// answered 429, which every SDK tries again by itself.
///
/// # Errors
/// That one.
pub(super) fn results(results: &[EntryResult]) -> Result<Response, CallError> {
    let waits = results.iter().map(|result| match result {
        EntryResult::Failed { retry_after, .. } => *retry_after,
        EntryResult::Put { .. } => None,
    });
    if let Some(longest) = waits.collect::<Option<Vec<i64>>>().and_then(|waits| waits.into_iter().max()) {
        return Err(CallError {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: THROTTLED,
            message: format!("Rate exceeded. The next entry is taken in {longest} s."),
            retry_after: Some(longest),
        });
    }
    let failed = results.iter().filter(|result| matches!(result, EntryResult::Failed { .. })).count();
    Ok(answer(StatusCode::OK, None, &json!({"FailedEntryCount": failed, "Entries": results})))
}

impl Entry {
    fn size(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let resources = self.resources.iter().flatten().map(String::len).sum::<usize>();
        let time = self.time.as_ref().map_or(0, |_| TIME_SIZE);
        time + text(&self.source) + text(&self.detail_type) + text(&self.detail) + resources
    }

    /// What is wanted, or why AWS would not take it (PutEventsResultEntry: ErrorCode).
    pub(super) fn read(self) -> Result<Wanted, EntryResult> {
        let required = |value: Option<String>, message: &'static str| {
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
        // Nobody speaks for AWS, for the service, or for its API: what the operator asked there is theirs to withdraw.
        if source.starts_with("aws.") || source == published::SOURCE || source == API_SOURCE {
            return Err(failed("NotAuthorizedForSourceException", "Not authorized for the source."));
        }
        let detail = json::read(detail.as_bytes()).ok().filter(|detail| detail.value.is_object());
        let detail = detail.ok_or_else(|| failed("MalformedDetail", "Detail is malformed."))?;
        Ok(Wanted { source, detail_type, detail })
    }
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
