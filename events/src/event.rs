//! Every event that the log holds. An event is written as an object with its `type`, its version
//! `v` and its fields; a version that this build does not know is an error, never a guess.

mod directory;
mod ending;
mod notice;
mod request;
mod vote;
mod workflow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use directory::{GroupDefined, GroupRemoved, PersonRegistered, PersonRemoved};
pub use ending::{Canceller, ReviewCancelled, ReviewDecided, ReviewExpired, Verdict};
pub use notice::{Channel, NotificationFailed, Occasion, ReviewNotified};
pub use request::{Origin, RefusalKind, Resume, ReviewRefused, ReviewRequested};
pub use vote::{Choice, EnteredBy, VoteCast, VoteRefusal, VoteRefused};
pub use workflow::{ConfirmedBy, ResumeAttached, WorkflowResumeFailed, WorkflowResumeUnconfirmed, WorkflowResumed};

/// The version of an event's shape: reads and writes the number `N` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct V<const N: u8>;

impl<const N: u8> Serialize for V<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(N)
    }
}

impl<'de, const N: u8> Deserialize<'de> for V<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let version = u8::deserialize(deserializer)?;
        if version == N {
            Ok(V)
        } else {
            Err(serde::de::Error::custom(format_args!("event version {version} is not known (this build knows {N})")))
        }
    }
}

impl<const N: u8> JsonSchema for V<N> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Version{N}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "const": N, "description": "Version of this shape." })
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One thing that happened.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Event {
            $($(#[$doc])* $name($name),)+
        }

        impl Event {
            /// The name of every event type, in the order of the vocabulary.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($name)),+];

            /// The type's name, which is also its `detail-type` on the bus.
            pub fn type_name(&self) -> &'static str {
                match self { $(Event::$name(_) => stringify!($name),)+ }
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event {
                Event::$name(event)
            }
        })+
    };
}

events! {
    /// A valid request was recorded.
    ReviewRequested,
    /// A request was invalid, reused a key, or could never be approved.
    ReviewRefused,
    /// A reviewer was reached.
    ReviewNotified,
    /// A reviewer was not reached.
    NotificationFailed,
    /// A person's vote counted.
    VoteCast,
    /// A vote did not count.
    VoteRefused,
    /// The outcome under the policy.
    ReviewDecided,
    /// Nobody decided in time.
    ReviewExpired,
    /// The review was withdrawn.
    ReviewCancelled,
    /// A further workflow waits on this review.
    ResumeAttached,
    /// A waiting workflow was told the outcome and took it.
    WorkflowResumed,
    /// A waiting workflow could not be told.
    WorkflowResumeFailed,
    /// The workflow no longer waits, and nothing shows whether our answer or something else ended it.
    WorkflowResumeUnconfirmed,
    /// A person was written into the directory, or changed.
    PersonRegistered,
    /// A person left the directory.
    PersonRemoved,
    /// A group was written into the directory, or changed.
    GroupDefined,
    /// A group left the directory.
    GroupRemoved,
}
