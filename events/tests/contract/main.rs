//! The published contract: schemas that are current, examples that hold, parsers that agree with
//! them, versions that are never broken, and stored events that are read for ever.

#![allow(clippy::expect_used, reason = "a test that expects says what it expected")]

mod agreement;
mod breaking;
mod corpus;
mod examples;
mod samples;
mod schemas;
mod upcasting;

use std::{fs, path::PathBuf};

use serde_json::Value;

/// A place in the repository, from its root.
fn place(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The schema of this path as it is generated today.
fn schema(path: &str) -> Value {
    events::schema::all().into_iter().find(|(known, _)| known == path).map(|(_, schema)| schema).expect(path)
}

/// A validator that checks formats too.
fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("a schema")
}
