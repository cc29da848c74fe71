//! Programs with a token of their own: what they may do, and whom they act as.

use std::collections::BTreeSet;

use events::{
    AccessKeyId, Event, IntegrationId, PersonId, SourceName, Timestamp,
    digest::BearerHash,
    event::{Changed, INTEGRATION_ACCOUNT, IntegrationRegistered, IntegrationRevoked, Origin, Scope, V},
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
    /// The source that the entries of its PutEvents calls name.
    pub source: Option<SourceName>,
    /// The access key id by which it signs those calls.
    pub access_key: Option<AccessKeyId>,
    /// Whom it acted as before it was registered anew, and until when.
    pub acted_as: Vec<ActedAs>,
}

/// Somebody whom an integration acted as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActedAs {
    /// Who.
    pub person: PersonId,
    /// When it was registered anew.
    pub until: Timestamp,
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
    /// What an event makes of the integration that had this name `before`: all of it is replaced, but whom it
    /// acted as is kept.
    pub(crate) fn registered(event: &IntegrationRegistered, at: Timestamp, before: Option<Integration>) -> Integration {
        let acted_as = before.map_or_else(Vec::new, |before| {
            let last = before.acts_as.map(|person| ActedAs { person, until: at });
            before.acted_as.into_iter().chain(last).collect()
        });
        Integration {
            scopes: event.scopes.iter().copied().collect(),
            token_hash: event.token_hash,
            acts_as: event.acts_as.clone(),
            registered_at: at,
            expires_at: event.expires_at,
            revoked_at: None,
            source: event.source.clone(),
            access_key: event.access_key.clone(),
            acted_as,
        }
    }

    /// Everybody whom it has acted as since `since`, and whom it acts as now.
    fn acting_since(&self, since: Timestamp) -> impl Iterator<Item = &PersonId> {
        let before = self.acted_as.iter().filter(move |before| since <= before.until).map(|before| &before.person);
        before.chain(&self.acts_as)
    }

    /// Whether it may hand in this person's vote: as the person whom it acts as, or, where it acts as nobody, as
    /// anybody, since its source was registered for that.
    pub fn may_vote_for(&self, person: &PersonId, directory: &Directory) -> bool {
        let is_theirs = |own: &PersonId| directory.primary(own) == directory.primary(person);
        self.scopes.contains(&Scope::CastVotes) && self.acts_as.as_ref().map_or(self.source.is_some(), is_theirs)
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
    /// Everybody whom the integration that asked has acted as since it asked: each of them counts as who asked. Who
    /// it was is kept when the integration is registered anew, so that nobody comes to decide on their own request
    /// by a new token.
    pub fn acting_for(&self, origin: &Origin, asked_at: Timestamp) -> impl Iterator<Item = &PersonId> {
        let name = Some(origin).filter(|origin| origin.account == INTEGRATION_ACCOUNT);
        let name = name.and_then(|origin| origin.source.parse::<IntegrationId>().ok());
        let known = name.and_then(|name| self.integrations.get(&name));
        known.into_iter().flat_map(move |known| known.acting_since(asked_at))
    }

    /// What puts an integration on record. The name of one that was revoked or has expired may be
    /// used again: that is how a token is replaced. The event says who `changed` it, whatever `wanted` says.
    ///
    /// # Errors
    /// See [`IntegrationRefusal`].
    pub fn register_integration(
        &self,
        wanted: &IntegrationRegistered,
        changed: &Changed,
        now: Timestamp,
    ) -> Result<Event, IntegrationRefusal> {
        if self.integrations.get(&wanted.integration).is_some_and(|known| known.is_active(now)) {
            return Err(IntegrationRefusal::NameTaken);
        }
        if self.integrations.values().filter(|known| known.revoked_at.is_none()).count() >= INTEGRATIONS_MAX {
            return Err(IntegrationRefusal::TooMany);
        }
        Ok(IntegrationRegistered { changed: Some(changed.clone()), ..wanted.clone() }.into())
    }

    /// What puts on record that a token is no longer taken.
    ///
    /// # Errors
    /// See [`IntegrationRefusal`].
    pub fn revoke_integration(&self, name: &IntegrationId, changed: &Changed) -> Result<Event, IntegrationRefusal> {
        match self.integrations.get(name) {
            Some(known) if known.revoked_at.is_none() => {
                Ok(IntegrationRevoked { v: V, integration: name.clone(), changed: Some(changed.clone()) }.into())
            }
            _ => Err(IntegrationRefusal::Absent),
        }
    }
}
