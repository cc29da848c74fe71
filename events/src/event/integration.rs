//! Integrations: programs that call the API with a bearer token of their own.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Changed, V};
use crate::{
    digest::BearerHash,
    ids::{AccessKeyId, IntegrationId, InvalidId, PersonId, SourceName},
    time::Timestamp,
};

/// The account that stands in the origin of what an integration asks for; its source is the
/// integration's name. No account of AWS is named like that, nor is that of one machine.
pub const INTEGRATION_ACCOUNT: &str = "integration";

/// What an integration may do. None stands for another, and none manages integrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Ask for reviews, and withdraw its own.
    #[serde(rename = "reviews:request")]
    RequestReviews,
    /// Read every review, with its evidence and its log.
    #[serde(rename = "reviews:read")]
    ReadReviews,
    /// Vote as the person whom it acts as; with a source and nobody whom it acts as, hand in anybody's vote.
    #[serde(rename = "votes:cast")]
    CastVotes,
    /// Say that it reached a reviewer by a channel of its own.
    #[serde(rename = "notices:report")]
    ReportNotices,
    /// Read people and groups.
    #[serde(rename = "directory:read")]
    ReadDirectory,
    /// Change people and groups, and with them who may decide: whoever has this decides as anybody.
    #[serde(rename = "directory:write")]
    WriteDirectory,
    /// See dead letters and put them back to work; reconcile.
    #[serde(rename = "operate")]
    Operate,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 7] = [
        Scope::RequestReviews,
        Scope::ReadReviews,
        Scope::CastVotes,
        Scope::ReportNotices,
        Scope::ReadDirectory,
        Scope::WriteDirectory,
        Scope::Operate,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::RequestReviews => "reviews:request",
            Scope::ReadReviews => "reviews:read",
            Scope::CastVotes => "votes:cast",
            Scope::ReportNotices => "notices:report",
            Scope::ReadDirectory => "directory:read",
            Scope::WriteDirectory => "directory:write",
            Scope::Operate => "operate",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| InvalidId {
            found: text.chars().take(80).collect(),
            expected: "reviews:request, reviews:read, votes:cast, notices:report, directory:read, directory:write or operate"
                .into(),
        })
    }
}

/// See [`Event::IntegrationRegistered`](super::Event::IntegrationRegistered).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationRegistered {
    /// Version of this shape.
    pub v: V<1>,
    /// Which.
    pub integration: IntegrationId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The SHA-256 of its bearer token. The token itself is written nowhere.
    pub token_hash: BearerHash,
    /// The person whom it acts as: who asks when it asks, and whose votes it may cast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_as: Option<PersonId>,
    /// From when on the token is no longer taken; absent when it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The source that the entries of its PutEvents calls name. With the scope `votes:cast`, and unless it acts as
    /// somebody, it may then hand in the votes of anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// The access key id by which it signs PutEvents calls. The secret is derived from it, and is written nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<AccessKeyId>,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

/// See [`Event::IntegrationRevoked`](super::Event::IntegrationRevoked).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationRevoked {
    /// Version of this shape.
    pub v: V<1>,
    /// Which.
    pub integration: IntegrationId,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_written_as_it_is_read() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).expect("JSON"), scope.as_str());
        }
        assert!("reviews".parse::<Scope>().is_err());
    }
}
