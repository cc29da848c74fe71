//! One call to the provider. It follows no redirect: that would take the client's secret along.

use std::{io, pin::Pin, sync::OnceLock, time::Duration};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Error as ClientError;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// How long the provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer in bytes; documents and key sets have a few thousand.
const ANSWER_MAX: usize = 1024 * 1024;

type Inner = https::Client<Full<Bytes>>;

/// Why there is no answer. All but [`HttpError::Plain`] may pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("this machine has no root certificates to know the provider by")]
    NoRoots,
    #[error("{0} is no https address, nor on this machine")]
    Plain(Uri),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("out of reach")]
    Unreachable(#[source] ClientError),
    #[error("the answer broke off, or has more than {ANSWER_MAX} bytes")]
    Broken,
}

/// Made when it is first used: whoever signs nobody in need not read certificates.
#[derive(Default)]
pub(super) struct Http(OnceLock<io::Result<Inner>>);

impl Http {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !https::is_safe(request.uri()) {
            return Err(HttpError::Plain(request.uri().clone()));
        }
        let client = self.0.get_or_init(|| https::client(PATIENCE)).as_ref().map_err(|_| HttpError::NoRoots)?;
        let answer = async {
            let response = client.request(request.map(|body| Full::new(Bytes::from(body)))).await;
            let (parts, body) = response.map_err(HttpError::Unreachable)?.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|_| HttpError::Broken)?;
            Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| HttpError::Slow)?
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
