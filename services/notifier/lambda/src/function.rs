//! Our own published events, each of which may leave somebody to be told.

use std::sync::Arc;

use async_trait::async_trait;
use events::{ReviewId, published::SOURCE};
use lambda::{
    Failure, Function,
    sqs::{self, Message, Receive},
};
use lambda_runtime::Context;
use notifier::Notifier;
use serde_json::Value;

/// The function.
pub struct Notify(pub Arc<Notifier>);

struct Messages(Arc<Notifier>);

#[async_trait]
impl Receive for Messages {
    async fn receive(&self, message: &Message) -> Result<(), Failure> {
        match concerns(&message.body)? {
            Some(review) => self.0.notify(review).await.map_err(|error| Failure::of(&error, error.is_retryable())),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Function for Notify {
    async fn call(&self, event: Value, _: &Context) -> Result<Value, Failure> {
        sqs::handle(&event, Arc::new(Messages(Arc::clone(&self.0)))).await
    }
}

/// The review that a published event leaves somebody to be told of. The event is only a hint: whom, and
/// whether at all, the log says.
fn concerns(body: &str) -> Result<Option<ReviewId>, Failure> {
    let envelope: Value = serde_json::from_str(body).map_err(|error| {
        Failure::refused(format!("the message is no JSON: fault at line {} column {}", error.line(), error.column()))
    })?;
    let text = |name: &str| envelope.get(name).and_then(Value::as_str);
    let (Some(source), Some(detail_type)) = (text("source"), text("detail-type")) else {
        return Err(Failure::refused("the message is no EventBridge envelope: it has no source and detail-type"));
    };
    if source != SOURCE || detail_type != "ReviewRequested" {
        return Ok(None);
    }
    let review = envelope.get("detail").and_then(|detail| detail.get("review_id")).and_then(Value::as_str);
    let review = review.and_then(|review| review.parse().ok());
    review.map(Some).ok_or_else(|| Failure::refused("the published ReviewRequested has no review_id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_our_own_requests_ask_somebody() {
        let review = ReviewId::for_event("1", "s", "e", 1);
        let event = |source: &str, detail_type: &str, detail: Value| {
            concerns(&json!({"source": source, "detail-type": detail_type, "detail": detail}).to_string())
        };
        assert_eq!(event(SOURCE, "ReviewRequested", json!({"review_id": review})), Ok(Some(review)));
        assert_eq!(event(SOURCE, "VoteCast", json!({"review_id": review})), Ok(None));
        assert_eq!(event("com.example", "ReviewRequested", json!({"title": "T"})), Ok(None));
        assert!(event(SOURCE, "ReviewRequested", json!({})).is_err());
        assert!(concerns("{").is_err() && concerns("[]").is_err());
    }
}
