//! Errors as problem details (RFC 9457), the same shape for every error of the API.

use std::error::Error;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{Fault, IntegrationId, event::Scope};
use intake::{IntakeError, TooMany};
use ledger::{ExecuteError, LedgerError, with_causes};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::security;

/// One problem. The `type` that callers may branch on is `urn:countersign:` and [`Problem::code`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    title: &'static str,
    detail: String,
    more: Map<String, Value>,
    /// What `WWW-Authenticate` says after the scheme's realm (RFC 6750, 3).
    challenge: Option<String>,
    /// After how many seconds the same may be taken.
    retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, title, detail: detail.into(), more: Map::new(), challenge: None, retry_after: None }
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// With a further member.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Problem {
        // What is put here are texts, ids and lists of them, which always serialise.
        self.more.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// 422: the input is JSON but not what is asked for; every fault at once.
    pub(crate) fn faults(faults: &[Fault]) -> Problem {
        let detail = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The input is invalid", detail).with("faults", faults)
    }

    /// 404: no such review.
    pub(crate) fn no_review(id: impl std::fmt::Display) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "no-such-review", "No such review", format!("There is no review {id}."))
    }

    /// 429: this program has asked too often.
    pub(crate) fn too_many(over: &TooMany) -> Problem {
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", over.to_string());
        problem.retry_after = Some(u32::try_from(over.retry_after.as_seconds()).unwrap_or(u32::MAX));
        problem
    }

    /// 503: the review says more than this build knows, so nothing is decided by it here.
    pub(crate) fn needs_newer(what: &[String]) -> Problem {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "needs-newer-version",
            "A newer version of the service is needed",
            format!("A newer version wrote this review, and this one does not know: {}. Nothing was changed.", what.join("; ")),
        )
        .with("unknown", what)
    }

    /// A vote or a cancellation failed: 503 also where a newer version of the service could carry it out.
    pub(crate) fn of_command(error: ExecuteError) -> Problem {
        if error.needs_newer() { Problem::needs_newer(&[error.to_string()]) } else { error.into() }
    }

    /// 401: no bearer token, or (`is_token`) one that is not taken.
    pub(crate) fn unauthorized(detail: impl Into<String>, is_token: bool) -> Problem {
        let title = "A bearer token is needed";
        let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail);
        problem.challenge = Some(if is_token { ", error=\"invalid_token\"".to_owned() } else { String::new() });
        problem
    }

    /// 403: the integration does not have the scope that the route asks for.
    pub(crate) fn insufficient_scope(name: &IntegrationId, scope: Scope) -> Problem {
        let detail = format!("This needs the scope {scope}, which integration {name} does not have.");
        let title = "The token does not reach that far";
        let mut problem = Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", title, detail).with("scope", scope);
        problem.challenge = Some(format!(", error=\"insufficient_scope\", scope=\"{scope}\""));
        problem
    }

    /// 403: no token of an integration will do.
    pub(crate) fn operator_only() -> Problem {
        Problem::new(
            StatusCode::FORBIDDEN,
            "operator-only",
            "Only the operator's key may do this",
            "It takes the operator's key; the token of an integration does not do, whatever its scopes.",
        )
    }

    /// 503: the log was found not to be what was signed of it, and nothing is answered from it.
    pub(crate) fn distrusted(error: &LedgerError) -> Problem {
        let detail = format!("{error}. Nothing was changed. The operator has to look: see `countersign verify`.");
        let title = "This log cannot be trusted";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "distrusted", title, detail)
    }

    /// 500: a handler panicked. The panic itself was printed where it happened.
    pub(crate) fn panicked() -> Problem {
        Problem::internal(&Panicked, false)
    }

    /// 503 or 500, logged with its causes; the answer names the request and nothing inside.
    pub(crate) fn internal(error: &(dyn Error + 'static), retryable: bool) -> Problem {
        let request_id = security::request_id();
        let id = request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        tracing::error!(request_id = id, retryable, error = with_causes(error), "a request failed");
        let problem = if retryable {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The store did not answer",
                "The same request may succeed in a moment.",
            )
        } else {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something is broken here",
                "The service's log says what.",
            )
        };
        problem.with("request_id", id)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

/// The fallback of the API: 404.
pub(crate) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-resource", "No such resource", "The API has nothing at this path.")
}

/// A path of the API was asked with a method that it does not have: 405.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        "The Allow header says which methods are.",
    )
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Ledger(error) => error.into(),
            error => Problem::internal(&error, error.is_retryable()),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Distrusted { .. } => Problem::distrusted(&error),
            error => Problem::internal(&error, error.is_retryable()),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::NeedsNewer { what, .. } => Problem::needs_newer(&what),
            IntakeError::TooMany(over) => Problem::too_many(&over),
            IntakeError::Execute(error) if error.needs_newer() => Problem::of_command(error),
            IntakeError::Execute(error) => error.into(),
            error => Problem::internal(&error, error.is_retryable()),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: format!("urn:countersign:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            more: &self.more,
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response();
        let challenge = self.challenge.map(|more| format!("Bearer realm=\"countersign\"{more}"));
        if let Some(Ok(challenge)) = challenge.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        let retry_after = self.retry_after.or((self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
