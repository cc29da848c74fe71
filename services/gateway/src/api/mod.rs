//! What programs call: the API under `/api/v1` (described in `schemas/openapi.json`), the EventBridge
//! `PutEvents` call, and the health check.

mod cancel;
mod dead_letters;
mod directory;
mod health;
mod input;
mod problem;
mod put_events;
mod reconcile;
mod review_document;
mod reviews;
mod votes;

#[cfg(test)]
mod tests;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::header,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde::Serialize;

use crate::Gateway;

/// Where the API lives.
const PREFIX: &str = "/api/v1";

/// The routes of programs.
pub fn routes() -> Router<Gateway> {
    let api = resources()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed);
    // GET / is a page.
    let put_events = post(put_events::call).layer(DefaultBodyLimit::max(put_events::BODY_MAX));
    Router::new().route("/", put_events).route("/healthz", get(health::check)).nest(PREFIX, api)
}

/// Every resource of the API. Each handler asks for the operator's key.
fn resources() -> [(&'static str, MethodRouter<Gateway>); 9] {
    [
        ("/reviews", get(reviews::list).post(reviews::open)),
        ("/reviews/{review_id}", get(reviews::show)),
        ("/reviews/{review_id}/events", get(reviews::events)),
        ("/reviews/{review_id}/votes", post(votes::cast)),
        ("/reviews/{review_id}/cancel", post(cancel::cancel)),
        ("/directory", get(directory::show).put(directory::apply)),
        ("/dead-letters", get(dead_letters::list)),
        ("/dead-letters/redrive", post(dead_letters::redrive)),
        ("/reconcile", post(reconcile::run)),
    ]
}

/// 200 with a JSON body.
fn json(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => problem::Problem::internal(&error, false).into_response(),
    }
}
