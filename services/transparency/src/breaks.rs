//! A break: that what was signed before was given up, because the log had lost or changed it. It is an extension line of
//! every checkpoint that follows (<https://c2sp.org/tlog-checkpoint>), so that it is signed, and that whoever opens a
//! checkpoint without knowing of it passes over it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::Timestamp;

use crate::{checkpoint::Checkpoint, tree::Hash};

/// What the line begins with.
const NAME: &str = "countersign-break";

/// That a tree was begun anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// When somebody accepted the loss.
    pub at: Timestamp,
    /// The newest root that was signed before, as far as it was known; that of no entries when nothing was known.
    pub given_up: Checkpoint,
    /// How many of its commits the log no longer held as they were signed; absent when its entries were gone too.
    pub lost: Option<u64>,
}

/// A line that is not one of a break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the line does not describe a break")]
pub struct NotABreak;

impl Break {
    /// All that a checkpoint's text names, in their order.
    pub fn all(text: &str) -> Vec<Break> {
        text.split('\n').skip(3).filter_map(|line| line.parse().ok()).collect()
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Break { at, given_up: Checkpoint { size, root }, lost } = self;
        let lost = lost.map_or_else(|| "-".to_owned(), |lost| lost.to_string());
        write!(f, "{NAME} {at} {size} {} {lost}", BASE64.encode(root.0))
    }
}

impl FromStr for Break {
    type Err = NotABreak;

    fn from_str(line: &str) -> Result<Break, NotABreak> {
        let read = || {
            let mut words = line.split(' ');
            let (name, at, size, root, lost) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
            let root = Hash(BASE64.decode(root).ok()?.try_into().ok()?);
            let lost = match lost {
                "-" => None,
                number => Some(number.parse().ok()?),
            };
            let known = name == NAME && words.next().is_none();
            known.then_some(Break { at: at.parse().ok()?, given_up: Checkpoint { size: size.parse().ok()?, root }, lost })
        };
        // One break has one spelling: `+4` and `04` are read as numbers, but are not what was signed.
        read().filter(|read| read.to_string() == line).ok_or(NotABreak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;

    #[test]
    fn a_break_is_signed_with_every_checkpoint_that_names_it_and_does_not_hinder_others_who_open_it() {
        let key = SigningKey::new(&[7; 32]).expect("a key");
        let at = Timestamp::from_millis(1_795_000_000_000).expect("a time");
        let given_up = Checkpoint { size: 12, root: Hash([3; 32]) };
        let breaks = [Break { at, given_up, lost: Some(4) }, Break { at, given_up, lost: None }];
        let checkpoint = Checkpoint { size: 8, root: Hash([5; 32]) };
        let note = checkpoint.sign_after(&breaks, &key);
        assert_eq!(Checkpoint::open(&note, key.public()), Ok(checkpoint), "extension lines do not matter");
        assert_eq!(Checkpoint::open_with_breaks(&note, key.public()), Ok((checkpoint, breaks.to_vec())));
        assert_eq!(Checkpoint::open_with_breaks(&checkpoint.sign(&key), key.public()), Ok((checkpoint, vec![])));
        let other = note.replacen(" 12 ", " 13 ", 1);
        assert!(Checkpoint::open_with_breaks(&other, key.public()).is_err(), "the break is signed too");
        for line in ["", "countersign-break", "countersign-break x 1 AAAA 1", "another extension"] {
            assert_eq!(line.parse::<Break>(), Err(NotABreak), "{line}");
        }
    }
}
