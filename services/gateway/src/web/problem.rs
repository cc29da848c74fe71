//! Pages for what could not be shown or done. Each says what happened, what was (not) changed, and
//! where to go.

use std::error::Error;

use axum::{
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use ledger::{ExecuteError, LedgerError, with_causes};
use maud::html;

use super::{
    icons::{Icon, icon},
    layout::{Shell, respond},
};
use crate::{
    Gateway,
    limits::{self, Limit, TooOften},
};

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is nothing at this address, for anybody.
    NotFound,
    /// The browser is not signed in.
    SignedOut,
    /// This page is the operator's, and somebody else is signed in.
    OperatorOnly,
    /// The operator decides for nobody.
    NotAReviewer,
    /// The key of a sign-in link is not good (any more).
    BadSignIn,
    /// The sign-in link was used before.
    UsedSignIn,
    /// One client tried too often, or somebody asked too often for one address.
    TooOften {
        /// After how many seconds trying again may help.
        retry_after: u16,
    },
    /// A browser came back from the provider of sign-ins that did not leave for it, or long ago.
    LostOnTheWay,
    /// The provider of sign-ins did not say who somebody is, or not so that it can be taken.
    NotVouchedFor,
    /// The provider has verified no e-mail address of whoever signs in.
    Unverified,
    /// The provider of sign-ins does not answer.
    ProviderOut,
    /// A form came without the token that it was given, or after its session ended.
    ForeignForm,
    /// A form lacks a field that every form of ours has.
    BrokenForm,
    /// A signed link that is not one of ours.
    BadLink,
    /// A signed link whose time has passed.
    OldLink,
    /// The review says more than this build knows, so nothing is decided by it here.
    NeedsNewer,
    /// The store did not answer; trying again may help.
    Busy,
    /// Something is broken; an operator must look at the log.
    Broken,
    /// The log was found not to be what was signed of it.
    Distrusted,
}

impl Problem {
    /// Logs an error that nobody expected, once, here; the page says nothing of it.
    pub fn broken(error: &dyn Error) -> Problem {
        tracing::error!(error = %with_causes(error), "a page could not be made");
        Problem::Broken
    }

    fn is_about_signing_in(self) -> bool {
        matches!(self, Problem::SignedOut | Problem::BadSignIn | Problem::UsedSignIn | Problem::ForeignForm)
            || matches!(self, Problem::LostOnTheWay | Problem::NotVouchedFor | Problem::Unverified | Problem::ProviderOut)
    }

    fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Problem::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "There is no page or review at this address. Perhaps the link was cut short.",
            ),
            Problem::SignedOut => {
                (StatusCode::FORBIDDEN, "Sign in first", "This browser is not signed in, or no longer. Nothing was changed.")
            }
            Problem::OperatorOnly => (
                StatusCode::FORBIDDEN,
                "For the operator only",
                "You are signed in, but this page is for whoever runs the service.",
            ),
            Problem::NotAReviewer => (
                StatusCode::FORBIDDEN,
                "Nothing was decided",
                "The operator decides for nobody in the browser. People sign in themselves, or use the link in their own message; the command line enters what somebody said elsewhere.",
            ),
            Problem::BadSignIn => (
                StatusCode::FORBIDDEN,
                "This sign-in link has expired",
                "A link is good for a short while only, and perhaps part of this one was lost on the way. Ask for another. The operator’s is printed at every start of the service.",
            ),
            Problem::UsedSignIn => (
                StatusCode::FORBIDDEN,
                "This sign-in link was used before",
                "Each works once. If that was you, this browser is signed in already; else ask for another.",
            ),
            Problem::TooOften { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "That was too often",
                "There were too many tries from where you are, or for this address. Wait ten minutes, then try again. Links that are good still open.",
            ),
            Problem::LostOnTheWay => (
                StatusCode::FORBIDDEN,
                "This way in has expired",
                "It has to end in the browser where it began, within ten minutes, and it works once. Nobody was signed in: begin again.",
            ),
            Problem::NotVouchedFor => (
                StatusCode::FORBIDDEN,
                "You were not signed in",
                "Your organisation’s sign-in did not say who you are. Begin again; if that does not help, ask whoever runs this service, whose log says why.",
            ),
            Problem::Unverified => (
                StatusCode::FORBIDDEN,
                "You were not signed in",
                "Your organisation’s sign-in has not verified an e-mail address of yours, so it cannot be told who you are here. Have it verified there, or sign in another way.",
            ),
            Problem::ProviderOut => (
                StatusCode::BAD_GATEWAY,
                "Your organisation’s sign-in does not answer",
                "Nothing is lost: try again in a minute, or sign in another way. The link in a message of yours opens its review without any.",
            ),
            Problem::ForeignForm => (
                StatusCode::FORBIDDEN,
                "Nothing was changed",
                "The form did not come from a page of this session, or the session has ended meanwhile. Open the page again and send it from there.",
            ),
            Problem::BrokenForm => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Nothing was changed",
                "The form came without everything that belongs to it. Open the page again and send it from there.",
            ),
            Problem::BadLink => (
                StatusCode::NOT_FOUND,
                "This link opens nothing",
                "It is not one of ours, or part of it was lost on the way. Copy the whole link from your message.",
            ),
            Problem::OldLink => (
                StatusCode::GONE,
                "This link has expired",
                "It was good for its review only, and for a week after its deadline. Ask the operator if you need to see the record.",
            ),
            Problem::NeedsNewer => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Nothing was changed",
                "A newer version of this service wrote the review, and the one that answered you does not know all that it says. Try again in a moment; if that does not help, the operator has to update the service.",
            ),
            Problem::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Just a moment",
                "The service is busy and did not finish. Trying again is safe: nothing is counted twice.",
            ),
            Problem::Distrusted => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Nothing can be decided at the moment",
                "This service found that its record is not what it was, so it shows nothing of it and takes nothing in. Nothing was changed. Whoever runs the service has to look.",
            ),
            Problem::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something is broken",
                "The service met an error that trying again will not mend. The operator finds it in the service’s log.",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, text) = self.words();
        let main = html! {
            div.empty {
                span.empty-mark { (icon(if self == Problem::Busy { Icon::Clock } else { Icon::Alert })) }
                h1 { (title) }
                p { (text) }
                p { @if self.is_about_signing_in() { a.button.primary href="/signin" { "Sign in" } } @else { a.button href="/" { "Go to the inbox" } } }
            }
        };
        let mut response = respond(status, &HeaderMap::new(), &Shell { title, ..Shell::default() }, &main);
        match self {
            Problem::TooOften { retry_after } => drop(response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after))),
            Problem::NeedsNewer | Problem::Busy => drop(response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1_u16))),
            _ => {}
        }
        response
    }
}

/// Counts a try that failed: the problem that it met, or [`Problem::TooOften`] when its client has had
/// too many of them.
pub(super) async fn failed(gateway: &Gateway, problem: Problem, headers: &HeaderMap, extensions: &Extensions) -> Problem {
    match limits::client(gateway, Limit::Failures, headers, extensions).await {
        Ok(Ok(())) => problem,
        Ok(Err(too_often)) => too_often.into(),
        Err(error) => error.into(),
    }
}

impl From<TooOften> for Problem {
    fn from(TooOften { retry_after }: TooOften) -> Problem {
        Problem::TooOften { retry_after }
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Problem {
        if error.needs_newer() {
            return Problem::NeedsNewer;
        }
        if let ExecuteError::Ledger(error) = error {
            return error.into();
        }
        if error.is_retryable() { busy(&error) } else { Problem::broken(&error) }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Problem {
        if matches!(error, LedgerError::Distrusted { .. }) {
            tracing::error!(%error, "nothing is answered from the log");
            return Problem::Distrusted;
        }
        if error.is_retryable() { busy(&error) } else { Problem::broken(&error) }
    }
}

fn busy(error: &dyn Error) -> Problem {
    tracing::warn!(error = %with_causes(error), "the store was busy");
    Problem::Busy
}

/// What answers where no page is.
pub(super) async fn nowhere() -> Problem {
    Problem::NotFound
}
