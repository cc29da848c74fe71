//! Text files that a command is given, also those that Windows programs write.

use std::{fs, io, path::Path};

/// The mark at the head of a file (U+FEFF) in UTF-8.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
/// The same in UTF-16, little and big end first.
const WIDE: [[u8; 2]; 2] = [[0xFF, 0xFE], [0xFE, 0xFF]];

/// Reads a file as text.
///
/// # Errors
/// When it cannot be read, or is no UTF-8; see [`decode`].
pub fn read(path: &Path) -> io::Result<String> {
    decode(fs::read(path)?)
}

/// The text of these bytes, without a byte order mark.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] with what to do, when it is no UTF-8.
pub fn decode(mut bytes: Vec<u8>) -> io::Result<String> {
    let refused = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    if is_wide(&bytes) {
        return refused("the text is UTF-16; save it as UTF-8".to_owned());
    }
    if bytes.starts_with(&MARK) {
        bytes.drain(..MARK.len());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => refused(format!("the text is not UTF-8 (byte {}); save it as UTF-8", error.utf8_error().valid_up_to())),
    }
}

/// Whether a file begins as UTF-16 does: with its mark, or with an ASCII letter as one of its units.
pub fn is_wide(head: &[u8]) -> bool {
    match head {
        [first, second, ..] => WIDE.contains(&[*first, *second]) || (*first == 0) != (*second == 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn a_mark_at_the_head_is_skipped_and_nowhere_else() {
        assert_eq!(decode(b"\xEF\xBB\xBF{}".to_vec()).expect("text"), "{}");
        assert_eq!(decode("a\u{FEFF}b".into()).expect("text"), "a\u{FEFF}b");
        assert_eq!(decode(Vec::new()).expect("text"), "");
    }

    #[test]
    fn utf_16_is_named_with_and_without_its_mark() {
        for text in ["\u{FEFF}{\"title\": \"x\"}", "{\"title\": \"x\"}", "\u{FEFF}"] {
            for bytes in [wide(text, u16::to_le_bytes), wide(text, u16::to_be_bytes)] {
                let error = decode(bytes).expect_err("UTF-16").to_string();
                assert!(error.contains("UTF-16") && error.contains("save it as UTF-8"), "{error}");
            }
        }
        let error = decode(b"M\xFCller".to_vec()).expect_err("Latin-1").to_string();
        assert!(error.contains("not UTF-8 (byte 1)"), "{error}");
    }
}
