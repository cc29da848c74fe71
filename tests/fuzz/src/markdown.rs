//! A summary in Markdown, as the page, the card in Slack and the mail show it.

use std::collections::BTreeSet;

use channels::{
    mail,
    slack::{BLOCKS_MAX, card::Card},
};
use events::event::Purpose;
use review::Directory;
use serde_json::Value;

use crate::review::{NOW, asked};

/// A link of ours that nobody else knows.
const LINK: &str = "https://countersign.example/a/0d9b0c1e5a7f";
/// The most cells with which a parser fills up the rows of a table, whatever its input: 2^18 in pulldown-cmark.
const CELLS_MAX: usize = 1 << 18;
/// How much longer a page may be than what it is made of: a character takes at most a few, a link brings its `rel`.
const PAGE_FACTOR: usize = 64;

/// The elements that a summary may have on a page.
const ELEMENTS: [&str; 28] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Their attributes.
const ATTRIBUTES: [&str; 13] =
    ["align", "alt", "aria-label", "class", "dir", "href", "lang", "rel", "role", "src", "start", "tabindex", "title"];

/// The page: no element, attribute or address but those allowed, and not many times longer than the summary.
pub(crate) fn page(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let html = gateway::web::markdown::render(text).into_string();
    assert!(html.len() <= PAGE_FACTOR * (text.len() + 16) + 16 * CELLS_MAX, "{} bytes of {}", html.len(), text.len());
    for (element, attributes) in elements(&html) {
        assert!(ELEMENTS.contains(&element.as_str()), "<{element}> of {text:?}: {html}");
        for (attribute, value) in attributes {
            assert!(ATTRIBUTES.contains(&attribute.as_str()), "{attribute} of {text:?}: {html}");
            let start = value.to_ascii_lowercase();
            let allowed = match attribute.as_str() {
                "href" => ["https:", "http:", "mailto:"].iter().any(|scheme| start.starts_with(scheme)),
                "src" => start.starts_with("data:image/"),
                _ => true,
            };
            assert!(allowed, "{attribute}={value:?} of {text:?}: {html}");
        }
    }
}

/// The mail: one link, ours; no element of the caller's; no control characters; no longer than mails are.
pub(crate) fn mail(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (review, directory) = (asked(text), Directory::default());
    let mail = mail::compose(&review, &directory, "Ana", Purpose::Asked, LINK);
    let links: Vec<String> = elements(&mail.html)
        .into_iter()
        .flat_map(|(_, attributes)| attributes)
        .filter(|(attribute, _)| matches!(attribute.as_str(), "href" | "src" | "action"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(links, [LINK], "{text:?}");
    let empty = mail::compose(&asked("x"), &directory, "Ana", Purpose::Asked, LINK);
    let kinds = |html: &str| elements(html).into_iter().map(|(element, _)| element).collect::<BTreeSet<_>>();
    let plain = [
        "p",
        "h2",
        "h3",
        "h4",
        "ul",
        "ol",
        "li",
        "pre",
        "code",
        "blockquote",
        "br",
        "strong",
        "em",
        "table",
        "tr",
        "td",
        "th",
        "div",
    ];
    let foreign =
        kinds(&mail.html).into_iter().find(|kind| !kinds(&empty.html).contains(kind) && !plain.contains(&kind.as_str()));
    assert_eq!(foreign, None, "{text:?}");
    assert!(!mail.subject.chars().any(char::is_control), "{:?}", mail.subject);
    for body in [&mail.text, &mail.html] {
        assert!(!body.chars().any(|c| c.is_control() && c != '\n'), "{body:?}");
        assert!(body.len() <= 100_000, "{} bytes", body.len());
    }
}

/// The card in Slack: it fits, and nothing in it calls anybody, or is a link whose words are not its address.
pub(crate) fn card(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (review, directory) = (asked(text), Directory::default());
    let card = Card { review: &review, directory: &directory, button: "button", link: LINK, now: *NOW };
    for message in [card.message(), card.reminder()] {
        let blocks = Value::Array(message.blocks);
        let units: usize = blocks.to_string().chars().map(char::len_utf16).sum();
        assert!(units <= BLOCKS_MAX, "{units} units");
        let mut texts = vec![message.text];
        mrkdwn(&blocks, &mut texts);
        for text in texts {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            for part in text.split('<').skip(1) {
                let (inside, _) = part.split_once('>').unwrap_or_else(|| panic!("an open <: {text:?}"));
                let ours = inside.starts_with("!date^") || inside.starts_with(LINK);
                let theirs = (inside.starts_with("https://") || inside.starts_with("http://")) && !inside.contains('|');
                assert!(ours || theirs, "<{inside}> in {text:?}");
            }
        }
    }
}

/// The texts that Slack formats.
fn mrkdwn(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if object.get("type").and_then(Value::as_str) == Some("mrkdwn") {
                texts.extend(object.get("text").and_then(Value::as_str).map(str::to_owned));
            }
            object.values().for_each(|value| mrkdwn(value, texts));
        }
        Value::Array(items) => items.iter().for_each(|value| mrkdwn(value, texts)),
        _ => {}
    }
}

type Attributes = Vec<(String, String)>;

/// The start tags of HTML, with their attributes. Quoted values may hold any character but the quote.
fn elements(html: &str) -> Vec<(String, Attributes)> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some((_, tag)) = rest.split_once('<') {
        rest = tag;
        if tag.starts_with(['/', '!']) {
            continue;
        }
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (attributes, behind) = attributes(&tag[end..]);
        found.push((tag[..end].to_ascii_lowercase(), attributes));
        rest = behind;
    }
    found
}

/// The attributes up to the end of a tag, each `name="value"` or a name alone, and what follows the tag.
fn attributes(mut rest: &str) -> (Attributes, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n', '/']);
        let end = rest.find(['=', '>', ' ', '\n', '/']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if name.is_empty() {
            return (found, rest);
        }
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(value) => value.split_once('"').unwrap_or((value, "")),
            None => ("", behind.strip_prefix('=').unwrap_or(behind)),
        };
        found.push((name.to_ascii_lowercase(), value.to_owned()));
        rest = behind;
    }
}
