//! Pages for what could not be shown or done. Each says what happened, what was (not) changed, and
//! where to go.

use std::error::Error;

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use ledger::{ExecuteError, LedgerError, with_causes};
use maud::html;

use super::{
    icons::{Icon, icon},
    layout::{Shell, respond},
};

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is nothing at this address, for anybody.
    NotFound,
    /// This page is the operator's, and the browser is not signed in.
    SignedOut,
    /// The key of a sign-in link is not good (any more).
    BadSignIn,
    /// A form came without the token that it was given, or after its session ended.
    ForeignForm,
    /// A form lacks a field that every form of ours has.
    BrokenForm,
    /// A signed link that is not one of ours.
    BadLink,
    /// A signed link whose time has passed.
    OldLink,
    /// The store did not answer; trying again may help.
    Busy,
    /// Something is broken; an operator must look at the log.
    Broken,
}

impl Problem {
    /// Logs an error that nobody expected, once, here; the page says nothing of it.
    pub fn broken(error: &dyn Error) -> Problem {
        tracing::error!(error = %with_causes(error), "a page could not be made");
        Problem::Broken
    }

    fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Problem::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "There is no page or review at this address. Perhaps the link was cut short.",
            ),
            Problem::SignedOut => (
                StatusCode::FORBIDDEN,
                "Sign in first",
                "This page is the operator’s, and this browser is not signed in. Open the sign-in link that the service printed when it started, or use the link in your own message.",
            ),
            Problem::BadSignIn => (
                StatusCode::FORBIDDEN,
                "This sign-in link has expired",
                "Every start of the service prints a new one, and it is good for a while only. Take the newest.",
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
            Problem::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Just a moment",
                "The service is busy and did not finish. Trying again is safe: nothing is counted twice.",
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
                p { a.button href="/" { "Go to the inbox" } }
            }
        };
        respond(status, &HeaderMap::new(), &Shell { title, ..Shell::default() }, &main)
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Problem {
        if error.is_retryable() { busy(&error) } else { Problem::broken(&error) }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Problem {
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
