//! Schema and parser agree: what one refuses, the other refuses. What a schema cannot say (bytes
//! against letters, the longest expiry, the size of the whole) the parser alone refuses.

use events::{
    Fault, ReviewRequest,
    inbound::{CancelRequested, NoticeReported, VoteSubmitted},
};
use serde_json::{Value, json};

use crate::{read, schema, validator};

/// A value that takes a field away instead of writing one.
const GONE: &str = "(gone)";

/// The example with `value` written at each field named by a JSON pointer.
fn changed(example: &Value, pointer: &str, value: &Value) -> Value {
    let mut changed = example.clone();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} has no parent"));
    match (parent, value == GONE) {
        (Value::Object(fields), true) => drop(fields.remove(field)),
        (Value::Object(fields), false) => drop(fields.insert(field.to_owned(), value.clone())),
        (Value::Array(items), _) => items[field.parse::<usize>().expect("an index")] = value.clone(),
        _ => panic!("{pointer} has no parent"),
    }
    changed
}

fn agree<T>(name: &str, parse: fn(&Value) -> Result<T, Vec<Fault>>, valid: &[(&str, Value)], invalid: &[(&str, Value)]) {
    let example = read(&format!("schemas/inbound/{name}.v1.example.json"));
    let validator = validator(&schema(&format!("inbound/{name}.v1.json")));
    for (cases, expected) in [(valid, true), (invalid, false)] {
        for (pointer, value) in cases {
            let detail = changed(&example, pointer, value);
            assert_eq!(validator.is_valid(&detail), expected, "schema of {name}: {pointer} = {value}");
            assert_eq!(parse(&detail).is_ok(), expected, "parser of {name}: {pointer} = {value}");
        }
    }
}

#[test]
fn invariant_06_schema_and_parser_of_a_request_refuse_the_same() {
    let long = |n: usize| json!("x".repeat(n));
    let valid = [
        ("/title", long(300)),
        ("/summary", json!(null)),
        ("/summary", json!("")),
        ("/subject", json!(GONE)),
        ("/evidence", json!([])),
        ("/evidence/0", json!({"label": "l", "value": ""})),
        ("/evidence/0", json!({"label": "l", "value": "v", "url": null})),
        ("/requester", json!({"slack": "T1/U1"})),
        ("/requester", json!(null)),
        ("/reviewers", json!([{"email": "u.ber+x@sub.example.com"}])),
        ("/reviewers", json!([{"email": "O'Neil_1%x@bücher.example"}])),
        ("/reviewers", json!([{"email": "ana@xn--bcher-kva.example"}])),
        ("/reviewers", json!([{"email": "ana@r3---sn.example"}])),
        ("/reviewers", json!([{"slack": "t1/u1"}])),
        ("/policy", json!({})),
        ("/policy/quorum", json!(100)),
        ("/expires_in", json!("P1DT2H3M4S")),
        ("/expires_in", json!("P1W2D")),
        ("/resume/deadline", json!("2026-11-24T04:00:00+01:00")),
        ("/resume", json!(null)),
        // Counted in characters by both, however many bytes each is.
        ("/title", json!("承".repeat(300))),
        ("/request_key", json!("😀".repeat(200))),
        ("/summary", json!("é".repeat(50_000))),
        ("/evidence/0", json!({"label": "承".repeat(200), "value": "v"})),
    ];
    let invalid = [
        ("/title", json!(GONE)),
        ("/title", json!(null)),
        ("/title", json!("")),
        ("/title", json!(7)),
        ("/title", long(301)),
        ("/title", json!("承".repeat(301))),
        ("/request_key", json!("")),
        ("/request_key", json!("a\nb")),
        ("/request_key", long(201)),
        ("/summary", long(50_001)),
        ("/subject", json!("text")),
        ("/subject", json!([])),
        ("/evidence", json!({})),
        ("/evidence", json!(vec![json!({"label": "l", "value": "v"}); 101])),
        ("/evidence/0", json!({"label": "l"})),
        ("/evidence/0", json!({"label": "", "value": "v"})),
        ("/evidence/0", json!({"label": "l", "value": 7})),
        ("/evidence/0", json!({"label": "l", "value": "v", "url": "https://x.com"})),
        ("/evidence/0", json!({"label": "l", "url": "javascript:alert(1)"})),
        ("/evidence/0", json!({"label": "l", "image": "data:text/html;base64,aaaa"})),
        ("/evidence/0", json!({"label": "l", "table": [[1]]})),
        ("/evidence/0", json!({"label": "l", "value": "v", "note": "n"})),
        ("/requester", json!({"group": "g"})),
        ("/requester", json!("a@b.c")),
        ("/reviewers", json!(GONE)),
        ("/reviewers", json!(null)),
        ("/reviewers", json!([])),
        ("/reviewers", json!(vec![json!({"email": "a@b.c"}); 101])),
        ("/reviewers/0", json!({})),
        ("/reviewers/0", json!({"email": "a"})),
        ("/reviewers/0", json!({"email": "a b@c.d"})),
        ("/reviewers/0", json!({"email": "a@.c"})),
        ("/reviewers/0", json!({"email": "a@b@c"})),
        ("/reviewers/0", json!({"email": "über@example.com"})),
        ("/reviewers/0", json!({"email": "\u{212a}im@example.com"})),
        ("/reviewers/0", json!({"email": "ana\u{200b}@example.com"})),
        ("/reviewers/0", json!({"email": "ana@exa\u{ad}mple.com"})),
        ("/reviewers/0", json!({"email": "taro..yamada@example.com"})),
        ("/reviewers/0", json!({"email": ".ana@example.com"})),
        ("/reviewers/0", json!({"email": "ana.@example.com"})),
        ("/reviewers/0", json!({"email": "ana@x..example.com"})),
        ("/reviewers/0", json!({"email": "ana@example.com."})),
        ("/reviewers/0", json!({"email": "ana@-x.example"})),
        ("/reviewers/0", json!({"email": "ana@x_y.example"})),
        ("/reviewers/0", json!({"email": "ana@10.0.0.1"})),
        ("/reviewers/0", json!({"email": format!("{}@example.com", "x".repeat(65))})),
        ("/reviewers/0", json!({"email": format!("ana@{}.com", "x".repeat(64))})),
        ("/reviewers/0", json!({"email": "slack:T1/U1"})),
        ("/reviewers/0", json!({"email": "<a@b.c>"})),
        ("/reviewers/0", json!({"slack": "T1"})),
        ("/reviewers/0", json!({"group": "a b"})),
        ("/reviewers/0", json!({"group": ""})),
        ("/reviewers/0", json!({"email": "a@b.c", "group": "g"})),
        ("/policy", json!([])),
        ("/policy/quorum", json!(0)),
        ("/policy/quorum", json!(101)),
        ("/policy/quorum", json!(1.5)),
        ("/policy/quorum", json!("2")),
        ("/policy/self_approval", json!("yes")),
        ("/policy/veto", json!(true)),
        ("/risk", json!("huge")),
        ("/expires_in", json!("tomorrow")),
        ("/expires_in", json!("P")),
        ("/expires_in", json!("PT")),
        ("/expires_in", json!("P1M")),
        ("/expires_in", json!("P1DT")),
        ("/expires_in", json!(3600)),
        ("/on_expiry", json!("approve")),
        ("/on_reject", json!("approve")),
        ("/resume/task_token", json!(GONE)),
        ("/resume/task_token", json!("")),
        ("/resume/task_token", long(2_049)),
        ("/resume/execution_arn", long(513)),
        ("/resume/deadline", json!("soon")),
        ("/resume/token", json!("x")),
        ("/expires", json!("PT1H")),
    ];
    agree("ReviewRequested", ReviewRequest::parse, &valid, &invalid);
}

#[test]
fn invariant_06_schemas_and_parsers_of_the_other_details_refuse_the_same() {
    let review = [("/review_id", json!(GONE)), ("/review_id", json!("x")), ("/review_id", json!(null)), ("/other", json!(1))];
    let reason = [("/reason", json!("x".repeat(4_001))), ("/reason", json!(7))];
    let person = [
        ("/person", json!(GONE)),
        ("/person", json!({"group": "g"})),
        ("/person", json!("a@b.c")),
        ("/person", json!({"email": "a"})),
    ];

    let choices =
        [("/choice", json!(GONE)), ("/choice", json!("yes")), ("/subject_digest", json!("abc")), ("/subject_digest", json!(7))];
    let valid = [
        ("/choice", json!("request-changes")),
        ("/choice", json!("comment")),
        ("/reason", json!(null)),
        ("/subject_digest", json!(GONE)),
    ];
    agree("VoteSubmitted", VoteSubmitted::parse, &valid, &[&review[..], &reason, &person, &choices].concat());

    agree("ReviewCancelled", CancelRequested::parse, &[("/reason", json!(GONE))], &[&review[..], &reason].concat());

    let channels =
        [("/channel", json!("fax")), ("/channel", json!(GONE)), ("/occasion", json!("never")), ("/occasion", json!(GONE))];
    let message = [("/message_ref", json!("x".repeat(1_001)))];
    let valid = [("/channel", json!("sms")), ("/occasion", json!("ended")), ("/message_ref", json!(null))];
    agree("ReviewNotified", NoticeReported::parse, &valid, &[&review[..], &person, &channels, &message].concat());
}

#[test]
fn what_is_no_object_is_refused_by_both() {
    for (path, schema) in events::schema::all().into_iter().filter(|(path, _)| path.starts_with("inbound/")) {
        for detail in [json!(null), json!([]), json!("x"), json!(1)] {
            assert!(!validator(&schema).is_valid(&detail), "{path}: {detail}");
            assert!(ReviewRequest::parse(&detail).is_err() && VoteSubmitted::parse(&detail).is_err());
            assert!(CancelRequested::parse(&detail).is_err() && NoticeReported::parse(&detail).is_err());
        }
    }
}
