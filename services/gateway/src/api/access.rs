//! Who calls, and what they may do: the operator's key may do everything, the bearer token of an
//! integration what its scopes name.

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use channels::bearer::BearerToken;
use events::{IntegrationId, Timestamp, event::Scope};
use intake::{API_SOURCE, Sender};
use review::{Directory, Integration};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::Gateway;

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// The operator's key; no scope will do.
    OperatorKey,
    /// The operator's key, or an integration with this scope.
    Scope(Scope),
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The holder of the operator's key.
    Operator,
    /// A program with a token, or a pair of keys, of its own.
    Integration(IntegrationId, Arc<Integration>),
}

impl Caller {
    /// Who hands in what they ask for.
    pub(crate) fn sender(&self) -> Sender {
        match self {
            Caller::Operator => Sender::Operator { source: API_SOURCE.to_owned() },
            Caller::Integration(name, known) => Sender::Integration { name: name.clone(), known: Arc::clone(known) },
        }
    }

    fn may(&self, needs: Needs) -> Result<(), Problem> {
        match (self, needs) {
            (Caller::Operator, _) | (_, Needs::Nothing) => Ok(()),
            (Caller::Integration(..), Needs::OperatorKey) => Err(Problem::operator_only()),
            (Caller::Integration(_, known), Needs::Scope(scope)) if known.scopes.contains(&scope) => Ok(()),
            (Caller::Integration(name, _), Needs::Scope(scope)) => Err(Problem::insufficient_scope(name, scope)),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Operator => f.write_str("operator"),
            Caller::Integration(name, _) => write!(f, "integration {name}"),
        }
    }
}

/// By what right a request was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Right(Needs);

impl Right {
    /// Whether whoever was let in would be now: a token may be revoked, replaced or past its time while a
    /// request is held.
    ///
    /// # Errors
    /// As if the request came in now.
    pub(crate) async fn still_holds(self, gateway: &Gateway, headers: &HeaderMap) -> Result<(), Problem> {
        if self.0 == Needs::Nothing {
            return Ok(());
        }
        caller(gateway, headers).await?.may(self.0)
    }
}

/// Only behind [`admit`], which knows it.
impl<S: Send + Sync> FromRequestParts<S> for Right {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Right>().copied().ok_or_else(|| Problem::unauthorized("Nobody was asked who they are.", false))
    }
}

/// Only behind [`admit`], which knows them.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| Problem::unauthorized("Nobody was asked who they are.", false))
    }
}

/// What stands before one route.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) gateway: Gateway,
    pub(crate) needs: Needs,
}

/// Lets a request in whose caller may call the route.
pub(crate) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if gate.needs == Needs::Nothing {
        return next.run(request).await;
    }
    let admitted = match caller(&gate.gateway, request.headers()).await {
        Ok(caller) => caller.may(gate.needs).map(|()| caller),
        Err(problem) => Err(problem),
    };
    match admitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(Right(gate.needs));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Whose bearer token a request shows.
pub(crate) async fn caller(gateway: &Gateway, headers: &HeaderMap) -> Result<Caller, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(given) = given else {
        return Err(Problem::unauthorized("Send the operator's key, or the token of an integration, as a bearer token.", false));
    };
    let key = given.split_once(' ').filter(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty());
    let Some((_, key)) = key else {
        return Err(Problem::unauthorized("The Authorization header has the form: Bearer TOKEN.", false));
    };
    let key = key.trim();
    if gateway.operator_key.verify(key) {
        return Ok(Caller::Operator);
    }
    let Some(token) = BearerToken::read(key) else {
        return Err(Problem::unauthorized("This is neither the operator's key nor the token of an integration.", true));
    };
    let directory = gateway.reviews.directory().await?;
    let Some((name, known)) = holder(&directory, &token) else {
        return Err(Problem::unauthorized("No integration has this token (any more).", true));
    };
    active(name, known, gateway.reviews.now())
}

/// The integration, while its registration holds.
pub(crate) fn active(name: &IntegrationId, known: &Integration, now: Timestamp) -> Result<Caller, Problem> {
    match (known.revoked_at, known.expires_at) {
        (Some(at), _) => Err(Problem::unauthorized(format!("The token of integration {name} was revoked at {at}."), true)),
        (None, Some(at)) if now >= at => {
            Err(Problem::unauthorized(format!("The token of integration {name} expired at {at}."), true))
        }
        (None, _) => Ok(Caller::Integration(name.clone(), Arc::new(known.clone()))),
    }
}

/// Whose token this is. It takes the same time wherever it stands, and whichever byte differs.
fn holder<'a>(directory: &'a Directory, token: &BearerToken) -> Option<(&'a IntegrationId, &'a Integration)> {
    let given = token.hash();
    let mut found = None;
    for (name, known) in &directory.integrations {
        if bool::from(known.token_hash.as_bytes().ct_eq(given.as_bytes())) {
            found = Some((name, known));
        }
    }
    found
}
