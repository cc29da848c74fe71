//! The log into an export: stream by stream, each whole and in order, with nothing kept but the
//! stream at hand.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{StoredCommit, StreamId, Timestamp, Version};
use ledger::{Ledger, LedgerError, Position};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::{
    chain::{Chain, ChainError},
    format::{END, End, EndLine, FORMAT, Line, SOURCE, id, kind},
    handles::{HandleError, Moving},
    progress::Progress,
};

/// How many commits one read of the log takes.
const PAGE: usize = 500;
/// How many streams are loaded ahead.
const AHEAD: usize = 16;

/// An export that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log is damaged.
    #[error("the log is damaged: {0}")]
    Chain(#[from] ChainError),
    /// The export cannot be written.
    #[error("cannot write the export")]
    Io(#[from] io::Error),
    /// A token could not be sealed anew.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// A reading task was stopped.
    #[error("reading the log was interrupted")]
    Interrupted,
}

/// Writes every stream of the log. What is appended meanwhile may be missing, but every stream is
/// whole up to a version. Sealed handles are left behind unless `moving` seals them anew.
///
/// # Errors
/// See [`ExportError`]; what was written is then of no use, since its last line is missing.
pub async fn export(
    ledger: &Arc<dyn Ledger>,
    out: impl Write,
    moving: Option<&Moving>,
    at: Timestamp,
    progress: &mut Progress,
) -> Result<End, ExportError> {
    let mut writer = Writer { out, hash: Sha256::new(), end: End { format: FORMAT, ..End::default() } };
    let mut position = Position::default();
    loop {
        let batch = ledger.scan(&position, PAGE).await?;
        // Every stream has exactly one first commit.
        let mut streams = batch.commits.iter().filter(|commit| commit.version == Version(1)).map(|commit| commit.stream);
        let mut ahead = std::collections::VecDeque::new();
        ahead.extend(streams.by_ref().take(AHEAD).map(|stream| (stream, load(ledger, stream))));
        while let Some((stream, commits)) = ahead.pop_front() {
            let mut commits = commits.await.map_err(|_| ExportError::Interrupted)??;
            ahead.extend(streams.next().map(|stream| (stream, load(ledger, stream))));
            match moving {
                Some(moving) => moving.seal_anew(stream, &mut commits).await?,
                None => commits.iter_mut().for_each(|commit| commit.sealed = None),
            }
            writer.stream(stream, &commits)?;
            progress.show(writer.end.commits, "commits exported");
        }
        if !batch.more {
            break;
        }
        position = batch.position;
    }
    writer.finish(at, moving.map(|moving| moving.to().to_owned()))
}

fn load(ledger: &Arc<dyn Ledger>, stream: StreamId) -> JoinHandle<Result<Vec<StoredCommit>, LedgerError>> {
    let ledger = Arc::clone(ledger);
    tokio::spawn(async move { ledger.load(stream, Version::NONE).await })
}

struct Writer<W> {
    out: W,
    hash: Sha256,
    end: End,
}

impl<W: Write> Writer<W> {
    fn stream(&mut self, stream: StreamId, commits: &[StoredCommit]) -> Result<(), ExportError> {
        let mut chain = Chain::start(stream);
        for commit in commits {
            self.commit(&mut chain, commit)?;
        }
        self.end.streams += 1;
        Ok(())
    }

    fn commit(&mut self, chain: &mut Chain, commit: &StoredCommit) -> Result<(), ExportError> {
        let (stream, version) = (commit.stream, commit.version);
        let unreadable = |source| ChainError::Unreadable { stream, version, source };
        let parts = chain.take(commit)?;
        let whole = parts.join().map_err(unreadable)? == commit.body;
        let (previous, hash, subject) = (parts.previous.to_string(), commit.hash.to_string(), stream.to_string());
        let mut lines = Vec::with_capacity(commit.body.len() * 2);
        for (index, data) in parts.events.iter().enumerate() {
            let first = index == 0;
            let encoded = |bytes: &[u8]| Cow::Owned(BASE64.encode(bytes));
            let line = Line {
                specversion: Cow::Borrowed("1.0"),
                id: Cow::Owned(id(stream, version, index)),
                source: Cow::Borrowed(SOURCE),
                kind: kind(data).map_err(unreadable)?,
                subject: Cow::Borrowed(&subject),
                time: Cow::Borrowed(&parts.at),
                datacontenttype: Cow::Borrowed("application/json"),
                streamversion: version.0,
                commitindex: index,
                commitevents: parts.events.len(),
                previoushash: Cow::Borrowed(&previous),
                commithash: Cow::Borrowed(&hash),
                commitbody: (first && !whole).then(|| encoded(&commit.body)),
                sealedhandle: commit.sealed.as_ref().filter(|_| first).map(|handle| encoded(handle.as_bytes())),
                data,
            };
            serde_json::to_writer(&mut lines, &line).map_err(unreadable)?;
            lines.push(b'\n');
        }
        self.hash.update(&lines);
        self.out.write_all(&lines)?;
        self.end.commits += 1;
        self.end.events += parts.events.len() as u64;
        self.end.handles += u64::from(commit.sealed.is_some());
        Ok(())
    }

    fn finish(mut self, at: Timestamp, sealed_to: Option<String>) -> Result<End, ExportError> {
        let sha256 = hex::encode(self.hash.finalize());
        let end = End { sealed_to, sha256: sha256.clone(), ..self.end };
        let line = EndLine {
            specversion: "1.0".to_owned(),
            id: sha256,
            source: SOURCE.to_owned(),
            kind: END.to_owned(),
            time: at,
            datacontenttype: "application/json".to_owned(),
            data: end.clone(),
        };
        serde_json::to_writer(&mut self.out, &line).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(end)
    }
}
