//! The description of the API, served by the API itself: `schemas/openapi.json` with the schema of
//! requests put in, so that it stands alone, and with our own address.

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::{Value, json};

use super::{fresh, problem::Problem};
use crate::Gateway;

const DESCRIPTION: &str = include_str!("../../../../schemas/openapi.json");
const REQUEST: &str = include_str!("../../../../schemas/inbound/ReviewRequested.v1.json");
/// How the description refers to the schema of requests.
const REFERENCE: &str = "inbound/ReviewRequested.v1.json";
/// Under which name it stands in the description that is served.
const NAME: &str = "ReviewRequest";

/// `GET /openapi.json`.
pub(super) async fn show(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let mut document = document().map_err(|error| Problem::internal(&error, false))?;
    document["servers"] = json!([{"url": &*gateway.base_url}]);
    fresh::by_content(&headers, &document)
}

/// The description as one document.
pub(super) fn document() -> Result<Value, serde_json::Error> {
    let mut document: Value = serde_json::from_str(DESCRIPTION)?;
    let mut request: Value = serde_json::from_str(REQUEST)?;
    nullable(&mut request);
    point(&mut document, REFERENCE, &format!("#/components/schemas/{NAME}"));
    let definitions = request.as_object_mut().map(|schema| {
        // In the description they are no schemas of their own but parts of it.
        schema.remove("$schema");
        schema.remove("$id");
        schema.remove("$defs").unwrap_or_default()
    });
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return Ok(document) };
    if let Some(Value::Object(definitions)) = definitions {
        for (name, mut definition) in definitions {
            point(&mut definition, "#/$defs/", &format!("#/components/schemas/{NAME}."));
            schemas.insert(format!("{NAME}.{name}"), definition);
        }
    }
    point(&mut request, "#/$defs/", &format!("#/components/schemas/{NAME}."));
    schemas.insert(NAME.to_owned(), request);
    Ok(document)
}

/// Says what the schema of a bus event leaves to its readme: `null` counts as absent.
fn nullable(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let required = fields.get("required").cloned().unwrap_or_default();
            let required = required.as_array().cloned().unwrap_or_default();
            fields.values_mut().for_each(nullable);
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(&json!(name))) {
                    *property = json!({"anyOf": [property.take(), {"type": "null"}]});
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(nullable),
        _ => {}
    }
}

/// Has every reference that begins with `from` begin with `to`.
fn point(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        if let Some(rest) = reference.strip_prefix(from) {
                            *reference = format!("{to}{rest}");
                        }
                    }
                    value => point(value, from, to),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point(item, from, to)),
        _ => {}
    }
}
