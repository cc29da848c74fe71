//! What it takes to approve.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::SelfApproval;

/// What it takes to approve, as it is stored.
///
/// A newer build may have stored more than this one knows. That is kept in [`Policy::more`], and whoever
/// counts votes must not count them by the rest alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Policy {
    /// How many different people must approve. One rejection ends the review.
    #[schemars(range(min = 1, max = 100))]
    pub quorum: u8,
    /// Whether the requester's own approval counts.
    pub self_approval: SelfApproval,
    /// What this build does not know, as it was stored. Empty for what this build wrote.
    #[serde(flatten)]
    #[schemars(skip)]
    pub more: Map<String, Value>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { quorum: 1, self_approval: SelfApproval::Forbidden, more: Map::new() }
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Whatever is not as this build would write it is kept as unknown.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut policy = Policy { more: Map::deserialize(deserializer)?, ..Policy::default() };
        if let Some(quorum) = policy.more.get("quorum").and_then(Value::as_u64).and_then(|quorum| u8::try_from(quorum).ok())
            && (1..=100).contains(&quorum)
        {
            policy.quorum = quorum;
            policy.more.remove("quorum");
        }
        if let Some(Ok(self_approval)) = policy.more.get("self_approval").map(SelfApproval::deserialize) {
            policy.self_approval = self_approval;
            policy.more.remove("self_approval");
        }
        Ok(policy)
    }
}

/// The policy as a caller writes it, for the published JSON Schema.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Policy")]
#[allow(dead_code, reason = "read by the schema generator only")]
pub struct PolicyDetail {
    /// How many different people must approve. One rejection ends the review.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    quorum: u8,
    /// Whether the requester's own approval counts.
    #[serde(default)]
    self_approval: SelfApproval,
}

fn one() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn what_a_newer_build_stored_is_kept_and_told_apart() {
        let known: Policy = from_value(json!({"quorum": 2, "self_approval": "allowed"})).expect("read");
        assert_eq!((known.quorum, known.self_approval, known.more.len()), (2, SelfApproval::Allowed, 0));
        for newer in [
            json!({"quorum": 2, "self_approval": "forbidden", "stages": [{"from": "ops"}]}),
            json!({"quorum": "all", "self_approval": "forbidden"}),
            json!({"quorum": 1, "self_approval": "by_delegate"}),
        ] {
            let read: Policy = from_value(newer.clone()).expect("read");
            assert_eq!(read.more.len(), 1, "{newer}");
            let written = to_value(&read).expect("JSON");
            for (name, value) in &read.more {
                assert_eq!(written.get(name), Some(value), "{newer}");
            }
        }
        assert_eq!(from_value::<Policy>(json!({})).expect("read"), Policy::default());
    }
}
