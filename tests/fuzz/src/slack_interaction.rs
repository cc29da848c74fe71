//! What Slack sends when somebody presses a button or sends a window off; its signature is verified before.

use std::sync::LazyLock;

use channels::{
    keys::Keyring,
    slack::{
        button,
        interaction::{self, Interaction},
        signature::SigningSecrets,
    },
};
use events::Timestamp;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| Keyring::new(vec![(1, [7; 32])]).expect("keys"));

/// The payload alone says what was done; who acted has one id; and no value names a review that we did not sign.
pub(crate) fn check(data: &[u8]) {
    let read = interaction::read(data);
    if let Some((_, payload)) = form_urlencoded::parse(data).find(|(name, _)| name == "payload") {
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).append_pair("x", "y").finish();
        assert_eq!(interaction::read(body.as_bytes()), read, "the same payload, written otherwise");
    } else {
        assert!(read.is_err(), "there is no payload");
    }
    match &read {
        Ok(Interaction::BlockActions(pressed)) => {
            actor(&pressed.user, pressed.team.as_ref());
            for action in &pressed.actions {
                assert_eq!(button::open(&KEYS, &action.value), None, "nobody signed it");
            }
        }
        Ok(Interaction::ViewSubmission(sent)) => {
            actor(&sent.user, sent.team.as_ref());
            assert_eq!(button::open(&KEYS, &sent.view.private_metadata), None, "nobody signed it");
        }
        Ok(Interaction::Other) | Err(_) => {}
    }
    unsigned(data);
}

fn actor(user: &interaction::User, team: Option<&interaction::Team>) {
    if let Some(person) = interaction::actor(user, team) {
        assert!(person.as_str().starts_with("slack:"), "{person}");
        assert_eq!(person.as_str().parse(), Ok(person.clone()), "{person}");
    }
}

/// No body passes with a signature that it brings itself.
fn unsigned(data: &[u8]) {
    let secret = SigningSecrets::new(["8f742231b10e8888abcd99yyyzzz85a5".to_owned()]).expect("a secret");
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (signature, body) = text.split_once('\n').unwrap_or((text, ""));
    let now = Timestamp::from_millis(1_795_000_000_000).expect("a time");
    assert!(secret.verify("1795000000", signature, body.as_bytes(), now).is_err(), "{signature}");
}
