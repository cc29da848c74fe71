//! The way to a provider of sign-ins, such as the single sign-on of an organisation, and back.

use std::error::Error;

/// Where a provider sends browsers back to, below our own address; it is told of that beforehand.
pub const BACK: &str = "/signin/back";

/// One browser's way to a provider. It holds secrets of that way, so it does not print.
pub struct Departure {
    /// Where the browser goes; empty once it has come back.
    pub url: String,
    /// Comes back beside the code, and shows that it is this browser's.
    pub state: String,
    /// Comes back inside the signed token.
    pub nonce: String,
    /// Shows that the code is asked for by whoever sent the browser away (PKCE).
    pub verifier: String,
}

/// Why a provider signed nobody in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It did not answer, or not in words that can be read, or does not take this service for its client: no fault of
    /// whoever signs in. Trying again may help.
    #[error("the provider of sign-ins does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It said no, or what it said does not hold. Final for this way to it.
    #[error("what the provider of sign-ins said does not hold")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// It knows the person but vouches for no e-mail address of theirs. Final.
    #[error("the provider of sign-ins vouches for no e-mail address")]
    Unverified,
}

impl ProviderError {
    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, ProviderError::Unavailable(_))
    }
}
