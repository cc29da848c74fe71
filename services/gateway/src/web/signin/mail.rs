//! Asking for a link by mail. Whoever asks is told the same, whether or not the address is known
//! here, and after the same time.

use std::time::Duration;

use axum::{
    extract::State,
    http::{Extensions, HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use channels::session;
use events::{Period, PersonId};
use ledger::with_causes;
use maud::html;
use serde::Deserialize;

use super::{
    super::{
        form::Fields,
        icons::{Icon, icon},
        layout::{Shell, respond},
        problem::Problem,
        who,
    },
    address, arrives, is_known, provider, target,
};
use crate::{
    Gateway,
    limits::{self, Limit},
};

/// How long a link may be used.
const LIFE: Period = Period::seconds(15 * 60);
/// Every answer takes at least this long, so that its time does not tell who is known; looking
/// somebody up and handing a mail over take less.
const ANSWER_AFTER: Duration = Duration::from_millis(500);
/// How long the form may lie before it is sent.
const FORM_LIFE: Duration = Duration::from_secs(60 * 60);
/// The cookie that the form of somebody not signed in is bound to.
const COOKIE: &str = "visitor";

/// The page that asks for an address.
pub(super) fn form(
    gateway: &Gateway,
    review: Option<&str>,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, Problem> {
    let mut visitor = [0; 16];
    getrandom::fill(&mut visitor).map_err(|error| Problem::broken(&error))?;
    let visitor = URL_SAFE_NO_PAD.encode(visitor);
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Mail)) }
            h1 { "Sign in" }
            (provider::way(gateway, review))
            @if gateway.sign_in.mail.is_some() {
                p { "Say who you are, and a link is sent to you. There is no password." }
                @if let Some(wrong) = wrong { p.wrong role="alert" { (icon(Icon::Alert)) " " (wrong) } }
                form.ask method="post" action="/signin/mail" {
                    input type="hidden" name="csrf" value=(session::form_token(&gateway.keys, &visitor));
                    @if target(review) != "/" { input type="hidden" name="review" value=[review]; }
                    label for="email" { "E-mail address" }
                    input #email type="email" name="email" required maxlength="254" autocomplete="email" autocapitalize="none" spellcheck="false";
                    button.primary type="submit" { "Send me a link" }
                }
            } @else if gateway.sign_in.provider.is_none() {
                p { "People cannot sign in here: no mail is set up. Open the link in your own message; it lets you see and decide that one review." }
            }
            p.small { "You run this service? Open the sign-in link that it printed when it started." }
        }
    };
    let page = respond(status, &HeaderMap::new(), &Shell { title: "Sign in", ..Shell::default() }, &main);
    Ok(([(SET_COOKIE, who::set_cookie(gateway, COOKIE, &visitor, FORM_LIFE)?)], page).into_response())
}

#[derive(Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    email: String,
    review: Option<String>,
}

/// `POST /signin/mail`.
pub(super) async fn ask(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    extensions: Extensions,
    Fields(question): Fields<Question>,
) -> Result<Response, Problem> {
    let visitor = who::cookie(&gateway, &headers, COOKIE).unwrap_or_default();
    if visitor.is_empty() || !session::is_form_token(&gateway.keys, visitor, &question.csrf) {
        return Err(Problem::ForeignForm);
    }
    let Some(mail) = &gateway.sign_in.mail else { return Err(Problem::NotFound) };
    limits::client(&gateway, Limit::Questions, &headers, &extensions).await??;
    let person = match address(&question.email) {
        Ok(person) => person,
        Err(invalid) => {
            let wrong = format!("That is not {}.", invalid.expected);
            return form(&gateway, question.review.as_deref(), StatusCode::UNPROCESSABLE_ENTITY, Some(&wrong));
        }
    };
    limits::address(&gateway, &person).await??;
    let (sent, ()) = tokio::join!(send(&gateway, &person, question.review.as_deref()), tokio::time::sleep(ANSWER_AFTER));
    sent?;
    let main = html! {
        div.empty {
            span.empty-mark.calm { (icon(Icon::Mail)) }
            h1 { "A link is on its way" }
            p { "If " strong { (person) } " is known here, it arrives in a moment and is good for " (LIFE.as_seconds() / 60) " minutes. " (arrives(mail.channel())) }
            p { a.button href="/signin" { "Ask again" } }
        }
    };
    Ok(respond(StatusCode::OK, &HeaderMap::new(), &Shell { title: "A link is on its way", ..Shell::default() }, &main))
}

/// Sends a link to who is known. Nothing of that is told.
async fn send(gateway: &Gateway, person: &PersonId, review: Option<&str>) -> Result<(), Problem> {
    let Some(mail) = &gateway.sign_in.mail else { return Ok(()) };
    if !is_known(gateway, person).await? {
        tracing::info!("a sign-in link was not sent: nobody knows the address");
        return Ok(());
    }
    let key = session::mint_person_link(&gateway.keys, person, gateway.reviews.now().after(LIFE));
    let key = key.map_err(|error| Problem::broken(&error))?;
    let place = target(review);
    let place = place.strip_prefix("/reviews/").map(|id| format!("&review={id}")).unwrap_or_default();
    let link = format!("{}/signin?key={key}{place}", gateway.base_url);
    if let Err(error) = mail.send(person, &link).await {
        tracing::error!(error = %with_causes(error.as_ref()), "a sign-in link could not be sent");
    }
    Ok(())
}
