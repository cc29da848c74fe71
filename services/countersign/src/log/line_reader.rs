//! The lines of an export, one after the other, where possible without a copy.

use std::io::{self, BufRead, Read as _};

use super::format::LINE_MAX;

/// Reads lines. One that stands whole in the buffer of the input, as nearly all do, is lent from there.
pub struct LineReader<R> {
    input: R,
    /// The last line, when it was longer than what was left in the buffer.
    text: Vec<u8>,
    /// How much of the buffer was lent.
    lent: usize,
    read: u64,
    lines: u64,
}

impl<R: BufRead> LineReader<R> {
    /// From where the input stands.
    pub fn new(input: R) -> LineReader<R> {
        LineReader { input, text: Vec::new(), lent: 0, read: 0, lines: 0 }
    }

    /// The next line with its end, which it lacks when the input ends without one or after [`LINE_MAX`] bytes; nothing at
    /// the end of the input.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_line(&mut self) -> io::Result<&[u8]> {
        self.input.consume(std::mem::take(&mut self.lent));
        self.lines += 1;
        if let Some(end) = memchr::memchr(b'\n', self.input.fill_buf()?) {
            self.lent = end + 1;
            self.read += self.lent as u64;
            // The same buffer, still full.
            return Ok(self.input.fill_buf()?.get(..=end).unwrap_or_default());
        }
        self.text.clear();
        self.read += (&mut self.input).take(LINE_MAX).read_until(b'\n', &mut self.text)? as u64;
        Ok(&self.text)
    }

    /// Whether nothing follows.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn is_at_end(&mut self) -> io::Result<bool> {
        self.input.consume(std::mem::take(&mut self.lent));
        Ok(self.input.fill_buf()?.is_empty())
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.read
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_come_whole_whatever_the_buffer_holds() {
        let text = b"first\n\na longer line than the others\nlast";
        for capacity in 1..=text.len() + 1 {
            let mut reader = LineReader::new(BufReader::with_capacity(capacity, text.as_slice()));
            for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
                assert!(!reader.is_at_end().expect("read"));
                assert_eq!(reader.next_line().expect("read"), line, "{capacity}");
                assert_eq!(reader.lines(), number as u64 + 1);
            }
            assert!(reader.is_at_end().expect("read"));
            assert_eq!(reader.next_line().expect("read"), b"");
            assert_eq!(reader.bytes(), text.len() as u64);
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut reader = LineReader::new(BufReader::new(io::repeat(b'x')));
        assert_eq!(reader.next_line().expect("read").len() as u64, LINE_MAX);
    }
}
