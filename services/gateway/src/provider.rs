//! Who else may say who somebody is: the trait that the pages sign in by.

use async_trait::async_trait;
pub use channels::provider::{Departure, ProviderError};
use events::Timestamp;

/// A provider of sign-ins, such as the single sign-on of an organisation.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What people call it: "Sign in with …".
    fn name(&self) -> &str;

    /// Where a browser goes to sign in, and what must be known again when it comes back.
    ///
    /// # Errors
    /// See [`ProviderError`].
    async fn start(&self) -> Result<Departure, ProviderError>;

    /// The e-mail address that the provider vouches for, by the code that it gave to the browser which
    /// left with `departure`. Whatever does not belong to that very departure is refused.
    ///
    /// # Errors
    /// See [`ProviderError`].
    async fn finish(&self, code: &str, departure: &Departure, now: Timestamp) -> Result<String, ProviderError>;
}
