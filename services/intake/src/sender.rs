//! Who handed an event in, as its door authenticated them. What an event says of its sender is no part of it: trust
//! is decided from this alone.

use std::sync::Arc;

use events::{
    IntegrationId,
    event::{Canceller, INTEGRATION_ACCOUNT, Scope},
};
use review::{Directory, Integration};

use crate::{LOCAL_ACCOUNT, TrustedSource};

/// Who handed an event in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// Nobody was asked who they are: a program on this machine, under the source that it wrote. It may ask for
    /// reviews, and withdraw what was asked under that source; nothing that it says is believed.
    Unauthenticated {
        /// What it wrote.
        source: String,
    },
    /// EventBridge, or the policy of a queue, vouches for the account, and for the source as far as the policies of
    /// that account do.
    Bus {
        /// The account of AWS.
        account: String,
        /// The source, such as `com.example.pipeline`.
        source: String,
    },
    /// IAM let a program of our own account invoke us; the source is what it wrote, which no policy looks at.
    Invoked {
        /// Our account of AWS.
        account: String,
        /// What it wrote.
        source: String,
    },
    /// A program that showed a token, or a signature, of its own. What it wrote as its source counts for nothing.
    Integration {
        /// Which.
        name: IntegrationId,
        /// What it may do.
        known: Arc<Integration>,
    },
    /// The holder of the operator's key.
    Operator {
        /// Where the request is from: the API, the demonstration, or what was written.
        source: String,
    },
}

impl Sender {
    /// The account in the origin of what they ask for.
    pub fn account(&self) -> &str {
        match self {
            Sender::Unauthenticated { .. } | Sender::Operator { .. } => LOCAL_ACCOUNT,
            Sender::Bus { account, .. } | Sender::Invoked { account, .. } => account,
            Sender::Integration { .. } => INTEGRATION_ACCOUNT,
        }
    }

    /// The source in the origin of what they ask for.
    pub fn source(&self) -> &str {
        match self {
            Sender::Unauthenticated { source }
            | Sender::Bus { source, .. }
            | Sender::Invoked { source, .. }
            | Sender::Operator { source } => source,
            Sender::Integration { name, .. } => name.as_str(),
        }
    }

    /// As whom they withdraw a review.
    pub fn canceller(&self) -> Canceller {
        match self {
            Sender::Operator { .. } => Canceller::Operator,
            _ => Canceller::Source { account: self.account().to_owned(), source: self.source().to_owned() },
        }
    }

    /// Whether it is our own publication that comes back, by the bus or by somebody who replays an archive into the
    /// function. It asks for nothing, so whoever only claims to be us gains nothing.
    pub(crate) fn is_us(&self) -> bool {
        match self {
            Sender::Bus { source, .. } | Sender::Invoked { source, .. } => source == events::published::SOURCE,
            Sender::Unauthenticated { .. } | Sender::Integration { .. } | Sender::Operator { .. } => false,
        }
    }

    /// The source of an event that the bus itself delivered.
    pub(crate) fn bus_source(&self) -> Option<&str> {
        match self {
            Sender::Bus { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The integration that handed it in.
    pub(crate) fn integration(&self) -> Option<(&IntegrationId, &Integration)> {
        match self {
            Sender::Integration { name, known } => Some((name, known)),
            _ => None,
        }
    }
}

/// Whose word counts, besides that of integrations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust(Vec<TrustedSource>);

impl Trust {
    pub(crate) fn new(sources: Vec<TrustedSource>) -> Trust {
        Trust(sources)
    }

    /// Whether this sender may hand in a vote of this person.
    pub(crate) fn votes(&self, sender: &Sender, person: &events::PersonId, directory: &Directory) -> bool {
        match sender {
            Sender::Bus { account, source } => self.names(account, source),
            Sender::Integration { known, .. } => known.source.is_some() && known.may_vote_for(person, directory),
            // The operator enters votes by the API, where they are recorded as entered by the operator.
            Sender::Unauthenticated { .. } | Sender::Invoked { .. } | Sender::Operator { .. } => false,
        }
    }

    /// Whether this sender may say that a reviewer was reached.
    pub(crate) fn reports(&self, sender: &Sender) -> bool {
        match sender {
            Sender::Bus { account, source } => self.names(account, source),
            Sender::Integration { known, .. } => known.scopes.contains(&Scope::ReportNotices),
            Sender::Unauthenticated { .. } | Sender::Invoked { .. } | Sender::Operator { .. } => false,
        }
    }

    fn names(&self, account: &str, source: &str) -> bool {
        self.0.iter().any(|known| (known.account.as_str(), known.source.as_str()) == (account, source))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use events::{PersonId, Timestamp, digest::BearerHash};

    use super::*;

    const ACCOUNT: &str = "111122223333";
    const SOURCE: &str = "com.example.approver";

    fn integration(name: &str, scopes: &[Scope], acts_as: Option<&str>, source: Option<&str>) -> Sender {
        let known = Integration {
            scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
            token_hash: BearerHash::of(b"token"),
            acts_as: acts_as.map(|person| person.parse().expect("a person")),
            registered_at: Timestamp::from_millis(0).expect("a time"),
            expires_at: None,
            revoked_at: None,
            source: source.map(|source| source.parse().expect("a source")),
            access_key: None,
            acted_as: Vec::new(),
        };
        Sender::Integration { name: name.parse().expect("a name"), known: Arc::new(known) }
    }

    #[test]
    fn invariant_13_trust_follows_from_who_was_authenticated_and_never_from_what_was_written() {
        let own = |text: &str| text.to_owned();
        let [account, source] = [ACCOUNT, SOURCE].map(own);
        let trust = Trust::new(vec![TrustedSource { account: account.clone(), source: source.clone() }]);
        let (ana, directory): (PersonId, _) = ("ana@example.com".parse().expect("a person"), Directory::default());
        let votes_and_notices = [Scope::CastVotes, Scope::ReportNotices];
        for (sender, votes, reports) in [
            (Sender::Bus { account: account.clone(), source: source.clone() }, true, true),
            (Sender::Bus { account: own("999"), source: source.clone() }, false, false),
            (Sender::Bus { account: account.clone(), source: own("com.example.other") }, false, false),
            (Sender::Unauthenticated { source: source.clone() }, false, false),
            (Sender::Invoked { account, source: source.clone() }, false, false),
            (Sender::Operator { source }, false, false),
            (integration("tool", &votes_and_notices, None, Some(SOURCE)), true, true),
            (integration("tool", &[Scope::CastVotes], None, Some(SOURCE)), true, false),
            (integration("tool", &[Scope::ReportNotices], None, Some(SOURCE)), false, true),
            (integration("tool", &[Scope::RequestReviews], None, Some(SOURCE)), false, false),
            // Who acts as somebody hands in their votes alone, and by this door only under a source.
            (integration("tool", &votes_and_notices, Some("ana@example.com"), Some(SOURCE)), true, true),
            (integration("tool", &votes_and_notices, Some("bo@example.com"), Some(SOURCE)), false, true),
            (integration("tool", &votes_and_notices, Some("ana@example.com"), None), false, true),
            // A name that reads as a trusted source is a name.
            (integration(SOURCE, &[Scope::RequestReviews], None, None), false, false),
        ] {
            assert_eq!(trust.votes(&sender, &ana, &directory), votes, "{sender:?}");
            assert_eq!(trust.reports(&sender), reports, "{sender:?}");
        }
    }

    #[test]
    fn no_sender_has_the_origin_of_another_kind() {
        let local = |source: &str| Sender::Unauthenticated { source: source.to_owned() };
        let named = integration("aws.states", &[], None, Some(SOURCE));
        assert_eq!((named.account(), named.source(), named.bus_source()), (INTEGRATION_ACCOUNT, "aws.states", None));
        assert_eq!((local("integration").account(), local("x").bus_source()), (LOCAL_ACCOUNT, None));
    }
}
