//! The SMS: an alert that a review waits, in one segment, so that it is one message to whoever reads it
//! and one to whoever pays for it. It asks for no reply and reads none.
//!
//! The link in it is the short one to the page that asks for sign-in, not the signed one of a mail. A
//! signed link decides in its reader's name: an SMS shows on locked screens, travels in the clear, and
//! goes to whoever has the number now. And it would not fit: a signed link takes about 140 of the 160
//! characters, the short one 25 and the address of the service.

mod gsm7;
#[cfg(test)]
mod tests;

use events::line::{inert, line};
use review::Review;

/// Septets in one segment of the default alphabet (3GPP TS 23.040).
const GSM7_MAX: usize = 160;
/// UTF-16 units in one segment of any other text.
const UCS2_MAX: usize = 70;
/// A title of fewer characters says nothing: then the alert goes without.
const TITLE_MIN: usize = 12;

/// The text. A title is put into the default alphabet as far as that leaves it readable; one of another
/// script keeps its own and has a shorter segment, for which all but title and link is left away.
pub fn compose(review: &Review, reminder: bool, link: &str) -> String {
    let still = if reminder { " still" } else { "" };
    let until = review.request.expires_at.as_datetime().format("%-d %b %H:%M UTC");
    let lead = format!("A review{still} waits for you until {until}");
    let title = inert(&line(&review.request.title));
    in_gsm7(&lead, &title, link).or_else(|| in_ucs2(&title, link)).unwrap_or_else(|| untitled(&lead, link))
}

fn in_gsm7(lead: &str, title: &str, link: &str) -> Option<String> {
    // Plain forms of single signs may hold dots of their own.
    let title = inert(&gsm7::transliterate(title)?);
    let (before, after) = (format!("{lead}: "), format!("\n{link}"));
    let room = GSM7_MAX.checked_sub(gsm7::septets(&before)? + gsm7::septets(&after)?)?;
    let title = cut(&title, room, "...", |c| gsm7::width(c).unwrap_or(GSM7_MAX))?;
    Some(format!("{before}{title}{after}"))
}

fn in_ucs2(title: &str, link: &str) -> Option<String> {
    // Pictures alone say less than the words that they would take the place of.
    title.chars().find(|c| c.is_alphanumeric())?;
    // A line of its own: no mark of a right-to-left title moves the link or what follows it.
    let after = format!("\n{link}");
    let room = UCS2_MAX.checked_sub(after.encode_utf16().count())?;
    let title = cut(title, room, "…", char::len_utf16)?;
    Some(format!("{title}{after}"))
}

/// Without the title; without the link too where the service's address is too long for one segment.
fn untitled(lead: &str, link: &str) -> String {
    let text = format!("{lead}.\n{link}");
    match gsm7::septets(&text) {
        Some(septets) if septets <= GSM7_MAX => text,
        _ => format!("{lead}. Sign in to see it."),
    }
}

/// The text in at most `room`, with `mark` where it was cut; `None` when it is empty or hardly anything
/// would be left of it.
fn cut(text: &str, room: usize, mark: &str, width: fn(char) -> usize) -> Option<String> {
    let total: usize = text.chars().map(width).sum();
    if text.is_empty() || (total > room && room < TITLE_MIN) {
        return None;
    }
    if total <= room {
        return Some(text.to_owned());
    }
    let room = room.checked_sub(mark.chars().map(width).sum())?;
    let mut used = 0;
    let fits = |c: &char| {
        used += width(*c);
        used <= room
    };
    let kept: String = text.chars().take_while(fits).collect();
    // What joins or changes a character that is no longer there would join the mark.
    Some(kept.trim_end_matches(|c: char| c.is_whitespace() || c == '\u{200d}').to_owned() + mark)
}
