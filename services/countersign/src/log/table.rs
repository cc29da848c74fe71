//! Comma-separated values for people, who open them in a spreadsheet (RFC 4180).

use std::io::Write;

/// What a spreadsheet takes for the beginning of a formula, and what it skips before one.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A table that is written line by line.
pub struct Table<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> Table<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(out: W, columns: &[&str]) -> std::io::Result<Table<W>> {
        let mut table = Table::behind(out);
        table.out.write_record(columns).map_err(io)?;
        Ok(table)
    }

    /// Behind lines that were written before.
    pub fn behind(out: W) -> Table<W> {
        Table { out: csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out) }
    }

    /// What it is written to.
    pub fn out(&self) -> &W {
        self.out.get_ref()
    }

    /// Writes a line of as many cells as there are columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, cells: &[String]) -> std::io::Result<()> {
        self.out.write_record(cells.iter().map(|text| cell(text))).map_err(io)
    }

    /// Sees that all is written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn io(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// A cell that no spreadsheet takes for a formula: an apostrophe stands before one, as OWASP advises
/// ("CSV Injection").
pub fn cell(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_other_stays_as_it_is() {
        for formula in ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"x\")"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for plain in ["", "a=b", "ana@example.com", "'quoted", " 1", "2026-11-23"] {
            assert_eq!(cell(plain), plain);
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_are_kept() {
        let mut out = Vec::new();
        let mut table = Table::start(&mut out, &["a", "b"]).expect("begun");
        table.line(&["x, \"y\"\nz".into(), "=1".into()]).expect("written");
        table.flush().expect("flushed");
        drop(table);
        assert_eq!(String::from_utf8(out).expect("text"), "a,b\r\n\"x, \"\"y\"\"\nz\",'=1\r\n");
    }
}
