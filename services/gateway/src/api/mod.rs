//! What programs call: the API under `/api/v1` (described in `schemas/openapi.json`), and the health check.

pub(crate) mod access;
mod audit;
mod cancel;
mod change;
mod cursor;
mod dead_letters;
mod directory;
mod fresh;
mod health;
mod input;
mod integrations;
mod openapi;
pub(crate) mod problem;
mod reconcile;
mod review_document;
mod reviews;
mod sign_in_links;
mod stuck;
mod votes;

#[cfg(test)]
mod tests;

use access::{Gate, Needs};
use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use events::event::Scope;
use problem::Problem;
use serde::Serialize;
pub use sign_in_links::LIFE as SIGN_IN_LINK_LIFE;

use crate::Gateway;

/// Where the API lives.
const PREFIX: &str = "/api/v1";

/// The routes of programs.
pub fn routes(gateway: &Gateway) -> Router<Gateway> {
    let guarded = |needs, handler: MethodRouter<Gateway>| {
        let gate = Gate { gateway: gateway.clone(), needs };
        handler.route_layer(middleware::from_fn_with_state(gate, access::admit))
    };
    let api = resources()
        .into_iter()
        .fold(Router::new(), |router, (_, path, needs, handler)| router.route(path, guarded(needs, handler)))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed);
    Router::new().route("/healthz", get(health::check)).nest(PREFIX, api)
}

/// One method of one resource, and what it asks of its caller.
type Resource = (&'static str, &'static str, Needs, MethodRouter<Gateway>);

/// Every resource of the API.
fn resources() -> [Resource; 17] {
    use Needs::{Nothing, OperatorKey, Scope as Scoped};
    [
        ("GET", "/openapi.json", Nothing, get(openapi::show)),
        ("GET", "/reviews", Scoped(Scope::ReadReviews), get(reviews::list)),
        ("POST", "/reviews", Scoped(Scope::RequestReviews), post(reviews::open)),
        ("GET", "/reviews/{review_id}", Scoped(Scope::ReadReviews), get(reviews::show)),
        ("GET", "/reviews/{review_id}/events", Scoped(Scope::ReadReviews), get(reviews::events)),
        ("POST", "/reviews/{review_id}/votes", Scoped(Scope::CastVotes), post(votes::cast)),
        ("POST", "/reviews/{review_id}/cancel", Scoped(Scope::RequestReviews), post(cancel::cancel)),
        ("GET", "/audit", Scoped(Scope::ReadReviews), get(audit::answer)),
        ("GET", "/directory", Scoped(Scope::ReadDirectory), get(directory::show)),
        ("PUT", "/directory", Scoped(Scope::WriteDirectory), put(directory::apply)),
        ("GET", "/dead-letters", Scoped(Scope::Operate), get(dead_letters::list)),
        ("POST", "/dead-letters/redrive", Scoped(Scope::Operate), post(dead_letters::redrive)),
        ("POST", "/reconcile", Scoped(Scope::Operate), post(reconcile::run)),
        ("POST", "/sign-in-links", OperatorKey, post(sign_in_links::make)),
        ("GET", "/integrations", OperatorKey, get(integrations::list)),
        ("POST", "/integrations", OperatorKey, post(integrations::register)),
        ("DELETE", "/integrations/{name}", OperatorKey, delete(integrations::revoke)),
    ]
}

/// A folded review as `GET /reviews/{id}` answers it, as JSON; `None` while there is nothing to show.
///
/// # Errors
/// Never: these are texts, times and numbers.
pub fn document(fold: &review::Fold) -> Result<Option<String>, serde_json::Error> {
    review_document::text(fold)
}

/// Whether a path is one of the API, so that errors there are problem documents.
pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A request that is not let in because of where it comes from or whom it is addressed to.
pub(crate) fn turned_away(status: StatusCode, detail: &'static str) -> Response {
    let (code, title) = match status {
        StatusCode::MISDIRECTED_REQUEST => ("other-host", "Not the host that was asked for"),
        _ => ("other-site", "Not from another site"),
    };
    Problem::new(status, code, title, detail.trim_end()).into_response()
}

/// A handler panicked.
pub(crate) fn panicked() -> Response {
    Problem::panicked().into_response()
}

/// The log was found not to be what was signed of it.
pub(crate) fn distrusted(error: &ledger::LedgerError) -> Response {
    Problem::distrusted(error).into_response()
}

/// Where a folded stream stands; `None` when there is none.
pub(crate) fn status(state: &review::State) -> Option<ledger::Status> {
    review_document::status(state)
}

/// 200 with a JSON body.
fn json(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => Problem::internal(&error, false).into_response(),
    }
}
