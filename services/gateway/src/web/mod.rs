//! The pages: inbox, reviews, signed links, outbox and dead letters. They work without scripts; the
//! one script only fetches the page again when it has changed.
//!
//! GET and HEAD show; a POST needs the token of the form it came from. Everything that callers
//! wrote is put out as text, or as markdown with all but plain formatting taken away.

pub mod assets;
pub mod layout;
pub mod markdown;
pub mod problem;
pub mod who;

mod audit;
mod capability;
mod dead_letters;
mod form;
mod icons;
mod inbox;
mod outbox;
mod rendered;
mod review;
mod short;
mod signin;
mod votes;
mod words;

#[cfg(test)]
pub(crate) mod tests;

use axum::{Router, routing::get};

pub(crate) use markdown::is_image;

use crate::Gateway;

/// The routes of the pages.
pub fn routes() -> Router<Gateway> {
    Router::new()
        .route("/", get(inbox::show))
        .merge(signin::routes())
        .route("/reviews/{id}", get(review::show))
        .route("/reviews/{id}/vote", get(votes::back).post(votes::by_session))
        .route("/reviews/{id}/cancel", get(votes::back).post(votes::cancel))
        .route("/a/{capability}", get(capability::show).post(votes::by_capability))
        .route("/r/{short}", get(short::show))
        .route("/audit", get(audit::show))
        .route("/reviews/{id}/report", get(audit::report))
        .route("/outbox", get(outbox::show))
        .route("/dead-letters", get(dead_letters::show).post(dead_letters::redrive))
        .route("/assets/{file}", get(assets::serve))
        .fallback(problem::nowhere)
}
