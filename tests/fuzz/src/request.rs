//! `ReviewRequested` as a caller writes it.

use events::{ReviewRequest, digest::canonical, json, request::ContentRecipe};
use serde_json::Value;

use crate::vote::harmless;

/// The same content, however it is written, is the same request with the same digests; what is wrong is said in a
/// bounded number of harmless lines.
pub(crate) fn check(data: &[u8]) {
    let Ok(json::Typed { value: detail, faults }) = json::read(data) else { return };
    if !faults.is_empty() {
        return harmless(&faults);
    }
    assert!(kept(&detail), "a whole number that RFC 8785 does not keep was taken");
    match ReviewRequest::parse(&detail) {
        Ok(request) => {
            let written = canonical(&detail).expect("a value has canonical bytes");
            let again = json::read(&written).expect("canonical bytes are JSON");
            assert_eq!(again.faults, [], "canonical bytes keep everything");
            let mut again = ReviewRequest::parse(&again.value).expect("what parses, parses in its canonical form");
            assert_eq!(again.digests(), request.digests());
            for recipe in [ContentRecipe::Decided, ContentRecipe::Read] {
                assert_eq!(again.content_digest(recipe), request.content_digest(recipe));
            }
            // 1.0 and 1 are one number in canonical form, and two in memory.
            again.subject = request.subject.clone();
            assert_eq!(again, request);
            assert!(!request.reviewers.is_empty() && request.policy.quorum > 0);
        }
        Err(faults) => harmless(&faults),
    }
    let salvaged = events::request::salvage_resume(&detail);
    let token = detail.pointer("/resume/task_token").and_then(Value::as_str);
    if let (Some(resume), Some(token)) = (salvaged, token) {
        assert_eq!(resume.task_token.expose(), token, "a workflow is failed by the token that it sent");
    }
}

/// Whether RFC 8785 writes each whole number as it was typed. Not whether a double is that number: of 44444444888848850
/// the nearest is two less, and is written with these digits.
fn kept(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i128().is_none_or(|whole| {
            let written = canonical(number).expect("a number has canonical bytes");
            written == whole.to_string().into_bytes()
        }),
        Value::Array(items) => items.iter().all(kept),
        Value::Object(object) => object.values().all(kept),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
