//! The signed link: what lets one person see and decide one review, until a moment, and nothing
//! else. It goes into messages as `/a/{token}`.

use events::{PersonId, ReviewId, Timestamp};

use crate::keys::Keyring;

const PURPOSE: &str = "capability";
/// Version of the token's layout.
const V1: u8 = 1;

/// What a signed link stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The one review.
    pub review: ReviewId,
    /// Who acts.
    pub person: PersonId,
    /// From this moment on the link opens nothing.
    pub expires_at: Timestamp,
}

/// A text that opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// It was cut, changed, made up, or signed by a key that is gone.
    #[error("the link is not one of ours")]
    Invalid,
    /// Its time has passed.
    #[error("the link has expired")]
    Expired,
}

/// The link's token: base64url text, about 100 characters.
pub fn mint(keys: &Keyring, capability: &Capability) -> String {
    let mut payload = vec![V1];
    payload.extend_from_slice(capability.review.as_uuid().as_bytes());
    payload.extend_from_slice(&capability.expires_at.millis().to_be_bytes());
    payload.extend_from_slice(capability.person.as_str().as_bytes());
    keys.sign(PURPOSE, &payload)
}

/// Opens a token at the moment `now`.
///
/// # Errors
/// See [`CapabilityError`].
pub fn open(keys: &Keyring, token: &str, now: Timestamp) -> Result<Capability, CapabilityError> {
    let payload = keys.verify(PURPOSE, token).ok_or(CapabilityError::Invalid)?;
    let capability = read(&payload).ok_or(CapabilityError::Invalid)?;
    if now >= capability.expires_at { Err(CapabilityError::Expired) } else { Ok(capability) }
}

fn read(payload: &[u8]) -> Option<Capability> {
    let rest = payload.strip_prefix(&[V1])?;
    let (review, rest) = rest.split_first_chunk::<16>()?;
    let (expires_at, person) = rest.split_first_chunk::<8>()?;
    Some(Capability {
        // The one way to make a review id is to read its text.
        review: hex(review).parse().ok()?,
        person: PersonId::recorded(std::str::from_utf8(person).ok()?).ok()?,
        expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at))?,
    })
}

fn hex(uuid: &[u8; 16]) -> String {
    uuid.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_own_review_for_its_own_person_until_it_expires() {
        let keys = Keyring::new(vec![(3, [5; 32])]).expect("keys");
        let expires_at = Timestamp::from_millis(1_795_000_000_000).expect("time");
        let before = Timestamp::from_millis(1_794_999_999_999).expect("time");
        let capability = Capability {
            review: ReviewId::for_event("1", "s", "e", 1),
            person: "ana@example.com".parse().expect("person"),
            expires_at,
        };
        let token = mint(&keys, &capability);
        assert_eq!(open(&keys, &token, before), Ok(capability));
        assert_eq!(open(&keys, &token, expires_at), Err(CapabilityError::Expired));
        assert_eq!(open(&keys, &token[..40], before), Err(CapabilityError::Invalid));
        assert_eq!(open(&keys, &keys.sign("session", b"x"), before), Err(CapabilityError::Invalid));
        assert!(token.len() < 110 && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{token}");
    }
}
