//! The two calls that are counted.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::Outcome;

/// Calls the API with the operator's key.
pub(crate) struct Calls {
    router: Router,
    host: &'static str,
    authorization: String,
}

impl Calls {
    pub(crate) fn new(router: Router, host: &'static str, key: &str) -> Calls {
        Calls { router, host, authorization: format!("Bearer {key}") }
    }

    /// Opens a review and gives its id. Every request has the same size.
    pub(crate) async fn request(&self, index: usize) -> Outcome<String> {
        let answer = self.post("/api/v1/reviews", &request(index), StatusCode::CREATED).await?;
        Ok(answer["review_id"].as_str().ok_or("no review_id in the answer")?.to_owned())
    }

    /// Approves a review.
    pub(crate) async fn vote(&self, review: &str) -> Outcome<()> {
        let vote =
            json!({"person": {"email": "reviewer@example.com"}, "choice": "approve", "reason": "The flagged rows were checked."});
        let answer = self.post(&format!("/api/v1/reviews/{review}/votes"), &vote, StatusCode::OK).await?;
        match answer["status"].as_str() {
            Some("approved") => Ok(()),
            _ => Err(format!("the vote approved nothing: {answer}").into()),
        }
    }

    async fn post(&self, path: &str, body: &Value, wanted: StatusCode) -> Outcome<Value> {
        let request = Request::post(path)
            .header(header::HOST, self.host)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        if status != wanted {
            return Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// A request as a pipeline makes it: a summary of a few paragraphs, a subject, evidence, people and a group's worth of them.
fn request(index: usize) -> Value {
    json!({
        "request_key": format!("churn-v{index:06}"),
        "title": "Promote churn-model v42 to production",
        "summary": "The nightly run flagged **7.4 %** of the rows, above the limit of 6 %.\n\n\
                    - most are new customers of the autumn campaign\n\
                    - the distribution of `tenure_months` moved by 0.3 standard deviations\n\n\
                    Please look at the report before you approve. What is approved goes to all regions at once.",
        "subject": {
            "kind": "model-promotion",
            "id": "churn-v42",
            "model": {"name": "churn-model", "version": 42, "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
            "metrics": {"auc": 0.912, "recall": 0.75, "rows": 120_000},
            "regions": ["eu-west-1", "us-east-1", "ap-southeast-2"],
        },
        "evidence": [
            {"label": "Flagged rows", "value": "7.4 %"},
            {"label": "Limit", "value": "6 %"},
            {"label": "Report", "url": "https://reports.example.com/churn/v42"},
        ],
        "requester": {"email": "pipeline@example.com"},
        "reviewers": [{"email": "reviewer@example.com"}, {"email": "second@example.com"}, {"email": "third@example.com"}],
        "policy": {"quorum": 1},
        "expires_in": "PT24H",
    })
}
