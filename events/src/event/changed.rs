//! Who made a change of the directory or of an integration, by which door, and for which reason.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ids::IntegrationId, line::is_blank};

/// Who made a change. Events from before this was recorded do not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Who.
    pub by: Changer,
    /// By which door.
    pub door: Door,
    /// Why, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changer {
    /// The holder of the operator's key.
    Operator,
    /// A program with a bearer token of its own.
    Integration(IntegrationId),
    /// Somebody whom only a newer version knows. Nothing is decided by who made a change, so the event is read all the same.
    #[serde(untagged)]
    Newer(Value),
}

/// The door by which a change came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The HTTP API.
    Api,
    /// The command line with the operator's key. An integration cannot come by this door.
    Cli,
    /// A door that only a newer version has.
    #[serde(untagged)]
    Newer(Value),
}

impl Changed {
    /// The longest reason in bytes. Each event of a commit repeats it, and an item of DynamoDB holds 400 KB.
    pub const REASON_MAX: usize = 500;

    /// A change without a reason.
    pub fn new(by: Changer, door: Door) -> Changed {
        Changed { by, door, reason: None }
    }

    /// The same with a reason. Blank counts as absent.
    #[must_use]
    pub fn because(self, reason: Option<String>) -> Changed {
        Changed { reason: reason.filter(|reason| !is_blank(reason)), ..self }
    }
}

impl fmt::Display for Changer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Changer::Operator => f.write_str("the operator"),
            Changer::Integration(name) => write!(f, "integration {name}"),
            Changer::Newer(_) => f.write_str("somebody whom only a newer version knows"),
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Door::Api => f.write_str("the API"),
            Door::Cli => f.write_str("the command line"),
            Door::Newer(_) => f.write_str("a door that only a newer version has"),
        }
    }
}

/// `the operator through the command line`, without the reason, which is not ours.
impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} through {}", self.by, self.door)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_names_who_made_it_by_which_door_and_why() {
        let changed = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api).because(Some("joined".into()));
        let written = json!({"by": {"integration": "hr"}, "door": "api", "reason": "joined"});
        assert_eq!(serde_json::to_value(&changed).expect("JSON"), written);
        assert_eq!(serde_json::from_value::<Changed>(written).expect("read"), changed);
        let operator = Changed::new(Changer::Operator, Door::Cli).because(Some(" \u{200b}\n".into()));
        assert_eq!(serde_json::to_value(&operator).expect("JSON"), json!({"by": "operator", "door": "cli"}));
        assert_eq!(operator.to_string(), "the operator through the command line");
    }

    #[test]
    fn who_and_how_only_a_newer_version_knows_is_read_and_kept() {
        for written in [json!({"by": {"person": "ana@example.com"}, "door": "page"}), json!({"by": "robot", "door": {"x": 1}})] {
            let changed: Changed = serde_json::from_value(written.clone()).expect("read");
            assert_eq!(serde_json::to_value(&changed).expect("JSON"), written);
        }
    }
}
