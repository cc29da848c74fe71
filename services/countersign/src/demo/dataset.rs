//! The customer data set of the demonstration: generated from a seed or read from a CSV file.

use std::{
    io::{self, Write},
    str::Utf8Error,
};

use sha2::{Digest as _, Sha256};

/// The longest value of a CSV file in bytes. Nothing a customer table holds is longer; what is, is
/// as a rule the rest of the file behind a quotation mark that is not closed.
pub const CELL_MAX: usize = 64 * 1024;

/// Beyond this size (either sign) a value is not taken as a number: a deviation of two such values,
/// summed over every row, still fits the arithmetic.
pub const NUMBER_MAX: f64 = 1e150;

/// A table of customers: every value as the text it was written in, and the columns that hold numbers.
#[derive(Debug, Clone)]
pub struct Customers {
    columns: Vec<String>,
    // All values in one text, row by row, with the end of each: a million rows in a few allocations.
    text: String,
    ends: Vec<usize>,
    numeric: Vec<NumericColumn>,
}

/// A column of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumericColumn {
    /// Which column of the table, from 0.
    pub column: usize,
    /// Its values, one for each row.
    pub values: Vec<Value>,
}

/// What a value of a numeric column is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A finite number of at most [`NUMBER_MAX`].
    Number(f64),
    /// Nothing, or a usual mark for it (`NA`, `N/A`, `NaN`, `null`, `none`).
    Missing,
    /// Something else.
    NotANumber,
}

impl Value {
    fn of(cell: &str) -> Value {
        let cell = cell.trim();
        if cell.is_empty() || ["na", "n/a", "nan", "null", "none"].iter().any(|mark| cell.eq_ignore_ascii_case(mark)) {
            return Value::Missing;
        }
        match cell.parse::<f64>() {
            Ok(number) if number.abs() <= NUMBER_MAX => Value::Number(number),
            _ => Value::NotANumber,
        }
    }
}

/// Why a CSV file cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Not a line in it.
    #[error("the file is empty: its first line must name the columns, as in customer_id,age,monthly_spend")]
    Empty,
    /// A header and nothing else.
    #[error("the file has a header and no rows: add at least one line of values below line 1")]
    NoRows,
    /// The first line holds values.
    #[error("line 1 holds only numbers: add a first line that names the columns, as in customer_id,age,monthly_spend")]
    NoHeader,
    /// Values are separated by something else.
    #[error("line 1 is separated by {found}: save the file with commas between the values")]
    Separator {
        /// In words.
        found: &'static str,
    },
    /// Two columns of one name.
    #[error("line 1 names column {column:?} twice (columns {first} and {second}): give each column a name of its own")]
    SameName {
        /// The name.
        column: String,
        /// Its first place, from 1.
        first: usize,
        /// Its second place, from 1.
        second: usize,
    },
    /// A line with too few values.
    #[error(
        "line {line} ends before column {column:?}: it has {found} values where the header names {expected}; add what is missing (an empty value is written as two commas)"
    )]
    TooFew {
        /// From 1.
        line: u64,
        /// The first column without a value.
        column: String,
        /// Values in the line.
        found: u64,
        /// Columns in the header.
        expected: u64,
    },
    /// A line with too many values.
    #[error(
        "line {line} goes on after column {column:?}: it has {found} values where the header names {expected}; quote values that hold a comma (\"Doe, Jane\")"
    )]
    TooMany {
        /// From 1.
        line: u64,
        /// The last column of the header.
        column: String,
        /// Values in the line.
        found: u64,
        /// Columns in the header.
        expected: u64,
    },
    /// A value longer than [`CELL_MAX`].
    #[error(
        "line {line}, column {column:?}: the value is longer than {CELL_MAX} bytes; look for a quotation mark that is not closed"
    )]
    TooLong {
        /// Where the row begins, from 1.
        line: u64,
        /// The column.
        column: String,
    },
    /// Bytes in another encoding.
    #[error("line {line}, column {column:?}: the value is not UTF-8; save the file as \"CSV UTF-8\"")]
    Encoding {
        /// From 1.
        line: u64,
        /// The column, or its place from 1 in the header itself.
        column: String,
        /// Which byte.
        source: Utf8Error,
    },
    /// Nothing to measure.
    #[error(
        "no column holds numbers (nine tenths of its values must be written like 1234.5); the nearest is column {column:?}, where row {row} below the header holds {found:?}"
    )]
    NoNumericColumn {
        /// The column with the most numbers.
        column: String,
        /// Its first row without one, from 1.
        row: usize,
        /// What is there, shortened.
        found: String,
    },
    /// The file could not be read.
    #[error("the file cannot be read")]
    Read(#[from] csv::Error),
    /// The file is UTF-16.
    #[error("the file is UTF-16; save it as CSV in UTF-8")]
    Wide,
}

impl Customers {
    fn named(columns: Vec<String>) -> Customers {
        Customers { columns, text: String::new(), ends: Vec::new(), numeric: Vec::new() }
    }

    fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    fn find_numeric(&mut self) {
        self.numeric = (0..self.columns.len()).filter_map(|column| self.as_numeric(column)).collect();
    }

    // A few bad values must be flagged, not hide the whole column: hence nine tenths and not all.
    fn as_numeric(&self, column: usize) -> Option<NumericColumn> {
        let values: Vec<Value> = (0..self.rows()).map(|row| Value::of(self.cell(row, column))).collect();
        let numbers = values.iter().filter(|value| matches!(value, Value::Number(_))).count();
        let others = values.iter().filter(|value| matches!(value, Value::NotANumber)).count();
        (numbers > 0 && numbers * 10 >= (numbers + others) * 9).then_some(NumericColumn { column, values })
    }

    /// How many rows there are, without the header.
    pub fn rows(&self) -> usize {
        self.ends.len() / self.columns.len().max(1)
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The value at a row and a column (both from 0) as it was written; empty outside the table.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        if column >= self.columns.len() {
            return "";
        }
        let index = row * self.columns.len() + column;
        let start = if index == 0 { 0 } else { self.ends.get(index - 1).copied().unwrap_or_default() };
        self.ends.get(index).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }

    /// The columns that hold numbers: at least nine tenths of the values that are not missing.
    pub fn numeric(&self) -> &[NumericColumn] {
        &self.numeric
    }

    /// Writes the canonical CSV: a header, commas, a line feed after every line, quotation marks only
    /// where they are needed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.columns)?;
        for row in 0..self.rows() {
            writer.write_record((0..self.columns.len()).map(|column| self.cell(row, column)))?;
        }
        writer.flush()
    }

    /// The SHA-256 of the canonical CSV ([`write_csv`](Self::write_csv)), 64 hexadecimal characters:
    /// what a review of this data set is about.
    ///
    /// # Errors
    /// None in practice: nothing is written but to memory.
    pub fn digest(&self) -> io::Result<String> {
        struct Hash(Sha256);
        impl Write for Hash {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut hash = Hash(Sha256::new());
        self.write_csv(&mut hash)?;
        Ok(hex::encode(hash.0.finalize()))
    }
}

mod generate;
mod read;

pub use generate::generate;
pub use read::read_csv;

#[cfg(test)]
mod tests;
