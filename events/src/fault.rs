//! What is wrong with an input, and where: every fault at once, each with its JSON pointer.

use std::{fmt::Display, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    json::token,
    line::{characters, is_blank},
};

/// One fault of an input: where it is (RFC 6901 JSON pointer; empty for the whole) and what was
/// expected there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{}: expected {expected}", if pointer.is_empty() { "the whole" } else { pointer })]
pub struct Fault {
    /// JSON pointer into the input, such as `/policy/quorum`.
    pub pointer: String,
    /// What a valid input has there, in words.
    pub expected: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, expected: impl Into<String>) -> Fault {
        Fault { pointer: pointer.into(), expected: expected.into() }
    }
}

/// The most unknown fields of one object that are named one by one.
const UNKNOWN_MAX: usize = 50;

/// Reads one JSON object field by field and notes every fault, so that a caller who made five
/// mistakes is told of five.
pub(crate) struct Reader<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// Opens the object at `pointer`; notes a fault and gives `None` when it is no object.
    pub(crate) fn open(value: &'a Value, pointer: &str, faults: &mut Vec<Fault>) -> Option<Reader<'a>> {
        match value {
            Value::Object(object) => Some(Reader { object, pointer: pointer.to_owned(), known: Vec::new() }),
            _ => {
                faults.push(Fault::new(pointer, "an object"));
                None
            }
        }
    }

    /// The pointer of a field.
    pub(crate) fn at(&self, field: &str) -> String {
        format!("{}/{}", self.pointer, token(field))
    }

    /// The field as it stands. `null` counts as absent: bus transformers write it for what they lack.
    pub(crate) fn raw(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.push(field);
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// A text of `min` to `max` characters. A text in which nobody can see anything counts as absent.
    pub(crate) fn text(&mut self, field: &'static str, min: usize, max: usize, faults: &mut Vec<Fault>) -> Option<String> {
        let value = self.raw(field)?;
        let may_be_absent = |text: &str| characters(text) <= max && is_blank(text) && (min == 0 || !text.is_empty());
        if value.as_str().is_some_and(may_be_absent) {
            return None;
        }
        match value.as_str() {
            Some(text) if (min..=max).contains(&characters(text)) => Some(text.to_owned()),
            _ => {
                faults.push(Fault::new(self.at(field), format!("a text of {min} to {max} characters")));
                None
            }
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(&self, field: &str, expected: &str, value: Option<T>, faults: &mut Vec<Fault>) -> Option<T> {
        if value.is_none() {
            let pointer = self.at(field);
            // A fault of its own is already noted when it was there but wrong.
            if !faults.iter().any(|fault| fault.pointer.starts_with(&pointer)) {
                faults.push(Fault::new(pointer, format!("{expected} (required)")));
            }
        }
        value
    }

    /// A text that `T` parses.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        expected: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let value = self.raw(field)?;
        let parsed = value.as_str().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            faults.push(Fault::new(self.at(field), expected));
        }
        parsed
    }

    /// One of a few words, or anything else that serde reads from the value.
    pub(crate) fn one_of<T: serde::de::DeserializeOwned>(
        &mut self,
        field: &'static str,
        expected: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let value = self.raw(field)?;
        match T::deserialize(value) {
            Ok(read) => Some(read),
            Err(_) => {
                faults.push(Fault::new(self.at(field), expected));
                None
            }
        }
    }

    /// An array of `min` to `max` items.
    pub(crate) fn array(&mut self, field: &'static str, min: usize, max: usize, faults: &mut Vec<Fault>) -> Option<&'a [Value]> {
        let value = self.raw(field)?;
        match value.as_array() {
            Some(items) if (min..=max).contains(&items.len()) => Some(items),
            _ => {
                faults.push(Fault::new(self.at(field), format!("an array of {min} to {max} items")));
                None
            }
        }
    }

    /// Notes every field that nobody asked for: a misspelt `expires_in` must not be ignored. Beyond
    /// [`UNKNOWN_MAX`] they are counted, so that the refusal of a flood still fits in the log.
    pub(crate) fn close(self, faults: &mut Vec<Fault>) {
        let mut unknown = self.object.keys().filter(|field| !self.known.contains(&field.as_str())).peekable();
        if unknown.peek().is_none() {
            return;
        }
        let known = self.known.join(", ");
        for field in unknown.by_ref().take(UNKNOWN_MAX) {
            faults.push(Fault::new(self.at(field), format!("no such field (known here: {known})")));
        }
        let further = unknown.count();
        if further > 0 {
            faults.push(Fault::new(self.pointer, format!("none of {further} further unknown fields (known here: {known})")));
        }
    }
}
