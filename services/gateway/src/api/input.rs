//! Strict reading of what callers send: JSON bodies and queries. What is not asked for is a fault, and
//! all faults are named at once.

use std::{fmt::Display, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
};
use events::{
    Fault, PersonId, ReviewId,
    json::{self, Typed},
    request::Reviewer,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::security::BODY_MAX;

/// A query, field by field.
pub(crate) struct Params(pub(crate) Input);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            Ok(query) => Ok(Params(Input::query(query.0))),
            Err(rejection) => {
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad-query", "The query cannot be read", rejection.body_text()))
            }
        }
    }
}

/// The review that the path names.
pub(crate) struct Named(pub(crate) ReviewId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default();
        text.parse().map(Named).map_err(|_| Problem::no_review("of that name: an id is a UUID"))
    }
}

/// A JSON body, and what of it could not be kept as it was typed; `null` when there is none.
pub(crate) struct Body(pub(crate) Typed);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(is_json);
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
                format!("A body has at most {BODY_MAX} bytes."),
            ),
            _ => Problem::new(StatusCode::BAD_REQUEST, "unreadable", "The body could not be read", "The connection ended early."),
        })?;
        if bytes.is_empty() {
            return Ok(Body(Typed::made(Value::Null)));
        }
        if kind != Some(true) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body must be JSON",
                "Send it with content-type: application/json.",
            ));
        }
        json::read(&bytes).map(Body).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "malformed", "The body is not well-formed JSON", error.to_string())
        })
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// An object that is read field by field.
#[derive(Debug, Default)]
pub(crate) struct Input {
    object: Map<String, Value>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl Input {
    /// Opens a body; `null` is an empty object.
    pub(crate) fn body(Typed { value, faults }: Typed) -> Result<Input, Problem> {
        match value {
            Value::Null => Ok(Input::default()),
            Value::Object(object) => Ok(Input { object, faults, ..Input::default() }),
            _ => Err(Problem::faults(&[Fault::new("", "an object")])),
        }
    }

    /// Opens a query; a parameter that is given twice is a fault.
    pub(crate) fn query(query: Vec<(String, String)>) -> Input {
        let mut input = Input::default();
        for (name, value) in query {
            if input.object.contains_key(&name) {
                input.fault(&name, "one value, not several");
            }
            input.object.insert(name, Value::String(value));
        }
        input
    }

    /// Notes a fault of a field.
    pub(crate) fn fault(&mut self, field: &str, expected: impl Into<String>) {
        self.faults.push(Fault::new(pointer(field), expected));
    }

    /// A field as it stands; `null` counts as absent.
    pub(crate) fn take(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.object.remove(field).filter(|value| !value.is_null())
    }

    /// A text that `T` parses.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, field: &'static str, expected: &str) -> Option<T> {
        let value = self.take(field)?;
        let parsed = value.as_str().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.fault(field, expected);
        }
        parsed
    }

    /// Anything that serde reads.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, field: &'static str, expected: &str) -> Option<T> {
        let value = self.take(field)?;
        let read = serde_json::from_value(value).ok();
        if read.is_none() {
            self.fault(field, expected);
        }
        read
    }

    /// A person, by the text of an id.
    pub(crate) fn person_id(&mut self, field: &'static str) -> Option<PersonId> {
        let value = self.take(field)?;
        match value.as_str().unwrap_or_default().parse::<PersonId>() {
            Ok(person) => Some(person),
            Err(invalid) => {
                self.fault(field, invalid.expected);
                None
            }
        }
    }

    /// A person, as callers name one.
    pub(crate) fn person(&mut self, field: &'static str) -> Option<PersonId> {
        const PERSON: &str = "an object with exactly one of email or slack (\"TEAM/USER\")";
        let expected = match Reviewer::read(&self.take(field)?, PERSON) {
            Ok(Reviewer::Person(person)) => return Some(person),
            Ok(_) => PERSON.into(),
            Err(expected) => expected,
        };
        self.fault(field, expected);
        None
    }

    /// A field that must be there.
    pub(crate) fn required<T>(&mut self, field: &str, expected: &str, value: Option<T>) -> Option<T> {
        let at = pointer(field);
        if value.is_none() && !self.faults.iter().any(|fault| fault.pointer == at) {
            self.faults.push(Fault::new(at, format!("{expected} (required)")));
        }
        value
    }

    /// What was not read yet, for a parser that reads the rest.
    pub(crate) fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.object)
    }

    /// Notes the faults that another parser found.
    pub(crate) fn add(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// Every field that nobody read is a fault; an error when there is any.
    pub(crate) fn close(mut self) -> Result<(), Problem> {
        let known = self.known.join(", ");
        let unknown: Vec<String> = self.object.keys().cloned().collect();
        for field in unknown {
            self.fault(&field, format!("no such field (known here: {known})"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::faults(&self.faults)) }
    }
}

/// The JSON pointer of a field of the outermost object (RFC 6901).
pub(crate) fn pointer(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}
