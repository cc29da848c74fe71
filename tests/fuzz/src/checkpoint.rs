//! Signed roots of a log's tree, and the keys that verify them.

use std::sync::LazyLock;

use transparency::{Checkpoint, Hash, PublicKey, SigningKey};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::new(&[7; 32]).expect("a key"));
static NOTE: LazyLock<String> = LazyLock::new(|| Checkpoint { size: 12, root: Hash([3; 32]) }.sign(&KEY));

/// A checkpoint that opens was signed, and has one text only; a key is read as it was written.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let key = KEY.public();

    // A note that the key did not sign: all but the one of ours.
    if let Ok(checkpoint) = Checkpoint::open(text, key) {
        assert_eq!(checkpoint, Checkpoint { size: 12, root: Hash([3; 32]) }, "nobody signed it: {text}");
    }
    // Our note with something before, between or behind.
    if let Some((before, behind)) = text.split_once('\u{1}')
        && let Ok(checkpoint) = Checkpoint::open(&format!("{before}{}{behind}", *NOTE), key)
    {
        assert!(before.is_empty(), "{before:?} was never signed");
        assert_eq!(checkpoint, Checkpoint { size: 12, root: Hash([3; 32]) });
    }
    // Whatever the key may ever have signed. What stands behind the three lines are extensions.
    let name = key.name();
    for signed in [format!("{text}\n"), format!("{name}\n{text}\n")] {
        if let Ok(checkpoint) = Checkpoint::open(&KEY.sign(&signed), key) {
            assert!(signed.starts_with(&checkpoint.text(key)), "two texts for one checkpoint: {signed:?}");
        }
    }

    if let Ok(read) = text.parse::<PublicKey>() {
        assert_eq!(read.to_string(), text.trim(), "a key has one text");
    }
}
