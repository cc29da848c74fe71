//! Views made anew from the log alone, in place, while everything goes on.
//!
//! It knows the log and the views and nothing else, so that it cannot send a message, resume a
//! workflow or publish an event, whatever it finds.
//!
//! A batch of the log names the reviews that begin in it; each is folded whole and its row compared
//! with the one that is there (`streams`). Rows are written under the version condition of the
//! projector, so it does not matter who comes first. A row that is ahead of the log is looked at
//! once more, since the review may merely have gone on; what no stream stands behind is taken away
//! at the end (`strays`). A dry run may go by what rows say they were made of, and fold the doubtful only
//! (`stamps`).

mod found;
mod stamps;
mod strays;
mod streams;

use std::{sync::Arc, time::Duration};

use events::{ReviewId, StoredCommit, Version};
use ledger::{Batch, Ledger, LedgerError, Position, ReviewRow, Stamps, Unlike, Views, with_causes};
use review::{Fold, FoldError};
use tokio::task::JoinHandle;

pub use found::{Difference, Kind, Rebuilt};
pub use strays::remove_strays;
pub use streams::{Stream, beginnings, fold, whole};

use crate::row::row;

/// How many commits one read of the log takes.
const PAGE: usize = 1_024;
/// How many reviews one task folds: enough to be worth a task.
const CHUNK: usize = 64;
/// How long a row that is behind may take to be brought up by the projector, before it counts as a
/// difference to report.
const PATIENCE: Duration = Duration::from_millis(500);

/// How to go about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Report differences and write nothing.
    pub dry_run: bool,
    /// Report a stream that cannot be read and go on with the next.
    pub keep_going: bool,
    /// Rows keep their versions: where one handler publishes and then writes the row, the row's version
    /// says what was published, and a later version would keep the rest from being published.
    pub keep_versions: bool,
}

/// A rebuild that had to stop. What was written is right; the same may be done again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log or the views failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A stream does not fold; names stream and version.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A task was stopped.
    #[error("the rebuild was interrupted")]
    Interrupted,
}

impl RebuildError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            RebuildError::Ledger(error) => error.is_retryable(),
            RebuildError::Fold(_) => false,
            RebuildError::Interrupted => true,
        }
    }
}

/// A rebuild under way.
pub struct Rebuild {
    ledger: Arc<dyn Ledger>,
    views: Arc<dyn Views>,
    manner: Manner,
    found: Rebuilt,
    next: Position,
    /// Set for a dry run that goes by them.
    stamps: Option<Arc<dyn Stamps>>,
    reading: Option<JoinHandle<Result<Batch, LedgerError>>>,
}

/// What a chunk of reviews came to.
struct Compared {
    rows: Vec<ReviewRow>,
    unlike: Vec<Unlike>,
    /// Those of which the log has nothing.
    strays: Vec<ReviewId>,
    failed: Vec<String>,
}

impl Rebuild {
    /// From the beginning, or from where an earlier one had come to, with what that had found.
    pub fn new(ledger: Arc<dyn Ledger>, views: Arc<dyn Views>, manner: Manner, from: Position, found: Rebuilt) -> Rebuild {
        Rebuild { ledger, views, manner, found, next: from, stamps: None, reading: None }
    }

    /// How it goes about it.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// What was found so far.
    pub fn found(&self) -> &Rebuilt {
        &self.found
    }

    /// Where it would go on from: all reviews that begin before are done.
    pub fn position(&self) -> &Position {
        &self.next
    }

    /// Does the reviews that begin in the next batch of the log, or the next rows of a dry run by stamps;
    /// whether there are more.
    ///
    /// # Errors
    /// See [`RebuildError`]; the position is then still that of the batch before.
    pub async fn step(&mut self) -> Result<bool, RebuildError> {
        if let Some(stamps) = self.stamps.clone() {
            return self.step_by_stamps(stamps.as_ref()).await;
        }
        let batch = match self.reading.take() {
            Some(reading) => reading.await.map_err(|_| RebuildError::Interrupted)??,
            None => self.ledger.scan(&self.next, PAGE).await?,
        };
        if batch.more {
            // Read while this one is folded.
            let (ledger, from) = (Arc::clone(&self.ledger), batch.position.clone());
            self.reading = Some(tokio::spawn(async move { ledger.scan(&from, PAGE).await }));
        }
        self.found.commits += batch.commits.len() as u64;
        let before = self.found.folded;
        self.fold_all(beginnings(batch.commits)).await?;
        self.found.reviews += self.found.folded - before;
        self.next = batch.position;
        Ok(batch.more)
    }

    /// Folds these streams, compares their rows and does with them what is to be done.
    async fn fold_all(&mut self, streams: Vec<Stream>) -> Result<(), RebuildError> {
        let mut running = Vec::new();
        for chunk in chunks(streams) {
            let (ledger, views, keep_going) = (Arc::clone(&self.ledger), Arc::clone(&self.views), self.manner.keep_going);
            running.push(tokio::spawn(async move { compare(ledger.as_ref(), views.as_ref(), chunk, keep_going).await }));
        }
        for compared in running {
            let compared = compared.await.map_err(|_| RebuildError::Interrupted)??;
            self.found.folded += (compared.rows.len() + compared.strays.len() + compared.failed.len()) as u64;
            compared.failed.iter().for_each(|failed| self.found.fail(failed.clone()));
            compared.strays.iter().for_each(|stray| self.found.differ(Difference::stray(*stray)));
            self.take(compared).await?;
        }
        Ok(())
    }

    /// Takes away, or counts, the rows that no stream stands behind. The last step.
    ///
    /// # Errors
    /// See [`RebuildError`].
    pub async fn finish(&mut self) -> Result<(), RebuildError> {
        if self.stamps.is_some() {
            // Each row was looked at.
            return Ok(());
        }
        let strays = remove_strays(&self.ledger, &self.views, self.manner.dry_run).await?;
        for review in strays {
            self.found.differ(Difference::stray(review));
        }
        Ok(())
    }

    async fn take(&mut self, Compared { mut rows, unlike, .. }: Compared) -> Result<(), RebuildError> {
        if self.manner.dry_run {
            return self.report(&rows, &unlike).await;
        }
        for difference in &unlike {
            let row = &rows[difference.index];
            if difference.there.is_none_or(|there| there <= row.version) && !self.is_for_the_projector(row, difference) {
                self.found.differ(Difference::of(row, difference.there));
            }
        }
        let (mut later, mut kept) = (Vec::new(), Vec::new());
        for Unlike { index, there } in unlike {
            if there.is_some_and(|there| there > rows[index].version) {
                later.push(rows[index].review_id);
            } else if self.is_for_the_projector(&rows[index], &Unlike { index, there }) {
                kept.push((index, rows[index].review_id, there));
            }
        }
        let mut index = 0;
        rows.retain(|_| {
            index += 1;
            !kept.iter().any(|(kept, ..)| *kept + 1 == index)
        });
        self.views.rewrite(&rows).await?;
        for (_, review, there) in kept {
            self.keep_version(review, there).await?;
        }
        for review in later {
            self.look_again(review).await?;
        }
        Ok(())
    }

    /// Whether bringing this row up would say that something was published that was not.
    fn is_for_the_projector(&self, row: &ReviewRow, difference: &Unlike) -> bool {
        self.manner.keep_versions && difference.there.is_none_or(|there| there < row.version)
    }

    /// Rebuilds a row at the version that it has, and leaves the rest to the projector.
    async fn keep_version(&mut self, review: ReviewId, there: Option<Version>) -> Result<(), RebuildError> {
        self.found.left += 1;
        let Some(there) = there else { return Ok(()) };
        let mut commits = whole(self.ledger.as_ref(), review, Vec::new()).await?;
        commits.retain(|commit| commit.version <= there);
        let Some(row) = row(&fold(&commits)?) else { return Ok(()) };
        if let [unlike] = self.views.unlike(std::slice::from_ref(&row)).await?.as_slice()
            && unlike.there == Some(there)
        {
            self.found.differ(Difference::of(&row, unlike.there));
        }
        Ok(self.views.rewrite(&[row]).await?)
    }

    /// A row of a later version than the log had: the review has gone on, or the row is ahead of the log
    /// (which was restored from a backup, say) and no version condition would ever let it be put right.
    async fn look_again(&mut self, review: ReviewId) -> Result<(), RebuildError> {
        let Some((row, there)) = self.look(review).await? else { return Ok(()) };
        self.found.differ(Difference::of(&row, there));
        if there.is_some_and(|there| there > row.version) {
            self.views.remove(review).await?;
        }
        // What was appended before the row was taken away is folded now; what comes after, by the projector.
        match self.look(review).await? {
            Some((row, _)) => Ok(self.views.rewrite(&[row]).await?),
            None => Ok(()),
        }
    }

    /// Folds a review anew; its row and the version that is there instead, unless they are alike.
    async fn look(&self, review: ReviewId) -> Result<Option<(ReviewRow, Option<Version>)>, RebuildError> {
        let commits = whole(self.ledger.as_ref(), review, Vec::new()).await?;
        let Some(row) = row(&fold(&commits)?) else { return Ok(None) };
        let unlike = self.views.unlike(std::slice::from_ref(&row)).await?;
        Ok(unlike.first().map(|unlike| (row, unlike.there)))
    }

    /// Reports what differs, and not what the projector is just about to bring up.
    async fn report(&mut self, rows: &[ReviewRow], unlike: &[Unlike]) -> Result<(), RebuildError> {
        let moving = unlike.iter().any(|unlike| unlike.there != Some(rows[unlike.index].version));
        if moving && !self.found.is_past_waiting() {
            tokio::time::sleep(PATIENCE).await;
        }
        for unlike in unlike {
            if let Some((row, there)) = self.look(rows[unlike.index].review_id).await? {
                self.found.differ(Difference::of(&row, there));
            }
        }
        Ok(())
    }
}

fn chunks(mut streams: Vec<Stream>) -> Vec<Vec<Stream>> {
    let mut chunks = Vec::new();
    while !streams.is_empty() {
        let rest = streams.split_off(streams.len().min(CHUNK));
        chunks.push(std::mem::replace(&mut streams, rest));
    }
    chunks
}

async fn compare(
    ledger: &dyn Ledger,
    views: &dyn Views,
    streams: Vec<Stream>,
    keep_going: bool,
) -> Result<Compared, RebuildError> {
    let (mut rows, mut strays, mut failed) = (Vec::with_capacity(streams.len()), Vec::new(), Vec::new());
    for (review, begun) in streams {
        match folded(ledger, review, begun).await {
            Ok(Fold { version: Version::NONE, .. }) => strays.push(review),
            Ok(fold) => rows.extend(row(&fold)),
            Err(error) if keep_going && !error.is_retryable() => failed.push(with_causes(&error)),
            Err(error) => return Err(error),
        }
    }
    let unlike = views.unlike(&rows).await?;
    Ok(Compared { rows, unlike, strays, failed })
}

async fn folded(ledger: &dyn Ledger, review: ReviewId, begun: Vec<StoredCommit>) -> Result<Fold, RebuildError> {
    Ok(fold(&whole(ledger, review, begun).await?)?)
}
