//! Programs with a bearer token of their own: what they may do, and whom they act as.

use std::collections::BTreeSet;

use events::{
    Event, IntegrationId, PersonId, Timestamp,
    digest::BearerHash,
    event::{INTEGRATION_ACCOUNT, IntegrationRegistered, IntegrationRevoked, Origin, Scope, V},
};

use crate::directory::Directory;

/// The most integrations whose tokens are taken at a time: each call with a token is compared with all.
pub const INTEGRATIONS_MAX: usize = 1_000;

/// What the directory knows of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// What its token is known by.
    pub token_hash: BearerHash,
    /// The person whom it acts as.
    pub acts_as: Option<PersonId>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// From when on its token is no longer taken.
    pub expires_at: Option<Timestamp>,
    /// When its token was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Why an integration is not registered or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntegrationRefusal {
    /// Its name is that of another whose token is taken.
    #[error("an integration of that name is there")]
    NameTaken,
    /// There are [`INTEGRATIONS_MAX`].
    #[error("there are {INTEGRATIONS_MAX} integrations, the most that there may be")]
    TooMany,
    /// There is none of that name, or it is revoked.
    #[error("there is no integration of that name")]
    Absent,
}

impl Integration {
    pub(crate) fn registered(event: &IntegrationRegistered, at: Timestamp) -> Integration {
        Integration {
            scopes: event.scopes.iter().copied().collect(),
            token_hash: event.token_hash,
            acts_as: event.acts_as.clone(),
            registered_at: at,
            expires_at: event.expires_at,
            revoked_at: None,
        }
    }

    /// Whether its token is taken at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// The origin of what an integration asks for.
pub fn origin_of(name: &IntegrationId, event_id: impl Into<String>) -> Origin {
    Origin { account: INTEGRATION_ACCOUNT.to_owned(), source: name.to_string(), event_id: event_id.into() }
}

/// Whether this integration asked.
pub fn is_asked_by(origin: &Origin, name: &IntegrationId) -> bool {
    origin.account == INTEGRATION_ACCOUNT && origin.source == name.as_str()
}

impl Directory {
    /// The person whom the asking integration acts as; `None` when none asked, or it acts as nobody.
    pub fn acting_for(&self, origin: &Origin) -> Option<&PersonId> {
        if origin.account != INTEGRATION_ACCOUNT {
            return None;
        }
        let name: IntegrationId = origin.source.parse().ok()?;
        self.integrations.get(&name)?.acts_as.as_ref()
    }

    /// What puts an integration on record. The name of one that was revoked or has expired may be
    /// used again: that is how a token is replaced.
    ///
    /// # Errors
    /// See [`IntegrationRefusal`].
    pub fn register_integration(&self, wanted: &IntegrationRegistered, now: Timestamp) -> Result<Event, IntegrationRefusal> {
        if self.integrations.get(&wanted.integration).is_some_and(|known| known.is_active(now)) {
            return Err(IntegrationRefusal::NameTaken);
        }
        if self.integrations.values().filter(|known| known.revoked_at.is_none()).count() >= INTEGRATIONS_MAX {
            return Err(IntegrationRefusal::TooMany);
        }
        Ok(wanted.clone().into())
    }

    /// What puts on record that a token is no longer taken.
    ///
    /// # Errors
    /// See [`IntegrationRefusal`].
    pub fn revoke_integration(&self, name: &IntegrationId) -> Result<Event, IntegrationRefusal> {
        match self.integrations.get(name) {
            Some(known) if known.revoked_at.is_none() => Ok(IntegrationRevoked { v: V, integration: name.clone() }.into()),
            _ => Err(IntegrationRefusal::Absent),
        }
    }
}
