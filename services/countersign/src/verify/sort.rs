//! Sorting more than memory holds: full buffers are sorted and put away in a file that has no name, and
//! merged in the end. It takes about 26 MB however much is sorted, and 97 bytes a row of temporary disk.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    fs::File,
    io::{self, BufWriter, Write as _},
    os::unix::fs::FileExt as _,
};

use super::row::{ROW_BYTES, Row, RowBytes};

/// How many rows are sorted in memory.
const BUFFER_ROWS: usize = 1 << 18;
/// How many rows of a run are read at once.
const PAGE_ROWS: usize = 128;

/// Takes rows in any order.
pub struct Sorter {
    buffer: Vec<RowBytes>,
    buffer_rows: usize,
    file: Option<File>,
    /// The rows at which each run ends.
    ends: Vec<u64>,
}

impl Default for Sorter {
    fn default() -> Sorter {
        Sorter::with_buffer(BUFFER_ROWS)
    }
}

impl Sorter {
    fn with_buffer(buffer_rows: usize) -> Sorter {
        Sorter { buffer: Vec::new(), buffer_rows, file: None, ends: Vec::new() }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When the temporary directory is full.
    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        if self.buffer.len() == self.buffer_rows {
            self.put_away()?;
        }
        self.buffer.push(row.to_bytes());
        Ok(())
    }

    fn put_away(&mut self) -> io::Result<()> {
        self.buffer.sort_unstable();
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let mut out = BufWriter::with_capacity(1 << 16, file);
        self.buffer.iter().try_for_each(|row| out.write_all(row))?;
        self.file = Some(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.ends.push(self.rows());
        self.buffer.clear();
        Ok(())
    }

    /// How many were taken.
    pub fn rows(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0) + self.buffer.len() as u64
    }

    /// The rows in their order.
    ///
    /// # Errors
    /// When the temporary file cannot be written or read.
    pub fn finish(mut self) -> io::Result<Sorted> {
        if self.file.is_none() {
            self.buffer.sort_unstable();
            return Ok(Sorted { runs: vec![Run { rows: self.buffer, next: 0, left: 0..0 }], ..Sorted::default() }.begin());
        }
        self.put_away()?;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let runs = starts.zip(&self.ends).map(|(start, end)| Run { rows: Vec::new(), next: 0, left: start..*end }).collect();
        Ok(Sorted { file: self.file, runs, ..Sorted::default() }.begin())
    }
}

/// A sorted part, read page by page.
struct Run {
    rows: Vec<RowBytes>,
    next: usize,
    left: std::ops::Range<u64>,
}

impl Run {
    fn next(&mut self, file: Option<&File>) -> io::Result<Option<RowBytes>> {
        if self.next == self.rows.len()
            && let Some(file) = file
        {
            let rows = (self.left.end - self.left.start).min(PAGE_ROWS as u64);
            let mut page = vec![0; usize::try_from(rows).unwrap_or(PAGE_ROWS) * ROW_BYTES];
            file.read_exact_at(&mut page, self.left.start * ROW_BYTES as u64)?;
            self.rows = page.as_chunks::<ROW_BYTES>().0.to_vec();
            (self.next, self.left.start) = (0, self.left.start + rows);
        }
        let row = self.rows.get(self.next).copied();
        self.next += 1;
        Ok(row)
    }
}

/// Rows in their order.
#[derive(Default)]
pub struct Sorted {
    file: Option<File>,
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<(RowBytes, usize)>>,
    failed: Option<io::Error>,
}

impl Sorted {
    fn begin(mut self) -> Sorted {
        for run in 0..self.runs.len() {
            match self.runs[run].next(self.file.as_ref()) {
                Ok(row) => self.heads.extend(row.map(|row| Reverse((row, run)))),
                Err(error) => self.failed = Some(error),
            }
        }
        self
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        if let Some(error) = self.failed.take() {
            self.heads.clear();
            return Some(Err(error));
        }
        let mut head = self.heads.peek_mut()?;
        let Reverse((row, run)) = *head;
        // The next row of a run is often the next of all: put in the place of the last, it stays there.
        match self.runs[run].next(self.file.as_ref()) {
            Ok(Some(next)) => *head = Reverse((next, run)),
            Ok(None) => drop(PeekMut::pop(head)),
            Err(error) => self.failed = Some(error),
        }
        Some(Row::from_bytes(&row).ok_or_else(|| io::Error::other("the temporary file was altered")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::row::Side;
    use events::{ReviewId, StreamId, Version, digest::CommitHash};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn rows_come_out_sorted_and_none_is_lost(keys in proptest::collection::vec((0u8..9, 1u64..9, any::<bool>()), 0..700), buffer in 1usize..200) {
            let mut sorter = Sorter::with_buffer(buffer);
            let mut rows = Vec::new();
            for (place, (stream, version, log)) in keys.iter().enumerate() {
                let stream = match stream {
                    0 => StreamId::Directory,
                    name => StreamId::Review(ReviewId::for_event("1", "test", &name.to_string(), 1)),
                };
                let side = if *log { Side::Log(place as u64) } else { Side::Tree(place as u64) };
                let hash = CommitHash::of(&place.to_be_bytes());
                let row = Row { stream, version: Version(*version), side, hash, previous: CommitHash::GENESIS };
                sorter.push(&row).expect("taken");
                rows.push(row.to_bytes());
            }
            rows.sort_unstable();
            let sorted: Vec<_> = sorter.finish().expect("sorted").map(|row| row.expect("read").to_bytes()).collect();
            prop_assert_eq!(sorted, rows);
        }
    }
}
