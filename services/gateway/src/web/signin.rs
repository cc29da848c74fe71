//! Signing a browser in as the operator, and out again.

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Redirect, Response},
};
use channels::session;
use maud::html;
use serde::Deserialize;

use super::{
    form::Fields,
    icons::{Icon, icon},
    layout::{Shell, respond},
    problem::Problem,
    who,
};
use crate::Gateway;

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    key: String,
}

/// `GET /signin?key=…`: a button, since whatever opens links by itself must not be signed in.
pub(super) async fn show(State(gateway): State<Gateway>, Query(link): Query<Link>) -> Result<Response, Problem> {
    if !session::is_signin(&gateway.keys, &link.key, gateway.reviews.now()) {
        return Err(Problem::BadSignIn);
    }
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Inbox)) }
            h1 { "Sign in as the operator" }
            p { "This browser will see every review for 12 hours, and may enter decisions on behalf of reviewers. What it enters is logged as entered by the operator." }
            form method="post" action="/signin" {
                input type="hidden" name="key" value=(link.key);
                input type="hidden" name="csrf" value=(session::form_token(&gateway.keys, &link.key));
                button.primary type="submit" { "Sign in" }
            }
        }
    };
    Ok(respond(StatusCode::OK, &HeaderMap::new(), &Shell { title: "Sign in", ..Shell::default() }, &main))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    key: String,
    #[serde(default)]
    csrf: String,
}

/// `POST /signin`.
pub(super) async fn enter(State(gateway): State<Gateway>, Fields(form): Fields<SignIn>) -> Result<Response, Problem> {
    let now = gateway.reviews.now();
    if !session::is_signin(&gateway.keys, &form.key, now) {
        return Err(Problem::BadSignIn);
    }
    if !session::is_form_token(&gateway.keys, &form.key, &form.csrf) {
        return Err(Problem::ForeignForm);
    }
    tracing::info!("a browser was signed in as the operator");
    Ok(([(SET_COOKIE, who::sign_in(&gateway, now)?)], Redirect::to("/")).into_response())
}

#[derive(Deserialize)]
pub(super) struct SignOut {
    #[serde(default)]
    csrf: String,
}

/// `POST /signout`.
pub(super) async fn leave(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Fields(form): Fields<SignOut>,
) -> Result<Response, Problem> {
    who::operator_with_form(&gateway, &headers, &form.csrf)?;
    Ok(([(SET_COOKIE, who::sign_out(&gateway))], Redirect::to("/")).into_response())
}
