//! What the provider says of itself, and its keys: read when somebody first signs in, and kept.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use channels::provider::ProviderError;
use openidconnect::{IssuerUrl, core::CoreProviderMetadata};
use tokio::sync::Mutex;

use super::{http::Http, unavailable};

/// How long it is good for. A key that is not among those that we know is looked for at once.
const GOOD_FOR: Duration = Duration::from_secs(60 * 60);
/// How long a provider that did not answer is left alone, so that many who want to sign in do not each
/// wait for it in turn.
const REST: Duration = Duration::from_secs(2);

enum Known {
    Nothing,
    Metadata(Arc<CoreProviderMetadata>, Instant),
    Out(Instant),
}

/// The discovery document of one provider.
pub(super) struct Document {
    issuer: IssuerUrl,
    known: Mutex<Known>,
}

impl Document {
    pub(super) fn of(issuer: IssuerUrl) -> Document {
        Document { issuer, known: Mutex::new(Known::Nothing) }
    }

    /// The document, at most [`GOOD_FOR`] old.
    pub(super) async fn read(&self, http: &Http) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        // Held while it is asked for: who comes meanwhile is given the same.
        let mut known = self.known.lock().await;
        match &*known {
            Known::Metadata(metadata, at) if at.elapsed() < GOOD_FOR => return Ok(Arc::clone(metadata)),
            Known::Out(at) if at.elapsed() < REST => {
                return Err(ProviderError::Unavailable("it did not answer just now".into()));
            }
            _ => {}
        }
        let asked = self.ask(&mut known, http).await;
        if asked.is_err() {
            *known = Known::Out(Instant::now());
        }
        asked
    }

    /// The document as it is now.
    pub(super) async fn read_anew(&self, http: &Http) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        self.ask(&mut known, http).await
    }

    async fn ask(&self, known: &mut Known, http: &Http) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), http).await.map_err(unavailable)?;
        let metadata = Arc::new(metadata);
        *known = Known::Metadata(Arc::clone(&metadata), Instant::now());
        Ok(metadata)
    }
}
