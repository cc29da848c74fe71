//! Every event that the log holds. An event is written as an object with its `type`, its version
//! `v` and its fields; a version that this build does not know is an error, never a guess.

mod changed;
mod directory;
mod ending;
mod integration;
mod notice;
mod outside;
mod request;
mod unknown;
mod vote;
mod workflow;

use std::{borrow::Cow, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use changed::{Changed, Changer, Door};
pub use directory::{GroupDefined, GroupRemoved, PersonRegistered, PersonRemoved};
pub use ending::{Canceller, ReviewCancelled, ReviewDecided, ReviewExpired, Verdict};
pub use integration::{INTEGRATION_ACCOUNT, IntegrationRegistered, IntegrationRevoked, Scope};
pub use notice::{
    Channel, NoticeUpdateFailed, NoticeUpdated, NotificationFailed, Occasion, Program, Purpose, ReviewNotified, ReviewReminded,
};
pub use outside::{OutsideEventRefused, OutsideRefusal};
pub use request::{Origin, RefusalKind, RequestRepeated, Resume, ReviewRefused, ReviewRequested};
pub use unknown::UnknownEvent;
pub use vote::{Choice, EnteredBy, Seen, VoteCast, VoteRefusal, VoteRefused};
pub use workflow::{
    ConfirmedBy, ExecutionStatus, ResumeAttached, WorkflowEnded, WorkflowResumeFailed, WorkflowResumeUnconfirmed, WorkflowResumed,
};

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
    fn schema_name() -> Cow<'static, str> {
        format!("Version{N}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "const": N, "description": "Version of this shape." })
    }
}

// A fold keeps the shared ones whole and need not copy them. A request is also several times as large as the others, each
// of which would take as much room.
macro_rules! events {
    (shared { $($(#[$large_doc:meta])* $large:ident),+ $(,)? } $($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One thing that happened.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Event {
            $($(#[$large_doc])* $large(Arc<$large>),)+
            $($(#[$doc])* $name($name),)+
            /// What a newer build wrote: this one cannot tell what it means. Never written.
            #[serde(skip)]
            Unknown(UnknownEvent),
        }

        impl Event {
            /// The name of every event type, the shared ones first.
            pub const TYPES: &'static [&'static str] = &[$(stringify!($large),)+ $(stringify!($name)),+];

            /// Reads an event whose type is known: the same as reading it as an [`Event`], which must look for its type
            /// first and meanwhile keep all that stands before it.
            ///
            /// # Errors
            /// When it is not an event of this type, or of a version that this build does not know.
            pub fn of_type(kind: &str, json: &str) -> Result<Event, serde_json::Error> {
                match kind {
                    $(stringify!($large) => serde_json::from_str(json).map(|event| Event::$large(Arc::new(event))),)+
                    $(stringify!($name) => serde_json::from_str(json).map(Event::$name),)+
                    // Not by the way of all types, whose code would make each function on AWS larger.
                    _ => Err(serde::de::Error::unknown_variant(kind, Event::TYPES)),
                }
            }

            /// The type that the JSON of an event names.
            ///
            /// # Errors
            /// When it is no JSON object, or names none.
            pub fn kind_of(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
                #[derive(Deserialize)]
                struct Tagged<'a> {
                    #[serde(borrow, rename = "type")]
                    kind: Cow<'a, str>,
                }
                Ok(serde_json::from_str::<Tagged<'_>>(json)?.kind)
            }

            /// The type's name, which is also its `detail-type` on the bus.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $(Event::$large(_) => stringify!($large),)+
                    $(Event::$name(_) => stringify!($name),)+
                    Event::Unknown(_) => "Unknown",
                }
            }
        }

        $(impl From<$large> for Event {
            fn from(event: $large) -> Event {
                Event::$large(Arc::new(event))
            }
        })+

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event {
                Event::$name(event)
            }
        })+
    };
}

events! {
    shared {
        /// A valid request was recorded.
        ReviewRequested,
        /// A request was invalid, reused a key, or could never be approved.
        ReviewRefused,
        /// A reviewer was reached.
        ReviewNotified,
        /// A person's vote counted.
        VoteCast,
    }
    /// A reviewer was not reached.
    NotificationFailed,
    /// A message that stands at a channel shows how far the review has come since.
    NoticeUpdated,
    /// A message that stands at a channel could not be changed.
    NoticeUpdateFailed,
    /// It was time to ask again.
    ReviewReminded,
    /// A vote did not count.
    VoteRefused,
    /// The outcome under the policy.
    ReviewDecided,
    /// Nobody decided in time.
    ReviewExpired,
    /// The review was withdrawn.
    ReviewCancelled,
    /// Somebody else asked for the same, or the same was asked anew while it was open.
    RequestRepeated,
    /// What somebody outside wrote changed nothing.
    OutsideEventRefused,
    /// A further workflow waits on this review.
    ResumeAttached,
    /// A waiting workflow was told the outcome and took it.
    WorkflowResumed,
    /// A waiting workflow could not be told.
    WorkflowResumeFailed,
    /// The workflow no longer waits, and nothing shows whether our answer or something else ended it.
    WorkflowResumeUnconfirmed,
    /// A waiting workflow ended by itself before the review did.
    WorkflowEnded,
    /// A person was written into the directory, or changed.
    PersonRegistered,
    /// A person left the directory.
    PersonRemoved,
    /// A group was written into the directory, or changed.
    GroupDefined,
    /// A group left the directory.
    GroupRemoved,
    /// A program was given a bearer token, or another one.
    IntegrationRegistered,
    /// A program's bearer token is no longer taken.
    IntegrationRevoked,
}
