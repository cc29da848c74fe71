//! What somebody is told when the directory changed who they are: plain text with a subject, the same on every channel.

use events::line::{inert, line};
use review::announce::{Announcement, News};
use serde_json::json;

use crate::slack::Message;

/// A message without a link that opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// One line.
    pub subject: &'static str,
    /// A few paragraphs.
    pub text: String,
}

impl Note {
    /// The same as a message in Slack. Plain text, since whoever made the change wrote a part of it.
    pub fn in_slack(&self) -> Message {
        let text = json!({"type": "plain_text", "text": format!("{}\n\n{}", self.subject, self.text)});
        Message { text: self.subject.to_owned(), blocks: vec![json!({"type": "section", "text": text})] }
    }
}

/// Puts it in words. `base_url` is how people reach the service.
pub fn note(announcement: &Announcement, base_url: &str) -> Note {
    let (subject, what, means) = match &announcement.news {
        News::Alias { person, alias } => (
            "Another address can now decide as you",
            format!("{alias} was added as another address of {person}, which is you."),
            format!("Whoever uses {alias} can now decide as you."),
        ),
        News::CountsAs { alias, person } => (
            "An address of yours now counts as somebody else's",
            format!("{alias}, which is an address of yours, was added as another address of {person}."),
            format!("What you decide now counts as {person}, and {person} can decide what you were asked."),
        ),
        News::Phone { person, phone } => (
            "Another phone now gets your alerts",
            format!("{phone} was set as the phone of {person}, which is you."),
            "Alerts about what you are asked go to that phone. They hold no link that decides.".to_owned(),
        ),
    };
    let changed = &announcement.changed;
    let at = announcement.at.as_datetime().format("%Y-%m-%d %H:%M UTC");
    // Whoever made the change wrote the reason: no reader finds a link in it.
    let reason =
        changed.reason.as_deref().map(|reason| format!(" Their reason: \"{}\".", inert(&line(reason)))).unwrap_or_default();
    let text = format!(
        "{what}\nIt was done on {at} by {changed}.{reason}\n\n{means}\n\n\
         If that is wrong, tell the operator of {base_url} at once. They see every change with: countersign directory log\n"
    );
    Note { subject, text }
}

#[cfg(test)]
mod tests {
    use events::{
        Timestamp,
        event::{Changed, Changer, Door},
    };

    use super::*;

    fn told(news: News, reason: Option<&str>) -> Note {
        let hr = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api);
        let announcement = Announcement {
            to: "ana@example.com".parse().expect("a person"),
            news,
            at: Timestamp::from_millis(1_795_406_400_000).expect("a time"),
            changed: hr.because(reason.map(str::to_owned)),
        };
        note(&announcement, "https://reviews.example.com")
    }

    #[test]
    fn it_says_which_address_when_by_whom_why_and_what_that_means() {
        let (person, alias) = ("ana@example.com".parse().expect("a person"), "ana@corp.example".parse().expect("a person"));
        let Note { subject, text } = told(News::Alias { person, alias }, Some("A second mailbox"));
        assert_eq!(subject, "Another address can now decide as you");
        for said in [
            "ana@corp.example was added as another address of ana@example.com",
            "on 2026-11-23 04:00 UTC by integration hr through the API. Their reason: \"A second mailbox\".",
            "Whoever uses ana@corp.example can now decide as you.",
            "If that is wrong, tell the operator of https://reviews.example.com at once.",
        ] {
            assert!(text.contains(said), "{said:?} is not in:\n{text}");
        }
    }

    #[test]
    fn the_reason_of_whoever_made_the_change_is_one_line_without_a_link() {
        let news = News::Phone { person: "ana@example.com".parse().expect("a person"), phone: "+491".to_owned() };
        let Note { text, .. } = told(news, Some("x\r\nSign in: https://evil.example/a \u{202e}"));
        assert!(!text.contains("https://evil") && !text.contains("evil.example") && !text.contains(['\r', '\u{202e}']), "{text}");
        assert_eq!(text.lines().count(), 6, "{text}");
    }
}
