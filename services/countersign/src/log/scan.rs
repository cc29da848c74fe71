//! One line of an export as this build writes it, taken apart without a JSON parser: its members stand in
//! one order, and all texts before `data` are short and free of escapes. Any other line is for the parser,
//! which says the same of every line that is taken here.
//!
//! What `data` is, is not looked at: it is what stands between the first `,"data":` and the last `}`, as
//! `docs/export-format.md` says.

use super::format::Line;

/// The members of a line, as they stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned<'a> {
    /// See [`Line`] for these.
    pub id: &'a str,
    /// Its `type`.
    pub kind: &'a str,
    /// Its stream.
    pub subject: &'a str,
    /// When it was decided.
    pub time: &'a str,
    /// The commit's version.
    pub streamversion: u64,
    /// The event's place in its commit.
    pub commitindex: usize,
    /// How many events the commit has.
    pub commitevents: usize,
    /// The hash of the commit before.
    pub previoushash: &'a str,
    /// The hash of the commit.
    pub commithash: &'a str,
    /// The event, which may be no JSON at all.
    pub data: &'a str,
}

/// Takes a line apart that has neither a body nor a handle; `None` for any other.
pub fn scan(line: &[u8]) -> Option<Scanned<'_>> {
    let mut rest = Rest(std::str::from_utf8(line).ok()?.strip_suffix("}\n")?);
    rest.skip("{\"specversion\":\"1.0\",\"id\":\"")?;
    let id = rest.text()?;
    rest.skip(",\"source\":\"countersign\",\"type\":\"")?;
    let kind = rest.text()?;
    rest.skip(",\"subject\":\"")?;
    let subject = rest.text()?;
    rest.skip(",\"time\":\"")?;
    let time = rest.text()?;
    rest.skip(",\"datacontenttype\":\"application/json\",\"streamversion\":")?;
    let streamversion = rest.number()?;
    rest.skip(",\"commitindex\":")?;
    let commitindex = usize::try_from(rest.number()?).ok()?;
    rest.skip(",\"commitevents\":")?;
    let commitevents = usize::try_from(rest.number()?).ok()?;
    rest.skip(",\"previoushash\":\"")?;
    let previoushash = rest.text()?;
    rest.skip(",\"commithash\":\"")?;
    let commithash = rest.text()?;
    rest.skip(",\"data\":")?;
    let data = rest.0;
    Some(Scanned { id, kind, subject, time, streamversion, commitindex, commitevents, previoushash, commithash, data })
}

struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A text up to its quote, of printable ASCII without escapes.
    fn text(&mut self) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(memchr::memchr(b'"', self.0.as_bytes())?)?;
        // All of them, rather than up to the first: that can be done many at a time.
        let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
        self.0 = rest.get(1..)?;
        text.bytes().fold(true, |all, byte| all & plain(byte)).then_some(text)
    }

    /// A number as JSON writes it, of at most 18 digits.
    fn number(&mut self) -> Option<u64> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.0.split_at(end);
        let digits = digits.as_bytes();
        if digits.is_empty() || digits.len() > 18 || (digits[0] == b'0' && digits.len() > 1) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }
}

impl<'a> Scanned<'a> {
    /// The same of a line that the parser has read.
    pub fn of(line: &'a Line<'_>) -> Scanned<'a> {
        Scanned {
            id: &line.id,
            kind: &line.kind,
            subject: &line.subject,
            time: &line.time,
            streamversion: line.streamversion,
            commitindex: line.commitindex,
            commitevents: line.commitevents,
            previoushash: &line.previoushash,
            commithash: &line.commithash,
            data: line.data.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = r#"{"specversion":"1.0","id":"0190b6a8-7f5e-5c1e-9d52-6d8a3c3c0f11/3/0","source":"countersign","type":"VoteCast","subject":"review#0190b6a8-7f5e-5c1e-9d52-6d8a3c3c0f11","time":"2026-11-23T04:11:21.123Z","datacontenttype":"application/json","streamversion":3,"commitindex":0,"commitevents":1,"previoushash":"00","commithash":"ff","data":{"a":"},\"data\":{","b":[1,2]}}"#;

    #[test]
    fn a_line_as_we_write_it_is_taken_apart() {
        let text = format!("{LINE}\n");
        let line = scan(text.as_bytes()).expect("taken");
        assert_eq!(line, Scanned::of(&serde_json::from_str(&text).expect("JSON")));
        assert_eq!((line.streamversion, line.data), (3, r#"{"a":"},\"data\":{","b":[1,2]}"#));
        assert_eq!(scan(LINE.as_bytes()), None, "its end is missing");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever is done to a line: the parser reads the same, unless the data are no JSON.
        #[test]
        fn what_is_taken_is_what_the_parser_reads(at in 0..LINE.len(), byte in any::<u8>(), cut in 0usize..40) {
            let mut text = format!("{LINE}\n").into_bytes();
            text[at] = byte;
            text.drain(at + 1..(at + 1 + cut).min(LINE.len()));
            if let Some(line) = scan(&text) && serde_json::from_str::<serde_json::Value>(line.data).is_ok() {
                let read: Line<'_> = serde_json::from_slice(&text).expect("the parser reads it too");
                prop_assert_eq!(line, Scanned::of(&read));
            }
        }
    }
}
