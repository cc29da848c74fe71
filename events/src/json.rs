//! JSON as somebody outside wrote it, read so that what was typed is what is kept.
//!
//! RFC 8259 leaves open what a reader does with a name that is given twice, or with a number that it
//! cannot hold. Most readers keep the last of the two, and the nearest double. People would then
//! approve, and a digest would stand for, something that nobody typed. So both are faults here, with
//! their place (RFC 7493, I-JSON, sections 2.2 and 2.3).

mod number;
mod scan;

use serde_json::Value;

use crate::{fault::Fault, line::line};

/// The most levels of arrays and objects inside each other. The parser stops at 128; what people are
/// shown needs few, and each level costs every reader of a page.
pub const DEPTH_MAX: usize = 64;
/// The most faults of one document that are named.
const FAULTS_MAX: usize = 50;
/// The most letters of a name that are repeated.
const NAME_MAX: usize = 100;

/// A document, and what of it could not be kept as it was typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Typed {
    /// The document. Where it has faults, only what is needed to refuse it should be taken from it.
    pub value: Value,
    /// Names given twice and numbers that are not kept, each with its pointer.
    pub faults: Vec<Fault>,
}

impl Typed {
    /// A document of our own making: nobody typed it, so nothing of it can have been lost.
    pub fn made(value: Value) -> Typed {
        Typed { value, faults: Vec::new() }
    }

    /// The part of it at a field of the outermost object, with that part's faults.
    pub fn field(&self, name: &str) -> Option<Typed> {
        let value = self.value.get(name)?.clone();
        let at = format!("/{}", token(name));
        let inside = |fault: &Fault| {
            let rest = fault.pointer.strip_prefix(&at)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| Fault::new(rest, fault.expected.clone()))
        };
        Some(Typed { value, faults: self.faults.iter().filter_map(inside).collect() })
    }
}

/// Text that is not JSON at all.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// The bytes are UTF-16, as some Windows programs write files.
    #[error("this is UTF-16 text, and JSON is UTF-8 (RFC 8259, section 8.1): save the file as UTF-8")]
    Utf16,
    /// The bytes are not UTF-8.
    #[error("this is not UTF-8 text from byte {at} on")]
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// Arrays and objects stand inside each other more often than [`DEPTH_MAX`].
    #[error("arrays and objects are nested more than {DEPTH_MAX} levels deep")]
    TooDeep,
    /// The text breaks the grammar.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads a document. A byte order mark at its head is skipped.
///
/// # Errors
/// See [`NotJson`]. What is JSON but cannot be kept as it was typed is in [`Typed::faults`].
pub fn read(bytes: &[u8]) -> Result<Typed, NotJson> {
    let text = text(bytes)?;
    if scan::depth(text) > DEPTH_MAX {
        return Err(NotJson::TooDeep);
    }
    let value: Value = serde_json::from_str(text)?;
    let mut faults = scan::faults(text, FAULTS_MAX + 1);
    if faults.len() > FAULTS_MAX {
        faults.truncate(FAULTS_MAX);
        faults.push(Fault::new("", "no further names given twice and numbers that cannot be kept"));
    }
    Ok(Typed { value, faults })
}

/// The bytes as text, without a byte order mark.
///
/// # Errors
/// [`NotJson::Utf16`] and [`NotJson::NotUtf8`].
pub fn text(bytes: &[u8]) -> Result<&str, NotJson> {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] | [b'{' | b'[', 0, ..]) {
        return Err(NotJson::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| NotJson::NotUtf8 { at: error.valid_up_to() })
}

/// A caller's name as a token of a JSON pointer (RFC 6901, section 3): one line of at most [`NAME_MAX`] letters, since
/// it is repeated to whoever reads of the fault.
pub(crate) fn token(name: &str) -> String {
    let name: String = line(name).chars().take(NAME_MAX).collect();
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(text: &str) -> Vec<String> {
        read(text.as_bytes()).expect("JSON").faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_number_that_a_double_cannot_hold_is_a_fault_with_its_pointer() {
        assert_eq!(faults(r#"{"subject":{"order":9007199254740993}}"#), ["/subject/order"]);
        assert_eq!(faults(r#"{"a/b":[1,{"~":1e-400}]}"#), ["/a~1b/1/~0"]);
        let kept = r#"[0,-0,1,1.0,0.1,-7.4,1e3,9007199254740991,9007199254740992,5e-324,1.5E+300,123456789012345680000,0.30000000000000004]"#;
        assert_eq!(faults(kept), Vec::<String>::new());
        for lost in
            ["9007199254740993", "333333333.33333329", "0.1000000000000000055511151231257827", "1152921504606846976", "1e-324"]
        {
            assert_eq!(faults(lost), [""], "{lost}");
        }
    }

    #[test]
    fn a_name_that_is_given_twice_is_a_fault_however_it_is_written() {
        assert_eq!(faults(r#"{"policy":{"quorum":2,"quorum":1}}"#), ["/policy/quorum"]);
        assert_eq!(faults(r#"{"quorum":2,"\u0071uorum":1}"#), ["/quorum"]);
        assert_eq!(faults(r#"[{"a":1},{"a":1,"b":{"a":2}}]"#), Vec::<String>::new());
        let many: String = (0..1_000).map(|_| r#""a":1,"#).collect();
        assert_eq!(faults(&format!("{{{many}\"b\":1}}")).len(), FAULTS_MAX + 1);
    }

    #[test]
    fn a_pointer_is_one_short_line_whatever_the_names_are() {
        assert_eq!(faults("{\"a\\r\\u202eb\":1,\"a\\r\\u202eb\":2}"), ["/a b"]);
        let long = "n".repeat(1_000);
        assert_eq!(faults(&format!(r#"{{"{long}":1,"{long}":2}}"#)), [format!("/{}", "n".repeat(NAME_MAX))]);
        let deep = format!("{}1e-400{}", format!("{{\"{long}\":").repeat(60), "}".repeat(60));
        let pointer = &faults(&deep)[0];
        assert!(pointer.len() <= 1_100 && pointer.ends_with("/…"), "{pointer}");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}").expect("JSON"), Typed::made(json!({"a": 1})));
        assert!(matches!(read(b"\xff\xfe{\0}\0"), Err(NotJson::Utf16)));
        assert!(matches!(read(b"{\0}\0"), Err(NotJson::Utf16)));
        assert!(matches!(read(b"{\"\xff\":1}"), Err(NotJson::NotUtf8 { at: 2 })));
        assert!(matches!(read(b"{"), Err(NotJson::Malformed(_))));
    }

    #[test]
    fn nesting_is_bounded_before_it_is_parsed() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert!(matches!(read(nested(DEPTH_MAX + 1).as_bytes()), Err(NotJson::TooDeep)));
        assert!(read(format!("\"{}\"", "[".repeat(1_000)).as_bytes()).is_ok(), "brackets in a text are none");
    }

    #[test]
    fn a_part_of_a_document_has_its_own_faults() {
        let whole = read(br#"{"detail":{"n":9007199254740993},"details":{"m":1e-400}}"#).expect("JSON");
        let detail = whole.field("detail").expect("a field");
        assert_eq!(detail.faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), ["/n"]);
        assert_eq!(whole.field("absent"), None);
    }
}
