//! Answers with an `ETag`, and 304 to a caller who has that one (RFC 9110, 8.8.3 and 13.1.2).

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::Version;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

/// Hexadecimal digits of the digest that stands for a body: 128 bits.
const DIGITS: usize = 32;

/// The strong ETag of a version.
pub(super) fn etag(version: Version) -> String {
    format!("\"v{version}\"")
}

/// Whether the caller has what this tag stands for.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// The JSON under this tag, or 304 without making it.
pub(super) fn answer(
    headers: &HeaderMap,
    tag: &str,
    make: impl FnOnce() -> Result<String, serde_json::Error>,
) -> Result<Response, Problem> {
    let known = is_known(headers, tag);
    let tag = HeaderValue::try_from(tag).map_err(|error| Problem::internal(&error, false))?;
    let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let text = make().map_err(|error| Problem::internal(&error, false))?;
    Ok((headers, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// The body under this tag, or 304.
pub(super) fn tagged(headers: &HeaderMap, tag: &str, body: &impl Serialize) -> Result<Response, Problem> {
    answer(headers, tag, || serde_json::to_string(body))
}

/// The body under a tag that is made of the body itself, or 304.
pub(super) fn by_content(headers: &HeaderMap, body: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(body).map_err(|error| Problem::internal(&error, false))?;
    let digest = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    answer(headers, &format!("\"{}\"", &digest[..DIGITS]), || Ok(text))
}
