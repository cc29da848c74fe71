//! A stream's commits beside the entries that the tree has of it.

use std::collections::BTreeMap;

use events::{StreamId, Version, digest::CommitHash};

use super::{
    finding::{Counts, Enough, Finding, Findings, Kind, Uncovered},
    row::{Row, Side},
};

/// The rows of one stream. Streams are short, so they are held whole.
pub struct Group {
    /// Which stream.
    pub stream: StreamId,
    log: Vec<Row>,
    tree: Vec<Row>,
}

impl Group {
    /// Without rows.
    pub fn new(stream: StreamId) -> Group {
        Group { stream, log: Vec::new(), tree: Vec::new() }
    }

    /// Takes the next row in their order.
    pub fn push(&mut self, row: Row) {
        match row.side {
            Side::Log(_) => self.log.push(row),
            Side::Tree(_) => self.tree.push(row),
        }
    }

    /// Checks the stream.
    ///
    /// # Errors
    /// When the first finding is enough.
    pub fn check(
        self,
        together: bool,
        findings: &mut Findings,
        counts: &mut Counts,
        uncovered: &mut Uncovered,
    ) -> Result<(), Enough> {
        let Group { stream, log, tree } = self;
        let signed = signed(stream, tree, findings)?;
        let last_signed = signed.keys().next_back().copied().unwrap_or_default();
        if log.is_empty() {
            return missing(stream, &signed, findings);
        }
        counts.streams += 1;
        let log = once_each(stream, log, together, findings)?;
        let exchanged = exchanged(stream, &log, &signed, findings)?;
        linked(stream, &log, exchanged, findings)?;
        let last = log.last().map_or(Version::NONE, |row| row.version);
        if last < last_signed {
            let (first, count) = (last.next(), last_signed.0 - last.0);
            let why = format!("and whatever follows it is gone: {count} signed commits at the end of the stream");
            findings.add(Finding::at(Kind::Truncated, stream, first, why))?;
        }
        for row in &log {
            if signed.contains_key(&row.version) {
                counts.covered += 1;
            } else if row.version < last_signed {
                findings.add(Finding::at(Kind::Inserted, stream, row.version, "was never signed, and later ones were"))?;
            } else {
                counts.uncovered += 1;
                uncovered.add(stream, row.version);
            }
        }
        Ok(())
    }
}

/// The hash that the tree has of each version. An entry that comes again says the same.
fn signed(stream: StreamId, tree: Vec<Row>, findings: &mut Findings) -> Result<BTreeMap<Version, CommitHash>, Enough> {
    let mut signed = BTreeMap::new();
    for row in tree {
        let hash = *signed.entry(row.version).or_insert(row.hash);
        if hash != row.hash {
            let why = "has two entries that disagree: the log was signed with two histories";
            findings.add(Finding::at(Kind::Forked, stream, row.version, why))?;
        }
    }
    Ok(signed)
}

fn missing(stream: StreamId, signed: &BTreeMap<Version, CommitHash>, findings: &mut Findings) -> Result<(), Enough> {
    let Some(first) = signed.keys().next() else { return Ok(()) };
    let why = format!("and everything else of its stream is missing: {} signed commits", signed.len());
    findings.add(Finding::at(Kind::MissingReview, stream, *first, why))
}

/// The commits in their order, each version once, with what is missing between them named.
fn once_each(stream: StreamId, log: Vec<Row>, together: bool, findings: &mut Findings) -> Result<Vec<Row>, Enough> {
    let mut rows: Vec<Row> = Vec::with_capacity(log.len());
    for same in log.chunk_by(|one, two| one.version == two.version) {
        let before = rows.last().copied();
        // Of two the one that stands where it belongs.
        let here = same.iter().find(|row| before.is_some_and(|before| before.side == row.side)).or(same.first());
        let Some(row) = here.copied() else { continue };
        let expected = before.map_or(Version::NONE, |before| before.version).next();
        if same.len() > 1 {
            findings.add(Finding::at(Kind::Inserted, stream, row.version, "is there more than once"))?;
        }
        if row.version > expected {
            let why = match row.version.0 - expected.0 {
                1 => "was dropped: later commits are there".to_owned(),
                count => format!("was dropped, {count} commits in a row: later ones are there"),
            };
            findings.add(Finding::at(Kind::Dropped, stream, expected, why))?;
        }
        if together && before.is_some_and(|before| before.side != row.side) {
            let why = "stands apart from the commit before it: the stream was torn apart";
            findings.add(Finding::at(Kind::Reordered, stream, row.version, why))?;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The first commit that is not the one that was signed.
fn exchanged(
    stream: StreamId,
    log: &[Row],
    signed: &BTreeMap<Version, CommitHash>,
    findings: &mut Findings,
) -> Result<Option<Version>, Enough> {
    let differs = |row: &&Row| signed.get(&row.version).is_some_and(|hash| *hash != row.hash);
    let Some(first) = log.iter().find(differs) else { return Ok(None) };
    let count = log.iter().filter(differs).count();
    let why = match count {
        1 => "is not the commit that was signed: history was forked".to_owned(),
        count => format!("is not the commit that was signed, nor are {} after it: history was forked", count - 1),
    };
    findings.add(Finding::at(Kind::Forked, stream, first.version, why))?;
    Ok(Some(first.version))
}

/// Whether each commit carries the hash of the one before. Behind one that was exchanged this follows.
fn linked(stream: StreamId, log: &[Row], exchanged: Option<Version>, findings: &mut Findings) -> Result<(), Enough> {
    let mut before = (Version::NONE, CommitHash::GENESIS);
    for row in log.iter().take_while(|row| exchanged.is_none_or(|exchanged| row.version < exchanged)) {
        let follows = row.version == before.0.next();
        if follows && row.previous != before.1 && !findings.knows(stream, before.0) {
            let why = "does not follow on from the commit before it: one of the two was exchanged";
            findings.add(Finding::at(Kind::Forked, stream, row.version, why))?;
        }
        before = (row.version, row.hash);
    }
    Ok(())
}
