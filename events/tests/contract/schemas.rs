//! `UPDATE_SCHEMAS=1 cargo test -p events schemas` writes schemas and outbound examples anew.

use std::fs;

use serde_json::Value;

use crate::{examples, place, read};

#[test]
fn schemas_are_current() {
    let generated = || {
        let schemas = events::schema::all().into_iter().map(|(path, schema)| (format!("schemas/{path}"), schema));
        schemas.chain(examples::outbound()).collect::<Vec<_>>()
    };
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        for (path, value) in generated() {
            let path = place(&path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, format!("{value:#}\n")).expect("written");
        }
    }
    for (path, value) in generated() {
        assert!(read(&path) == value, "{path} is stale: UPDATE_SCHEMAS=1 cargo test -p events schemas");
    }
}

#[test]
fn every_schema_is_valid_is_named_and_stands_with_its_example() {
    for (path, schema) in events::schema::all() {
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (direction, detail_type) = path.trim_end_matches(".v1.json").split_once('/').expect("a folder");
        assert_eq!(schema["$id"], format!("urn:countersign:{direction}:{detail_type}:v1"));
        assert_eq!(schema["title"], detail_type);
        read(&examples::beside(&format!("schemas/{path}")));
    }
}

#[test]
fn nothing_lies_in_schemas_that_is_not_generated() {
    let known: Vec<String> = events::schema::all().into_iter().map(|(path, _)| format!("schemas/{path}")).collect();
    for direction in ["inbound", "outbound"] {
        for entry in fs::read_dir(place(&format!("schemas/{direction}"))).expect("a folder") {
            let name = entry.expect("a file").file_name().into_string().expect("a name");
            let path = format!("schemas/{direction}/{}", name.replace(".example.json", ".json"));
            assert!(known.contains(&path), "{path} belongs to no schema");
        }
    }
}

#[test]
fn every_event_of_a_review_has_an_outbound_schema() {
    let published: Vec<String> = events::schema::all().into_iter().map(|(path, _)| path).collect();
    for commit in crate::samples::read_back() {
        for entry in events::published::entries(&commit, None).expect("JSON") {
            assert!(published.contains(&format!("outbound/{}.v1.json", entry.detail_type)), "{}", entry.detail_type);
        }
    }
}

#[test]
fn invariant_04_no_published_schema_has_a_place_for_a_task_token() {
    fn names(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(Value::Object(properties)) = fields.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    for (path, schema) in events::schema::all().into_iter().filter(|(path, _)| path.starts_with("outbound/")) {
        let mut found = Vec::new();
        names(&schema, &mut found);
        assert!(found.contains(&"event_id".to_owned()), "{path}");
        for secret in ["task_token", "sealed", "handle_hash"] {
            assert!(!found.contains(&secret.to_owned()), "{path} has {secret}");
        }
    }
}
