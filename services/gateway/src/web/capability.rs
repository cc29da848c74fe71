//! `/a/{token}`: one review, for the one person whom the link was made for.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use channels::{
    capability::{self, Capability, CapabilityError},
    session,
};

use super::{
    problem::Problem,
    review::{self, Loaded, Viewer},
};
use crate::Gateway;

/// `GET /a/{token}`: shows, and changes nothing, whoever or whatever opens it.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let link = open(&gateway, &token)?;
    let loaded = Loaded::read(&gateway, link.review).await?;
    let viewer = viewer(&gateway, &link, &token);
    Ok(review::answer(StatusCode::OK, &headers, None, &loaded, &viewer, None))
}

/// What a link stands for.
///
/// # Errors
/// [`Problem::BadLink`] and [`Problem::OldLink`].
pub(super) fn open(gateway: &Gateway, token: &str) -> Result<Capability, Problem> {
    capability::open(&gateway.keys, token, gateway.reviews.now()).map_err(|error| match error {
        CapabilityError::Invalid => Problem::BadLink,
        CapabilityError::Expired => Problem::OldLink,
    })
}

/// The person that the link was made for, with the token for their form.
pub(super) fn viewer<'a>(gateway: &Gateway, link: &'a Capability, token: &'a str) -> Viewer<'a> {
    Viewer::Person { person: &link.person, token, csrf: session::form_token(&gateway.keys, token) }
}
