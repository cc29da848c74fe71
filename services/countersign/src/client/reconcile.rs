//! `reconcile`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    failure::Failure,
    http::{Call, Service},
    print::{Out, fields},
};

/// It reads the whole log.
const LIMIT: Duration = Duration::from_secs(600);

/// Has what is owed derived from the log and seen to.
pub fn run(service: &Service, out: &mut Out) -> Result<(), Failure> {
    let call = Call { limit: Some(LIMIT), ..Call::default() };
    let reply = service.done("reconciliation", "POST", "/api/v1/reconcile", &call)?;
    if out.json {
        return out.raw_json(reply.text());
    }
    let report: Map<String, Value> = reply.read(service)?;
    let rows: Vec<(String, String)> = report.iter().map(|(name, value)| (name.replace('_', " "), shown(value))).collect();
    let rows: Vec<(&str, String)> = rows.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    out.text(&format!("the log was read, and what it says is owed was seen to\n{}", fields(out.paint, &rows)))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}
