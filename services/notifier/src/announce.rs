//! Tells people when the directory changed who they are: each address once, by the channel that reaches it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use channels::announcement::{Note, note};
use events::{Commit, Event, Period, PersonId, StreamId, Timestamp, Version};
use ledger::{Claim, Reviews, Work};
use review::{Directory, announce::announcements};

use crate::{DeliverError, LEASE, NotifyError};

/// For how long it is kept that an address was told, and after which a change is no news any more: a log that is
/// brought in from elsewhere, or followed anew, tells nobody of what was long ago.
pub const NEWS: Period = Period::hours(3 * 24);

/// A channel that carries notes to an address.
#[async_trait]
pub trait Announce: Send + Sync {
    /// Whether it can write to this address.
    fn reaches(&self, to: &PersonId) -> bool;

    /// Sends the note. Called again after a failure.
    ///
    /// # Errors
    /// See [`DeliverError`].
    async fn announce(&self, to: &PersonId, note: &Note, now: Timestamp) -> Result<(), DeliverError>;
}

/// Somebody could not be told.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The log or the claims failed.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// A channel was out of reach.
    #[error(transparent)]
    Channel(#[from] DeliverError),
    /// Another run is at it, or was until it ended without a word.
    #[error("another run has the message to {0}")]
    Busy(PersonId),
}

impl AnnounceError {
    /// Whether the same may work later.
    pub fn is_retryable(&self) -> bool {
        match self {
            AnnounceError::Notify(error) => error.is_retryable(),
            AnnounceError::Channel(error) => error.is_retryable(),
            AnnounceError::Busy(_) => true,
        }
    }
}

/// The handler.
pub struct Announcer {
    reviews: Arc<Reviews>,
    work: Arc<dyn Work>,
    channels: Vec<Arc<dyn Announce>>,
    base_url: Arc<str>,
    /// The directory as of the commit that was handled last.
    before: Mutex<Directory>,
}

impl Announcer {
    /// Through these channels, the preferred first. The last should reach everybody.
    pub fn new(reviews: Arc<Reviews>, work: Arc<dyn Work>, channels: Vec<Arc<dyn Announce>>, base_url: Arc<str>) -> Announcer {
        Announcer { reviews, work, channels, base_url, before: Mutex::default() }
    }

    /// Whether anybody may have to be told of this commit.
    pub fn concerns(&self, commit: &Commit) -> bool {
        commit.stream == StreamId::Directory && commit.events.iter().any(|event| matches!(event, Event::PersonRegistered(_)))
    }

    /// Tells everybody whom a commit of the directory concerns. Doing it again tells nobody twice.
    ///
    /// # Errors
    /// The first passing failure; everybody else was told.
    pub async fn announce(&self, commit: &Commit) -> Result<(), AnnounceError> {
        if self.reviews.now() >= commit.at.after(NEWS) {
            return Ok(());
        }
        let before = self.before(commit.version).await?;
        let mut failed = None;
        for (index, announcement) in announcements(&before, commit).iter().enumerate() {
            let key = format!("announced|{}|{index}", commit.version);
            let told = self.tell(&key, &announcement.to, &note(announcement, &self.base_url)).await;
            failed = failed.or(told.err());
        }
        failed.map_or(Ok(()), Err)
    }

    async fn tell(&self, key: &str, to: &PersonId, note: &Note) -> Result<(), AnnounceError> {
        let (now, sending) = (self.reviews.now(), format!("{key}|sending"));
        let claim =
            |key: String, until: Timestamp| async move { self.work.claim(&key, now, until).await.map_err(NotifyError::from) };
        // A claim that ends as it begins holds nothing: it only shows whether somebody was told before.
        if claim(key.to_owned(), now).await? != Claim::Granted {
            return Ok(());
        }
        if claim(sending.clone(), now.after(LEASE)).await? != Claim::Granted {
            return Err(AnnounceError::Busy(to.clone()));
        }
        let sent = self.send(to, note, now).await;
        if sent.is_ok() {
            claim(key.to_owned(), now.after(NEWS)).await?;
        }
        self.work.release(&sending).await.map_err(NotifyError::from)?;
        Ok(sent?)
    }

    /// By the first channel that takes it. Only a channel that may work later is waited for.
    async fn send(&self, to: &PersonId, note: &Note, now: Timestamp) -> Result<(), DeliverError> {
        for channel in self.channels.iter().filter(|channel| channel.reaches(to)) {
            match channel.announce(to, note, now).await {
                Err(error) if !error.is_retryable() => {
                    tracing::error!(%to, %error, "a change of the directory was not told this way")
                }
                other => return other,
            }
        }
        tracing::error!(%to, subject = note.subject, "nobody could be told of a change of the directory");
        Ok(())
    }

    /// The directory without this version and whatever came after it.
    async fn before(&self, version: Version) -> Result<Directory, NotifyError> {
        let mut directory = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if directory.version >= version {
            directory = Directory::default();
        }
        let stored = self.reviews.ledger().load(StreamId::Directory, directory.version).await?;
        for commit in stored.iter().filter(|commit| commit.version < version) {
            directory.apply(&commit.decode().map_err(ledger::ExecuteError::from)?);
        }
        self.before.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&directory);
        Ok(directory)
    }
}
