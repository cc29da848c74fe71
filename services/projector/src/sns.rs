//! Alerts to an SNS topic, whose subscribers get a mail or an SMS: a review waits, a review has ended, a
//! workflow could not be told.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sns::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use events::published::Entry;
use serde_json::Value;

use crate::publisher::{Bus, BusError};

/// The longest subject in characters (SNS API reference, `Publish`: up to 100, ASCII).
const SUBJECT_MAX: usize = 100;

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
            // For the filter policies of subscriptions, such as an SMS for high risk only.
            call = call.message_attributes("detail_type", attribute(entry.detail_type)?);
            if let Some(risk) = &alert.risk {
                call = call.message_attributes("risk", attribute(risk)?);
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
    risk: Option<String>,
}

/// The alert of an event; most have none.
fn alert(entry: &Entry, base_url: &str) -> Result<Option<Alert>, BusError> {
    let about = match entry.detail_type {
        "ReviewRequested" => "A review waits",
        "ReviewDecided" => "A review was decided",
        "ReviewExpired" => "A review expired",
        "ReviewCancelled" => "A review was cancelled",
        "WorkflowResumeFailed" => "A workflow could not be told",
        _ => return Ok(None),
    };
    let detail: Value = serde_json::from_str(&entry.detail)?;
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let what = text("title").or_else(|| text("outcome")).or_else(|| text("error"));
    let line = what.map_or_else(|| about.to_owned(), |what| format!("{about}: {what}"));
    // A subject has no line breaks and, sent by us, nothing but plain letters.
    let subject = line.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SUBJECT_MAX).collect();
    let message = format!("{line}\n{base_url}/reviews/{}", text("review_id").unwrap_or_default());
    Ok(Some(Alert { subject, message, risk: text("risk").map(str::to_owned) }))
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
        let detail = r#"{"review_id": "r-1", "title": "Promote\nchurn™", "risk": "high"}"#;
        let alert = alert(&entry("ReviewRequested", detail), "https://r.example").expect("read").expect("an alert");
        assert_eq!(alert.subject, "A review waits: Promote?churn?");
        assert_eq!(alert.message, "A review waits: Promote\nchurn™\nhttps://r.example/reviews/r-1");
        assert_eq!(alert.risk.as_deref(), Some("high"));
    }

    #[test]
    fn a_subject_fits_and_most_events_alert_nobody() {
        let long = format!(r#"{{"title": "{}"}}"#, "x".repeat(300));
        let long = alert(&entry("ReviewRequested", &long), "").expect("read").expect("an alert");
        assert_eq!(long.subject.len(), SUBJECT_MAX);
        assert_eq!(alert(&entry("VoteCast", "{}"), "").expect("read"), None);
    }
}
