//! The published description and the router say the same.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use super::World;
use crate::api::{PREFIX, resources};

/// Where the description and the schemas that it refers to are.
const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");

fn document() -> Value {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json"));
    serde_json::from_str(text).expect("JSON")
}

/// The documented methods by path.
fn documented() -> Vec<(String, BTreeSet<String>)> {
    const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let methods = |item: &Value| METHODS.into_iter().filter(|method| item.get(method).is_some()).map(str::to_uppercase).collect();
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

#[tokio::test]
async fn every_route_is_described_and_every_description_has_its_route() {
    let mut routes: BTreeSet<String> = resources().iter().map(|(path, _)| format!("{PREFIX}{path}")).collect();
    routes.extend(["/".to_owned(), "/healthz".to_owned()]);
    assert_eq!(documented().into_iter().map(|(path, _)| path).collect::<BTreeSet<_>>(), routes);

    let world = World::new();
    for (path, methods) in documented() {
        let path = path.replace("{review_id}", "01234567-89ab-cdef-0123-456789abcdef");
        let reply = world.send("TRACE", &path, &[], "").await;
        let mut allowed: BTreeSet<String> = reply.header("allow").split(',').map(str::to_owned).collect();
        allowed.remove("HEAD");
        if path == "/" {
            // GET is the inbox, a page.
            allowed.remove("GET");
        }
        assert_eq!((reply.status.as_u16(), allowed), (405, methods.clone()), "{path}");
        for method in methods.iter().filter(|_| path.starts_with(PREFIX)) {
            let reply = world.send(method, &path, &[("content-type", "application/json")], "{}").await;
            assert_eq!(reply.status, 401, "{method} {path} without a key");
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
