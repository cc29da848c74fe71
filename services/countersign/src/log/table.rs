//! Comma-separated values for people, who open them in a spreadsheet (RFC 4180).

use std::io::Write;

use events::line::tame;

/// What a spreadsheet takes for the beginning of a formula, also in the widths of East Asian scripts.
const FORMULA: [char; 12] =
    ['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}', '\u{FE66}', '\u{FE62}', '\u{FE63}', '\u{FE6B}'];
/// What a spreadsheet may be told to take for the end of a cell, beside the comma, which is quoted.
const SEPARATORS: [char; 3] = [';', '\t', '\n'];

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
/// ("CSV Injection"); also before one that would begin a cell if the file were read with semicolons or
/// tabs, and whatever stands before it that a spreadsheet skips. Control characters become `�`.
pub fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 1);
    if text.starts_with(['\t', '\r', '\n']) || is_formula(text) {
        cell.push('\'');
    }
    for (at, c) in text.char_indices() {
        cell.push(match c {
            '\n' | '\t' => c,
            '\r' => ' ',
            c if tame(c) != Some(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        if SEPARATORS.contains(&c) && is_formula(&text[at + c.len_utf8()..]) {
            cell.push('\'');
        }
    }
    cell
}

/// Whether a text is a formula, once what a spreadsheet skips is taken away.
fn is_formula(text: &str) -> bool {
    let skipped = |c: char| c.is_whitespace() || c == '"' || tame(c) != Some(c);
    text.trim_start_matches(skipped).starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_other_stays_as_it_is() {
        for formula in
            ["=1+1", "+1", "-2", "@SUM(A1)", "=HYPERLINK(\"x\")", " =1", "\u{A0}=1", "\u{3000}+1", "\"=1", "\tplain", "\nplain"]
        {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        // Also for who reads the file with tabs, and after each line end.
        assert_eq!([cell("\t=1"), cell("\n=1")], ["'\t'=1", "'\n'=1"]);
        for wide in ["＝1", "＋1", "－1", "＠SUM(A1)", " ＝1", "\u{FE66}1"] {
            assert_eq!(cell(wide), format!("'{wide}"));
        }
        assert_eq!(cell("\r=1"), "' =1", "no file and no terminal is given a lone return");
        assert_eq!(cell("\u{1b}[2J\u{202E}=1"), "\u{FFFD}[2J\u{FFFD}=1");
        for plain in ["", "a=b", "ana@example.com", "'quoted", " 1", "2026-11-23", "a; b", "x, -1", "two\nlines"] {
            assert_eq!(cell(plain), plain);
        }
    }

    #[test]
    fn no_cell_holds_a_formula_for_who_reads_the_file_with_another_separator() {
        for (text, expected) in [
            ("x;=1", "x;'=1"),
            ("x; =1", "x;' =1"),
            ("x;\"=1", "x;'\"=1"),
            ("x\t+1", "x\t'+1"),
            ("x\n@SUM(A1)", "x\n'@SUM(A1)"),
            (";;＝1", ";;'＝1"),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        /// Read back by whatever separator, no cell of a table begins as a formula.
        #[test]
        fn no_cell_is_a_formula_however_the_file_is_read(
            cells in proptest::collection::vec(
                proptest::collection::vec(
                    proptest::prop_oneof![proptest::sample::select("=+-@＝＋－＠ \t\r\n;,\"'\u{A0}\u{200E}a1".chars().collect::<Vec<_>>()), proptest::prelude::any::<char>()],
                    0..12,
                ).prop_map(|chars| chars.into_iter().collect::<String>()),
                1..4,
            )
        ) {
            for text in &cells {
                proptest::prop_assert!(!cell(text).contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
            }
            let mut out = Vec::new();
            let mut table = Table::behind(&mut out);
            table.line(&cells).expect("written");
            table.flush().expect("flushed");
            drop(table);
            for separator in [b',', b';', b'\t'] {
                for quoting in [true, false] {
                    let mut reader = csv::ReaderBuilder::new();
                    reader.has_headers(false).flexible(true).delimiter(separator).quoting(quoting);
                    // Without quoting the comma file is not one: its quotes are what keeps its cells together.
                    if separator == b',' && !quoting {
                        continue;
                    }
                    for record in reader.from_reader(out.as_slice()).records() {
                        for cell in &record.expect("a record") {
                            proptest::prop_assert!(!is_formula(cell), "{:?} of {:?}", cell, cells);
                        }
                    }
                }
            }
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
