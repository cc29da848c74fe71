//! The published contract: JSON Schema 2020-12 of every detail that callers write and of every
//! detail that listeners receive, generated from the types here.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    event,
    inbound::{CancelRequested, NoticeReported, VoteSubmitted},
    published::{Attached, Cancelled, Detail, Refused, Requested, VoteRefused},
    request::ReviewRequestedDetail,
};

/// Every schema with its path below `schemas/`, such as `inbound/VoteSubmitted.v1.json`.
pub fn all() -> Vec<(String, Value)> {
    vec![
        inbound::<ReviewRequestedDetail>(
            "ReviewRequested",
            "Asks for a review. Only title and one reviewer or group are required.",
        ),
        inbound::<VoteSubmitted>("VoteSubmitted", "An approver tool hands in a person's vote."),
        inbound::<CancelRequested>("ReviewCancelled", "The program that asked withdraws its request."),
        inbound::<NoticeReported>("ReviewNotified", "A custom channel says that it reached a reviewer."),
        outbound::<Requested>("ReviewRequested", "A valid request was recorded."),
        outbound::<Refused>("ReviewRefused", "A request was invalid, reused a key, or could never be approved."),
        outbound::<event::ReviewNotified>("ReviewNotified", "A reviewer was reached."),
        outbound::<event::NotificationFailed>("NotificationFailed", "A reviewer was not reached."),
        outbound::<event::ReviewReminded>("ReviewReminded", "It was time to ask again those who could decide and had not."),
        outbound::<event::VoteCast>("VoteCast", "A person's vote counted."),
        outbound::<VoteRefused>("VoteRefused", "A vote did not count."),
        outbound::<event::ReviewDecided>("ReviewDecided", "The outcome under the policy."),
        outbound::<event::ReviewExpired>("ReviewExpired", "Nobody decided in time."),
        outbound::<Cancelled>("ReviewCancelled", "The review was withdrawn."),
        outbound::<Attached>("ResumeAttached", "A further workflow waits on this review."),
        outbound::<event::WorkflowResumed>("WorkflowResumed", "A waiting workflow was told the outcome and took it."),
        outbound::<event::WorkflowResumeFailed>("WorkflowResumeFailed", "A waiting workflow could not be told."),
        outbound::<event::WorkflowResumeUnconfirmed>(
            "WorkflowResumeUnconfirmed",
            "The workflow no longer waits, and nothing shows whether our answer or something else ended it.",
        ),
        outbound::<event::WorkflowEnded>("WorkflowEnded", "A waiting workflow ended by itself before the review did."),
    ]
}

/// What a caller writes: unknown fields are faults, and `null` counts as absent.
fn inbound<T: JsonSchema>(detail_type: &str, description: &str) -> (String, Value) {
    let schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
    named("inbound", detail_type, description, schema.to_value())
}

/// What a listener receives: fields may be added later, so nothing is closed, and `null` is never
/// written.
fn outbound<T: JsonSchema>(detail_type: &str, description: &str) -> (String, Value) {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Detail<T>>();
    let mut schema = schema.to_value();
    open_and_without_null(&mut schema);
    named("outbound", detail_type, description, schema)
}

fn named(direction: &str, detail_type: &str, description: &str, schema: Value) -> (String, Value) {
    let mut named = Map::new();
    named.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    named.insert("$id".to_owned(), json!(format!("urn:countersign:{direction}:{detail_type}:v1")));
    named.insert("title".to_owned(), json!(detail_type));
    named.insert("description".to_owned(), json!(description));
    if let Value::Object(fields) = schema {
        named.extend(fields.into_iter().filter(|(key, _)| !["$schema", "$id", "title", "description"].contains(&key.as_str())));
    }
    (format!("{direction}/{detail_type}.v1.json"), Value::Object(named))
}

fn open_and_without_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("additionalProperties") == Some(&Value::Bool(false)) {
                fields.remove("additionalProperties");
            }
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(branches)) = fields.get_mut("anyOf") {
                branches.retain(|branch| *branch != json!({ "type": "null" }));
                if let [Value::Object(only)] = branches.as_slice() {
                    let only = only.clone();
                    fields.remove("anyOf");
                    fields.extend(only);
                }
            }
            fields.values_mut().for_each(open_and_without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(open_and_without_null),
        _ => {}
    }
}
