//! Reading a CSV file, with errors that say where and what to do.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read},
};

use super::{CELL_MAX, Customers, DatasetError, Value};
use crate::{demo::words::plain, text_file};

/// Reads a CSV file (comma-separated, UTF-8, with a header; RFC 4180 quoting). Any columns will do as
/// long as one holds numbers.
///
/// # Errors
/// [`DatasetError`], which names line and column.
pub fn read_csv(reader: impl Read) -> Result<Customers, DatasetError> {
    let mut reader = BufReader::new(reader);
    if text_file::is_wide(reader.fill_buf().map_err(csv::Error::from)?) {
        return Err(DatasetError::Wide);
    }
    let mut reader = csv::Reader::from_reader(reader);
    let header = reader.byte_headers()?.clone();
    let mut customers = Customers::named(read_header(&header)?);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(ragged(error, &customers.columns)),
        }
        let line = record.position().map_or(0, csv::Position::line);
        for (index, cell) in record.iter().enumerate() {
            let column = || customers.columns.get(index).cloned().unwrap_or_default();
            if cell.len() > CELL_MAX {
                return Err(DatasetError::TooLong { line, column: column() });
            }
            let cell = std::str::from_utf8(cell).map_err(|source| DatasetError::Encoding { line, column: column(), source })?;
            customers.push(cell);
        }
    }
    if customers.rows() == 0 {
        return Err(DatasetError::NoRows);
    }
    customers.find_numeric();
    if customers.numeric().is_empty() {
        return Err(nothing_numeric(&customers));
    }
    Ok(customers)
}

fn read_header(header: &csv::ByteRecord) -> Result<Vec<String>, DatasetError> {
    if header.iter().all(|name| name.trim_ascii().is_empty()) {
        return Err(DatasetError::Empty);
    }
    let mut names = Vec::with_capacity(header.len());
    let mut places = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        let place = index + 1;
        let name = std::str::from_utf8(name).map_err(|source| DatasetError::Encoding {
            line: 1,
            column: format!("column {place}"),
            source,
        })?;
        if name.len() > CELL_MAX {
            return Err(DatasetError::TooLong { line: 1, column: format!("column {place}") });
        }
        // Tables written with their row index leave its name empty.
        let name = if name.trim().is_empty() { format!("column {place}") } else { name.trim().to_owned() };
        if let Some(first) = places.insert(name.clone(), place) {
            return Err(DatasetError::SameName { column: plain(&name, 80), first, second: place });
        }
        names.push(name);
    }
    if names.iter().all(|name| matches!(Value::of(name), Value::Number(_))) {
        return Err(DatasetError::NoHeader);
    }
    if let [only] = names.as_slice() {
        for (separator, found) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            if only.contains(separator) {
                return Err(DatasetError::Separator { found });
            }
        }
    }
    Ok(names)
}

fn ragged(error: csv::Error, columns: &[String]) -> DatasetError {
    let csv::ErrorKind::UnequalLengths { pos, expected_len, len } = error.kind() else { return error.into() };
    let line = pos.as_ref().map_or(0, csv::Position::line);
    let (expected, found) = (*expected_len, *len);
    let name = |index: usize| columns.get(index).map(|name| plain(name, 80)).unwrap_or_default();
    if found < expected {
        DatasetError::TooFew { line, column: name(usize::try_from(found).unwrap_or(usize::MAX)), found, expected }
    } else {
        DatasetError::TooMany { line, column: name(columns.len().saturating_sub(1)), found, expected }
    }
}

fn nothing_numeric(customers: &Customers) -> DatasetError {
    let is_number = |row: usize, column: usize| matches!(Value::of(customers.cell(row, column)), Value::Number(_));
    let numbers = |column: usize| (0..customers.rows()).filter(|row| is_number(*row, column)).count();
    // The first of those with the most numbers.
    let nearest = (0..customers.columns.len()).rev().max_by_key(|column| numbers(*column)).unwrap_or_default();
    let row = (0..customers.rows()).find(|row| !is_number(*row, nearest)).unwrap_or_default();
    DatasetError::NoNumericColumn {
        column: customers.columns.get(nearest).map(|name| plain(name, 80)).unwrap_or_default(),
        row: row + 1,
        found: plain(customers.cell(row, nearest), 80),
    }
}
