//! AWS Signature Version 4, verified: the signature is made anew from the request as it came, by the code that the AWS
//! SDK for Rust signs with, and compared with the one that was sent (IAM user guide, "AWS Signature Version 4 for API
//! requests"). Only the form with an `Authorization` header is taken, and only a payload that is signed.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use axum::http::{HeaderMap, Method, Uri, header};
use chrono::NaiveDateTime;
use events::{Period, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::wire::CallError;

/// The scheme of the header.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the caller's clock may be from ours, either way.
pub(super) const SKEW: Period = Period::seconds(5 * 60);
const DATE: &str = "%Y%m%dT%H%M%SZ";
/// What has to be signed: whom the call is for, when it was made, and what it asks.
const ALWAYS: [&str; 3] = ["host", "x-amz-date", "x-amz-target"];

/// What a request says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// The access key id.
    pub(super) key_id: String,
    /// When it was signed, as the header has it.
    pub(super) at: Timestamp,
    /// The signature: 64 hexadecimal digits.
    pub(super) signature: String,
    region: String,
    service: String,
    headers: Vec<String>,
}

fn incomplete(message: impl Into<String>) -> CallError {
    CallError::new("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> CallError {
    CallError::new("InvalidSignatureException", message)
}

/// Whether a request is signed, by header or by query.
pub(super) fn is_signed(uri: &Uri, headers: &HeaderMap) -> bool {
    let by_header = |value: &header::HeaderValue| value.to_str().is_ok_and(|text| text.trim_start().starts_with("AWS4-"));
    let query = uri.query().unwrap_or_default().to_ascii_lowercase();
    headers.get_all(header::AUTHORIZATION).iter().any(by_header) || query.contains("x-amz-")
}

impl Signed {
    /// Reads what a request says of its signature.
    ///
    /// # Errors
    /// `IncompleteSignatureException` for what is no signature of the one form that is taken.
    pub(super) fn read(uri: &Uri, headers: &HeaderMap) -> Result<Signed, CallError> {
        if uri.query().is_some() {
            return Err(incomplete("Sign by the Authorization header: a signature in the query is not taken here."));
        }
        let text = only(headers, "authorization").ok_or_else(|| incomplete("There has to be one Authorization header."))?;
        let parameters = text.trim().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' '));
        let parameters = parameters.ok_or_else(|| incomplete(format!("The only algorithm here is {ALGORITHM}.")))?;
        let (mut credential, mut signed, mut signature) = (None, None, None);
        for parameter in parameters.split(',').map(str::trim) {
            let place = match parameter.split_once('=') {
                Some(("Credential", value)) => (&mut credential, value),
                Some(("SignedHeaders", value)) => (&mut signed, value),
                Some(("Signature", value)) => (&mut signature, value),
                _ => {
                    return Err(incomplete(
                        "The Authorization header has parameters other than Credential, SignedHeaders and Signature.",
                    ));
                }
            };
            if place.0.replace(place.1).is_some() {
                return Err(incomplete("The Authorization header has a parameter twice."));
            }
        }
        let (Some(credential), Some(signed), Some(signature)) = (credential, signed, signature) else {
            return Err(incomplete("The Authorization header needs the parameters Credential, SignedHeaders and Signature."));
        };
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if signature.len() != 64 || !signature.bytes().all(is_hex) {
            return Err(incomplete("The signature has to be 64 hexadecimal digits."));
        }
        let scope: Vec<&str> = credential.split('/').collect();
        let [key_id, date, region, service, "aws4_request"] = scope[..] else {
            return Err(incomplete("The credential has to have the form KEY/DATE/REGION/SERVICE/aws4_request."));
        };
        let headers_of = signed.split(';').map(str::to_owned).collect::<Vec<_>>();
        let is_name = |name: &String| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        if !headers_of.iter().all(is_name) || !headers_of.is_sorted_by(|one, next| one < next) {
            return Err(incomplete("The signed headers have to be lower case, in order, and each once."));
        }
        for name in ALWAYS.into_iter().chain(["x-amz-content-sha256", "x-amz-security-token"]) {
            let needed = ALWAYS.contains(&name) || headers.contains_key(name);
            if needed && !headers_of.iter().any(|signed| signed == name) {
                return Err(incomplete(format!("The header {name} has to be there and signed.")));
            }
        }
        if headers_of.iter().any(|name| name == "authorization") {
            return Err(incomplete("The Authorization header cannot be signed by itself."));
        }
        let at = only(headers, "x-amz-date").and_then(read_date);
        let at = at.ok_or_else(|| incomplete("The header x-amz-date has to have the form 20261130T120000Z."))?;
        if !only(headers, "x-amz-date").is_some_and(|text| text.starts_with(date)) || date.len() != 8 {
            return Err(invalid("The date of the credential is not that of x-amz-date."));
        }
        let [key_id, region, service, signature] = [key_id, region, service, signature].map(str::to_owned);
        Ok(Signed { key_id, at, signature, region, service, headers: headers_of })
    }

    /// Checks when and for which service it was signed.
    ///
    /// # Errors
    /// `InvalidSignatureException`.
    pub(super) fn check_scope(&self, service: &str, now: Timestamp) -> Result<(), CallError> {
        if self.service != service {
            return Err(invalid(format!("Credential should be scoped to correct service: '{service}'.")));
        }
        if self.region.is_empty() {
            return Err(invalid("Credential should be scoped to a region."));
        }
        if self.at.after(SKEW) < now {
            return Err(invalid(format!("Signature expired: it is of {}, and it is now {now}. Check the clock.", self.at)));
        }
        if now.after(SKEW) < self.at {
            return Err(invalid(format!(
                "Signature not yet current: it is of {}, and it is now {now}. Check the clock.",
                self.at
            )));
        }
        Ok(())
    }

    /// Checks that whoever holds `secret` signed this very request.
    ///
    /// # Errors
    /// `InvalidSignatureException`.
    pub(super) fn verify(
        &self,
        secret: &str,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), CallError> {
        if let Some(stated) = headers.get("x-amz-content-sha256")
            && stated.as_bytes() != hex::encode(Sha256::digest(body)).as_bytes()
        {
            return Err(invalid("The header x-amz-content-sha256 is not the SHA-256 of the payload."));
        }
        let expected = self.expected(secret, method, uri, headers, body);
        let is_theirs = expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())));
        if is_theirs {
            return Ok(());
        }
        Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check the secret access key, and \
             that no proxy changes the request, its Host among it.",
        ))
    }

    /// The signature that this request would have by this secret; `None` when a signed header is missing or no text.
    fn expected(&self, secret: &str, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let mut signed = Vec::with_capacity(self.headers.len());
        for name in &self.headers {
            let before = signed.len();
            for value in headers.get_all(name) {
                signed.push((name.as_str(), value.to_str().ok()?));
            }
            if signed.len() == before {
                return None;
            }
        }
        let request = SignableRequest::new(method.as_str(), uri.path(), signed.into_iter(), SignableBody::Bytes(body)).ok()?;
        // The caller said which headers are signed: whatever is not among them was left out above.
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let identity = Credentials::new(&self.key_id, secret, None, None, "integration").into();
        let time = self.at.as_datetime().into();
        let params = v4::SigningParams::builder().identity(&identity).region(&self.region).name(&self.service);
        let params = params.time(time).settings(settings).build().ok()?;
        Some(sign(request, &params.into()).ok()?.signature().to_owned())
    }
}

/// The one value of a header, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn read_date(text: &str) -> Option<Timestamp> {
    let at = NaiveDateTime::parse_from_str(text, DATE).ok()?;
    // The one way to write it: it is signed as it is written.
    (at.format(DATE).to_string() == text).then(|| at.and_utc().into())
}

#[cfg(test)]
mod tests;
