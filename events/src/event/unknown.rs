//! Events of a newer build.

use serde_json::Value;

use super::Event;

/// An event that this build cannot read: of a type or version that it does not know, or with a word that
/// it does not know where the word matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEvent {
    kind: String,
    why: String,
}

impl UnknownEvent {
    /// Its type, as it says.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What this build does not know about it.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl Event {
    /// Reads a stored event. One that says more than this build knows is [`Event::Unknown`], so that its
    /// review can still be shown; whoever decides must not decide past it.
    ///
    /// # Errors
    /// When it is no JSON object, or names no type: no build wrote that.
    pub fn read(json: &str) -> Result<Event, serde_json::Error> {
        let kind = Event::kind_of(json)?;
        Event::of_type(&kind, json).or_else(|why| {
            // A `v` that is no number was written by nobody.
            let event: Value = serde_json::from_str(json)?;
            match event.get("v").and_then(Value::as_u64) {
                Some(_) => Ok(Event::Unknown(UnknownEvent { kind: kind.into_owned(), why: why.to_string() })),
                None => Err(why),
            }
        })
    }
}
