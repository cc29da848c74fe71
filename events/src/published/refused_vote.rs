//! `VoteRefused` as listeners receive it: version 1 has seven words for why, and listeners may rely on
//! these being all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::{self, Channel, Choice, EnteredBy, V},
    ids::{IntegrationId, PersonId},
};

/// Published `VoteRefused`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteRefused {
    /// Version of this shape.
    pub v: V<1>,
    /// Whose vote it would have been.
    pub person: PersonId,
    /// What they said.
    pub choice: Choice,
    /// Why they said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it came in.
    pub channel: Channel,
    /// Who typed it in, when that was not the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<EnteredBy>,
    /// The program that handed it in with a bearer token of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The Slack account that acted, where the confirmed address of its profile alone says that it is this
    /// person; absent where the directory or the request says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_account: Option<PersonId>,
    /// The id that acted, when that was another than the one by which the directory knew the person: one of their aliases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_as: Option<PersonId>,
    /// Why it did not count: the nearest of these words.
    pub why: VoteRefusal,
    /// Why exactly, where no word of `why` says it: `not_seen_whole`, and others later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub why_exactly: Option<event::VoteRefusal>,
}

/// Why a vote did not count: the words of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoteRefusal {
    /// The person is neither named nor in a named group.
    NotAReviewer,
    /// The person asked for the review, and the policy does not let them decide on it.
    OwnRequest,
    /// The review was decided before.
    AlreadyDecided,
    /// The deadline had passed.
    Expired,
    /// The review was withdrawn before.
    Cancelled,
    /// The person saw something else than the review holds, or not the whole.
    OtherSubject,
    /// The sender may not vote for anybody.
    UntrustedSource,
}

impl From<&event::VoteRefused> for VoteRefused {
    fn from(event: &event::VoteRefused) -> VoteRefused {
        let exact = event.why;
        let (why, why_exactly) = match exact {
            event::VoteRefusal::NotAReviewer => (VoteRefusal::NotAReviewer, None),
            event::VoteRefusal::OwnRequest => (VoteRefusal::OwnRequest, None),
            event::VoteRefusal::AlreadyDecided => (VoteRefusal::AlreadyDecided, None),
            event::VoteRefusal::Expired => (VoteRefusal::Expired, None),
            event::VoteRefusal::Cancelled => (VoteRefusal::Cancelled, None),
            event::VoteRefusal::OtherSubject => (VoteRefusal::OtherSubject, None),
            event::VoteRefusal::UntrustedSource => (VoteRefusal::UntrustedSource, None),
            // An answer, and never an event.
            event::VoteRefusal::TooOften => (VoteRefusal::OtherSubject, None),
            event::VoteRefusal::NotSeenWhole => (VoteRefusal::OtherSubject, Some(exact)),
        };
        VoteRefused {
            v: V,
            person: event.person.clone(),
            choice: event.choice,
            reason: event.reason.clone(),
            channel: event.channel,
            entered_by: event.entered_by.clone(),
            integration: event.integration.clone(),
            matched_account: event.matched_account.clone(),
            acted_as: event.acted_as.clone(),
            why,
            why_exactly,
        }
    }
}
