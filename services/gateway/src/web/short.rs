//! The short address of a review, as an SMS carries it.

use axum::{
    extract::Path,
    response::{IntoResponse as _, Redirect, Response},
};
use channels::link;

use super::problem::Problem;

/// `GET /r/{short}`: leads on to the page, whether or not there is such a review: that is for the page
/// to say, to whoever has signed in.
pub(super) async fn show(Path(short): Path<String>) -> Result<Response, Problem> {
    let review = link::of_short(&short).ok_or(Problem::NotFound)?;
    Ok(Redirect::to(&format!("/reviews/{review}")).into_response())
}
