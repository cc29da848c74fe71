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
        if let Some(event) = Event::kind_at_end(json).and_then(|kind| Event::of_type(kind, json).ok()) {
            return Ok(event);
        }
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

    /// The type, of an event that ends as most do in canonical form: their members are sorted, and few have one behind
    /// `type` and `v`. `None` says nothing: then [`Event::kind_of`] finds it, which reads all before it.
    ///
    /// Where the text is JSON, this is what it names: inside a string each quote would have a backslash before it.
    pub fn kind_at_end(json: &str) -> Option<&str> {
        let before_version = json.strip_suffix('}')?.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let (before_kind, kind) = before_version.strip_suffix("\",\"v\":")?.rsplit_once('"')?;
        let is_name = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_name && before_kind.ends_with(",\"type\":")).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_at_the_end_is_the_one_that_the_event_names_or_not_known() {
        for (json, kind) in [
            (r#"{"a":1,"type":"VoteCast","v":1}"#, Some("VoteCast")),
            (r#"{"a":1,"type":"VoteCast","v":12}"#, Some("VoteCast")),
            (r#"{"a":{"b":1,"type":"VoteCast","v":1}}"#, None),
            (r#"{"type":"ReviewExpired","a":",\"type\":\"VoteCast\",\"v\":1"}"#, None),
            (r#"{"type":"ReviewExpired",",\"type\":\"VoteCast\",\"v":1}"#, None),
            (r#"{"a":1,"type":"VoteCast","v":1,"z":2}"#, None),
            (r#"{"type":"VoteCast","v":1}"#, None),
            (r#"{"a":1,"type":"","v":1}"#, None),
            (r#"{"a":1,"type":"Vote\u0043ast","v":1}"#, None),
            (r#"{"a":1,"type":"VoteCast","v":1} "#, None),
            ("}", None),
            ("", None),
        ] {
            assert_eq!(Event::kind_at_end(json), kind, "{json}");
            if kind.is_some() {
                assert_eq!(Event::kind_of(json).ok().as_deref(), kind, "{json}");
            }
        }
    }
}
