//! The examples beside the schemas: they validate, the parsers take them, and what we publish is
//! what they show.

use events::{
    ReviewRequest, event,
    inbound::{CancelRequested, NoticeReported, VoteSubmitted},
    published::{self, Attached, Cancelled, Detail, Refused, Requested},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{read, samples, validator};

/// Where the example of a schema lies.
pub fn beside(schema: &str) -> String {
    schema.replace(".json", ".example.json")
}

/// What is published for the samples, by path.
pub fn outbound() -> Vec<(String, Value)> {
    let commits = samples::read_back();
    let entries =
        commits.iter().flat_map(|commit| published::entries(commit, Some("https://countersign.example.com/r")).expect("JSON"));
    let example = |entry: published::Entry| {
        let path = beside(&format!("schemas/outbound/{}.v1.json", entry.detail_type));
        (path, serde_json::from_str(&entry.detail).expect("JSON"))
    };
    entries.map(example).collect()
}

#[test]
fn every_example_validates_against_its_schema() {
    for (path, schema) in events::schema::all() {
        let example = read(&beside(&format!("schemas/{path}")));
        validator(&schema).validate(&example).unwrap_or_else(|error| panic!("{path}: {error} at {}", error.instance_path()));
    }
}

#[test]
fn the_parsers_take_the_inbound_examples() {
    let example = |name: &str| read(&format!("schemas/inbound/{name}.v1.example.json"));
    ReviewRequest::parse(&example("ReviewRequested")).expect("a request");
    VoteSubmitted::parse(&example("VoteSubmitted")).expect("a vote");
    CancelRequested::parse(&example("ReviewCancelled")).expect("a cancellation");
    NoticeReported::parse(&example("ReviewNotified")).expect("a notice");
}

/// Reads the example as the type and writes it back.
fn round_trip<T: Serialize + DeserializeOwned>(name: &str) {
    let example = read(&format!("schemas/outbound/{name}.v1.example.json"));
    let detail: Detail<T> = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(&detail).expect("JSON"), example, "{name}");
}

#[test]
fn the_outbound_examples_are_read_and_written_by_the_types() {
    round_trip::<Requested>("ReviewRequested");
    round_trip::<Refused>("ReviewRefused");
    round_trip::<event::ReviewNotified>("ReviewNotified");
    round_trip::<event::NotificationFailed>("NotificationFailed");
    round_trip::<event::ReviewReminded>("ReviewReminded");
    round_trip::<event::VoteCast>("VoteCast");
    round_trip::<event::VoteRefused>("VoteRefused");
    round_trip::<event::ReviewDecided>("ReviewDecided");
    round_trip::<event::ReviewExpired>("ReviewExpired");
    round_trip::<Cancelled>("ReviewCancelled");
    round_trip::<Attached>("ResumeAttached");
    round_trip::<event::WorkflowResumed>("WorkflowResumed");
    round_trip::<event::WorkflowResumeFailed>("WorkflowResumeFailed");
    round_trip::<event::WorkflowResumeUnconfirmed>("WorkflowResumeUnconfirmed");
    round_trip::<event::WorkflowEnded>("WorkflowEnded");
}

#[test]
fn what_is_published_stays_valid_without_its_optional_fields() {
    let optional = |schema: &Value, example: &Value| {
        let required: Vec<&str> = schema["required"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
        example
            .as_object()
            .expect("an object")
            .keys()
            .filter(|key| !required.contains(&key.as_str()))
            .cloned()
            .collect::<Vec<_>>()
    };
    let schemas = events::schema::all();
    for (path, example) in outbound() {
        let (_, schema) = schemas.iter().find(|(known, _)| beside(&format!("schemas/{known}")) == path).expect("a schema");
        let mut least = example.clone();
        for key in optional(schema, &example) {
            least.as_object_mut().expect("an object").remove(&key);
        }
        validator(schema).validate(&least).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
