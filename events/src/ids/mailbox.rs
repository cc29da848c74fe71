//! E-mail addresses: the one way in which a mailbox is written.
//!
//! The part before the `@` is ASCII. Few mail servers deliver to any other (RFC 6531; Amazon SES to none), and only
//! there could a letter of another alphabet, or one that nobody sees, pass for somebody else. The domain may be
//! typed in any script: its A-label is what is kept, sent to and shown, and no A-label looks like another domain.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::line::is_invisible;

/// The longest e-mail address that can be delivered to (RFC 5321, 4.5.3.1.3, less the brackets).
pub const EMAIL_MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest label and the longest name of a domain (RFC 1035, 2.3.4).
const LABEL_MAX: usize = 63;
const DOMAIN_MAX: usize = 253;

/// What is wrong with an address: what it should have been, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("an e-mail address")]
    Form,
    #[error("an e-mail address without U+{code:04X}, {kind}", code = u32::from(*.0), kind = kind(*.0))]
    Character(char),
    #[error(
        "an e-mail address with ASCII letters alone before the @, since few mail servers deliver to any other (it has {letter:?}, U+{code:04X})",
        letter = .0,
        code = u32::from(*.0)
    )]
    NotAscii(char),
    #[error("an e-mail address with a dot neither first, last nor twice in a row before the @")]
    Dots,
    #[error("an e-mail address of at most 64 bytes before the @")]
    LocalLength,
    #[error("an e-mail address of at most 254 bytes")]
    Length,
    #[error(
        "an e-mail address with a domain name after the @: parts of 1 to 63 letters, digits and inner hyphens with a dot between, 253 bytes at most"
    )]
    Domain,
}

/// What a character is that no address has.
fn kind(c: char) -> &'static str {
    match c {
        c if c.is_control() => "a control character",
        c if c.is_whitespace() => "a space",
        c if is_invisible(c) => "which nobody sees",
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => "which is for private use",
        _ => "which is no character of an address",
    }
}

fn is_out_of_place(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || is_invisible(c)
        || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
        || (c.is_ascii() && !(is_of_atom(c) || matches!(c, '.' | '@')))
}

/// A character of an atom (RFC 5322, 3.2.3).
fn is_of_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// Whether this is an address as nearly all are, written as it is kept. Any other is looked at closely.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else { return false };
    let (local, domain) = (&bytes[..at], &bytes[at + 1..]);
    bytes.len() <= EMAIL_MAX && local.len() <= LOCAL_MAX && is_plain_local(local) && is_plain_domain(domain)
}

/// Letters in lower case, digits, `-`, `_` and `+`, with single dots between.
fn is_plain_local(local: &[u8]) -> bool {
    let mut before = b'.';
    for byte in local {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'+' => {}
            b'.' if before != b'.' => {}
            _ => return false,
        }
        before = *byte;
    }
    before != b'.'
}

/// Labels of letters in lower case, digits and inner hyphens, none of them an A-label and the last no number.
fn is_plain_domain(domain: &[u8]) -> bool {
    let (mut before, mut length, mut is_number) = (b'.', 0, true);
    for (index, byte) in domain.iter().enumerate() {
        match byte {
            b'x' if length == 0 && domain[index..].starts_with(b"xn--") => return false,
            b'0'..=b'9' => length += 1,
            b'a'..=b'z' => (length, is_number) = (length + 1, false),
            b'-' if before != b'.' => (length, is_number) = (length + 1, false),
            b'.' if before != b'.' && before != b'-' => (length, is_number) = (0, true),
            _ => return false,
        }
        if length > LABEL_MAX {
            return false;
        }
        before = *byte;
    }
    domain.len() <= DOMAIN_MAX && before != b'-' && !is_number
}

/// What somebody typed, as it is kept.
pub(super) fn typed(text: &str) -> Result<String, Fault> {
    if let Some(c) = text.chars().find(|c| is_out_of_place(*c)) {
        return Err(Fault::Character(c));
    }
    let (local, domain) = text.split_once('@').filter(|(_, domain)| !domain.contains('@')).ok_or(Fault::Form)?;
    if local.is_empty() || domain.is_empty() {
        return Err(Fault::Form);
    }
    if let Some(c) = local.chars().find(|c| !c.is_ascii()) {
        return Err(Fault::NotAscii(c));
    }
    if local.len() > LOCAL_MAX {
        return Err(Fault::LocalLength);
    }
    if local.split('.').any(str::is_empty) {
        return Err(Fault::Dots);
    }
    let domain = a_label(domain).ok_or(Fault::Domain)?;
    let kept = format!("{}@{domain}", local.to_ascii_lowercase());
    if kept.len() > EMAIL_MAX { Err(Fault::Length) } else { Ok(kept) }
}

/// A domain as DNS has it: mapped and checked by UTS 46, with non-transitional processing and STD3 rules.
fn a_label(domain: &str) -> Option<Cow<'_, str>> {
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    // A name that ends in digits alone is read as a number (WHATWG URL, 3.5), and no domain.
    ascii.ok().filter(|name| !name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())))
}

/// Whether an earlier version took this, as it stands.
pub(super) fn was_taken(text: &str) -> bool {
    let signs = ['<', '>', '"', ',', ';', '(', ')', '[', ']', '\\'];
    text.len() <= EMAIL_MAX
        && text.split_once('@').is_some_and(|(local, domain)| {
            let dots = domain.starts_with('.') || domain.ends_with('.');
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !dots
        })
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || signs.contains(&c))
}

/// What an earlier version took, as it would be kept today. What is refused today stays apart from all that is
/// taken: only its domain, ASCII letters and composed characters are written in one way.
pub(super) fn kept(text: &str) -> String {
    if let Ok(kept) = typed(text) {
        return kept;
    }
    let Some((local, domain)) = text.split_once('@') else { return text.to_owned() };
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(local);
    // A few signs compose to ASCII, such as that of kelvin: these are not the letters that they look like.
    let local = if composed.is_ascii() { local } else { &composed };
    let seen = !domain.chars().any(is_out_of_place);
    let ascii = if seen { a_label(domain) } else { None };
    format!("{}@{}", local.to_ascii_lowercase(), ascii.unwrap_or_else(|| domain.to_ascii_lowercase().into()))
}

/// The address with the letters of its domain, when that is another spelling.
pub(super) fn with_letters(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@').filter(|(_, domain)| domain.contains("xn--"))?;
    let (letters, checked) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    (checked.is_ok() && letters != domain).then(|| format!("{local}@{letters}"))
}
