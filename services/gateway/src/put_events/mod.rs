//! The EventBridge `PutEvents` call as AWS documents it, so that stock clients work unchanged
//! (Amazon EventBridge API Reference: PutEvents, PutEventsRequestEntry, PutEventsResultEntry, Common
//! Errors).
//!
//! It is no part of the router: whoever wires a service merges [`routes`] and says who may call. `serve` does; the
//! gateway Lambda does not, since on AWS the bus itself takes this call.
//!
//! A page of another site cannot call it: the target header makes a browser ask first (CORS preflight), and
//! that is never granted.
//!
//! | module | holds |
//! |---|---|
//! | `admission` | who may call, and as whom |
//! | `sigv4` | whether a signature holds |
//! | `wire` | the form of calls and answers, and their limits |

mod admission;
mod sigv4;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use channels::access_key::AccessKeys;
use events::event::Scope;
use intake::{BusEvent, IntakeError, Sender};
use ledger::{Claim, with_causes};
use uuid::Uuid;

use crate::{Gateway, api::access::Caller};
use admission::{Claimed, Who};
use wire::{CallError, Entry, EntryResult, Wanted, failed};

pub use admission::Admission;

const TARGET: &str = "AWSEvents.PutEvents";
const VOTE: &str = "VoteSubmitted";
/// The namespace of the ids of signed entries (a random UUID, fixed for ever).
const ENTRIES: Uuid = Uuid::from_u128(0x90c1_4f0e_27b3_4a55_9e0d_6f2c_83d5_11b7);

/// The way in.
#[derive(Debug, Clone)]
pub struct Door {
    /// Who has to say who they are.
    pub admission: Admission,
    /// The secrets of those who sign.
    pub keys: AccessKeys,
}

/// `POST /`, for a service that takes such calls.
pub fn routes(door: Door) -> Router<Gateway> {
    let door = Arc::new(door);
    let handler = move |State(gateway): State<Gateway>, request: Request| call(gateway, Arc::clone(&door), request);
    Router::new().route("/", post(handler).layer(DefaultBodyLimit::max(wire::BODY_MAX)))
}

async fn call(gateway: Gateway, door: Arc<Door>, request: Request) -> Response {
    answered(gateway, &door, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answered(gateway: Gateway, door: &Door, request: Request) -> Result<Response, CallError> {
    if request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()) != Some(TARGET) {
        return Err(CallError::new("UnknownOperationException", "The only operation here is AWSEvents.PutEvents."));
    }
    let (parts, body) = request.into_parts();
    // Whoever has no right to call is told so before their payload is read.
    let claimed = admission::read(&gateway, door.admission, &door.keys, &parts).await.inspect_err(|error| {
        tracing::info!(code = error.code, "a PutEvents call was not let in");
    })?;
    let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
    let body = Bytes::from_request(Request::from_parts(parts, body), &gateway).await.map_err(|_| CallError {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "RequestEntityTooLargeException",
        message: "The request is too large.".to_owned(),
        retry_after: None,
    })?;
    let (who, signature) = match claimed {
        Claimed::Settled(who) => (who, None),
        Claimed::Signed { by, signed, secret } => {
            signed.verify(secret.expose(), &method, &uri, &headers, &body).inspect_err(|error| {
                tracing::warn!(by = %by, code = error.code, "a signed PutEvents call was not let in");
            })?;
            (Who::Known(by), Some(Signature { at: signed.at, text: signed.signature }))
        }
    };
    let entries = wire::entries(&body)?;
    let results = Call { gateway, who: Arc::new(who), signature: signature.map(Arc::new) }.put_all(entries).await;
    wire::results(&results)
}

/// A signature that held.
struct Signature {
    at: events::Timestamp,
    text: String,
}

/// A call that was let in.
#[derive(Clone)]
struct Call {
    gateway: Gateway,
    who: Arc<Who>,
    signature: Option<Arc<Signature>>,
}

impl Call {
    /// Puts them on record side by side, so that they share a disk sync; in tasks of their own, so that
    /// a caller who hangs up cuts none short.
    async fn put_all(self, entries: Vec<Entry>) -> Vec<EntryResult> {
        let entries: Vec<_> = entries.into_iter().map(Entry::read).collect();
        let votes = entries.iter().flatten().any(|wanted| wanted.detail_type == VOTE);
        let votes_are_new = !votes || self.is_new().await;
        let put = |(index, wanted): (usize, Result<Wanted, EntryResult>)| {
            let call = self.clone();
            tokio::spawn(async move {
                match wanted {
                    Ok(wanted) if wanted.detail_type == VOTE && !votes_are_new => failed(
                        "InvalidSignatureException",
                        "A call with this signature handed in its votes before: sign each call anew.",
                    ),
                    Ok(wanted) => call.put(index, wanted).await,
                    Err(refused) => refused,
                }
            })
        };
        let tasks: Vec<_> = entries.into_iter().enumerate().map(put).collect();
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(task.await.unwrap_or_else(|_| failed("InternalFailure", NOT_RECORDED)));
        }
        results
    }

    /// Whether a signed call comes for the first time. Whoever overhears one may send it again while its signature
    /// holds, and so take back what a person has said since; a request or a cancellation that comes twice changes
    /// nothing. A store that does not answer takes no votes.
    async fn is_new(&self) -> bool {
        let Some(signature) = &self.signature else { return true };
        let (key, now) = (format!("put-events/{}", signature.text), self.gateway.reviews.now());
        let until = signature.at.after(sigv4::SKEW).after(sigv4::SKEW);
        match self.gateway.work.claim(&key, now, until).await {
            Ok(claim) => claim == Claim::Granted,
            Err(error) => {
                tracing::error!(error = with_causes(&error), "whether a signed call is new could not be seen");
                false
            }
        }
    }

    async fn put(&self, index: usize, wanted: Wanted) -> EntryResult {
        let sender = match sender(&self.who, &wanted) {
            Ok(sender) => sender,
            Err(refused) => return refused,
        };
        let Wanted { detail_type, detail, .. } = wanted;
        let event = BusEvent { id: self.event_id(index), sender, detail_type, detail };
        match self.gateway.intake.receive(&event).await {
            Ok(_) => EntryResult::Put { event_id: event.id },
            Err(IntakeError::TooMany(over)) => EntryResult::throttled(&over),
            Err(error) => {
                let (event_id, retryable) = (event.id.as_str(), error.is_retryable());
                tracing::error!(event_id, retryable, error = with_causes(&error), "an event could not be put on record");
                failed("InternalFailure", NOT_RECORDED)
            }
        }
    }

    /// A signed call that comes twice, by a retry or by somebody who overheard it, has the ids that it had: so it opens
    /// nothing anew.
    fn event_id(&self, index: usize) -> String {
        match &self.signature {
            Some(signature) => Uuid::new_v5(&ENTRIES, format!("{}/{index}", signature.text).as_bytes()).to_string(),
            None => Uuid::new_v4().to_string(),
        }
    }
}

const NOT_RECORDED: &str = "The event could not be put on record.";

/// As whom an entry is handed in, if whoever calls may hand it in. An entry of no concern to us changes nothing, so
/// that anybody may put it.
fn sender(who: &Who, wanted: &Wanted) -> Result<Sender, EntryResult> {
    let source = wanted.source.clone();
    let (name, known) = match who {
        Who::Unauthenticated => return Ok(Sender::Unauthenticated { source }),
        Who::Known(Caller::Operator) => {
            return match wanted.detail_type.as_str() {
                VOTE => Err(failed(DENIED, "The operator enters votes by POST /api/v1/reviews/{id}/votes.")),
                "ReviewNotified" => Err(failed(DENIED, "An integration with the scope notices:report says who was reached.")),
                _ => Ok(Sender::Operator { source }),
            };
        }
        Who::Known(Caller::Integration(name, known)) => (name, known),
    };
    if let Some(own) = &known.source
        && own.as_str() != source
    {
        let message = format!("Not authorized for the source: integration {name} puts entries of the source {own} alone.");
        return Err(failed("NotAuthorizedForSourceException", message));
    }
    let needed = match wanted.detail_type.as_str() {
        "ReviewRequested" | "ReviewCancelled" => Some(Scope::RequestReviews),
        VOTE => Some(Scope::CastVotes),
        "ReviewNotified" => Some(Scope::ReportNotices),
        _ => None,
    };
    if let Some(scope) = needed.filter(|scope| !known.scopes.contains(scope)) {
        let message = format!("{} needs the scope {scope}, which integration {name} does not have.", wanted.detail_type);
        return Err(failed(DENIED, message));
    }
    if wanted.detail_type == VOTE && known.source.is_none() {
        let message =
            format!("VoteSubmitted needs a source, and integration {name} was registered without: integrations add … --source.");
        return Err(failed(DENIED, message));
    }
    Ok(Sender::Integration { name: name.clone(), known: Arc::clone(known) })
}

const DENIED: &str = "AccessDeniedException";
