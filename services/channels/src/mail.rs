//! A mail that asks for a decision: what is asked, the evidence that fits in a line, and the one link
//! to decide by. Everything a caller wrote is put out as text.

use review::Review;

/// The longest subject in characters; mail clients show fewer.
const SUBJECT_MAX: usize = 200;

/// A mail, twice: plain and HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML of the same.
    pub html: String,
}

/// The mail that asks `name` to decide at `link`.
pub fn asked(review: &Review, name: &str, link: &str) -> Mail {
    let request = &review.request;
    let title = line(&request.title);
    let requester = request.requester.as_ref().map_or(request.origin.source.as_str(), |requester| requester.as_str());
    let until = request.expires_at.as_datetime().format("%-d %B %Y, %H:%M UTC");
    let (requester, name) = (line(requester), line(name));
    let facts: Vec<(String, String)> = request
        .evidence
        .iter()
        .filter_map(|evidence| Some((line(&evidence.label), line(evidence.value.as_ref().or(evidence.url.as_ref())?))))
        .collect();

    let mut text = format!("{name},\n\n{requester} asks for your decision:\n\n  {title}\n\n");
    let mut html = format!(
        "<p>{},</p><p>{} asks for your decision:</p><p><strong>{}</strong></p>",
        escaped(&name),
        escaped(&requester),
        escaped(&title)
    );
    if !facts.is_empty() {
        html.push_str("<table cellpadding=\"4\">");
        for (label, value) in &facts {
            text.push_str(&format!("  {label}: {value}\n"));
            html.push_str(&format!("<tr><td>{}</td><td>{}</td></tr>", escaped(label), escaped(value)));
        }
        text.push('\n');
        html.push_str("</table>");
    }
    text.push_str(&format!(
        "See everything and decide, until {until}:\n{link}\n\nThe link is yours alone: whoever has it decides in your name.\n"
    ));
    html.push_str(&format!(
        "<p><a href=\"{}\">See everything and decide</a> (until {until})</p>\
         <p>The link is yours alone: whoever has it decides in your name.</p>",
        escaped(link)
    ));
    let subject = format!("Your decision: {title}").chars().take(SUBJECT_MAX).collect();
    Mail { subject, text, html }
}

/// Without control characters, so that nothing a caller wrote ends a header or a line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{ReviewId, Timestamp};
    use serde_json::json;

    fn review(title: &str, label: &str) -> Review {
        let digest = "0".repeat(64);
        let request = json!({
            "v": 1, "origin": {"account": "1", "source": "com.example", "event_id": "e"}, "title": title, "subject": {},
            "evidence": [{"label": label, "value": "7.4 %"}, {"label": "Rows", "table": [["a"]]}],
            "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1}, "risk": "normal",
            "expires_at": "2026-11-24T06:10:09.132Z", "on_expiry": "fail", "on_reject": "fail",
            "subject_digest": digest, "content_digest": digest,
        });
        Review {
            id: ReviewId::for_event("1", "com.example", "e", 1),
            request: serde_json::from_value(request).expect("a request"),
            requested_at: Timestamp::from_millis(1_795_000_000_000).expect("a time"),
            votes: Vec::new(),
            refused_votes: Vec::new(),
            notified: Vec::new(),
            unreached: Vec::new(),
            waiting: Vec::new(),
            ending: None,
        }
    }

    #[test]
    fn a_mail_says_who_asks_what_until_when_and_carries_the_one_link() {
        let mail = asked(&review("Promote churn", "Flagged rows"), "Ana", "https://r.example/a/x");
        assert_eq!(mail.subject, "Your decision: Promote churn");
        for said in ["Ana,", "com.example asks", "Promote churn", "Flagged rows: 7.4 %", "24 November 2026, 06:10 UTC"] {
            assert!(mail.text.contains(said), "{said} in {}", mail.text);
        }
        assert_eq!(mail.text.matches("https://").count(), 1);
        assert!(mail.html.contains("<a href=\"https://r.example/a/x\">"), "{}", mail.html);
    }

    #[test]
    fn what_a_caller_wrote_ends_no_header_and_makes_no_html() {
        let mail = asked(&review("T\r\nBcc: x@evil.example", "<img src=x onerror=alert(1)>"), "A\nna", "https://r.example/a/x");
        assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
        assert!(!mail.text.contains("\nBcc") && !mail.html.contains("<img"), "{}", mail.html);
        assert!(asked(&review(&"x".repeat(300), "l"), "Ana", "l").subject.chars().count() == SUBJECT_MAX);
    }
}
