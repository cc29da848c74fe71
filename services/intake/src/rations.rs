//! How many requests one sender may make in a while, so that none of them fills the log, or everybody's
//! inbox, for all.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use events::{Period, Timestamp};

use crate::Sender;

/// What one sender may ask in a minute unless configuration says otherwise. A pipeline that asks ten times a
/// second all day stays within it.
pub const DEFAULT: u32 = 600;
/// The most senders that are counted at a time. Whoever comes beyond them shares one ration.
const SENDERS_MAX: usize = 10_000;

/// A sender's requests of the last minute, as the time at which all of them are forgotten.
///
/// That one number is the whole state (the generic cell rate algorithm): each request moves it on by a
/// minute's share, and a sender is over the ration when it stands more than a minute ahead.
type Forgotten = i64;

/// Counts what each sender asks. It lives in one process: on AWS each copy of a function counts for itself,
/// so that a request costs no write; the most copies that there may be bound the whole.
#[derive(Debug)]
pub(crate) struct Rations {
    a_minute: u32,
    senders: Mutex<HashMap<String, Forgotten>>,
}

/// A sender is over the ration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {a_minute} requests a minute from one sender; the next is taken in {} s", retry_after.as_seconds())]
pub struct TooMany {
    /// The ration.
    pub a_minute: u32,
    /// After how long the next request is taken; at least a second.
    pub retry_after: Period,
}

const MINUTE: i64 = 60_000;
/// How many times the ration of a source its account has.
const SOURCES: u32 = 10;

impl Rations {
    /// So many requests a minute for each sender, which may come at once; 0 means without limit.
    pub(crate) fn new(a_minute: u32) -> Rations {
        Rations { a_minute, senders: Mutex::default() }
    }

    /// Takes what `sender` hands in at `now`. The operator has no ration. A program that nobody asked who it is has one
    /// with all others like it, whatever source it writes. An account has ten times that of each of its sources,
    /// since whoever may put events there may write another source each time.
    ///
    /// # Errors
    /// [`TooMany`].
    pub(crate) fn take(&self, sender: &Sender, now: Timestamp) -> Result<(), TooMany> {
        match sender {
            Sender::Operator { .. } => Ok(()),
            Sender::Unauthenticated { .. } => self.count("unauthenticated", 1, now),
            Sender::Integration { name, .. } => self.count(&format!("integration/{name}"), 1, now),
            Sender::Bus { account, source } | Sender::Invoked { account, source } => {
                self.count(&format!("account/{account}"), SOURCES, now)?;
                self.count(&format!("source/{account}/{source}"), 1, now)
            }
        }
    }

    /// Counts one under this name, whose ration is so many times the usual.
    fn count(&self, sender: &str, times: u32, now: Timestamp) -> Result<(), TooMany> {
        if self.a_minute == 0 {
            return Ok(());
        }
        let a_minute = self.a_minute.saturating_mul(times);
        let now = now.millis();
        // Rounded up, so that the limit is never passed.
        let share = (MINUTE + i64::from(a_minute) - 1) / i64::from(a_minute);
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= SENDERS_MAX && !senders.contains_key(sender) {
            senders.retain(|_, forgotten| *forgotten > now);
        }
        let sender = if senders.len() >= SENDERS_MAX && !senders.contains_key(sender) { "" } else { sender };
        let forgotten = senders.get(sender).copied().unwrap_or(now).max(now);
        let ahead = forgotten + share - now;
        if ahead > MINUTE {
            let seconds = (ahead - MINUTE + 999) / 1_000;
            return Err(TooMany { a_minute, retry_after: Period::seconds(seconds) });
        }
        senders.insert(sender.to_owned(), forgotten + share);
        Ok(())
    }
}

impl Default for Rations {
    fn default() -> Self {
        Rations::new(DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + millis).expect("a time")
    }

    #[test]
    fn a_sender_has_a_ration_a_minute_that_may_be_asked_at_once_and_others_have_their_own() {
        let rations = Rations::new(6);
        assert!((0..6).all(|_| rations.count("ml", 1, at(0)).is_ok()));
        let over = rations.count("ml", 1, at(0)).expect_err("over");
        assert_eq!((over.a_minute, over.retry_after), (6, Period::seconds(10)));
        assert!(rations.count("hr", 1, at(0)).is_ok());
        assert!(rations.count("ml", 1, at(9_999)).is_err());
        assert!(rations.count("ml", 1, at(10_000)).is_ok() && rations.count("ml", 1, at(10_000)).is_err());
        assert!((0..6).all(|_| rations.count("ml", 1, at(200_000)).is_ok()), "all is forgotten after a minute");
    }

    #[test]
    fn no_more_senders_are_remembered_than_so_many() {
        let rations = Rations::new(1);
        for number in 0..SENDERS_MAX {
            rations.count(&number.to_string(), 1, at(0)).expect("its own");
        }
        assert!(rations.count("one more", 1, at(0)).is_ok() && rations.count("another", 1, at(0)).is_err(), "they share one");
        assert!(rations.count("another", 1, at(60_000)).is_ok());
        assert!(rations.senders.lock().expect("unpoisoned").len() <= SENDERS_MAX + 1);
        assert!((0..10_000).all(|_| Rations::new(0).count("x", 1, at(0)).is_ok()));
    }

    #[test]
    fn what_a_program_writes_as_its_source_gives_it_no_further_ration() {
        let rations = Rations::new(2);
        let local = |source: &str| Sender::Unauthenticated { source: source.to_owned() };
        assert!(["a", "b"].iter().all(|source| rations.take(&local(source), at(0)).is_ok()));
        assert!(rations.take(&local("c"), at(0)).is_err());
        let bus = |source: usize| Sender::Bus { account: "111122223333".to_owned(), source: source.to_string() };
        assert_eq!((0..100).filter(|source| rations.take(&bus(*source), at(0)).is_ok()).count(), 20, "ten times two");
        let operator = Sender::Operator { source: "api".to_owned() };
        assert!((0..1_000).all(|_| rations.take(&operator, at(0)).is_ok()));
    }
}
