//! A log that was found not to be what was signed of it answers nothing: neither is anything written to it, nor is
//! anybody told what may have been altered.

use axum::{
    extract::Request,
    http::{HeaderValue, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};

use crate::{Gateway, api, web};

/// 503 to everything while the log is distrusted, but to what holds nothing of it; `None` while it is trusted.
pub(crate) fn refusal(gateway: &Gateway, request: &Request) -> Option<Response> {
    let error = gateway.reviews.ledger().trusted().err()?;
    let path = request.uri().path();
    if path == "/livez" || path.starts_with("/assets/") {
        return None;
    }
    let for_programs =
        api::is_ours(path) || ["/healthz", "/readyz"].contains(&path) || (path == "/" && !request.method().is_safe());
    let mut response = match for_programs {
        true => api::distrusted(&error),
        false => web::problem::Problem::Distrusted.into_response(),
    };
    // It takes an operator, so there is no use in asking at once.
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    Some(response)
}
