//! Notices and sign-in links on the console, for a service without Slack or mail.

use async_trait::async_trait;
use channels::announcement::Note;
use events::{PersonId, Timestamp, event::Channel, line::line};
use gateway::SignInMail;
use notifier::{Announce, Deliver, DeliverError, Message};
use review::contact::{Kind, Route};

/// Prints each notice with its link.
pub struct Console;

#[async_trait]
impl Deliver for Console {
    /// The page shows what has become of a review by itself.
    fn route(&self) -> Route {
        Route { channel: Channel::Outbox, by: &[Kind::Anywhere], reminds: false, tells_end: false, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        print!("{}\n", asked(message.name, &message.review.request.title, &message.link.url()));
        Ok(None)
    }
}

/// What callers wrote is one line each: no control characters reach the terminal.
fn asked(name: &str, title: &str, link: &str) -> String {
    format!("{} is asked: {}\n  {link}", line(name), line(title))
}

#[async_trait]
impl Announce for Console {
    fn reaches(&self, _: &PersonId) -> bool {
        true
    }

    async fn announce(&self, to: &PersonId, note: &Note, _: Timestamp) -> Result<(), DeliverError> {
        println!("{}", told(to, note));
        Ok(())
    }
}

fn told(to: &PersonId, note: &Note) -> String {
    let paragraphs = note.text.lines().filter(|line| !line.is_empty());
    let mut text = format!("{to} is told: {}", note.subject);
    paragraphs.for_each(|paragraph| text.push_str(&format!("\n  {}", line(paragraph))));
    text
}

#[async_trait]
impl SignInMail for Console {
    fn channel(&self) -> Channel {
        Channel::Outbox
    }

    async fn send(&self, to: &PersonId, link: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        print!("{to} signs in by:\n  {link}\n");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn what_callers_wrote_is_one_line_each_on_the_console() {
        let link = "http://127.0.0.1:8787/a/AbCd";
        insta::assert_snapshot!(asked("Ana Lind", "Promote churn-model v42", link), @r"
        Ana Lind is asked: Promote churn-model v42
          http://127.0.0.1:8787/a/AbCd
        ");
        let hostile = "T\u{1b}[2J\r\nBo is asked: x\r\n  http://evil.example/a/x \u{202e}desrever\u{2066} 🚀 مرحبا <!channel>";
        let shown = asked(hostile, hostile, link);
        assert!(shown.lines().count() == 2 && !shown.contains(['\u{1b}', '\r', '\u{202e}', '\u{2066}']), "{shown}");
        insta::assert_snapshot!("console_hostile", shown);
    }
}
