//! Signed texts, altered as the input says.

/// The text with changes: each three bytes of the input name a place (two bytes) and what happens there. The same text
/// when they change nothing.
pub(crate) fn altered(text: &str, changes: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % (bytes.len() + 1);
        match change[2] {
            0 => bytes.truncate(place),
            1 if place < bytes.len() => drop(bytes.remove(place)),
            2 => bytes.extend_from_within(..place.min(16)),
            // Any other character of ASCII.
            byte if place < bytes.len() => bytes[place] = byte & 0x7f,
            byte => bytes.push(byte & 0x7f),
        }
    }
    String::from_utf8(bytes).expect("ASCII")
}
