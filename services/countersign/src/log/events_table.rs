//! Reviews as comma-separated values for people: one event a line. It is for reading and cannot be
//! imported.

use std::io::{self, Write};

use events::{Commit, Event, StoredCommit};

use super::{
    export::{ExportError, Form, Hashing, Written},
    format::End,
    table::Table,
};

const COLUMNS: [&str; 12] =
    ["review", "version", "event", "time", "type", "title", "person", "what", "reason", "channel", "commit hash", "all of it"];

/// The lines; of what they hold, reviews are counted as streams.
pub struct EventsTable<W: Write> {
    table: Table<Hashing<W>>,
    end: End,
}

impl<W: Write> EventsTable<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(out: Hashing<W>) -> io::Result<EventsTable<W>> {
        let (table, end) = (Table::start(out, &COLUMNS)?, End::default());
        Ok(EventsTable { table, end })
    }

    /// Behind the lines that hold `end`.
    pub fn behind(out: Hashing<W>, end: End) -> EventsTable<W> {
        EventsTable { table: Table::behind(out), end }
    }
}

impl<W: Write> Form for EventsTable<W> {
    fn stream(&mut self, commits: &[StoredCommit]) -> Result<(), ExportError> {
        // People and groups are none of it.
        if commits.first().is_none_or(|commit| commit.stream.review().is_none()) {
            return Ok(());
        }
        let mut title = String::new();
        for stored in commits {
            let commit = stored.decode().map_err(review::FoldError::from)?;
            for (index, event) in commit.events.iter().enumerate() {
                match event {
                    Event::ReviewRequested(request) => title.clone_from(&request.title),
                    Event::ReviewRefused(refusal) => title = refusal.title.clone().unwrap_or_default(),
                    _ => {}
                }
                self.table.line(&line(&commit, index, event, &title))?;
                self.end.events += 1;
            }
        }
        self.end.commits += commits.len() as u64;
        self.end.streams += 1;
        Ok(())
    }

    fn end(&self) -> &End {
        &self.end
    }

    fn written(&mut self) -> io::Result<Written> {
        self.table.flush()?;
        let out = self.table.out();
        Ok(Written { bytes: out.bytes(), sha256: out.sha256(), end: self.end.clone() })
    }
}

fn line(commit: &Commit, index: usize, event: &Event, title: &str) -> [String; 12] {
    // Whatever of these an event has, it has under these names.
    let all = serde_json::to_value(event).unwrap_or_default();
    let word = |names: &[&str]| {
        let found = names.iter().find_map(|name| all.get(*name)).filter(|value| !value.is_null());
        found.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
    };
    [
        commit.stream.review().map_or_else(|| commit.stream.to_string(), |review| review.to_string()),
        commit.version.to_string(),
        index.to_string(),
        commit.at.to_string(),
        event.type_name().to_owned(),
        title.to_owned(),
        word(&["person", "decided_by", "requester", "by"]),
        word(&["choice", "outcome", "told", "occasion", "kind"]),
        word(&["reason", "why", "error"]),
        word(&["channel"]),
        commit.hash.to_string(),
        all.to_string(),
    ]
}
