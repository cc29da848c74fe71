//! C2SP signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys: a text, an empty line, and
//! lines that sign it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

/// The byte that says Ed25519 in keys and key ids.
const ED25519_TYPE: u8 = 1;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// The longest note that is read, in bytes.
const NOTE_MAX: usize = 64 << 10;
/// The most signature lines that are looked at.
const SIGNATURES_MAX: usize = 100;

/// A note that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has not the form of a signed note.
    #[error("it is not a signed note")]
    Malformed,
    /// The key has not signed it.
    #[error("it is not signed by {0}")]
    Unsigned(String),
    /// The key's signature does not fit the text.
    #[error("the signature of {0} is not one of this text")]
    Signature(String),
    /// A text that is no public key.
    #[error("it is not the public key of a log: expected NAME+ID+KEY on one line")]
    Key,
}

/// What verifies the notes of one log. Its text is `NAME+ID+KEY`, as other tools take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: [u8; 32],
}

impl PublicKey {
    /// Of the log that signs with this Ed25519 key. The name of the log is `countersign/` and the beginning
    /// of the SHA-256 of the key, so that no two logs have one name and nobody need choose it.
    pub fn of_log(key: [u8; 32]) -> PublicKey {
        PublicKey { name: format!("countersign/{}", hex::encode(&Sha256::digest(key)[..8])), key }
    }

    /// The note of a text, which ends with a line end, and the key's signature of it, which was made
    /// elsewhere. Whether the two fit is for [`PublicKey::open`] to say.
    pub fn note(&self, text: &str, signature: &[u8]) -> String {
        let signed = [&self.id(), signature].concat();
        format!("{text}\n{DASH}{} {}\n", self.name, BASE64.encode(signed))
    }

    /// The name that signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 bytes of the Ed25519 key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// By what a signature line tells the key.
    fn id(&self) -> [u8; 4] {
        let digest = Sha256::new_with_prefix(&self.name).chain_update([b'\n', ED25519_TYPE]).chain_update(self.key).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The text of a note that this key signed. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// See [`NoteError`].
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, signatures) = split(note)?;
        let prefix = format!("{DASH}{} ", self.name);
        for line in lines(signatures).take(SIGNATURES_MAX) {
            let Some(encoded) = line.strip_prefix(&prefix) else { continue };
            let signed = BASE64.decode(encoded).map_err(|_| NoteError::Malformed)?;
            let Some((id, signature)) = signed.split_first_chunk::<4>() else { return Err(NoteError::Malformed) };
            if *id != self.id() {
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, self.key);
            return match key.verify(text.as_bytes(), signature) {
                Ok(()) => Ok(text),
                Err(_) => Err(NoteError::Signature(self.name.clone())),
            };
        }
        Err(NoteError::Unsigned(self.name.clone()))
    }
}

/// The text with its last line end, and the signature lines.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let end = note.rfind("\n\n").filter(|_| note.len() <= NOTE_MAX && note.ends_with('\n')).ok_or(NoteError::Malformed)?;
    let (text, signatures) = (&note[..=end], &note[end + 2..]);
    let well_formed = !signatures.is_empty() && lines(signatures).all(|line| line.starts_with(DASH));
    if well_formed { Ok((text, signatures)) } else { Err(NoteError::Malformed) }
}

/// The lines of a text that ends with a line end. Not `str::lines`, which takes a carriage return for a part of that.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n')
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE], &self.key[..]].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64.encode(key))
    }
}

impl FromStr for PublicKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<PublicKey, NoteError> {
        let (name, rest) = text.trim().split_once('+').ok_or(NoteError::Key)?;
        let (id, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        let key = BASE64.decode(key).map_err(|_| NoteError::Key)?;
        let [ED25519_TYPE, key @ ..] = &key[..] else { return Err(NoteError::Key) };
        let key = PublicKey { name: name.to_owned(), key: key.try_into().map_err(|_| NoteError::Key)? };
        let named = !name.is_empty() && !name.contains(char::is_whitespace);
        if named && hex::encode(key.id()) == id { Ok(key) } else { Err(NoteError::Key) }
    }
}

/// What signs the notes of one log. Never printed.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

impl SigningKey {
    /// From 32 secret bytes.
    ///
    /// # Errors
    /// [`NoteError::Key`] when the bytes are refused.
    pub fn new(seed: &[u8; 32]) -> Result<SigningKey, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let key = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| NoteError::Key)?;
        Ok(SigningKey { pair, public: PublicKey::of_log(key) })
    }

    /// What verifies its notes.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature alone: 64 bytes.
    pub fn signature(&self, text: &str) -> Vec<u8> {
        self.pair.sign(text.as_bytes()).as_ref().to_vec()
    }

    /// The signed note of a text, which ends with a line end.
    pub fn sign(&self, text: &str) -> String {
        self.public.note(text, &self.signature(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the note of the specification's own example.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_opens() {
        let key: PublicKey = KEY.parse().expect("a key");
        assert_eq!(key.to_string(), KEY);
        assert_eq!(key.open(NOTE), Ok("This is an example message.\n"));
    }

    #[test]
    fn what_was_signed_opens_and_nothing_else_does() {
        let key = SigningKey::new(&[7; 32]).expect("a key");
        let note = key.sign("one\ntwo\n");
        assert_eq!(key.public().open(&note), Ok("one\ntwo\n"));
        let other = SigningKey::new(&[8; 32]).expect("a key");
        assert!(matches!(other.public().open(&note), Err(NoteError::Unsigned(_))));
        let both = format!("{note}{}", other.sign("one\ntwo\n").lines().last().expect("a signature")) + "\n";
        assert_eq!((key.public().open(&both), other.public().open(&both)), (Ok("one\ntwo\n"), Ok("one\ntwo\n")));
        for (from, to) in [("two", "too"), ("one\n", "one\n\n"), ("\u{2014} ", "- "), ("\n\n", "\n"), ("=\n", "=\r\n")] {
            assert!(key.public().open(&note.replacen(from, to, 1)).is_err(), "{from} as {to}");
        }
        assert!(key.public().open(note.trim_end()).is_err(), "cut off");
    }

    #[test]
    fn a_public_key_is_read_as_it_was_written_and_a_signing_key_shows_no_secret() {
        let key = SigningKey::new(&[7; 32]).expect("a key");
        let text = key.public().to_string();
        assert_eq!(text.parse(), Ok(key.public().clone()));
        assert!(format!("{text}x").parse::<PublicKey>().is_err());
        assert!(text.replacen("countersign/", "countersign.", 1).parse::<PublicKey>().is_err(), "the id covers the name");
        assert!(!format!("{key:?}").contains("0707"));
    }
}
