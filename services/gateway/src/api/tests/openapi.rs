//! The published description and the router say the same.

use std::{collections::BTreeSet, path::Path};

use events::event::Scope;
use serde_json::{Value, json};

use super::World;
use crate::api::{PREFIX, access::Needs, openapi, resources};

/// Where the description and the schemas that it refers to are.
const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

pub(super) fn document() -> Value {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json"));
    serde_json::from_str(text).expect("JSON")
}

/// Every operation: path, method, and what is said of it.
fn operations(document: &Value) -> Vec<(String, &'static str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, item): (&String, &'_ Value)| (path.clone(), item.clone());
    let paths: Vec<_> = paths.iter().map(of).collect();
    let mut found = Vec::new();
    for (path, item) in paths {
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            found.push((path.clone(), method, &document["paths"][&path][method]));
        }
    }
    found
}

#[tokio::test]
async fn every_route_is_described_and_every_description_has_its_route() {
    let document = document();
    let described: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(path, method, _)| (path, method.to_uppercase())).collect();
    let mut routes: BTreeSet<(String, String)> =
        resources().iter().map(|(method, path, ..)| (format!("{PREFIX}{path}"), (*method).to_owned())).collect();
    routes.extend([("/", "POST"), ("/healthz", "GET")].map(|(path, method)| (path.to_owned(), method.to_owned())));
    assert_eq!(described, routes);

    // The methods that the table names are those that the router has.
    let world = World::new();
    let paths: BTreeSet<&String> = described.iter().map(|(path, _)| path).collect();
    for path in paths {
        let at = path.replace("{review_id}", "01234567-89ab-cdef-0123-456789abcdef").replace("{name}", "ci");
        let reply = world.send("TRACE", &at, &[], "").await;
        let mut allowed: BTreeSet<&str> = reply.header("allow").split(',').collect();
        allowed.remove("HEAD");
        if path == "/" {
            // GET is the inbox, a page.
            allowed.remove("GET");
        }
        let methods: BTreeSet<&str> =
            described.iter().filter(|(known, _)| known == path).map(|(_, method)| method.as_str()).collect();
        assert_eq!((reply.status.as_u16(), allowed), (405, methods), "{path}");
    }
}

#[test]
fn the_description_names_the_scope_of_every_route() {
    let document = document();
    for (method, path, needs, _) in resources() {
        let security = &document["paths"][format!("{PREFIX}{path}")][method.to_lowercase()]["security"];
        let expected = match needs {
            Needs::Nothing => json!([]),
            Needs::OperatorKey => json!([{"operator": []}]),
            Needs::Scope(scope) => json!([{"operator": []}, {"integration": [scope]}]),
        };
        assert_eq!(*security, expected, "{method} {path}");
    }
    let scopes: Vec<&str> = Scope::ALL.map(Scope::as_str).to_vec();
    assert_eq!(document["components"]["schemas"]["Scope"]["enum"], json!(scopes));
}

#[test]
fn every_operation_tells_what_may_become_of_it() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let has = |status: &str| operation["responses"].get(status).is_some();
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{place}");
        if !path.starts_with(PREFIX) {
            continue;
        }
        assert!(has("421") && has("500"), "{place}");
        let open = operation["security"] == json!([]);
        assert_eq!((has("401"), has("403")), (!open, !open), "{place}");
        assert_eq!(has("304"), method == "get", "{place}");
        let body = operation.get("requestBody").is_some();
        for status in ["400", "413", "415", "422"] {
            assert!(!body || has(status), "{place} {status}");
        }
        let succeeds = operation["responses"].as_object().expect("responses").keys().any(|status| status.starts_with('2'));
        assert!(succeeds, "{place}");
    }
}

/// The schema at this place of the description, with the parts that it refers to.
pub(super) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = json!({"components": document["components"]});
    whole.as_object_mut().expect("an object").extend(schema.as_object().expect("a schema").clone());
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).expect("a schema")
}

#[test]
fn every_example_is_valid_and_every_json_body_but_the_widest_has_one() {
    fn check(document: &Value, place: &str, value: &Value, seen: &mut usize) {
        match value {
            Value::Object(fields) => {
                if let (Some(example), Some(schema)) = (fields.get("example"), fields.get("schema")) {
                    let validator = validator(document, schema);
                    validator.validate(example).unwrap_or_else(|error| panic!("{place}: {error}"));
                    *seen += 1;
                }
                for (name, value) in fields {
                    check(document, &format!("{place}/{name}"), value, seen);
                }
            }
            Value::Array(items) => items.iter().for_each(|value| check(document, place, value, seen)),
            _ => {}
        }
    }
    let document = openapi::document().expect("a description");
    let mut seen = 0;
    check(&document, "", &document, &mut seen);
    assert!(seen >= 20, "{seen} examples");
    for (path, method, operation) in operations(&document).into_iter().filter(|(path, ..)| path.starts_with(PREFIX)) {
        if let Some(body) = operation.get("requestBody") {
            assert!(body["content"]["application/json"].get("example").is_some(), "{method} {path}");
        }
    }
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let leads = match reference.strip_prefix('#') {
                        Some(pointer) => document.pointer(pointer).is_some(),
                        None => Path::new(SCHEMAS).join(reference).is_file(),
                    };
                    assert!(leads, "{reference} leads nowhere");
                }
                fields.values().for_each(|value| check(document, value));
            }
            Value::Array(items) => items.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    check(&document, &document);
}

#[tokio::test]
async fn the_service_serves_its_description_as_one_document_to_anybody() {
    let world = World::new();
    let reply = world.send("GET", "/api/v1/openapi.json", &[], "").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let served = reply.json();
    assert_eq!(served["servers"], json!([{"url": "http://127.0.0.1:8787"}]));
    assert!(!reply.text.contains("$defs") && !reply.text.contains(".v1.json"), "it stands alone");
    let title = &served["components"]["schemas"]["ReviewRequest"]["properties"]["title"];
    assert!(title["maxLength"].is_number(), "{title}");
    let summary = &served["components"]["schemas"]["ReviewRequest"]["properties"]["summary"];
    assert_eq!(summary["anyOf"][1], json!({"type": "null"}), "what is optional may be null: {summary}");
    let etag = reply.header("etag").to_owned();
    assert_eq!(world.send("GET", "/api/v1/openapi.json", &[("if-none-match", &etag)], "").await.status, 304);
}
