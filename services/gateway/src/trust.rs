//! A log that was found not to be what was signed of it answers nothing: neither is anything written to it, nor is
//! anybody told what may have been altered.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Gateway, api, web};

/// 503 to everything while the log is distrusted, but to what holds nothing of it.
pub(crate) async fn check(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let Err(error) = gateway.reviews.ledger().trusted() else { return next.run(request).await };
    let path = request.uri().path();
    if path == "/livez" || path.starts_with("/assets/") {
        return next.run(request).await;
    }
    let for_programs =
        api::is_ours(path) || ["/healthz", "/readyz"].contains(&path) || (path == "/" && !request.method().is_safe());
    let mut response = match for_programs {
        true => api::distrusted(&error),
        false => web::problem::Problem::Distrusted.into_response(),
    };
    // It takes an operator, so there is no use in asking at once.
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    response
}
