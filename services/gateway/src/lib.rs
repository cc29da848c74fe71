//! The HTTP surface, the same router on one machine and in the gateway Lambda: the inbox and review
//! pages, signed links, and the API. A service that takes EventBridge's `PutEvents` call itself merges [`put_events`].
//!
//! GET changes nothing; only a deliberate POST with a choice decides.

pub mod api;
pub mod audit;
mod ended;
mod limits;
mod off_thread;
mod panics;
mod provider;
mod proxies;
pub mod put_events;
pub mod security;
pub mod slack;
mod trust;
pub mod web;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;
use channels::{
    access_key::AccessKeys,
    keys::{Keyring, OperatorKey},
};
use events::{PersonId, ReviewId, Version, event::Channel};
use intake::Intake;
use ledger::{Reviews, Views, Work};

pub use ended::Ended;
pub use limits::Limits;
pub use provider::{Departure, Provider, ProviderError};
pub use proxies::{Network, NotANetwork, Proxies};

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// Commands go in here, folds come out.
    pub reviews: Arc<Reviews>,
    /// Lists.
    pub views: Arc<dyn Views>,
    /// Dead letters.
    pub work: Arc<dyn Work>,
    /// Requests, votes and cancellations from programs.
    pub intake: Arc<Intake>,
    /// Wakes who waits for a review.
    pub arrivals: Arc<dyn Arrivals>,
    /// Puts a parked record back to work.
    pub redrive: Arc<dyn Redrive>,
    /// Finds what the log says is owed and has it done.
    pub reconcile: Arc<dyn Reconcile>,
    /// Signs and verifies links, sessions and form tokens.
    pub keys: Arc<Keyring>,
    /// The operator's key, which the API and `--as` ask for.
    pub operator_key: Arc<OperatorKey>,
    /// Gives integrations key pairs to sign `PutEvents` calls with; only a service that takes such calls has them.
    pub access_keys: Option<AccessKeys>,
    /// How the outside reaches us, such as `http://127.0.0.1:8787`, without a slash at the end.
    pub base_url: Arc<str>,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Whether the operator may enter anybody's vote in the browser; every page says so.
    pub dev: bool,
    /// Whether the demo's pages are served beside ours, so that the pages link to `/demo`.
    pub demo: bool,
}

/// Tells when a review has moved on. A gateway that cannot hold a request answers at once.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// Returns when the review has a version above `after`, or when `limit` is over.
    async fn changed(&self, review: ReviewId, after: Version, limit: Duration);
}

/// Takes a dead letter back to its consumer.
#[async_trait]
pub trait Redrive: Send + Sync {
    /// Handles the record again; an error, with its causes, leaves it parked.
    async fn redrive(&self, parked: &ledger::Parked) -> Result<(), String>;
}

/// Derives what is owed from the log alone, whatever the views and streams have missed.
#[async_trait]
pub trait Reconcile: Send + Sync {
    /// Has everything done that is owed; answers what was found, for the operator. An error, with
    /// its causes, says what stopped it; starting again is safe.
    async fn reconcile(&self) -> Result<serde_json::Value, String>;
}

/// The ways in for people; the operator's own link works without any.
#[derive(Clone, Default)]
pub struct SignIn {
    /// Carries links to people who ask for one.
    pub mail: Option<Arc<dyn SignInMail>>,
    /// Who else says who somebody is.
    pub provider: Option<Arc<dyn Provider>>,
    /// Who tried too often.
    pub limits: Arc<Limits>,
    /// Whose word is taken for who tries.
    pub proxies: Proxies,
    /// Which sessions were signed out of.
    pub ended: Arc<Ended>,
}

/// Carries a sign-in link to a person.
#[async_trait]
pub trait SignInMail: Send + Sync {
    /// What the link goes by: e-mail, or the console of a service without.
    fn channel(&self) -> Channel;

    /// Hands the link over for this address. An error is for the log alone. Must not take long: how
    /// long an answer takes would tell strangers who is known here.
    async fn send(&self, to: &PersonId, link: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// Everything that answers HTTP.
pub fn router(gateway: Gateway) -> Router {
    router_beside(gateway, Router::new())
}

/// Everything that answers HTTP, and further pages under the same guard.
pub fn router_beside(gateway: Gateway, further: Router<Gateway>) -> Router {
    let routes = Router::new().merge(api::routes(&gateway)).merge(web::routes()).merge(further);
    security::guard(routes, &gateway).with_state(gateway)
}
