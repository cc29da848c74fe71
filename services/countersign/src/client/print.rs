//! Printing: standard output that may be closed early, and colours where they are wanted. What is
//! printed passes the gate of [`crate::terminal`].

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::failure::Failure;
pub(super) use crate::terminal::{clean, clean_lines};
use crate::terminal::{clean_painted, indented, json_text};

/// Standard output.
pub struct Out {
    /// Whether JSON is wanted.
    pub json: bool,
    /// Colours for it.
    pub paint: Paint,
    closed: bool,
}

impl Out {
    /// Standard output as it is.
    pub fn new(json: bool) -> Out {
        Out { json, paint: Paint { on: !json && colours(io::stdout().is_terminal()) }, closed: false }
    }

    /// Writes a text and flushes it. A reader who went away (`| head`) is no failure; see
    /// [`Out::is_closed`].
    ///
    /// # Errors
    /// When it cannot be written for another reason, such as a full disk.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        let gated = if self.paint.on { clean_painted(text) } else { clean_lines(text) };
        self.write(&gated)
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            done => done?,
        }
        Ok(())
    }

    /// Writes one line of JSON.
    ///
    /// # Errors
    /// As [`Out::text`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.raw_json(&serde_json::to_string(value).map_err(io::Error::from)?)
    }

    /// Writes a line of JSON as it came from the service.
    ///
    /// # Errors
    /// As [`Out::text`].
    pub fn raw_json(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&json_text(&format!("{text}\n")))
    }

    /// Whether the reader went away, so that there is no use in fetching more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

/// Lines on standard error; nobody who closed it is bothered.
pub fn note(text: &str) {
    eprint!("{text}\n");
}

/// Prints a failure on standard error.
pub fn failure(failure: &Failure) {
    let paint = Paint { on: colours(io::stderr().is_terminal()) };
    crate::terminal::err_painted(&format!("{} {}\n", paint.red("error:"), indented(&clean_lines(&failure.to_string()))));
}

fn colours(terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Colours, if any.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether there are any.
    pub on: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For what failed or was refused.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// For titles.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// For what matters less.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// A review's status in its colour.
    pub fn status(self, status: &str) -> String {
        let code = match status {
            "approved" => "32",
            "rejected" | "refused" => "31",
            "open" => "33",
            _ => "2",
        };
        self.with(code, status)
    }
}

/// Rows under a head, each column as wide as its widest cell; the last is as long as it is.
/// `paint` colours a padded cell, given its column.
pub fn table(head: &[&str], rows: &[Vec<String>], paint: impl Fn(usize, &str) -> String) -> String {
    let width = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.chars().count());
    let widths: Vec<usize> =
        head.iter().enumerate().map(|(i, name)| width(i).chain([name.chars().count()]).max().unwrap_or(0)).collect();
    let line = |cells: &mut dyn Iterator<Item = (usize, &str)>, paint: &dyn Fn(usize, &str) -> String| {
        let mut line = String::new();
        for (column, cell) in cells {
            let last = column + 1 == widths.len();
            let pad = if last { 0 } else { widths.get(column).copied().unwrap_or(0).saturating_sub(cell.chars().count()) + 2 };
            line.push_str(&paint(column, cell));
            line.extend(std::iter::repeat_n(' ', pad));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    };
    let mut text = line(&mut head.iter().copied().enumerate(), &|_, cell| cell.to_owned());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str).enumerate(), &paint));
    }
    text
}

/// `label  value` lines, the values aligned; lines of a value after its first are indented to it.
pub fn fields(paint: Paint, fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (label, value) in fields {
        let indent = format!("\n{}", " ".repeat(width + 4));
        let padded = format!("{label:width$}");
        text.push_str(&format!("  {}  {}\n", paint.dim(&padded), value.trim_end().replace('\n', &indent)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_without_trailing_spaces() {
        let rows = vec![
            vec!["open".to_owned(), "Ünï".to_owned(), String::new()],
            vec!["approved".to_owned(), "b".to_owned(), "T".to_owned()],
        ];
        assert_eq!(
            table(&["STATUS", "WHO", "TITLE"], &rows, |_, cell| cell.to_owned()),
            "STATUS    WHO  TITLE\nopen      Ünï\napproved  b    T\n"
        );
    }

    #[test]
    fn fields_are_aligned_and_keep_their_lines_under_each_other() {
        let text = fields(Paint { on: false }, &[("by", "Ana".into()), ("summary", "one\ntwo\n".into())]);
        assert_eq!(text, "  by       Ana\n  summary  one\n           two\n");
    }

    #[test]
    fn colours_are_there_only_when_wanted() {
        assert_eq!(Paint { on: false }.status("open"), "open");
        assert_eq!(Paint { on: true }.status("approved"), "\x1b[32mapproved\x1b[0m");
    }
}
