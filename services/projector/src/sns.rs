//! Alerts to an SNS topic, whose subscribers get a mail or an SMS: a review waits, a review has ended, a
//! workflow could not be told. They are made of what is published, so they carry neither evidence nor a
//! link that decides: theirs asks for sign-in.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sns::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use events::{
    line::{inert, line},
    published::Entry,
};
use serde_json::Value;

use crate::publisher::{Bus, BusError};

/// The longest subject in characters (SNS API reference, `Publish`: up to 100, ASCII).
const SUBJECT_MAX: usize = 100;
/// The longest line of a message in characters: with its link it is a few segments of an SMS at most.
const LINE_MAX: usize = 200;

/// One topic.
pub struct Topic {
    client: Client,
    arn: String,
    base_url: Arc<str>,
}

impl Topic {
    /// The topic of this ARN; links begin with `base_url`.
    pub fn new(client: Client, arn: impl Into<String>, base_url: Arc<str>) -> Topic {
        Topic { client, arn: arn.into(), base_url }
    }
}

#[async_trait]
impl Bus for Topic {
    async fn put(&self, entries: &[Entry]) -> Result<(), BusError> {
        for entry in entries {
            let Some(alert) = alert(entry, &self.base_url)? else { continue };
            let attribute = |value: &str| {
                let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
                attribute.map_err(|error| BusError::Refused(Box::new(error)))
            };
            let mut call = self.client.publish().topic_arn(&self.arn).subject(alert.subject).message(alert.message);
            for (name, value) in &alert.attributes {
                call = call.message_attributes(*name, attribute(value)?);
            }
            call.send().await.map_err(|error| match error.code() {
                Some("InvalidParameter" | "InvalidParameterValue" | "AuthorizationError" | "NotFound" | "KMSAccessDenied") => {
                    BusError::Refused(Box::new(error))
                }
                _ => BusError::Unavailable(Box::new(error)),
            })?;
        }
        Ok(())
    }
}

/// What subscribers read.
#[derive(Debug, PartialEq, Eq)]
struct Alert {
    subject: String,
    message: String,
    /// What the filter policies of subscriptions go by, such as an SMS for high risk only.
    attributes: Vec<(&'static str, String)>,
}

/// The alert of an event; most have none.
fn alert(entry: &Entry, base_url: &str) -> Result<Option<Alert>, BusError> {
    let about = match entry.detail_type {
        "ReviewRequested" => "A review waits",
        "ReviewDecided" => "A review was decided",
        "ReviewExpired" => "A review expired",
        "ReviewCancelled" => "A review was cancelled",
        "WorkflowResumeFailed" => "A workflow could not be told",
        // Of the directory, which is on no bus: see `Aliases`.
        "PersonRegistered" => "The directory changed who decides",
        _ => return Ok(None),
    };
    let detail: Value = serde_json::from_str(&entry.detail)?;
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let what = text("title").or_else(|| text("outcome")).or_else(|| text("error"));
    let what = what.map(|what| inert(&line(what))).filter(|what| !what.is_empty());
    let line = what.map_or_else(|| about.to_owned(), |what| cut(&format!("{about}: {what}")));
    // A subject has no line breaks and, sent by us, nothing but plain letters.
    let subject = line.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SUBJECT_MAX).collect();
    let page = text("review_id").map(|id| format!("/reviews/{id}")).unwrap_or_default();
    let message = format!("{line}\n{base_url}{page}");
    let outcome = match entry.detail_type {
        "ReviewExpired" => Some("expired"),
        "ReviewCancelled" => Some("cancelled"),
        _ => text("outcome"),
    };
    let source = detail.pointer("/origin/source").and_then(Value::as_str);
    let attributes = [("detail_type", Some(entry.detail_type)), ("risk", text("risk")), ("source", source), ("outcome", outcome)];
    // SNS takes no empty value.
    let set = |(name, value): (&'static str, Option<&str>)| Some((name, value.filter(|value| !value.is_empty())?.to_owned()));
    Ok(Some(Alert { subject, message, attributes: attributes.into_iter().filter_map(set).collect() }))
}

fn cut(line: &str) -> String {
    if line.chars().count() <= LINE_MAX {
        return line.to_owned();
    }
    line.chars().take(LINE_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Timestamp;

    fn entry(detail_type: &'static str, detail: &str) -> Entry {
        Entry { detail_type, time: Timestamp::from_millis(1_795_000_000_000).expect("time"), detail: detail.to_owned() }
    }

    #[test]
    fn a_request_is_an_alert_with_its_title_risk_and_link() {
        let detail =
            r#"{"review_id": "r-1", "title": "Promote\n churn™", "risk": "high", "origin": {"source": "com.example.pipeline"}}"#;
        let alert = alert(&entry("ReviewRequested", detail), "https://r.example").expect("read").expect("an alert");
        assert_eq!(alert.subject, "A review waits: Promote churn?");
        assert_eq!(alert.message, "A review waits: Promote churn™\nhttps://r.example/reviews/r-1");
        let attributes = [("detail_type", "ReviewRequested"), ("risk", "high"), ("source", "com.example.pipeline")];
        assert_eq!(alert.attributes, attributes.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn every_alert_is_one_harmless_line_and_the_one_link_which_decides_nothing() {
        const HOSTILE: &str = "T\r\nBcc: eve@evil.example\r\n\u{202e}desrever\u{2066} <script>alert(1)</script> 🚀 مرحبا \
            https://evil.example/login www.evil.example evil。example https://r.example/a/AbCd";
        let long = format!("{HOSTILE} {}", "long ".repeat(100));
        let mut shown = Vec::new();
        for (kind, text) in [("plain", "Promote churn-model v42"), ("hostile", HOSTILE), ("hostile and long", long.as_str())] {
            for (detail_type, field) in [
                ("ReviewRequested", "title"),
                ("ReviewDecided", "outcome"),
                ("ReviewExpired", "none"),
                ("ReviewCancelled", "reason"),
                ("WorkflowResumeFailed", "error"),
            ] {
                let text = if field == "outcome" { "approved" } else { text };
                let detail = serde_json::json!({"review_id": "r-1", field: text, "link": "https://r.example/a/AbCd"}).to_string();
                let alert = alert(&entry(detail_type, &detail), "https://r.example").expect("read").expect("an alert");
                let line = alert.message.strip_suffix("\nhttps://r.example/reviews/r-1").expect("the link at the end");
                assert!(
                    !line.contains(|c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
                );
                assert!(!line.contains("://") && !line.contains("www.evil") && line.chars().count() <= LINE_MAX, "{line}");
                assert!(!alert.message.contains("r.example/a/"), "nothing that decides: {line}");
                assert!(
                    alert.subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
                        && alert.subject.len() <= SUBJECT_MAX
                );
                shown.push(format!("{detail_type}, {kind}\nSubject: {}\n{}\n", alert.subject, alert.message));
            }
        }
        insta::assert_snapshot!("alerts", shown.join("\n"));
    }

    #[test]
    fn a_change_of_who_decides_is_an_alert_of_high_risk() {
        let detail =
            r#"{"title": "eve@evil.example now decides as ana@x.com, by integration hr through the API", "risk": "high"}"#;
        let alert = alert(&entry("PersonRegistered", detail), "https://r.example").expect("read").expect("an alert");
        let line =
            "The directory changed who decides: eve@evil. example now decides as ana@x. com, by integration hr through the API";
        assert_eq!(alert.message, format!("{line}\nhttps://r.example"));
        assert!(alert.attributes.contains(&("risk", "high".to_owned())), "{:?}", alert.attributes);
    }

    #[test]
    fn an_end_is_an_alert_that_can_be_filtered_by_its_outcome() {
        let decided = r#"{"review_id": "r-1", "outcome": "rejected"}"#;
        for (detail_type, detail, outcome) in
            [("ReviewDecided", decided, "rejected"), ("ReviewExpired", "{}", "expired"), ("ReviewCancelled", "{}", "cancelled")]
        {
            let alert = alert(&entry(detail_type, detail), "").expect("read").expect("an alert");
            let attributes = [("detail_type", detail_type), ("outcome", outcome)];
            assert_eq!(alert.attributes, attributes.map(|(name, value)| (name, value.to_owned())));
        }
    }

    #[test]
    fn a_subject_fits_and_most_events_alert_nobody() {
        let long = format!(r#"{{"title": "{}"}}"#, "x".repeat(300));
        let long = alert(&entry("ReviewRequested", &long), "").expect("read").expect("an alert");
        assert_eq!(long.subject.len(), SUBJECT_MAX);
        assert_eq!(alert(&entry("VoteCast", "{}"), "").expect("read"), None);
    }
}
