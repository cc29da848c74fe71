//! What a caller wrote, as one harmless line: the same wherever people read it.

/// The length of a text as every limit on what people and programs write counts it: in Unicode code points, as
/// `maxLength` of JSON Schema does and as a browser can. Each is at most four bytes.
pub fn characters(text: &str) -> usize {
    text.chars().count()
}

/// Without what has no place in a line: control characters and line ends, and those that turn the direction of
/// whatever follows (UAX 9, explicit directional characters). Right-to-left letters stay.
pub fn line(text: &str) -> String {
    text.chars().filter_map(tame).collect::<String>().trim().to_owned()
}

/// One character of it; `None` when it has no place there.
pub fn tame(c: char) -> Option<char> {
    (!turns(c)).then_some(if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
}

fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{FEFF}')
}

/// A line in which no phone and no mail reader finds a link, with single spaces: for messages without
/// markup, whose only link is to be ours.
pub fn inert(line: &str) -> String {
    let line = line.replace("://", ": ");
    let mut chars = line.chars().peekable();
    let mut inert = String::with_capacity(line.len());
    while let Some(c) = chars.next() {
        inert.push(c);
        // The dots of other scripts too: those that a client reads as one in a name (RFC 3490, 3.1).
        let dot = matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}');
        if dot && chars.peek().is_some_and(|next| next.is_alphabetic()) {
            inert.push(' ');
        }
    }
    inert.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether nobody can see anything in this text: it is empty, or holds only white space, control
/// characters and characters that no font draws.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Whether no font draws this character: the default ignorable code points (Unicode 17.0,
/// `DerivedCoreProperties.txt`), and the blank braille pattern.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn a_text_that_shows_nothing_is_blank() {
        for blank in ["", " \t\n", "\u{200b}", "\u{feff} \u{2060}\u{3164}", "\u{a0}\u{3000}", "\u{2800}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in ["x", " . ", "0", "\u{200b}é"] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }
}
