//! The pages: inbox, reviews, signed links, outbox and dead letters. They work without scripts; the
//! one script only fetches the page again when it has changed.
//!
//! GET and HEAD show; a POST needs the token of the form it came from. Everything that callers
//! wrote is put out as text, or as markdown with all but plain formatting taken away.

pub mod assets;
pub mod layout;
pub mod problem;
pub mod who;

mod capability;
mod dead_letters;
mod form;
mod icons;
mod inbox;
mod markdown;
mod outbox;
mod review;
mod signin;
mod votes;
mod words;

#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};

use crate::Gateway;

/// The routes of the pages.
pub fn routes() -> Router<Gateway> {
    Router::new()
        .route("/", get(inbox::show))
        .route("/signin", get(signin::show).post(signin::enter))
        .route("/signout", post(signin::leave))
        .route("/reviews/{id}", get(review::show))
        .route("/reviews/{id}/vote", get(votes::back).post(votes::by_operator))
        .route("/reviews/{id}/cancel", get(votes::back).post(votes::cancel))
        .route("/a/{capability}", get(capability::show).post(votes::by_capability))
        .route("/outbox", get(outbox::show))
        .route("/dead-letters", get(dead_letters::show).post(dead_letters::redrive))
        .route("/assets/{file}", get(assets::serve))
        .fallback(problem::nowhere)
}
