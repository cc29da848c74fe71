//! Figures and foreign text as a person reads them.

use super::anomaly::THRESHOLD;

/// Foreign text made safe to show: one line of at most `max` characters, cut with an ellipsis.
/// Characters that are invisible, reorder what stands beside them or are not allowed in XML become
/// `U+FFFD`, so that a cell of a data file can only ever be text.
pub fn plain(text: &str, max: usize) -> String {
    let text = text.trim();
    let shown = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{fffd}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    // One character further tells whether there is more, without walking a long text to its end.
    let mut head: Vec<char> = text.chars().take(max + 1).map(shown).collect();
    if head.len() > max {
        head.truncate(max.saturating_sub(1));
        head.push('…');
    }
    head.into_iter().collect()
}

/// A count with thousands separated: `1,000,000`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A measured number to four significant digits: `61.9`, `10,370`, `1.20e150`.
pub fn number(x: f64) -> String {
    let size = x.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e9).contains(&size) {
        return format!("{x:.2e}");
    }
    if size >= 1e4 {
        let sign = if x < 0.0 { "−" } else { "" };
        return format!("{sign}{}", count(size.round() as usize));
    }
    let decimals = (3.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
    let shown = format!("{x:.decimals$}");
    let shown = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { &shown };
    shown.replace('-', "−")
}

/// A share as a percentage with one decimal, and with more where one would hide on which side of the
/// limit it lies: `7.4 %`, `6.04 %`.
pub fn percent(share: f64) -> String {
    let shown = |decimals: usize| format!("{:.decimals$}", share * 100.0);
    let hides = |decimals: &usize| share != THRESHOLD && shown(*decimals) == format!("{:.decimals$}", THRESHOLD * 100.0);
    let decimals = (1..6).find(|decimals| !hides(decimals)).unwrap_or(6);
    format!("{} %", shown(decimals))
}

/// The share above which people are asked, as it is spoken of: `6 %`.
pub fn limit() -> String {
    format!("{} %", THRESHOLD * 100.0)
}

#[cfg(test)]
mod tests;
