//! The ways into a browser: a sign-in link, then a session cookie; and the token that every form
//! carries.
//!
//! What is signed and in time is good. Each link and each session names itself, so that whoever takes
//! it can see to it that a link is used once, and that a session which was signed out of is over.

use events::{PersonId, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::keys::Keyring;

const SIGNIN: &str = "signin";
const PERSON_LINK: &str = "signin-person";
const SESSION: &str = "session";
const FORM: &str = "form";
/// Version of the layout of sessions and persons' links.
const V1: u8 = 1;
/// Random bytes that make one link or session differ from the next.
const RANDOM: usize = 16;

/// Whom a session acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Whoever runs the service.
    Operator,
    /// One person.
    Person(PersonId),
}

/// What a sign-in link, or a session, stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Whom it signs in.
    pub holder: Holder,
    /// Its own name, the same whenever it is opened; no other has it.
    pub name: String,
    /// From this moment on it opens nothing.
    pub expires_at: Timestamp,
}

/// The key of a link that signs the operator in, `/signin?key=…`, good until `expires_at`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn mint_signin(keys: &Keyring, expires_at: Timestamp) -> Result<String, getrandom::Error> {
    Ok(keys.sign(SIGNIN, &pack("", expires_at)?))
}

/// The key of a link that signs one person in, good until `expires_at`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn mint_person_link(keys: &Keyring, person: &PersonId, expires_at: Timestamp) -> Result<String, getrandom::Error> {
    Ok(keys.sign(PERSON_LINK, &pack(person.as_str(), expires_at)?))
}

/// What the key of a sign-in link stands for at `now`; `None` when it is none, or too old.
pub fn open_link(keys: &Keyring, key: &str, now: Timestamp) -> Option<Pass> {
    let of_operator = read(keys, SIGNIN, key, now).filter(|pass| pass.holder == Holder::Operator);
    of_operator.or_else(|| read(keys, PERSON_LINK, key, now).filter(|pass| pass.holder != Holder::Operator))
}

/// The value of a new session cookie: random, signed, good until `expires_at`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn start(keys: &Keyring, holder: &Holder, expires_at: Timestamp) -> Result<String, getrandom::Error> {
    // A person's id is never empty.
    let person = if let Holder::Person(person) = holder { person.as_str() } else { "" };
    Ok(keys.sign(SESSION, &pack(person, expires_at)?))
}

/// Whom the session of this cookie acts for at `now`; `None` when it is no session, or too old. Whether
/// somebody signed out of it, this does not know.
pub fn open(keys: &Keyring, cookie: &str, now: Timestamp) -> Option<Pass> {
    read(keys, SESSION, cookie, now)
}

fn read(keys: &Keyring, purpose: &str, text: &str, now: Timestamp) -> Option<Pass> {
    let payload = keys.verify(purpose, text)?;
    let (expires_at, random, person) = unpack(&payload)?;
    let holder = if person.is_empty() { Holder::Operator } else { Holder::Person(PersonId::recorded(person).ok()?) };
    let name = random.iter().map(|byte| format!("{byte:02x}")).collect();
    (now < expires_at).then_some(Pass { holder, name, expires_at })
}

/// The token that a form carries, so that no other site can send it. `holder` is what the browser
/// was let in with: the session cookie or the capability's token.
pub fn form_token(keys: &Keyring, holder: &str) -> String {
    keys.sign(FORM, &Sha256::digest(holder.as_bytes()))
}

/// Whether a form carries the token that was made for `holder`.
pub fn is_form_token(keys: &Keyring, holder: &str, given: &str) -> bool {
    let expected = Sha256::digest(holder.as_bytes());
    keys.verify(FORM, given).is_some_and(|payload| bool::from(payload.as_slice().ct_eq(expected.as_slice())))
}

fn pack(person: &str, expires_at: Timestamp) -> Result<Vec<u8>, getrandom::Error> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random)?;
    let mut payload = vec![V1];
    payload.extend_from_slice(&expires_at.millis().to_be_bytes());
    payload.extend_from_slice(&random);
    payload.extend_from_slice(person.as_bytes());
    Ok(payload)
}

fn unpack(payload: &[u8]) -> Option<(Timestamp, &[u8; RANDOM], &str)> {
    let rest = payload.strip_prefix(&[V1])?;
    let (expires_at, rest) = rest.split_first_chunk::<8>()?;
    let (random, person) = rest.split_first_chunk::<RANDOM>()?;
    Some((time(*expires_at)?, random, std::str::from_utf8(person).ok()?))
}

fn time(bytes: [u8; 8]) -> Option<Timestamp> {
    Timestamp::from_millis(i64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("time")
    }

    #[test]
    fn sign_in_links_and_sessions_end_and_are_not_each_other() {
        let keys = Keyring::new(vec![(1, [9; 32])]).expect("keys");
        let ana: PersonId = "ana@example.com".parse().expect("a person");
        let link = mint_signin(&keys, at(1_000)).expect("randomness");
        let hers = mint_person_link(&keys, &ana, at(1_000)).expect("randomness");
        let whose = |opened: Option<Pass>| opened.map(|pass| pass.holder);
        let cookies = [Holder::Operator, Holder::Person(ana.clone())].map(|holder| {
            let cookie = start(&keys, &holder, at(1_000)).expect("randomness");
            assert_eq!((whose(open(&keys, &cookie, at(999))), open(&keys, &cookie, at(1_000))), (Some(holder.clone()), None));
            assert_ne!(cookie, start(&keys, &holder, at(1_000)).expect("randomness"));
            cookie
        });
        for (key, holder) in [(&link, Holder::Operator), (&hers, Holder::Person(ana.clone()))] {
            assert_eq!((whose(open_link(&keys, key, at(999))), open_link(&keys, key, at(1_000))), (Some(holder), None));
        }
        for text in &cookies {
            assert_eq!(open_link(&keys, text, at(0)), None);
        }
        for text in [&link, &hers] {
            assert_eq!(open(&keys, text, at(0)), None);
        }
        // An operator's key that names a person, and a person's that names none, are of no kind.
        let ring = |purpose, person| keys.sign(purpose, &pack(person, at(1_000)).expect("randomness"));
        assert_eq!(
            [ring(SIGNIN, "ana@example.com"), ring(PERSON_LINK, "")].map(|key| open_link(&keys, &key, at(0))),
            [None, None]
        );
    }

    #[test]
    fn every_link_and_every_session_has_a_name_of_its_own() {
        let keys = Keyring::new(vec![(1, [9; 32])]).expect("keys");
        let name = |pass: Option<Pass>| pass.expect("good").name;
        let link = || mint_signin(&keys, at(1_000)).expect("randomness");
        let (one, other) = (link(), link());
        assert_eq!(name(open_link(&keys, &one, at(0))), name(open_link(&keys, &one, at(9))));
        assert_ne!(name(open_link(&keys, &one, at(0))), name(open_link(&keys, &other, at(0))));
        let session = || start(&keys, &Holder::Operator, at(1_000)).expect("randomness");
        assert_ne!(name(open(&keys, &session(), at(0))), name(open(&keys, &session(), at(0))));
    }

    #[test]
    fn a_form_token_is_good_for_its_holder_alone() {
        let keys = Keyring::new(vec![(1, [9; 32])]).expect("keys");
        let token = form_token(&keys, "cookie");
        assert!(is_form_token(&keys, "cookie", &token));
        assert!(!is_form_token(&keys, "another", &token) && !is_form_token(&keys, "cookie", ""));
    }
}
