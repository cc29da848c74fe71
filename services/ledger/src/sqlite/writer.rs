//! The writer thread of one file: group commit.
//!
//! The thread takes the first job that arrives, begins a transaction, runs whatever else is waiting
//! in it, commits once, and answers everybody. While the disk syncs, the next batch gathers by
//! itself; nothing waits for company.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use events::{StreamId, Version};
use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use super::fault::{Closed, refused, store_error};
use crate::error::LedgerError;

/// The most jobs in one transaction, so that the first of them does not wait for ever.
const BATCH_MAX: usize = 512;
/// How long a job that nobody waits for may lie until it is committed on its own.
const LAZY: Duration = Duration::from_secs(1);

/// A commit that a transaction appended.
pub(super) struct Appended {
    pub sequence: u64,
    pub stream: StreamId,
    pub version: Version,
}

/// Is told what a transaction appended.
type Committed = Box<dyn Fn(&[Appended]) + Send>;

/// One thing to write. It may run twice, when a transaction it shared with others was rolled back.
trait Job: Send {
    fn run(&mut self, connection: &Connection, appended: &mut Vec<Appended>) -> rusqlite::Result<()>;
    fn succeed(self: Box<Self>);
    fn fail(self: Box<Self>, error: Arc<Error>);
}

struct Call<T, F> {
    what: &'static str,
    run: F,
    result: Option<T>,
    /// Absent when nobody waits.
    caller: Option<oneshot::Sender<Result<T, LedgerError>>>,
}

impl<T: Send, F: FnMut(&Connection, &mut Vec<Appended>) -> rusqlite::Result<T> + Send> Job for Call<T, F> {
    fn run(&mut self, connection: &Connection, appended: &mut Vec<Appended>) -> rusqlite::Result<()> {
        self.result = Some((self.run)(connection, appended)?);
        Ok(())
    }

    // A caller that went away in the meantime needs no answer.
    fn succeed(self: Box<Self>) {
        if let (Some(caller), Some(result)) = (self.caller, self.result) {
            let _ = caller.send(Ok(result));
        }
    }

    fn fail(self: Box<Self>, error: Arc<Error>) {
        match self.caller {
            Some(caller) => {
                let _ = caller.send(Err(store_error(self.what, error)));
            }
            None => tracing::warn!(%error, "could not {}", self.what),
        }
    }
}

enum Message {
    /// Somebody waits for it.
    Now(Box<dyn Job>),
    /// To be written with the next that somebody waits for.
    Later(Box<dyn Job>),
    Close,
}

/// The way to the thread.
pub(super) struct Writer {
    messages: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread; it calls `committed` with what a transaction appended once it is durable,
    /// before it answers the callers.
    pub(super) fn start(
        connection: Connection,
        name: &str,
        committed: impl Fn(&[Appended]) + Send + 'static,
    ) -> Result<Writer, LedgerError> {
        let (messages, received) = mpsc::channel();
        let commits = Arc::new(AtomicU64::new(0));
        let worker = Worker {
            connection,
            messages: received,
            commits: Arc::clone(&commits),
            committed: Box::new(committed),
            closing: false,
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(|| worker.work());
        let thread = thread.map_err(|error| refused("start the writer thread", error))?;
        Ok(Writer { messages, thread: Mutex::new(Some(thread)), commits })
    }

    /// Has `run` done and waits until it is committed.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        run: impl FnMut(&Connection, &mut Vec<Appended>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (caller, answer) = oneshot::channel();
        let job = Call { what, run, result: None, caller: Some(caller) };
        self.messages.send(Message::Now(Box::new(job))).map_err(|_| refused(what, Closed))?;
        answer.await.unwrap_or_else(|_| Err(refused(what, Closed)))
    }

    /// Has `run` done some time, in its order with the others; a failure is logged.
    pub(super) fn later(
        &self,
        what: &'static str,
        mut run: impl FnMut(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), LedgerError> {
        let run = move |connection: &Connection, _: &mut Vec<Appended>| run(connection);
        let job = Call { what, run, result: None, caller: None };
        self.messages.send(Message::Later(Box::new(job))).map_err(|_| refused(what, Closed))
    }

    pub(super) fn commits_total(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Waits until all that was asked so far is done, and ends the thread.
    pub(super) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        let _ = self.messages.send(Message::Close);
        // Not when a hook drops the last handle: the thread cannot wait for itself, and ends anyway.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    connection: Connection,
    messages: Receiver<Message>,
    commits: Arc<AtomicU64>,
    committed: Committed,
    closing: bool,
}

impl Worker {
    fn work(mut self) {
        let mut waiting = VecDeque::new();
        while !self.closing {
            self.wait(&mut waiting);
            while !waiting.is_empty() {
                self.commit_together(&mut waiting);
            }
        }
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "could not empty the write-ahead log");
        }
    }

    /// Sleeps until there is something to commit.
    fn wait(&mut self, waiting: &mut VecDeque<Box<dyn Job>>) {
        let mut lazy_until = None;
        while !self.closing && waiting.len() < BATCH_MAX {
            let message = match lazy_until {
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => self.messages.recv_timeout(Instant::saturating_duration_since(&until, Instant::now())),
            };
            match message {
                Ok(Message::Now(job)) => return waiting.push_back(job),
                Ok(Message::Later(job)) => {
                    waiting.push_back(job);
                    lazy_until = lazy_until.or_else(|| Some(Instant::now() + LAZY));
                }
                Err(RecvTimeoutError::Timeout) => return,
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => self.closing = true,
            }
        }
    }

    /// The next job that is there already.
    fn next(&mut self, waiting: &mut VecDeque<Box<dyn Job>>) -> Option<Box<dyn Job>> {
        if let Some(job) = waiting.pop_front() {
            return Some(job);
        }
        match self.messages.try_recv().ok()? {
            Message::Now(job) | Message::Later(job) => Some(job),
            Message::Close => {
                self.closing = true;
                None
            }
        }
    }

    /// One transaction for all that wait. When it fails, each gets one of its own, so that a bad job
    /// does not fail its neighbours.
    fn commit_together(&mut self, waiting: &mut VecDeque<Box<dyn Job>>) {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            let error = Arc::new(error);
            return waiting.drain(..).for_each(|job| job.fail(Arc::clone(&error)));
        }
        let (mut jobs, mut appended, mut outcome) = (Vec::new(), Vec::new(), Ok(()));
        while jobs.len() < BATCH_MAX
            && outcome.is_ok()
            && let Some(mut job) = self.next(waiting)
        {
            outcome = job.run(&self.connection, &mut appended);
            jobs.push(job);
        }
        match self.finish(outcome, &appended) {
            Ok(()) => jobs.into_iter().for_each(|job| job.succeed()),
            Err(error) if jobs.len() == 1 => {
                let error = Arc::new(error);
                jobs.into_iter().for_each(|job| job.fail(Arc::clone(&error)));
            }
            Err(_) => jobs.into_iter().for_each(|job| self.commit_alone(job)),
        }
    }

    fn commit_alone(&mut self, mut job: Box<dyn Job>) {
        let mut appended = Vec::new();
        let outcome = self.execute("BEGIN IMMEDIATE").and_then(|()| job.run(&self.connection, &mut appended));
        match self.finish(outcome, &appended) {
            Ok(()) => job.succeed(),
            Err(error) => job.fail(Arc::new(error)),
        }
    }

    /// Commits, or rolls back what could not be run or committed.
    fn finish(&mut self, outcome: rusqlite::Result<()>, appended: &[Appended]) -> rusqlite::Result<()> {
        let outcome = outcome.and_then(|()| self.execute("COMMIT"));
        if outcome.is_ok() {
            self.commits.fetch_add(1, Ordering::Relaxed);
            (self.committed)(appended);
        } else if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "could not roll back");
        }
        outcome
    }

    fn execute(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(|_| ())
    }
}
