//! Session cookies, sign-in links and form tokens.

use std::sync::LazyLock;

use channels::{
    capability,
    keys::Keyring,
    session::{self, Holder},
    slack::button,
};
use events::Timestamp;

use crate::alter::altered;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(vec![(1, [7; 32])]).expect("keys"));
/// One of each kind, good until the same moment. The first stands for Ana.
static TEXTS: LazyLock<[String; 5]> = LazyLock::new(|| {
    let ana: events::PersonId = "ana@example.com".parse().expect("a person");
    [
        session::start(&KEYS, &Holder::Person(ana.clone()), at(1_000)).expect("randomness"),
        session::start(&KEYS, &Holder::Operator, at(1_000)).expect("randomness"),
        session::mint_signin(&KEYS, at(1_000)).expect("randomness"),
        session::mint_person_link(&KEYS, &ana, at(1_000)).expect("randomness"),
        session::form_token(&KEYS, "holder"),
    ]
});

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time")
}

/// As what a text is taken: session, operator's link, person's link, form token.
fn taken(text: &str, now: i64) -> [bool; 4] {
    let link = session::open_link(&KEYS, text, at(now)).map(|pass| pass.holder);
    [
        session::open(&KEYS, text, at(now)).is_some(),
        link == Some(Holder::Operator),
        matches!(link, Some(Holder::Person(_))),
        session::is_form_token(&KEYS, "holder", text),
    ]
}

/// What was altered is taken as nothing, what was not as its own kind alone, and after its time as nothing.
pub(crate) fn check(data: &[u8]) {
    let Some((kind, changes)) = data.split_first() else { return };
    let kind = usize::from(*kind) % TEXTS.len();
    let text = altered(&TEXTS[kind], changes);
    let mut expected = [false; 4];
    expected[kind.saturating_sub(1)] = text == TEXTS[kind];
    assert_eq!(taken(&text, 999), expected, "{text}");
    assert_eq!(taken(&text, 1_000), [false, false, false, expected[3]], "{text}");
    assert!(capability::open(&KEYS, &text, at(0)).is_err(), "{text}");
    assert_eq!(button::open(&KEYS, &text), None, "{text}");

    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(taken(text, 0), [false; 4], "nobody signed it");
    }

    // Whatever a key of ours may ever have signed for a session names somebody, and never turns into the operator.
    let signed = KEYS.sign("session", data);
    let person = data.get(25..).unwrap_or_default();
    match session::open(&KEYS, &signed, at(-8_000_000_000_000)).map(|pass| pass.holder) {
        Some(Holder::Operator) => assert!(person.is_empty(), "{person:?}"),
        Some(Holder::Person(holder)) => assert!(!person.is_empty() && !holder.as_str().is_empty(), "{person:?}"),
        None => {}
    }
}
