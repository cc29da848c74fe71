//! The bucket as S3 has it, by the three calls that we need: `PutObject`, `GetObject`, `HeadObject`.
//!
//! Signed by the SDK's own crate, over the client that all our calls go by.
//! ARCHITECTURE.md says why it is not `aws-sdk-s3`.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::bucket::{Bucket, BucketError};

/// The largest object that is read, in bytes: a batch has a few hundred thousand.
const OBJECT_MAX: usize = 16 << 20;
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How often a call is tried, after 100, 200 … ms, before the next tick has to.
const TRIES: u32 = 3;
/// Credentials are had anew so long before they end.
const MARGIN: Duration = Duration::from_secs(300);

/// A bucket of S3.
pub struct S3 {
    /// Of the bucket, without a slash at the end.
    url: String,
    region: String,
    provider: Option<SharedCredentialsProvider>,
    known: Mutex<Option<Credentials>>,
    /// Made when it is first used: whoever calls nobody need not read certificates.
    client: OnceLock<Option<https::Client<Full<Bytes>>>>,
}

/// What was answered.
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl S3 {
    /// The bucket of this name, with the region and credentials of the configuration, at
    /// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` where one is set.
    pub fn new(config: &SdkConfig, bucket: &str) -> S3 {
        let region = config.region().map_or("us-east-1", |region| region.as_ref()).to_owned();
        let of_s3 = std::env::var("AWS_ENDPOINT_URL_S3").ok().filter(|url| !url.is_empty());
        let url = match of_s3.as_deref().or(config.endpoint_url()) {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => {
                // The partitions' domains (AWS general reference, "Amazon S3 endpoints").
                let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://{bucket}.s3.{region}.{domain}")
            }
        };
        S3 { url, region, provider: config.credentials_provider(), known: Mutex::default(), client: OnceLock::new() }
    }

    /// Calls, and again when what went wrong may pass. Statuses below 500 are the caller's to judge, but for those
    /// that mean "later".
    async fn call(&self, method: Method, key: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Answer, BucketError> {
        let mut tried = 0;
        loop {
            let answered = tokio::time::timeout(PATIENCE, self.once(&method, key, headers, body.clone())).await;
            let answered = answered.unwrap_or_else(|_| Err(unavailable(key, "no answer in time")));
            tried += 1;
            match answered {
                Err(error) if !error.is_retryable() || tried == TRIES => return Err(error),
                Ok(answer) if !is_later(answer.status) => return Ok(answer),
                Ok(answer) if tried == TRIES => return Err(unavailable(key, answer.status.as_str())),
                _ => tokio::time::sleep(Duration::from_millis(50 << tried)).await,
            }
        }
    }

    async fn once(&self, method: &Method, key: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Answer, BucketError> {
        let refused = |why: String| BucketError::Refused { key: key.to_owned(), why };
        let url = format!("{}/{key}", self.url);
        let mut settings = SigningSettings::default();
        // As S3 has it (API reference, "Signature calculations").
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials(key).await?.into();
        let params = v4::SigningParams::builder().identity(&identity).region(&self.region).name("s3");
        let params = params.time(SystemTime::now()).settings(settings).build().map_err(|error| refused(error.to_string()))?;
        let signable = SignableRequest::new(method.as_str(), &url, headers.iter().copied(), SignableBody::Bytes(&body));
        let signed = signable.and_then(|signable| sign(signable, &params.into())).map_err(|error| refused(error.to_string()))?;
        let mut request = Request::builder().method(method.clone()).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::new(body)).map_err(|error| refused(error.to_string()))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);

        let client = self.client.get_or_init(|| https::client(CONNECT).ok()).as_ref();
        let client = client.ok_or_else(|| refused("this machine has no root certificates to know S3 by".to_owned()))?;
        let response = client.request(request).await.map_err(|error| {
            unavailable(key, if error.is_connect() { "it is out of reach" } else { "the connection broke off" })
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, OBJECT_MAX).collect().await.map_err(|_| unavailable(key, "the answer broke off"))?;
        Ok(Answer { status: parts.status, body: body.to_bytes() })
    }

    async fn credentials(&self, key: &str) -> Result<Credentials, BucketError> {
        let mut known = self.known.lock().await;
        let until = SystemTime::now() + MARGIN;
        if let Some(credentials) = known.as_ref().filter(|known| known.expiry().is_none_or(|expiry| expiry > until)) {
            return Ok(credentials.clone());
        }
        let refused = |why: String| BucketError::Refused { key: key.to_owned(), why };
        let provider = self.provider.as_ref().ok_or_else(|| refused("there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|error| refused(ledger::with_causes(&error)))?;
        Ok(known.insert(credentials).clone())
    }

    async fn put_under(&self, key: &str, headers: &[(&str, &str)], bytes: Vec<u8>) -> Result<Answer, BucketError> {
        // Object Lock asks for a checksum of what is put (API reference, `PutObject`).
        let checksum = BASE64.encode(Sha256::digest(&bytes));
        let checked = [("x-amz-sdk-checksum-algorithm", "SHA256"), ("x-amz-checksum-sha256", checksum.as_str())];
        self.call(Method::PUT, key, &[headers, &checked].concat(), Bytes::from(bytes)).await
    }
}

#[async_trait]
impl Bucket for S3 {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        let answer = self.call(Method::GET, key, &[], Bytes::new()).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body.into())),
            StatusCode::NOT_FOUND if !is_no_bucket(&answer) => Ok(None),
            _ => Err(refusal(key, &answer)),
        }
    }

    async fn has(&self, key: &str) -> Result<bool, BucketError> {
        let answer = self.call(Method::HEAD, key, &[], Bytes::new()).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refusal(key, &answer)),
        }
    }

    async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, BucketError> {
        let answer = self.put_under(key, &[("if-none-match", "*")], bytes).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::PRECONDITION_FAILED => Ok(false),
            _ => Err(refusal(key, &answer)),
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        let answer = self.put_under(key, &[], bytes).await?;
        if answer.status == StatusCode::OK { Ok(()) } else { Err(refusal(key, &answer)) }
    }
}

/// 409: another conditional write of the same object was under way (API reference, `PutObject`).
fn is_later(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT)
}

/// The code of an S3 error, `<Error><Code>NoSuchBucket</Code>…`.
fn code(answer: &Answer) -> Option<&str> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    Some(text.split_once("<Code>")?.1.split_once("</Code>")?.0)
}

fn is_no_bucket(answer: &Answer) -> bool {
    code(answer) == Some("NoSuchBucket")
}

fn refusal(key: &str, answer: &Answer) -> BucketError {
    let why = format!("{} {}", answer.status.as_u16(), code(answer).unwrap_or_default()).trim_end().to_owned();
    BucketError::Refused { key: key.to_owned(), why }
}

fn unavailable(key: &str, why: &str) -> BucketError {
    BucketError::Unavailable { key: key.to_owned(), why: why.to_owned() }
}
