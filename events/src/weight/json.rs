//! What a JSON value takes when it is shown indented.

use serde_json::Value;

use super::escaped;

/// Bytes of one level of indentation.
const INDENT: usize = 2;

/// The bytes of the value as indented JSON inside HTML; `None` when it is nested deeper than `max`.
pub(super) fn shown(value: &Value, max: usize) -> Option<usize> {
    at(value, 0, max)
}

fn at(value: &Value, depth: usize, max: usize) -> Option<usize> {
    // The line that a member stands on: its end, its indentation and a comma.
    let line = 2 + INDENT * (depth + 1);
    match value {
        Value::Null | Value::Bool(_) => Some("false".len()),
        Value::Number(number) => Some(number.to_string().len()),
        Value::String(text) => Some(quoted(text)),
        Value::Array(_) | Value::Object(_) if depth >= max => None,
        Value::Array(items) => items.iter().try_fold(line, |sum, item| Some(sum + line + at(item, depth + 1, max)?)),
        Value::Object(members) => members
            .iter()
            .try_fold(line, |sum, (name, member)| Some(sum + line + quoted(name) + ": ".len() + at(member, depth + 1, max)?)),
    }
}

/// A text in quotation marks, with what JSON escapes in it.
fn quoted(text: &str) -> usize {
    let further: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
            0..0x20 => 5,
            _ => 0,
        })
        .sum();
    2 * "&quot;".len() + escaped(text) + further
}
