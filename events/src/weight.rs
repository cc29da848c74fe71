//! How heavy it may be what people are shown. A request is bounded before it is accepted, so that no page, card
//! or mail can take long to make, whoever opens it and however often.
//!
//! What is measured here is an estimate, made in linear time, that is never far below what a renderer finds.
//! Events that were accepted before these limits are shown all the same: a renderer asks [`markdown`] first and
//! shows the text as it was written when that is too heavy.

mod inline;
mod json;
mod scan;

use serde_json::Value;

use crate::{fault::Fault, request::Evidence};

pub use scan::Weight;

/// The deepest that blocks (quotes and lists), and apart from them styles and links, may be nested in a summary.
/// HTML readers take time by the product of depth and size; people lose track long before.
pub const NESTING_MAX: usize = 32;
/// The most formatted pieces of a summary: blocks, cells of tables, links, styled words. Each becomes an element
/// of the page, of several times its own size.
pub const PIECES_MAX: usize = 10_000;
/// The most cells of all tables of the evidence together.
pub const CELLS_MAX: usize = 20_000;
/// The deepest that the subject may be nested. It is shown indented, so a number at this depth takes a line of 128
/// spaces.
pub const JSON_NESTING_MAX: usize = 64;
/// The most bytes that everything together may become as HTML: five times the largest detail, since `&` becomes
/// `&amp;`, so that text alone never exceeds it.
pub const SHOWN_MAX: usize = 5 * crate::request::DETAIL_MAX;

/// What one formatted piece adds in tags, about: `<td style="text-align: right"></td>` is one of the longer ones.
const PIECE_BYTES: usize = 40;

/// How heavy a text in Markdown is.
pub fn markdown(text: &str) -> Weight {
    scan::markdown(text)
}

/// A JSON value as people are shown it: indented, or on one line where indentation would make it too deep or too
/// large, as values may be that were accepted before these limits.
pub fn indented(value: &Value) -> String {
    match json::shown(value, JSON_NESTING_MAX) {
        // A JSON value always has text.
        Some(bytes) if bytes <= SHOWN_MAX => serde_json::to_string_pretty(value).unwrap_or_default(),
        _ => value.to_string(),
    }
}

/// What is too heavy of a request, each with its pointer and its limit.
pub(crate) fn faults(summary: Option<&str>, subject: &Value, evidence: &[Evidence], faults: &mut Vec<Fault>) {
    let mut shown = 0;
    if let Some(summary) = summary {
        let weight = markdown(summary);
        shown += escaped(summary) + weight.pieces.saturating_mul(PIECE_BYTES);
        faults.extend(weight.excess().map(|limit| Fault::new("/summary", limit)));
    }
    match json::shown(subject, JSON_NESTING_MAX) {
        Some(bytes) => shown += bytes,
        None => faults.push(Fault::new("/subject", format!("an object whose values are nested at most {JSON_NESTING_MAX} deep"))),
    }
    let cells = evidence.iter().filter_map(|piece| piece.table.as_ref()).flatten().map(Vec::len).sum::<usize>();
    if cells > CELLS_MAX {
        faults.push(Fault::new("/evidence", format!("tables of at most {CELLS_MAX} cells together")));
    }
    let texts = |piece: &Evidence| {
        let plain = [Some(&piece.label), piece.value.as_ref(), piece.url.as_ref(), piece.image.as_ref()];
        let table = piece.table.iter().flatten().flatten();
        plain.into_iter().flatten().chain(table).map(|text| escaped(text)).sum::<usize>()
    };
    shown += evidence.iter().map(texts).sum::<usize>() + cells.saturating_mul(PIECE_BYTES);
    if shown > SHOWN_MAX {
        faults.push(Fault::new("", format!("a request that is shown in at most {SHOWN_MAX} bytes of HTML, not {shown}")));
    }
}

/// The bytes of a text once it is escaped for HTML.
fn escaped(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'&' => "&amp;".len(),
            b'<' | b'>' => "&lt;".len(),
            b'"' => "&quot;".len(),
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests;
