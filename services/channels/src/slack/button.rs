//! What a button carries: which review it is of, and the digest of what was shown beside it. Never
//! whose button it is: who pressed it, Slack says in its signed request, so that a card which was
//! passed on lets nobody decide in another's name.

use events::{ReviewId, digest::SubjectDigest};

use crate::keys::Keyring;

const PURPOSE: &str = "slack-button";
/// Version of the layout.
const V1: u8 = 1;

/// What a button stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// The review. It knows itself until when it can be decided.
    pub review: ReviewId,
    /// What was shown.
    pub subject_digest: SubjectDigest,
}

/// The button's value: base64url text, about 180 characters.
pub fn mint(keys: &Keyring, button: &Button) -> String {
    let mut payload = vec![V1];
    payload.extend_from_slice(button.review.as_uuid().as_bytes());
    payload.extend_from_slice(button.subject_digest.to_string().as_bytes());
    keys.sign(PURPOSE, &payload)
}

/// What a value stands for; `None` when it is none of ours, or signed by a key that is gone.
pub fn open(keys: &Keyring, value: &str) -> Option<Button> {
    let payload = keys.verify(PURPOSE, value)?;
    let (review, digest) = payload.strip_prefix(&[V1])?.split_first_chunk::<16>()?;
    let review = review.iter().map(|byte| format!("{byte:02x}")).collect::<String>().parse().ok()?;
    Some(Button { review, subject_digest: std::str::from_utf8(digest).ok()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::VALUE_MAX;

    #[test]
    fn a_button_names_its_review_and_what_was_shown_and_nobody_can_make_one_up() {
        let keys = Keyring::new(vec![(1, [5; 32])]).expect("keys");
        let subject_digest = "ab".repeat(32).parse().expect("a digest");
        let button = Button { review: ReviewId::for_event("1", "s", "e", 1), subject_digest };
        let value = mint(&keys, &button);
        assert_eq!(open(&keys, &value), Some(button));
        assert!(value.len() < VALUE_MAX / 10, "{}", value.len());
        assert_eq!(open(&Keyring::new(vec![(1, [6; 32])]).expect("keys"), &value), None);
        assert_eq!(open(&keys, &keys.sign("capability", b"x")), None);
        assert_eq!(open(&keys, &value[..80]), None);
    }
}
