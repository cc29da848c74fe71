//! Evidence as a rich text: its texts are shown as they are, whatever characters they hold.

use events::{line::line, request::Evidence};
use serde_json::{Value, json};

use super::text::{cut, length, lines};

/// The most pieces that are shown; the page has all.
const PIECES_MAX: usize = 12;
/// The longest label and value that are shown.
const LABEL_MAX: usize = 100;
const VALUE_SHOWN_MAX: usize = 500;
/// The longest address that is shown.
const URL_SHOWN_MAX: usize = 500;

/// The block, and whether the page holds more than it shows. `share` divides how much is shown.
pub(super) fn block(evidence: &[Evidence], share: usize) -> Option<(Value, bool)> {
    let shown = (PIECES_MAX / share).max(1);
    let mut elements = Vec::new();
    let mut more = evidence.len() > shown;
    for (index, piece) in evidence.iter().take(shown).enumerate() {
        let label = cut(&line(&piece.label), LABEL_MAX);
        let label = if label.is_empty() { "(no label)" } else { &label };
        let lead = if index == 0 { "" } else { "\n" };
        elements.push(json!({"type": "text", "text": format!("{lead}{label}"), "style": {"bold": true}}));
        let (element, is_more) = value(piece, share);
        elements.push(text(":  ".to_owned()));
        elements.push(element);
        more |= is_more;
    }
    if elements.is_empty() {
        return None;
    }
    let section = json!({"type": "rich_text_section", "elements": elements});
    Some((json!({"type": "rich_text", "elements": [section]}), more))
}

/// What stands behind the label, and whether the page shows more of it.
fn value(piece: &Evidence, share: usize) -> (Value, bool) {
    if let Some(value) = &piece.value {
        let whole = lines(value);
        let shown = cut(&whole, VALUE_SHOWN_MAX / share);
        let more = shown != whole;
        // Slack takes no empty text.
        let shown = if shown.is_empty() { "(empty)".to_owned() } else { shown };
        return (text(shown), more);
    }
    match (&piece.url, &piece.table) {
        (Some(url), _) if length(url) <= URL_SHOWN_MAX / share && line(url) == *url => {
            (json!({"type": "link", "url": url}), false)
        }
        (Some(_), _) => (text("a long address, on the page".to_owned()), true),
        // The first row is the head.
        (_, Some(table)) => match table.len().saturating_sub(1) {
            1 => (text("a table of 1 row, on the page".to_owned()), true),
            rows => (text(format!("a table of {rows} rows, on the page")), true),
        },
        _ => (text("an image, on the page".to_owned()), true),
    }
}

fn text(text: String) -> Value {
    json!({"type": "text", "text": text})
}
