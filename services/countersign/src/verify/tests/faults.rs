//! Sources that fail.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use events::{StoredCommit, StreamId, Version};
use ledger::{AppendError, Batch, Landed, Ledger, LedgerError, Position};

use super::log::{Memory, stream};
use crate::{
    log::progress::Progress,
    verify::{
        audit::Audit,
        roots::{Roots, only},
        sources::{self, SourceError},
    },
};

/// Fails on its second page.
struct Failing {
    pages: AtomicUsize,
    memory: Memory,
}

#[async_trait]
impl Ledger for Failing {
    async fn append(&self, commit: &StoredCommit) -> Result<Landed, AppendError> {
        self.memory.append(commit).await
    }

    async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        self.memory.load(stream, after).await
    }

    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        match self.pages.fetch_add(1, Ordering::Relaxed) {
            1 => Err(LedgerError::Unavailable { what: "scan the log", source: io::Error::other("the disk").into() }),
            _ => self.memory.scan(from, limit).await,
        }
    }
}

#[tokio::test]
async fn a_fault_on_the_second_page_is_an_error_and_never_a_log_that_is_whole() {
    let streams = (0..1_000).map(|name| stream(&name.to_string(), 4)).collect();
    let ledger: Arc<dyn Ledger> = Arc::new(Failing { pages: AtomicUsize::new(0), memory: Memory(streams) });
    let mut audit = Audit::new(Roots::new(None, Vec::new(), only(None)), true);
    let done = sources::store(&mut audit, &ledger, 0, &mut Progress::start()).await;
    assert!(matches!(done, Err(SourceError::Ledger(LedgerError::Unavailable { .. }))), "{done:?}");
}
