//! How an event changes (`docs/changing-events.md`), each way tried on an event of this test: nothing of
//! the real vocabulary is at version 2 yet, and none is raised for show.
//!
//! `NoteAdded` was written as version 1 with `by` and `note`. Version 2 calls them `author` and `text`, and
//! says how urgent it is. `NoteStarred` is no longer written.

use events::{PersonId, event::V};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Version 1, as it is in logs; only ever read.
#[derive(Debug, Deserialize)]
struct NoteAddedV1 {
    #[serde(rename = "v")]
    _v: V<1>,
    by: PersonId,
    note: String,
}

/// Version 2, which is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredNote")]
struct NoteAdded {
    v: V<2>,
    author: PersonId,
    text: String,
    urgent: bool,
    /// Added later without a new version: optional, with a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<String>,
}

/// Every version that was ever written, the newest first.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a NoteAdded of version 1 or 2")]
enum StoredNote {
    V2 {
        v: V<2>,
        author: PersonId,
        text: String,
        urgent: bool,
        #[serde(default)]
        room: Option<String>,
    },
    V1(NoteAddedV1),
}

impl From<NoteAddedV1> for NoteAdded {
    fn from(old: NoteAddedV1) -> NoteAdded {
        // What version 1 did not say is what was true of all that it was used for.
        NoteAdded { v: V, author: old.by, text: old.note, urgent: false, room: None }
    }
}

impl From<StoredNote> for NoteAdded {
    fn from(stored: StoredNote) -> NoteAdded {
        match stored {
            StoredNote::V2 { v, author, text, urgent, room } => NoteAdded { v, author, text, urgent, room },
            StoredNote::V1(old) => old.into(),
        }
    }
}

/// Retired: read for ever, written no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NoteStarred {
    v: V<1>,
    by: PersonId,
}

/// The vocabulary, written as the real one is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Note {
    NoteAdded(NoteAdded),
    NoteStarred(NoteStarred),
}

fn read(stored: Value) -> Result<Note, serde_json::Error> {
    // From bytes, as a stored body is read.
    serde_json::from_slice(stored.to_string().as_bytes())
}

fn ana() -> PersonId {
    "ana@example.com".parse().expect("a person")
}

#[test]
fn a_renamed_field_is_read_from_both_versions_and_written_as_the_newest() {
    let old = read(json!({"type": "NoteAdded", "v": 1, "by": "ana@example.com", "note": "Looks odd"})).expect("version 1");
    let new = read(json!({"type": "NoteAdded", "v": 2, "author": "ana@example.com", "text": "Looks odd", "urgent": false}));
    assert_eq!(old, new.expect("version 2"), "what folds them cannot tell them apart");
    let expected = NoteAdded { v: V, author: ana(), text: "Looks odd".into(), urgent: false, room: None };
    assert_eq!(old, Note::NoteAdded(expected));
    let written = serde_json::to_value(&old).expect("JSON");
    assert_eq!(written, json!({"type": "NoteAdded", "v": 2, "author": "ana@example.com", "text": "Looks odd", "urgent": false}));
}

#[test]
fn an_added_field_is_absent_from_what_was_written_before_and_kept_when_it_is_there() {
    let stored = |more: Value| {
        let mut event = json!({"type": "NoteAdded", "v": 2, "author": "ana@example.com", "text": "x", "urgent": true});
        event.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        event
    };
    let Note::NoteAdded(before) = read(stored(json!({}))).expect("without") else { panic!("another type") };
    let Note::NoteAdded(after) = read(stored(json!({"room": "B2"}))).expect("with") else { panic!("another type") };
    assert_eq!((before.room, after.room.as_deref()), (None, Some("B2")));
    // A build that does not know the field reads over it, so both may run beside each other.
    assert!(read(stored(json!({"of_tomorrow": [1]}))).is_ok());
    // The real vocabulary does the same.
    let cast = json!({"type": "VoteCast", "v": 1, "person": "ana@example.com", "choice": "approve", "channel": "web",
        "subject_digest": "0".repeat(64)});
    let Ok(events::Event::VoteCast(cast)) = serde_json::from_value(cast) else { panic!("not read") };
    assert_eq!((&cast.reason, &cast.entered_by), (&None, &None));
}

#[test]
fn a_retired_type_is_still_read() {
    let read = read(json!({"type": "NoteStarred", "v": 1, "by": "ana@example.com"})).expect("read");
    assert_eq!(read, Note::NoteStarred(NoteStarred { v: V, by: ana() }));
}

#[test]
fn a_version_or_shape_that_nobody_ever_wrote_is_an_error_and_never_a_guess() {
    for (stored, says) in [
        (json!({"type": "NoteAdded", "v": 3, "author": "ana@example.com", "text": "x", "urgent": false}), "version 1 or 2"),
        // The fields of one version with the number of the other.
        (json!({"type": "NoteAdded", "v": 2, "by": "ana@example.com", "note": "x"}), "version 1 or 2"),
        (json!({"type": "NoteAdded", "v": 1, "author": "ana@example.com", "text": "x", "urgent": false}), "version 1 or 2"),
        (json!({"type": "NoteAdded", "by": "ana@example.com", "note": "x"}), "version 1 or 2"),
        (json!({"type": "NoteStarred", "v": 2, "by": "ana@example.com"}), "version 2 is not known"),
        (json!({"type": "NoteTorn", "v": 1}), "unknown variant"),
    ] {
        let error = read(stored.clone()).expect_err("it was read").to_string();
        assert!(error.contains(says), "{stored}: {error}");
    }
}
