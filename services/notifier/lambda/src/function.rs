//! Our own published events, each of which may leave somebody to be told; what SES says of mails that came
//! back; links to sign in by, which the gateway has us mail; and what it has us ask the provider of sign-ins.

use std::sync::Arc;

use async_trait::async_trait;
use events::{Period, ReviewId, Timestamp, published::SOURCE};
use lambda::{
    Failure, Function,
    metrics::{Figure, Metrics},
    sqs::{self, Handled, Message, Receive},
};
use lambda_runtime::Context;
use ledger::{Clock as _, SystemClock};
use notifier::{
    Notifier, NotifyError,
    returned::{Returned, Traced},
    ses::Ses,
};
use serde_json::{Value, json};

use crate::{
    provider::Provider,
    returned::{self, Mail},
};

/// What may leave somebody to be told; the template's rule says the same.
const DETAIL_TYPES: &[&str] =
    &["ReviewRequested", "ReviewReminded", "VoteCast", "ReviewDecided", "ReviewExpired", "ReviewCancelled"];

/// How long a mail that came back is tried again when it is not on record that it went out: SES may say
/// so before its sender could.
const KNOWN_BY: Period = Period::seconds(120);

/// The function.
pub struct Notify {
    /// The handler.
    pub notifier: Arc<Notifier>,
    /// Sends links to sign in by.
    pub mails: Ses,
    /// Says who somebody is.
    pub provider: Provider,
    /// Counts what came of it where nothing else does.
    pub metrics: Metrics,
}

struct Messages {
    notifier: Arc<Notifier>,
    metrics: Metrics,
}

#[async_trait]
impl Receive for Messages {
    async fn receive(&self, message: &Message) -> Result<Handled, Failure> {
        match concerns(&message.body)? {
            Concerns::Review(review) => {
                self.notifier.notify(review).await.map_err(failure)?;
                Ok(Handled::Done)
            }
            Concerns::Mail(Mail::CameBack(mail)) => self.came_back(&mail, message.sent).await,
            Concerns::Mail(Mail::OfNoReview { message_ref }) => Ok(self.unknown(&message_ref)),
            Concerns::Mail(Mail::MayArrive) | Concerns::Nobody => Ok(Handled::Done),
        }
    }
}

impl Messages {
    async fn came_back(&self, mail: &Returned, sent: Option<Timestamp>) -> Result<Handled, Failure> {
        let is_early = sent.is_some_and(|sent| SystemClock.now() < sent.after(KNOWN_BY));
        match self.notifier.returned(mail).await.map_err(failure)? {
            Traced::Noted => {
                tracing::warn!(review_id = %mail.review, message_ref = mail.message_ref, why = mail.why, "a mail came back");
                Ok(Handled::Done)
            }
            Traced::Unknown if is_early => Ok(Handled::ComeAgain),
            Traced::Unknown => Ok(self.unknown(&mail.message_ref)),
        }
    }

    /// A mail of another kind, such as one with a sign-in link, or of another deployment. To whom it went
    /// is nobody's business here.
    fn unknown(&self, message_ref: &str) -> Handled {
        tracing::warn!(message_ref, "a mail came back that no review knows of");
        self.metrics.write(&[Figure::count("UnknownReturns", 1)], None);
        Handled::Done
    }
}

fn failure(error: NotifyError) -> Failure {
    Failure::of(&error, error.is_retryable())
}

impl Notify {
    /// Whoever may invoke us directly is asked by IAM. An error has Lambda try again, twice.
    async fn mail_sign_in(&self, wish: &Value) -> Result<Value, Failure> {
        let text = |name: &str| wish.get(name).and_then(Value::as_str);
        let (Some(to), Some(link)) = (text("to"), text("link")) else {
            return Err(Failure::refused("sign_in is no mail: to and link"));
        };
        let sent = self.mails.send_sign_in(to, link).await;
        sent.map_err(|error| Failure::of(&error, error.is_retryable()))?;
        Ok(json!({"sent": true}))
    }
}

#[async_trait]
impl Function for Notify {
    async fn call(&self, event: Value, _: &Context) -> Result<Value, Failure> {
        if let Some(wish) = event.get("sign_in") {
            return self.mail_sign_in(wish).await;
        }
        // As [`lambda::provider::Event`] has it.
        if event.get("provider").is_some() {
            return self.provider.answer(event).await;
        }
        let messages = Messages { notifier: Arc::clone(&self.notifier), metrics: self.metrics.clone() };
        sqs::handle(&event, Arc::new(messages)).await
    }
}

/// What a message is about.
#[derive(Debug, PartialEq, Eq)]
enum Concerns {
    /// A review that may leave somebody to be told of it. The event is only a hint: whom, and whether at
    /// all, the log says.
    Review(ReviewId),
    /// A mail, of which SES says something.
    Mail(Mail),
    /// Nothing here.
    Nobody,
}

fn concerns(body: &str) -> Result<Concerns, Failure> {
    let envelope: Value = serde_json::from_str(body).map_err(|error| {
        Failure::refused(format!("the message is no JSON: fault at line {} column {}", error.line(), error.column()))
    })?;
    let text = |name: &str| envelope.get(name).and_then(Value::as_str);
    let (Some(source), Some(detail_type)) = (text("source"), text("detail-type")) else {
        return Err(Failure::refused("the message is no EventBridge envelope: it has no source and detail-type"));
    };
    let detail = envelope.get("detail").unwrap_or(&Value::Null);
    if source == returned::SOURCE {
        return returned::read(detail).map(Concerns::Mail);
    }
    if source != SOURCE || !DETAIL_TYPES.contains(&detail_type) {
        return Ok(Concerns::Nobody);
    }
    let review = detail.get("review_id").and_then(Value::as_str).and_then(|review| review.parse().ok());
    review.map(Concerns::Review).ok_or_else(|| Failure::refused("the published event has no review_id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_events_leave_somebody_to_be_told() {
        let review = ReviewId::for_event("1", "s", "e", 1);
        let event = |source: &str, detail_type: &str, detail: Value| {
            concerns(&json!({"source": source, "detail-type": detail_type, "detail": detail}).to_string())
        };
        assert_eq!(event(SOURCE, "ReviewRequested", json!({"review_id": review})), Ok(Concerns::Review(review)));
        assert_eq!(event(SOURCE, "ReviewDecided", json!({"review_id": review})), Ok(Concerns::Review(review)));
        assert_eq!(event(SOURCE, "WorkflowResumed", json!({"review_id": review})), Ok(Concerns::Nobody));
        assert_eq!(event("com.example", "ReviewRequested", json!({"title": "T"})), Ok(Concerns::Nobody));
        assert!(event(SOURCE, "ReviewRequested", json!({})).is_err());
        assert!(concerns("{").is_err() && concerns("[]").is_err());
    }

    #[test]
    fn what_a_caller_says_of_mails_is_not_believed() {
        let detail = json!({"eventType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": {"messageId": "m-1"}});
        let body = |source: &str| json!({"source": source, "detail-type": "Email Bounced", "detail": detail}).to_string();
        assert_eq!(concerns(&body("com.example")), Ok(Concerns::Nobody));
        assert!(matches!(concerns(&body("aws.ses")), Ok(Concerns::Mail(_))));
    }
}
