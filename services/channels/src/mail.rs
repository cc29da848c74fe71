//! The mails: one that asks, one that reminds, one that tells the end. Each is written twice, as text
//! and as HTML, and carries the one link to decide by. Everything a caller wrote is put out as text.
//!
//! | file | holds |
//! |---|---|
//! | here | what a mail says |
//! | `html` | how it looks |
//! | `plain` | a summary without its formatting, block by block |
//! | [`letter`] | the message as it travels, with the headers that make a thread |

mod html;
pub mod letter;
mod plain;
#[cfg(test)]
pub(crate) mod tests;

use events::{
    event::{Canceller, Purpose, Verdict},
    line::line,
};
use review::{Directory, Ending, Review};

use plain::Block;

/// The longest subject in characters; mail clients show fewer.
const SUBJECT_MAX: usize = 200;
/// The longest summary in characters; the page has the rest.
const SUMMARY_MAX: usize = 1_000;
/// The most facts; the page has the rest.
const FACTS_MAX: usize = 10;
/// The longest label or value in characters.
const FACT_MAX: usize = 200;

/// A mail, twice: plain and HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line; the same for all mails about a review, so that clients keep them together.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML of the same.
    pub html: String,
}

/// What a mail says, in lines without control characters.
struct Words {
    greeting: String,
    lead: String,
    title: String,
    summary: Vec<Block>,
    facts: Vec<(String, String)>,
    /// Evidence that the mail has no room or no form for.
    more: usize,
    action: &'static str,
    deadline: Option<String>,
    warning: Option<&'static str>,
}

/// The mail to `name` for this purpose; `link` is theirs alone.
pub fn compose(review: &Review, directory: &Directory, name: &str, purpose: Purpose, link: &str) -> Mail {
    let words = words(review, directory, name, purpose);
    let again = if purpose == Purpose::Asked { "" } else { "Re: " };
    let subject = cut(&format!("{again}Your decision: {}", words.title), SUBJECT_MAX);
    Mail { subject, text: text(&words, link), html: html::page(&words, link).into_string() }
}

fn words(review: &Review, directory: &Directory, name: &str, purpose: Purpose) -> Words {
    let request = &review.request;
    let requester = request.requester.as_ref().map_or(request.origin.source.as_str(), |requester| directory.name(requester));
    let lead = match (purpose, &review.ending) {
        (Purpose::Ended, Some(ending)) => format!("{} Nothing more is needed of you.", told(&ending.what, directory)),
        (Purpose::Reminded(_), _) => format!("{} still waits for your decision:", line(requester)),
        _ => format!("{} asks for your decision:", line(requester)),
    };
    let open = review.ending.is_none();
    let short: Vec<(String, String)> = request
        .evidence
        .iter()
        .filter_map(|piece| {
            let value = piece.value.as_ref().or(piece.url.as_ref())?;
            Some((cut(&line(&piece.label), FACT_MAX), cut(&line(value), FACT_MAX)))
        })
        .take(FACTS_MAX)
        .collect();
    let show_facts = purpose == Purpose::Asked;
    let until = request.expires_at.as_datetime().format("%-d %B %Y, %H:%M UTC");
    Words {
        greeting: format!("{},", line(name)),
        lead,
        title: line(&request.title),
        summary: request
            .summary
            .as_deref()
            .filter(|_| show_facts)
            .map(|text| plain::blocks(text, SUMMARY_MAX).0)
            .unwrap_or_default(),
        more: if show_facts { request.evidence.len() - short.len() } else { 0 },
        facts: if show_facts { short } else { Vec::new() },
        action: if open { "See everything and decide" } else { "See the record" },
        deadline: open.then(|| format!("until {until}")),
        warning: open.then_some("The link is yours alone: whoever has it decides in your name."),
    }
}

/// How a review ended, as a sentence.
fn told(ending: &Ending, directory: &Directory) -> String {
    match ending {
        Ending::Decided { verdict, reason, decided_by } => {
            let people: Vec<String> = decided_by.iter().map(|person| line(directory.name(person))).collect();
            let verdict = match verdict {
                Verdict::Approved => "Approved",
                Verdict::Rejected => "Rejected",
            };
            let reason = reason.as_deref().filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!(" “{}”", cut(&line(reason), FACT_MAX))).unwrap_or_default();
            format!("{verdict} by {}.{reason}", people.join(", "))
        }
        Ending::Expired => "Expired: nobody decided in time.".to_owned(),
        Ending::Cancelled { by, reason } => {
            let by = match by {
                Canceller::Requester(person) => line(directory.name(person)),
                Canceller::Source { source, .. } => line(source),
                Canceller::Operator => "the operator".to_owned(),
                Canceller::Execution { status, .. } => format!("its workflow, which {}", status.in_words()),
            };
            let reason = reason.as_deref().map(|reason| format!(" “{}”", cut(&line(reason), FACT_MAX))).unwrap_or_default();
            format!("Withdrawn by {by}.{reason}")
        }
    }
}

fn text(words: &Words, link: &str) -> String {
    let mut text = format!("{}\n\n{}\n\n  {}\n\n", words.greeting, words.lead, words.title);
    if !words.summary.is_empty() {
        text.push_str(&format!("{}\n\n", plain::text(&words.summary)));
    }
    for (label, value) in &words.facts {
        text.push_str(&format!("  {label}: {value}\n"));
    }
    if words.more > 0 {
        text.push_str(&format!("  {}\n", more(words.more)));
    }
    if !words.facts.is_empty() || words.more > 0 {
        text.push('\n');
    }
    let deadline = words.deadline.as_ref().map(|deadline| format!(", {deadline}")).unwrap_or_default();
    text.push_str(&format!("{}{deadline}:\n{link}\n", words.action));
    text.push_str(&words.warning.map(|warning| format!("\n{warning}\n")).unwrap_or_default());
    text
}

fn more(count: usize) -> String {
    if count == 1 {
        "and one more piece of evidence on the page".to_owned()
    } else {
        format!("and {count} more pieces of evidence on the page")
    }
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}
