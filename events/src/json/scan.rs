//! One pass over a document for what a parser drops silently.

use std::{borrow::Cow, collections::BTreeSet};

use super::{number, token};
use crate::fault::Fault;

/// How many levels of arrays and objects stand inside each other. The text need not be JSON.
pub(super) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

/// Where the scan is.
enum Level<'a> {
    /// In an object: the names so far, and the one whose value comes.
    Object { seen: BTreeSet<Cow<'a, str>>, name: Cow<'a, str>, is_name: bool },
    /// In an array: the index of the item that comes.
    Array { index: usize },
}

/// Every name that is given twice and every number that is not kept, at most `max`. The text is JSON.
pub(super) fn faults(text: &str, max: usize) -> Vec<Fault> {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut faults = Vec::new();
    let mut at = 0;
    while at < bytes.len() && faults.len() < max {
        match bytes[at] {
            b'{' => levels.push(Level::Object { seen: BTreeSet::new(), name: Cow::default(), is_name: true }),
            b'[' => levels.push(Level::Array { index: 0 }),
            b'}' | b']' => drop(levels.pop()),
            b',' => match levels.last_mut() {
                Some(Level::Object { is_name, .. }) => *is_name = true,
                Some(Level::Array { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                let end = end_of_string(bytes, at);
                let was_seen = match levels.last_mut() {
                    Some(Level::Object { seen, name, is_name }) if *is_name => {
                        *is_name = false;
                        *name = unescaped(&text[at..end]);
                        !seen.insert(name.clone())
                    }
                    _ => false,
                };
                if was_seen {
                    faults.push(Fault::new(pointer(&levels), "this name once; it is given twice"));
                }
                at = end;
                continue;
            }
            b'-' | b'0'..=b'9' => {
                let length =
                    bytes[at..].iter().take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count();
                if !number::is_kept(&text[at..at + length]) {
                    faults.push(Fault::new(
                        pointer(&levels),
                        "a number that a double holds exactly (RFC 8785), or a text: this one would be changed",
                    ));
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    faults
}

/// The name that a string stands for, as nearly all do without a copy.
fn unescaped(string: &str) -> Cow<'_, str> {
    match string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(name) if !name.contains('\\') => Cow::Borrowed(name),
        // What the parser took for a string it takes for one again.
        _ => Cow::Owned(serde_json::from_str(string).unwrap_or_default()),
    }
}

/// The place behind the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the scan is, unless that is too long to be repeated.
fn pointer(levels: &[Level<'_>]) -> String {
    const MAX: usize = 1_000;
    let mut pointer = String::new();
    for level in levels {
        pointer.push('/');
        if pointer.len() > MAX {
            pointer.push('…');
            break;
        }
        match level {
            Level::Object { name, .. } => pointer.push_str(&token(name)),
            Level::Array { index } => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}
