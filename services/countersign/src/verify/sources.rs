//! A store or an export, given to the check.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
};

use ledger::{Ledger, Position};
use serde_json::Value;

use super::{
    audit::{Audit, Stop},
    finding::{Finding, Kind},
    lines::{Lines, Next},
};
use crate::{
    checkpoints::files::{Files, FilesError},
    log::{
        format::{END, End, FurtherLine},
        progress::Progress,
    },
};

/// How many commits one read of a store takes.
const PAGE: usize = 2_000;
/// How long the last line of an export may be, in bytes, to be looked at for a selection.
const LAST_MAX: u64 = 1 << 16;

/// A check that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The first finding was enough, or the file cannot be read.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// The store cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// The checkpoints cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// The entries of a data directory, up to the newest root that was there when the check began.
///
/// # Errors
/// See [`SourceError`].
pub fn entries(audit: &mut Audit, files: &Files, size: u64, progress: &mut Progress) -> Result<(), SourceError> {
    progress.phase(0, 0);
    for (index, entry) in files.entries(0, size)?.enumerate() {
        match entry {
            Ok(entry) => audit.entry(&entry)?,
            Err(error) => {
                let text = format!("the entries cannot be read behind the first {index}: {error}");
                audit.findings.add(Finding::of_log(Kind::Unreadable, text)).map_err(Stop::from)?;
                break;
            }
        }
        if index % 1_024 == 0 {
            progress.count(index as u64, size, "entries");
        }
    }
    Ok(())
}

/// Every commit of a store; `expected` is about how many there are, 0 for unknown.
///
/// # Errors
/// See [`SourceError`].
pub async fn store(
    audit: &mut Audit,
    ledger: &Arc<dyn Ledger>,
    expected: u64,
    progress: &mut Progress,
) -> Result<(), SourceError> {
    progress.phase(0, 0);
    let mut position = Position::default();
    loop {
        let batch = ledger.scan(&position, PAGE).await?;
        for commit in &batch.commits {
            audit.commit(commit)?;
        }
        progress.count(audit.counts.commits, expected, "commits");
        if !batch.more {
            break;
        }
        position = batch.position;
    }
    Ok(audit.finish(false, progress)?)
}

/// An export.
///
/// # Errors
/// See [`SourceError`].
pub fn export(audit: &mut Audit, file: &Path, progress: &mut Progress) -> Result<(), SourceError> {
    let opened = File::open(file).map_err(Stop::from)?;
    let size = opened.metadata().map_err(Stop::from)?.len();
    let mut lines = Lines::new(BufReader::with_capacity(1 << 16, opened));
    let mut steps = 0u32;
    progress.phase(0, 0);
    loop {
        let next = lines.next_part().map_err(Stop::from)?;
        if part(audit, next)? {
            break;
        }
        audit.counts.events = lines.events();
        steps += 1;
        if steps.is_multiple_of(1_024) {
            progress.part(lines.events(), "events", lines.bytes(), size);
        }
    }
    Ok(audit.finish(true, progress)?)
}

/// What the last line of an export says that was asked for, when the export is a part of a log.
///
/// # Errors
/// When the file cannot be read.
pub fn selected(file: &Path) -> io::Result<Option<Value>> {
    let mut opened = File::open(file)?;
    let size = opened.metadata()?.len();
    opened.seek(SeekFrom::Start(size.saturating_sub(LAST_MAX)))?;
    let mut tail = Vec::new();
    opened.take(LAST_MAX).read_to_end(&mut tail)?;
    let last = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let end = serde_json::from_slice::<FurtherLine<End>>(last).ok().filter(|line| line.kind == END);
    // What narrows nothing is no part.
    let narrows = |asked: &Value| asked.as_object().is_some_and(|asked| !asked.is_empty());
    Ok(end.and_then(|line| line.data.selected).filter(narrows))
}

/// One part of an export; whether it was the last.
fn part(audit: &mut Audit, next: Next) -> Result<bool, Stop> {
    match next {
        Next::Commit(commit, fault) => {
            if let Some((kind, why)) = fault {
                audit.findings.add(Finding::at(kind, commit.stream, commit.version, why))?;
            }
            audit.checked(commit)?;
        }
        Next::Entries(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => audit.entry(&entry)?,
                    Err(error) => audit.findings.add(Finding::of_log(Kind::RootMismatch, error.to_string()))?,
                }
            }
        }
        Next::Checkpoint(note) => audit.roots.shown(&note, &mut audit.findings)?,
        Next::Broken(place, why) => audit.findings.add(match place {
            Some((stream, version)) => Finding::at(Kind::Unreadable, stream, version, why),
            None => Finding::of_log(Kind::Unreadable, why),
        })?,
        Next::End(None) => return Ok(true),
        Next::End(Some(why)) => {
            audit.findings.add(Finding::of_log(Kind::Incomplete, why))?;
            return Ok(true);
        }
        Next::Nothing => {
            let text = "the export has no last line: it was interrupted, or its end was cut off";
            audit.findings.add(Finding::of_log(Kind::Incomplete, text))?;
            return Ok(true);
        }
    }
    Ok(false)
}
