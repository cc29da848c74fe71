//! What callers wrote, made harmless and cut to fit.
//!
//! Slack reads `<…>` in a text as a mention, a link or a date, and `&` as the begin of an entity. With
//! all three characters escaped and `verbatim` set, no text of a caller can call a channel, hide where
//! a link goes, or be taken for ours.

use events::{Timestamp, line::line};
use serde_json::{Value, json};

/// A caller's text with its line ends kept, each line harmless.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// With the three characters escaped that mean something to Slack.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One line of a caller's inside our own sentence: escaped, and without the characters that would
/// format the rest of it.
pub fn quoted(text: &str, max: usize) -> String {
    let plain: String = line(text).chars().map(|c| if matches!(c, '*' | '_' | '~' | '`') { lookalike(c) } else { c }).collect();
    escaped_within(&plain, max)
}

/// Characters that look the same and format nothing.
fn lookalike(c: char) -> char {
    match c {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '∼',
        _ => 'ˋ',
    }
}

/// The length as Slack may count it at most: in UTF-16 units.
pub fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// At most `max` units of it, with an ellipsis where it was cut.
pub fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = max.saturating_sub(1);
    for c in text.chars() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// Escaped, and at most `max` units long after that; never cut inside an entity.
pub fn escaped_within(text: &str, max: usize) -> String {
    let whole = escaped(text);
    if length(&whole) <= max {
        return whole;
    }
    let mut kept = String::new();
    let mut left = max.saturating_sub(1);
    for c in text.chars() {
        let one = escaped(c.encode_utf8(&mut [0; 4]));
        match left.checked_sub(length(&one)) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push_str(&one);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// A moment, shown in each reader's own time zone.
pub fn moment(time: Timestamp) -> String {
    let utc = time.as_datetime();
    format!("<!date^{}^{{date_short_pretty}} at {{time}}|{}>", utc.timestamp(), utc.format("%-d %b %Y, %H:%M UTC"))
}

/// A link of ours.
pub(super) fn link(url: &str, words: &str) -> String {
    format!("<{url}|{words}>")
}

/// A text object with our own formatting. `verbatim`: Slack looks for no names or addresses in it.
pub(super) fn mrkdwn(text: impl Into<String>) -> Value {
    json!({"type": "mrkdwn", "text": text.into(), "verbatim": true})
}

/// A text object without any formatting.
pub(super) fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// A section.
pub(super) fn section(text: impl Into<String>) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

/// A line of small print.
pub(super) fn context(text: impl Into<String>) -> Value {
    json!({"type": "context", "elements": [mrkdwn(text)]})
}
