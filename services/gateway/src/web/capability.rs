//! `/a/{token}`: one review, for the one person whom the link was made for.

use axum::{
    extract::{Path, State},
    http::{Extensions, HeaderMap, StatusCode},
    response::Response,
};
use channels::{
    capability::{self, Capability, CapabilityError},
    session,
};

use super::{
    problem::{Problem, failed},
    review::{self, Loaded, Viewer},
};
use crate::Gateway;

/// `GET /a/{token}`: shows, and changes nothing, whoever or whatever opens it.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Path(token): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let link = open(&gateway, &token, &headers, &extensions).await?;
    let loaded = Loaded::read(&gateway, link.review).await?;
    Ok(review::answer(StatusCode::OK, &headers, loaded, viewer(&gateway, link, &token), None).await)
}

/// What a link stands for.
///
/// # Errors
/// [`Problem::OldLink`]; [`Problem::BadLink`], and after many of these from one client
/// [`Problem::TooOften`].
pub(super) async fn open(
    gateway: &Gateway,
    token: &str,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Capability, Problem> {
    match capability::open(&gateway.keys, token, gateway.reviews.now()) {
        Ok(link) => Ok(link),
        // It was good once.
        Err(CapabilityError::Expired) => Err(Problem::OldLink),
        Err(CapabilityError::Invalid) => Err(failed(gateway, Problem::BadLink, headers, extensions).await),
    }
}

/// The person that the link was made for, with the token for their form.
pub(super) fn viewer(gateway: &Gateway, link: Capability, token: &str) -> Viewer {
    let csrf = session::form_token(&gateway.keys, token);
    Viewer::Person { person: link.person, action: format!("/a/{token}"), csrf, bar: None }
}
