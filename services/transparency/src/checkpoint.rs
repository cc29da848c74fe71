//! C2SP checkpoints (<https://c2sp.org/tlog-checkpoint>): the size and root of a log's tree, signed.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::{
    breaks::Break,
    note::{NoteError, PublicKey, SigningKey},
    tree::Hash,
};

/// How many leaves a log had, and their root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many.
    pub size: u64,
    /// The root.
    pub root: Hash,
}

/// A checkpoint that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is not one of the log's key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is signed and is no checkpoint.
    #[error("it is signed, and is no checkpoint")]
    Malformed,
    /// It is one of another log that has the same key.
    #[error("it is a checkpoint of {found}, not of {expected}")]
    Origin {
        /// Of what.
        found: String,
        /// Of what it should be.
        expected: String,
    },
}

impl Checkpoint {
    /// What is signed: the name of the log, the size and the root, a line each.
    pub fn text(&self, key: &PublicKey) -> String {
        format!("{}\n{}\n{}\n", key.name(), self.size, BASE64.encode(self.root.0))
    }

    /// The signed note of it.
    pub fn sign(&self, key: &SigningKey) -> String {
        key.sign(&self.text(key.public()))
    }

    /// The same of a tree that was begun anew, as often as there are breaks.
    pub fn sign_after(&self, breaks: &[Break], key: &SigningKey) -> String {
        let mut text = self.text(key.public());
        breaks.iter().for_each(|each| text.push_str(&format!("{each}\n")));
        key.sign(&text)
    }

    /// The note of it with a signature of [`Checkpoint::text`] that was made elsewhere.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the signature is not one of this text by this key.
    pub fn signed(&self, key: &PublicKey, signature: &[u8]) -> Result<String, CheckpointError> {
        let note = key.note(&self.text(key), signature);
        Checkpoint::open(&note, key).map(|_| note)
    }

    /// The checkpoint that a note holds, if the key of the log signed it.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open(note: &str, key: &PublicKey) -> Result<Checkpoint, CheckpointError> {
        Ok(Checkpoint::open_with_breaks(note, key)?.0)
    }

    /// The same, and the breaks that it names.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open_with_breaks(note: &str, key: &PublicKey) -> Result<(Checkpoint, Vec<Break>), CheckpointError> {
        let text = key.open(note)?;
        let origin = text.split('\n').next().unwrap_or_default();
        if origin != key.name() {
            return Err(CheckpointError::Origin { found: origin.to_owned(), expected: key.name().to_owned() });
        }
        let checkpoint = Checkpoint::said(text).ok_or(CheckpointError::Malformed)?;
        Ok((checkpoint, Break::all(text)))
    }

    /// What a note says, whoever signed it.
    pub fn said(note: &str) -> Option<Checkpoint> {
        // Lines behind these are extensions. Not `str::lines`, which takes a carriage return for a part of the line
        // end: a checkpoint has one text.
        let mut lines = note.split('\n').skip(1);
        let size = lines.next().filter(|size| *size == "0" || !size.starts_with(['0', '+']))?.parse().ok()?;
        let root = BASE64.decode(lines.next()?).ok()?.try_into().ok()?;
        Some(Checkpoint { size, root: Hash(root) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_as_it_was_signed_and_one_of_another_log_does_not() {
        let (key, other) = (SigningKey::new(&[7; 32]).expect("a key"), SigningKey::new(&[8; 32]).expect("a key"));
        let checkpoint = Checkpoint { size: 12, root: Hash([3; 32]) };
        let note = checkpoint.sign(&key);
        assert!(note.starts_with(&format!("{}\n12\nAwMD", key.public().name())), "{note}");
        assert_eq!(Checkpoint::open(&note, key.public()), Ok(checkpoint));
        assert!(Checkpoint::open(&note, other.public()).is_err());
        assert!(Checkpoint::open(&note.replacen("\n12\n", "\n13\n", 1), key.public()).is_err());
        let elsewhere = key.sign("another/log\n12\nAAAA\n");
        assert!(matches!(Checkpoint::open(&elsewhere, key.public()), Err(CheckpointError::Origin { .. })));
        let (text, by_hand) = (checkpoint.text(key.public()), note.lines().last().expect("a signature"));
        let signature = BASE64.decode(by_hand.rsplit(' ').next().expect("base64")).expect("base64");
        assert_eq!(checkpoint.signed(key.public(), &signature[4..]), Ok(note), "{text}");
        assert!(checkpoint.signed(other.public(), &signature[4..]).is_err(), "the signature of another key");
        let otherwise = key.sign(&text.replace("12\n", "12\r\n"));
        assert!(Checkpoint::open(&otherwise, key.public()).is_err(), "a checkpoint has one text");
        let nonsense = key.sign(&format!("{}\ntwelve\n\n", key.public().name()));
        assert!(Checkpoint::open(&nonsense, key.public()).is_err());
    }
}
