//! Signed links.

use std::sync::LazyLock;

use channels::{
    capability::{self, Capability},
    keys::Keyring,
    session,
};
use events::{ReviewId, Timestamp};

use crate::alter::altered;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(vec![(1, [7; 32]), (2, [9; 32])]).expect("keys"));
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let capability = Capability {
        review: ReviewId::for_event("1", "fuzz", "e", 1),
        person: "ana@example.com".parse().expect("a person"),
        expires_at: at(1_000),
    };
    capability::mint(&KEYS, &capability)
});

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time")
}

/// A link that was altered never opens, what was never signed never opens, and what is signed opens as one thing alone.
pub(crate) fn check(data: &[u8]) {
    let token = altered(&TOKEN, data);
    assert_eq!(capability::open(&KEYS, &token, at(999)).is_ok(), token == *TOKEN, "{token}");
    assert!(capability::open(&KEYS, &token, at(1_000)).is_err(), "it has expired");

    if let Ok(text) = std::str::from_utf8(data) {
        assert!(text == *TOKEN || capability::open(&KEYS, text, at(0)).is_err(), "nobody signed it: {text}");
    }

    // Whatever a key of ours may ever have signed under this purpose.
    let signed = KEYS.sign("capability", data);
    if let Ok(capability) = capability::open(&KEYS, &signed, at(-8_000_000_000_000)) {
        let again = capability::mint(&KEYS, &capability);
        assert_eq!(capability::open(&KEYS, &again, at(-8_000_000_000_000)), Ok(capability));
    }
    assert_eq!(session::open(&KEYS, &signed, at(0)), None, "a link is no session");
}
