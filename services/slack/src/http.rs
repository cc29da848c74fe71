//! One POST, and its answer.

use std::{sync::OnceLock, time::Duration};

use crate::SlackError;
use bytes::Bytes;
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full, Limited};

/// The largest answer in bytes; ours are a few hundred.
const ANSWER_MAX: usize = 1024 * 1024;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// What most methods take.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// What every method takes, and those that read take alone.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// An answer.
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// How long Slack asks us to wait, in seconds.
    pub(crate) retry_after: Option<i64>,
    /// What it says.
    pub(crate) body: Bytes,
}

/// Made when it is first used: a Lambda that calls nobody need not read certificates.
pub(crate) struct Http {
    api: String,
    client: OnceLock<Option<https::Client<Full<Bytes>>>>,
}

impl Http {
    pub(crate) fn new(api: &str) -> Http {
        Http { api: api.trim_end_matches('/').to_owned(), client: OnceLock::new() }
    }

    pub(crate) async fn post(&self, method: &str, token: &str, kind: &str, body: String) -> Result<Answer, SlackError> {
        let unavailable = |why: &str| SlackError::Unavailable(format!("{method}: {why}"));
        let client = self.client.get_or_init(|| https::client(CONNECT).ok()).as_ref();
        let client = client.ok_or_else(|| unavailable("this machine has no root certificates to know Slack by"))?;
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| unavailable("the token is no text"))?;
        authorization.set_sensitive(true);
        let request = Request::post(format!("{}/{method}", self.api))
            .header(CONTENT_TYPE, kind)
            .header(AUTHORIZATION, authorization)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| unavailable("the address of the API is no URL"))?;
        let response = client.request(request).await.map_err(|error| unavailable(&reason(&error)))?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|_| unavailable("the answer broke off"))?;
        let retry_after = parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Ok(Answer { status: parts.status, retry_after, body: body.to_bytes() })
    }
}

fn reason(error: &hyper_util::client::legacy::Error) -> String {
    if error.is_connect() { "out of reach".to_owned() } else { "the connection broke off".to_owned() }
}
