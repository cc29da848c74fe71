//! What this process prints. Everything passes one gate, so that no text of somebody else drives a
//! terminal: neither colours, moves and titles (C0 and C1 control characters), nor the direction of
//! writing, nor a line end that makes one line look like two.
//!
//! Inside this crate `println!` and its siblings are ours: they are defined here, in front of those of
//! the standard library, so that whoever prints the usual way passes the gate.
//!
//! | To print | Use |
//! |---|---|
//! | one line | `println!`, `eprintln!` |
//! | several lines | `print!`, `eprint!` |
//! | JSON | `json`, `json_line` |
//! | with colours | `client::print::Out` |

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use events::line::tame;
use serde::Serialize;

/// One line on standard output. Line ends inside it become spaces.
macro_rules! println {
    () => { $crate::terminal::out("\n") };
    ($($text:tt)*) => { $crate::terminal::out_line(::std::format_args!($($text)*)) };
}

/// Lines on standard output.
macro_rules! print {
    ($($text:tt)*) => { $crate::terminal::out(&::std::format!($($text)*)) };
}

/// One line on standard error. Line ends inside it become spaces.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::terminal::err_line(::std::format_args!($($text)*)) };
}

/// Lines on standard error.
macro_rules! eprint {
    ($($text:tt)*) => { $crate::terminal::err(&::std::format!($($text)*)) };
}

/// Writes one line to standard output. A reader who went away is no failure of ours.
pub(crate) fn out_line(text: fmt::Arguments<'_>) {
    let _ = std::writeln!(io::stdout().lock(), "{}", clean(&text.to_string()));
}

/// Writes lines to standard output. A reader who went away is no failure of ours.
pub(crate) fn out(text: &str) {
    let _ = try_out(text);
}

/// Writes lines to standard output.
///
/// # Errors
/// When they cannot be written, such as to a reader who went away.
pub(crate) fn try_out(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(clean_lines(text).as_bytes())
}

/// Writes one line to standard error.
pub(crate) fn err_line(text: fmt::Arguments<'_>) {
    let _ = std::writeln!(io::stderr().lock(), "{}", clean(&text.to_string()));
}

/// Writes lines to standard error.
pub(crate) fn err(text: &str) {
    let _ = io::stderr().lock().write_all(clean_lines(text).as_bytes());
}

/// Writes lines with colours of ours to standard error.
pub(crate) fn err_painted(text: &str) {
    let _ = io::stderr().lock().write_all(clean_painted(text).as_bytes());
}

/// Writes a value to standard output as one line of JSON.
///
/// # Errors
/// When it is none, or cannot be written.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    json_line(&serde_json::to_string(value)?)
}

/// Writes a line of JSON to standard output.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn json_line(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(json_text(&format!("{text}\n")).as_bytes())
}

/// Prints why the process ends, with the causes. Every line after the first is indented, so that none
/// of it is taken for a line of ours.
pub fn failure(error: &anyhow::Error) {
    let mut text = format!("Error: {error}");
    // Some errors put their cause into a sentence of their own.
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).filter(|cause| !text.contains(cause)).collect();
    if !causes.is_empty() {
        text.push_str("\n\nCaused by:");
        causes.iter().for_each(|cause| text.push_str(&format!("\n    {cause}")));
    }
    err(&(indented(&text) + "\n"));
}

/// Every line after the first begins with at least two spaces.
pub(crate) fn indented(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        0 => line.to_owned(),
        _ if line.starts_with("  ") || line.is_empty() || line == "Caused by:" => line.to_owned(),
        _ => format!("  {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a character would drive a terminal, or turn what follows.
fn steers(c: char) -> bool {
    tame(c) != Some(c)
}

/// One line of somebody else's text: what would drive a terminal becomes `�`, line ends a space.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let one_line = text.replace("\r\n", " ");
    Cow::Owned(one_line.chars().map(replaced).collect())
}

fn replaced(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' => ' ',
        c if steers(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// The same for several lines, whose ends stay.
pub fn clean_lines(text: &str) -> String {
    let mut lines = text.lines().map(clean).collect::<Vec<_>>().join("\n");
    if text.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

/// The same, but for the colours that we set ourselves (`ESC [ … m`).
pub(crate) fn clean_painted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for (number, piece) in text.split('\x1b').enumerate() {
        let colour = piece
            .strip_prefix('[')
            .and_then(|rest| rest.split_once('m'))
            .filter(|(code, _)| (1..=2).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit()));
        match (number, colour) {
            (0, _) => clean.push_str(&clean_lines(piece)),
            (_, Some((code, rest))) => {
                clean.push_str(&format!("\x1b[{code}m"));
                clean.push_str(&clean_lines(rest));
            }
            (_, None) => {
                clean.push(char::REPLACEMENT_CHARACTER);
                clean.push_str(&clean_lines(piece));
            }
        }
    }
    clean
}

/// JSON text in which what would drive a terminal is escaped. Programs read the same value.
pub fn json_text(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| steers(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => escaped.push('\n'),
            // In JSON these two stand between values only, as spaces do.
            '\r' | '\t' => escaped.push(' '),
            c if steers(c) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Standard error for the log: each event stays one line, and nothing in it drives the terminal.
pub struct Log;

impl Write for Log {
    /// The log hands over one whole event a call.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.trim_end_matches('\n').replace("\r\n", " ").replace('\n', " ");
        io::stderr().lock().write_all((clean_painted(&line) + "\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any text, with more of what harms than chance would bring.
    fn hostile() -> impl Strategy<Value = String> {
        let bad = prop::sample::select(vec![
            '\x1b', '\x07', '\x08', '\x7f', '\r', '\n', '\t', '\u{85}', '\u{90}', '\u{9b}', '\u{9d}', '\u{200e}', '\u{202e}',
            '\u{2066}', '\u{2069}', '\u{61c}', '\u{2028}', '\u{2029}', '[', ']', 'm', '3', '1', ';', 'J', '"', '\\',
        ]);
        prop::collection::vec(prop_oneof![bad, any::<char>()], 0..40).prop_map(|chars| chars.into_iter().collect())
    }

    fn drives(c: char) -> bool {
        c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{2028}' | '\u{2029}')
    }

    proptest! {
        #[test]
        fn no_text_drives_the_terminal_and_one_line_stays_one(text in hostile()) {
            prop_assert!(!clean(&text).contains(drives));
            let lines = clean_lines(&text);
            prop_assert!(!lines.contains(|c| drives(c) && c != '\n'));
            prop_assert_eq!(lines.matches('\n').count(), text.lines().count() - usize::from(!text.is_empty() && !text.ends_with('\n')));
        }

        #[test]
        fn of_escapes_only_colours_pass_where_there_are_any(text in hostile()) {
            let shown = clean_painted(&text);
            for escape in shown.split('\x1b').skip(1) {
                let code = escape.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(code, _)| code);
                prop_assert!(code.is_some_and(|code| code.len() <= 2 && code.bytes().all(|byte| byte.is_ascii_digit())), "{:?}", shown);
            }
            prop_assert!(!shown.contains(|c| drives(c) && !matches!(c, '\n' | '\x1b')));
        }

        #[test]
        fn json_says_the_same_to_programs_and_nothing_to_the_terminal(text in hostile()) {
            let value = serde_json::json!({"title": &text, text.clone(): 1});
            for line in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")] {
                let escaped = json_text(&line);
                prop_assert!(!escaped.contains(|c| drives(c) && c != '\n'));
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&escaped).expect("JSON"), &value);
            }
        }
    }

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("Ship\x1b[2J it\u{202E}now"), "Ship\u{FFFD}[2J it\u{FFFD}now");
        assert_eq!(clean("two\r\nlines\there"), "two lines here");
        assert_eq!(clean("a\u{9b}31mb\u{85}c\u{2028}d"), "a\u{FFFD}31mb c d");
        assert_eq!(clean("plain – ü"), "plain – ü");
        assert_eq!(clean_lines("a\x07\nb"), "a\u{FFFD}\nb");
        assert_eq!(
            clean_painted("\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07"),
            "\x1b[31mred\x1b[0m \u{FFFD}[2J\u{FFFD}]0;title\u{FFFD}"
        );
    }

    #[test]
    fn no_cause_of_a_failure_begins_a_line_of_its_own() {
        assert_eq!(indented("cannot read x\nwhole: 5 commits\n    0: y"), "cannot read x\n  whole: 5 commits\n    0: y");
    }

    /// Whoever writes to the streams by another way than this module would pass the gate by.
    #[test]
    fn nothing_else_in_this_crate_writes_to_the_terminal() {
        fn walk(dir: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, found);
                    continue;
                }
                let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("ours").display().to_string();
                let text = std::fs::read_to_string(&path).expect("text");
                let writes =
                    |line: &&str| (line.contains("::stdout()") || line.contains("::stderr()")) && !line.contains("is_terminal()");
                found.extend(text.lines().filter(writes).map(|line| format!("{name}: {}", line.trim())));
                found.extend(
                    text.lines().filter(|line| line.contains("std::print") || line.contains("std::eprint")).map(|_| name.clone()),
                );
            }
        }
        let mut found = Vec::new();
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        found.retain(|line| !line.starts_with("src/terminal.rs"));
        // The bar of progress is made of our own words and figures; the table of `--csv` cleans each cell.
        let known = [
            "src/log/progress.rs: let _ = write!(std::io::stderr().lock(), \"\\r\\x1b[K{text}\");",
            "src/log/progress.rs: let _ = write!(std::io::stderr().lock(), \"\\r\\x1b[K\");",
            "src/log/audit/mod.rs: true => Some(Table::start(std::io::stdout(), &COLUMNS)?),",
            "src/client/print.rs: let mut out = io::stdout().lock();",
        ];
        found.retain(|line| !known.contains(&line.as_str()));
        assert!(found.is_empty(), "print by `crate::terminal`: {found:#?}");
    }
}
