//! Signing in with a provider that knows who people are: away to it, and back.
//!
//! What must be known again when the browser comes back is in a cookie of its own, which we alone can read
//! and make, so that only the browser that left can come back, and only once.

use std::time::Duration;

use axum::{
    extract::{Query, State},
    http::{Extensions, HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use channels::session::Holder;
use events::{Period, PersonId, Timestamp};
use ledger::{Claim, with_causes};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::{
    super::{
        icons::{Icon, icon},
        layout::{Shell, respond},
        problem::{Problem, failed},
        who,
    },
    address, is_known, target,
};
use crate::{Departure, Gateway, Provider, ProviderError};

/// How long somebody may take at the provider.
const AWAY: Period = Period::seconds(10 * 60);
/// What the cookie is for, and concealed for.
const COOKIE: &str = "departure";
/// The most characters of a provider's refusal that reach the log.
const ERROR_MAX: usize = 80;

/// What the cookie holds, concealed: the verifier is for us and the provider.
#[derive(Serialize, Deserialize)]
struct Luggage {
    until: Timestamp,
    state: String,
    nonce: String,
    verifier: String,
    review: Option<String>,
}

/// The button on the sign-in page, where there is a provider.
pub(super) fn way(gateway: &Gateway, review: Option<&str>) -> Markup {
    let place = target(review);
    let place = place.strip_prefix("/reviews/").map(|id| format!("?review={id}")).unwrap_or_default();
    html! {
        @if let Some(provider) = &gateway.sign_in.provider {
            // A link: the content policy lets no form lead elsewhere.
            div.providers { a.button.primary href={ "/signin/provider" (place) } { "Sign in with " bdi { (provider.name()) } } }
            @if gateway.sign_in.mail.is_some() { p.or { "or" } }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Leaving {
    review: Option<String>,
}

/// `GET /signin/provider`: off to the provider.
pub(super) async fn leave(State(gateway): State<Gateway>, Query(leaving): Query<Leaving>) -> Result<Response, Problem> {
    let Departure { url, state, nonce, verifier } = provider(&gateway)?.start().await.map_err(|error| problem(&error))?;
    let until = gateway.reviews.now().after(AWAY);
    let luggage = Luggage { until, state, nonce, verifier, review: leaving.review.filter(|review| target(Some(review)) != "/") };
    let json = serde_json::to_vec(&luggage).map_err(|error| Problem::broken(&error))?;
    let age = Duration::from_secs(AWAY.as_seconds().unsigned_abs());
    // Lax: the provider, another site, leads back.
    let concealed = gateway.keys.conceal(COOKIE, &json).map_err(|error| Problem::broken(&error))?;
    let cookie = who::set_lax_cookie(&gateway, COOKIE, &concealed, age)?;
    Ok(([(SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
}

/// `GET /signin/back`: only in the browser that left, with what the provider gave to that departure.
pub(super) async fn back(
    State(gateway): State<Gateway>,
    Query(back): Query<Back>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let provider = provider(&gateway)?;
    let now = gateway.reviews.now();
    let Some(luggage) = luggage(&gateway, &headers, &back, now).await? else {
        return Err(failed(&gateway, Problem::LostOnTheWay, &headers, &extensions).await);
    };
    if let Some(error) = back.error {
        let error: String = error.chars().filter(|c| !c.is_control()).take(ERROR_MAX).collect();
        tracing::info!(error, "the provider signed nobody in");
        return Err(Problem::NotVouchedFor);
    }
    let Luggage { state, nonce, verifier, review, .. } = luggage;
    let departure = Departure { url: String::new(), state, nonce, verifier };
    let email = match provider.finish(&back.code, &departure, now).await {
        Ok(email) => email,
        Err(error) if error.is_retryable() => return Err(problem(&error)),
        Err(error) => return Err(failed(&gateway, problem(&error), &headers, &extensions).await),
    };
    let Ok(person) = address(&email) else { return Err(Problem::Unverified) };
    let gone = who::set_lax_cookie(&gateway, COOKIE, "", Duration::ZERO)?;
    if !is_known(&gateway, &person).await? {
        tracing::info!("the provider vouched for somebody whom nobody here knows");
        return Ok(([(SET_COOKIE, gone)], unknown(&person)).into_response());
    }
    // By the address that the provider vouched for, which a vote then names when it is one of their aliases.
    tracing::info!(operator = false, "a browser was signed in by the provider");
    let session = who::sign_in(&gateway, &Holder::Person(person), now)?;
    let cookies = AppendHeaders([(SET_COOKIE, session), (SET_COOKIE, gone)]);
    Ok((cookies, Redirect::to(&target(review.as_deref()))).into_response())
}

/// What this browser took along, when that is still good and this is its way back, for the first time.
async fn luggage(gateway: &Gateway, headers: &HeaderMap, back: &Back, now: Timestamp) -> Result<Option<Luggage>, Problem> {
    let read = who::cookie(gateway, headers, COOKIE).and_then(|value| gateway.keys.reveal(COOKIE, value));
    let luggage: Option<Luggage> = read.and_then(|json| serde_json::from_slice(&json).ok());
    let is_ours = |luggage: &Luggage| now < luggage.until && bool::from(luggage.state.as_bytes().ct_eq(back.state.as_bytes()));
    let Some(luggage) = luggage.filter(is_ours) else { return Ok(None) };
    // The store need not know what could still be used.
    let name: String = Sha256::digest(&luggage.state).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let first = gateway.work.claim(&format!("signin/back/{name}"), now, luggage.until).await? == Claim::Granted;
    Ok(first.then_some(luggage))
}

fn provider(gateway: &Gateway) -> Result<&dyn Provider, Problem> {
    gateway.sign_in.provider.as_deref().ok_or(Problem::NotFound)
}

/// The page for an error, which is logged here.
fn problem(error: &ProviderError) -> Problem {
    match error {
        ProviderError::Unavailable(_) => {
            tracing::error!(error = %with_causes(error), "nobody can sign in with the provider now");
            Problem::ProviderOut
        }
        ProviderError::Refused(_) => {
            tracing::warn!(error = %with_causes(error), "the provider's word was not taken");
            Problem::NotVouchedFor
        }
        ProviderError::Unverified => {
            tracing::info!("the provider has verified no address of somebody who signs in");
            Problem::Unverified
        }
    }
}

/// The page of somebody whom the provider knows and nobody here.
fn unknown(person: &PersonId) -> Response {
    const TITLE: &str = "Nobody here knows you yet";
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Alert)) }
            h1 { (TITLE) }
            p { "You are " strong { bdi { (person) } } " there, but no review and no entry of the directory here names that address. You were not signed in." }
            p { "Ask whoever runs this service to add you, or sign in as somebody else: sign out there first." }
            p { a.button href="/signin" { "Sign in another way" } }
        }
    };
    respond(StatusCode::FORBIDDEN, &HeaderMap::new(), &Shell { title: TITLE, ..Shell::default() }, &main)
}
