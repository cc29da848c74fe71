//! Signing a browser in, as the operator or as a person, and out again.
//!
//! Every way in ends with a button that somebody presses, and the button itself says so: what opens
//! links, or sends the forms that it finds, as mail scanners do, is never signed in and never uses a
//! link up.

mod mail;
mod provider;

use axum::{
    Router,
    extract::{Query, State},
    http::{
        Extensions, HeaderMap, StatusCode,
        header::{HeaderName, SET_COOKIE},
    },
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use channels::{
    provider::BACK,
    session::{self, Holder, Pass},
};
use events::{PersonId, ReviewId, event::Channel, ids::InvalidId, request::Reviewer};
use ledger::{Claim, Search};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    form::Fields,
    icons::{Icon, icon},
    layout::{Shell, respond},
    problem::{Problem, failed},
    who,
};
use crate::Gateway;

/// Browsers say with it whether another site led to us (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What the button of the form adds to it when it is pressed.
const GO: &str = "in";

pub(super) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/signin", get(show).post(enter))
        .route("/signin/mail", get(|| async { Redirect::to("/signin") }).post(mail::ask))
        .route("/signin/provider", get(provider::leave))
        .route(BACK, get(provider::back))
        .route("/signout", post(leave))
}

#[derive(Deserialize)]
struct Link {
    key: Option<String>,
    review: Option<String>,
}

/// What a sign-in link stands for, unless its time is over.
fn read(gateway: &Gateway, key: &str) -> Result<Pass, Problem> {
    session::open_link(&gateway.keys, key, gateway.reviews.now()).ok_or(Problem::BadSignIn)
}

/// Where somebody goes who signed in: the review they came for, or the inbox. Only a review's id is
/// ever taken from an address, so that no link of ours leads elsewhere.
fn target(review: Option<&str>) -> String {
    let review: Option<ReviewId> = review.and_then(|review| review.parse().ok());
    review.map_or_else(|| "/".to_owned(), |review| format!("/reviews/{review}"))
}

/// What somebody sees who must sign in before they see a review. The session's cookie does not come
/// along when another site, such as a mail reader, leads here: then the page asks again by itself.
pub(super) fn first(headers: &HeaderMap, review: Option<ReviewId>) -> Response {
    if is_led_here(headers) {
        return again();
    }
    let place = review.map_or_else(|| "/signin".to_owned(), |review| format!("/signin?review={review}"));
    Redirect::to(&place).into_response()
}

/// Whether another site led the browser here.
pub(super) fn is_led_here(headers: &HeaderMap) -> bool {
    headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site")
}

/// A page that loads itself once more, now from our own site.
pub(super) fn again() -> Response {
    let main = html! { div.empty { p { a href="" { "Go on" } } } };
    respond(StatusCode::OK, &HeaderMap::new(), &Shell { title: "One moment", again: true, ..Shell::default() }, &main)
}

/// `GET /signin`: how to sign in; with the key of a link, the button that does it.
async fn show(
    State(gateway): State<Gateway>,
    Query(link): Query<Link>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let Some(key) = &link.key else {
        return match who::session(&gateway, &headers) {
            Some(_) => Ok(Redirect::to(&target(link.review.as_deref())).into_response()),
            None if is_led_here(&headers) => Ok(again()),
            None => mail::form(&gateway, link.review.as_deref(), StatusCode::OK, None),
        };
    };
    let pass = match read(&gateway, key) {
        Ok(pass) => pass,
        Err(problem) => return Err(failed(&gateway, problem, &headers, &extensions).await),
    };
    let (title, text) = match pass.holder {
        Holder::Operator if gateway.dev => (
            "Sign in as the operator".to_owned(),
            "This browser will see every review for 12 hours, and may enter decisions on behalf of reviewers. What it enters is logged as entered by the operator. The link works once.",
        ),
        Holder::Operator => (
            "Sign in as the operator".to_owned(),
            "This browser will see every review for 12 hours, and may cancel them. It decides for nobody: people decide by signing in themselves, or by the link in their own message. The link works once.",
        ),
        Holder::Person(person) => (
            format!("Sign in as {person}"),
            "This browser will see the reviews that you have a part in, and decide in your name, for 8 hours. The link works once.",
        ),
    };
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Inbox)) }
            h1 { (title) }
            p { (text) }
            form method="post" action="/signin" {
                input type="hidden" name="key" value=(key);
                input type="hidden" name="csrf" value=(session::form_token(&gateway.keys, key));
                @if let Some(review) = &link.review { input type="hidden" name="review" value=(review); }
                // A form that a script sends carries no button.
                button.primary type="submit" name="go" value=(GO) { "Sign in" }
            }
        }
    };
    Ok(respond(StatusCode::OK, &HeaderMap::new(), &Shell { title: "Sign in", ..Shell::default() }, &main))
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    key: String,
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    go: String,
    review: Option<String>,
}

/// `POST /signin`: only by the button.
async fn enter(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    extensions: Extensions,
    Fields(form): Fields<SignIn>,
) -> Result<Response, Problem> {
    let pass = match read(&gateway, &form.key) {
        Ok(pass) => pass,
        Err(problem) => return Err(failed(&gateway, problem, &headers, &extensions).await),
    };
    if !session::is_form_token(&gateway.keys, &form.key, &form.csrf) {
        return Err(Problem::ForeignForm);
    }
    if form.go != GO {
        return Err(Problem::BrokenForm);
    }
    let now = gateway.reviews.now();
    // Used up from here to its end.
    let used = gateway.work.claim(&format!("signin/link/{}", pass.name), now, pass.expires_at).await?;
    if let Claim::Busy { .. } = used {
        return Err(Problem::UsedSignIn);
    }
    // By the address that signed in, which a vote then names when it is one of their aliases.
    let holder = pass.holder;
    tracing::info!(operator = holder == Holder::Operator, "a browser was signed in");
    Ok(([(SET_COOKIE, who::sign_in(&gateway, &holder, now)?)], Redirect::to(&target(form.review.as_deref()))).into_response())
}

#[derive(Deserialize)]
struct SignOut {
    #[serde(default)]
    csrf: String,
}

/// `POST /signout`.
async fn leave(State(gateway): State<Gateway>, headers: HeaderMap, Fields(form): Fields<SignOut>) -> Result<Response, Problem> {
    let session = who::session_with_form(&gateway, &headers, &form.csrf)?;
    Ok(([(SET_COOKIE, who::sign_out(&gateway, &session).await?)], Redirect::to("/")).into_response())
}

/// The person of this e-mail address.
///
/// # Errors
/// What is wrong with it.
fn address(text: &str) -> Result<PersonId, InvalidId> {
    PersonId::email(text.trim())
}

/// Whether the directory has this person, or a review names them as one who asks or decides.
async fn is_known(gateway: &Gateway, person: &PersonId) -> Result<bool, Problem> {
    let directory = gateway.reviews.directory().await?;
    let primary = directory.primary(person);
    let names = directory.names_of(&primary);
    if directory.knows(person) || names.iter().any(|name| matches!(name, Reviewer::Group(_))) {
        return Ok(true);
    }
    let asked = Search { reviewers: names, ..Search::default() };
    let asks = Search { requesters: directory.recorded_ids_of(&primary), ..Search::default() };
    for search in [asked, asks] {
        if !gateway.views.search(&search, None, 1).await?.rows.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where a link that is on its way will arrive.
fn arrives(channel: Channel) -> Markup {
    html! {
        @match channel {
            Channel::Outbox => { "No mail is set up, so the link is printed where the service runs." }
            _ => { "Look into your mailbox, and in the folder for unwanted mail too." }
        }
    }
}
