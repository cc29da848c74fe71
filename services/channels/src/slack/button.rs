//! What a button carries: which review it is of, the digest of what that review asks, and how much of it
//! was shown beside the button. Never whose button it is: who pressed it, Slack says in its signed
//! request, so that a card which was passed on lets nobody decide in another's name.

use events::{
    ReviewId,
    digest::{SeenDigest, SubjectDigest},
    event::Seen,
};
use review::command::Stated;

use crate::keys::Keyring;

const PURPOSE: &str = "slack-button";
/// The layout of cards that were sent before a digest covered title and summary: review, then the digest of
/// subject and evidence as text.
const V1: u8 = 1;
/// The layout of today: review, how much was shown, then the digest of all that people read.
const V2: u8 = 2;
const WHOLE: u8 = 1;
const EXCERPT: u8 = 0;

/// What a button stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// The review. It knows itself until when it can be decided.
    pub review: ReviewId,
    /// What was shown.
    pub stated: Stated,
}

/// The value of a button beside all that the review asks (`Seen::Whole`), or a part of it: base64url text
/// of about 130 characters.
pub fn mint(keys: &Keyring, review: ReviewId, seen: Seen, digest: SeenDigest) -> String {
    let mut payload = vec![V2];
    payload.extend_from_slice(review.as_uuid().as_bytes());
    payload.push(if seen == Seen::Whole { WHOLE } else { EXCERPT });
    payload.extend_from_slice(digest.as_bytes());
    keys.sign(PURPOSE, &payload)
}

/// What a value stands for; `None` when it is none of ours, or signed by a key that is gone.
pub fn open(keys: &Keyring, value: &str) -> Option<Button> {
    let payload = keys.verify(PURPOSE, value)?;
    let (version, rest) = payload.split_first()?;
    let (review, rest) = rest.split_first_chunk::<16>()?;
    let stated = match *version {
        V1 => {
            let digest: SubjectDigest = std::str::from_utf8(rest).ok()?.parse().ok()?;
            Stated::by_digests(None, Some(digest))
        }
        V2 => {
            let (seen, digest) = rest.split_first()?;
            let digest = SeenDigest::from(<[u8; 32]>::try_from(digest).ok()?);
            if *seen == WHOLE { Stated::whole(digest) } else { Stated::excerpt(digest) }
        }
        _ => return None,
    };
    Some(Button { review: ReviewId::from_bytes(*review), stated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::VALUE_MAX;

    #[test]
    fn a_button_names_its_review_and_what_was_shown_and_nobody_can_make_one_up() {
        let keys = Keyring::new(vec![(1, [5; 32])]).expect("keys");
        let (review, digest) = (ReviewId::for_event("1", "s", "e", 1), SeenDigest::of(b"shown"));
        for (seen, stated) in [(Seen::Whole, Stated::whole(digest)), (Seen::Excerpt, Stated::excerpt(digest))] {
            let value = mint(&keys, review, seen, digest);
            assert_eq!(open(&keys, &value), Some(Button { review, stated }));
            assert!(value.len() < VALUE_MAX / 10, "{}", value.len());
            assert_eq!(open(&Keyring::new(vec![(1, [6; 32])]).expect("keys"), &value), None);
            assert_eq!(open(&keys, &value[..80]), None);
        }
        assert_eq!(open(&keys, &keys.sign("capability", b"x")), None);
    }

    #[test]
    fn a_button_of_an_older_card_states_the_part_that_it_was_bound_to() {
        let keys = Keyring::new(vec![(1, [5; 32])]).expect("keys");
        let (review, digest) = (ReviewId::for_event("1", "s", "e", 1), SubjectDigest::of(b"shown"));
        let mut payload = vec![V1];
        payload.extend_from_slice(review.as_uuid().as_bytes());
        payload.extend_from_slice(digest.to_string().as_bytes());
        let opened = open(&keys, &keys.sign(PURPOSE, &payload)).expect("a button");
        assert_eq!(opened, Button { review, stated: Stated::by_digests(None, Some(digest)) });
        assert_eq!(opened.stated.seen, Seen::Excerpt);
    }
}
