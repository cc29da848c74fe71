//! The default alphabet of SMS (3GPP TS 23.038, 6.2.1), and what can be said in it.

use icu_normalizer::DecomposingNormalizer;

/// The characters that take one septet. The tables of national languages stay out: who reads them is
/// not known here.
const BASIC: &str = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The characters that take two: an escape before them.
const EXTENSION: &str = "^{}\\[~]|€";

/// How many septets a character takes; `None` when the alphabet has none for it.
pub(super) fn width(c: char) -> Option<usize> {
    if BASIC.contains(c) { Some(1) } else { EXTENSION.contains(c).then_some(2) }
}

/// How many septets a text takes; `None` when a character of it is not in the alphabet.
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars().map(width).sum()
}

/// The same text in the alphabet: accents and typographic marks are made plain, pictures and other
/// signs left out. `None` when a letter or digit would be lost, or when nothing is left.
pub(super) fn transliterate(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if width(c).is_some() {
            plain.push(c);
        } else if let Some(other) = other(c) {
            plain.push_str(other);
        } else {
            let parts = DecomposingNormalizer::new_nfkd().normalize_iter(std::iter::once(c));
            let before = plain.len();
            plain.extend(parts.filter(|part| width(*part).is_some()));
            if plain.len() == before && c.is_alphanumeric() {
                return None;
            }
        }
    }
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    plain.chars().any(char::is_alphanumeric).then_some(plain)
}

/// What Unicode does not decompose.
fn other(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => "'",
        '“' | '”' | '„' | '«' | '»' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '•' | '·' => "*",
        '→' => "->",
        '≤' => "<=",
        '≥' => ">=",
        '×' => "x",
        '÷' => "/",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' => "th",
        'Þ' => "Th",
        'œ' => "oe",
        'Œ' => "OE",
        'ħ' => "h",
        'ı' => "i",
        _ => return None,
    })
}
