//! A published version is never broken. `events/tests/published` keeps the schemas as they were
//! released; what callers could write stays readable, what listeners could rely on stays true.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use crate::{place, read, schema};

/// Every way in which `new` breaks those who rely on `old`.
fn breaks(direction: &str, old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // Callers: all that was accepted still is. Listeners: nothing is sent that could not be before.
    match direction {
        "inbound" => Check { small: old, big: new }.within(old, new, "", &mut found),
        _ => Check { small: new, big: old }.within(new, old, "", &mut found),
    }
    removed((old, old), (new, new), "", &mut found);
    found
}

fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        schema = root.pointer(reference.trim_start_matches('#')).expect("a definition");
    }
    schema
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn names(schema: &Value, key: &str) -> Vec<Value> {
    match schema.get(key) {
        Some(Value::Array(names)) => names.clone(),
        Some(name) => vec![name.clone()],
        None => Vec::new(),
    }
}

/// The values a schema is limited to.
fn values(schema: &Value) -> Vec<Value> {
    if schema.get("const").is_some() { names(schema, "const") } else { names(schema, "enum") }
}

/// The branches of `oneOf` or `anyOf`.
fn branches(schema: &Value) -> Vec<&Value> {
    ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten().collect()
}

fn removed(old: (&Value, &Value), new: (&Value, &Value), path: &str, found: &mut Vec<String>) {
    let (before, now) = (resolve(old.0, old.1), resolve(new.0, new.1));
    for (name, property) in properties(before) {
        match properties(now).find(|(known, _)| *known == name) {
            None => found.push(format!("{path}/{name}: removed")),
            Some((_, kept)) => removed((old.0, property), (new.0, kept), &format!("{path}/{name}"), found),
        }
    }
    if let (Some(before), Some(now)) = (before.get("items"), now.get("items")) {
        removed((old.0, before), (new.0, now), &format!("{path}/*"), found);
    }
}

/// Whether everything that `small` takes, `big` takes too. Each side resolves its own references.
struct Check<'a> {
    small: &'a Value,
    big: &'a Value,
}

impl Check<'_> {
    fn within(&self, small: &Value, big: &Value, path: &str, found: &mut Vec<String>) {
        let (small, big) = (resolve(self.small, small), resolve(self.big, big));
        for (key, list) in [("type", names as fn(&Value, &str) -> Vec<Value>), ("values", |schema, _| values(schema))] {
            let (small, big) = (list(small, key), list(big, key));
            if !big.is_empty() && (small.is_empty() || small.iter().any(|one| !big.contains(one))) {
                found.push(format!("{path}: {key}"));
            }
        }
        for name in names(big, "required") {
            if !names(small, "required").contains(&name) {
                found.push(format!("{path}/{}: required", name.as_str().unwrap_or_default()));
            }
        }
        for (key, within) in LIMITS {
            let limit = |schema: &Value| schema.get(key).and_then(Value::as_f64);
            if limit(big).is_some_and(|big| !limit(small).is_some_and(|small| within(small, big))) {
                found.push(format!("{path}: {key}"));
            }
        }
        for key in ["pattern", "format"] {
            if big.get(key).is_some() && big.get(key) != small.get(key) {
                found.push(format!("{path}: {key}"));
            }
        }
        let closed = |schema: &Value| schema.get("additionalProperties") == Some(&json!(false));
        if closed(big) && !closed(small) {
            found.push(format!("{path}: additionalProperties"));
        }
        let of_big: Map<String, Value> = properties(big).map(|(name, property)| (name.clone(), property.clone())).collect();
        for (name, property) in properties(small) {
            match of_big.get(name) {
                Some(known) => self.within(property, known, &format!("{path}/{name}"), found),
                None if closed(big) => found.push(format!("{path}/{name}: unknown")),
                None => {}
            }
        }
        if let Some(items) = big.get("items") {
            self.within(small.get("items").unwrap_or(&Value::Bool(true)), items, &format!("{path}/*"), found);
        }
        let fits = |one: &Value, other: &Value| {
            let mut found = Vec::new();
            self.within(one, other, "", &mut found);
            found.is_empty()
        };
        let (small, big) = (branches(small), branches(big));
        if !big.is_empty() && (small.is_empty() || !small.iter().all(|one| big.iter().any(|other| fits(one, other)))) {
            found.push(format!("{path}: alternatives"));
        }
    }
}

type Limit = (&'static str, fn(f64, f64) -> bool);
/// Limits, and when one lies within another.
const LIMITS: [Limit; 6] = [
    ("maxLength", |small, big| small <= big),
    ("maxItems", |small, big| small <= big),
    ("maximum", |small, big| small <= big),
    ("minLength", |small, big| small >= big),
    ("minItems", |small, big| small >= big),
    ("minimum", |small, big| small >= big),
];

#[test]
fn no_change_breaks_a_published_version() {
    let mut compared = 0;
    for direction in ["inbound", "outbound"] {
        for entry in fs::read_dir(place("events/tests/published").join(direction)).expect("a folder") {
            let name = entry.expect("a file").file_name();
            let path = format!("{direction}/{}", Path::new(&name).display());
            let found = breaks(direction, &read(&format!("events/tests/published/{path}")), &schema(&path));
            assert!(found.is_empty(), "{path} breaks: {found:?}. Publish a new version instead.");
            compared += 1;
        }
    }
    assert_eq!(compared, events::schema::all().len(), "a schema has no published copy");
}

/// The schema with `value` written at `pointer`; no value takes it away.
fn with(schema: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut changed = schema.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = changed.pointer_mut(parent).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("no {pointer}"));
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(parent.remove(key).unwrap_or_else(|| panic!("no {pointer}"))),
    }
    assert_ne!(&changed, schema, "{pointer} changed nothing");
    changed
}

#[test]
fn the_checker_sees_what_breaks_callers() {
    let old = schema("inbound/ReviewRequested.v1.json");
    let cases = [
        ("/required", Some(json!(["title", "reviewers", "risk"])), "/risk: required"),
        ("/properties/summary", None, "/summary: unknown"),
        ("/properties/summary", None, "/summary: removed"),
        ("/properties/title/maxLength", Some(json!(200)), "/title: maxLength"),
        ("/properties/title/minLength", Some(json!(2)), "/title: minLength"),
        ("/properties/title/pattern", Some(json!("^[A-Z]")), "/title: pattern"),
        ("/properties/reviewers/maxItems", Some(json!(10)), "/reviewers: maxItems"),
        ("/properties/summary/type", Some(json!("string")), "/summary: type"),
        ("/properties/subject/additionalProperties", Some(json!(false)), "/subject: additionalProperties"),
        ("/$defs/Policy/properties/quorum/maximum", Some(json!(5)), "/policy: alternatives"),
        ("/$defs/OnEnd/oneOf", Some(json!([{"const": "fail", "type": "string"}])), "/on_expiry: alternatives"),
    ];
    for (pointer, value, expected) in cases {
        let found = breaks("inbound", &old, &with(&old, pointer, value));
        assert!(found.iter().any(|one| one == expected), "{pointer}: {found:?} has no {expected:?}");
    }
}

#[test]
fn the_checker_sees_what_breaks_listeners() {
    let old = schema("outbound/VoteCast.v1.json");
    let required: Vec<Value> =
        old["required"].as_array().expect("names").iter().filter(|name| *name != "person").cloned().collect();
    let cases = [
        ("/required", Some(json!(required)), "/person: required"),
        ("/properties/reason", None, "/reason: removed"),
        ("/properties/event_id/type", Some(json!(["string", "integer"])), "/event_id: type"),
        ("/properties/v/const", Some(json!(2)), "/v: values"),
        ("/$defs/Timestamp/format", None, "/at: format"),
        ("/$defs/SubjectDigest/pattern", None, "/subject_digest: pattern"),
    ];
    for (pointer, value, expected) in cases {
        let found = breaks("outbound", &old, &with(&old, pointer, value));
        assert!(found.iter().any(|one| one == expected), "{pointer}: {found:?} has no {expected:?}");
    }
    let mut wider = old.clone();
    let choices = wider.pointer_mut("/$defs/Choice/oneOf").and_then(Value::as_array_mut).expect("choices");
    choices.push(json!({"const": "abstain", "type": "string"}));
    assert_eq!(breaks("outbound", &old, &wider), ["/choice: alternatives"]);
}

#[test]
fn the_checker_lets_pass_what_breaks_nobody() {
    let inbound = schema("inbound/ReviewRequested.v1.json");
    for (pointer, value) in [
        ("/properties/labels", Some(json!({"type": "array"}))),
        ("/properties/title/maxLength", Some(json!(400))),
        ("/properties/title/minLength", None),
        ("/required", Some(json!(["title"]))),
        ("/description", Some(json!("Other words."))),
    ] {
        assert_eq!(breaks("inbound", &inbound, &with(&inbound, pointer, value)), [""; 0], "{pointer}");
    }
    let outbound = schema("outbound/VoteCast.v1.json");
    let mut required = outbound["required"].as_array().expect("names").clone();
    required.push(json!("reason"));
    for (pointer, value) in [("/properties/stage", Some(json!({"type": "string"}))), ("/required", Some(json!(required)))] {
        assert_eq!(breaks("outbound", &outbound, &with(&outbound, pointer, value)), [""; 0], "{pointer}");
    }
}
