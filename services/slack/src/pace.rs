//! About one message a second in each conversation, with short bursts (Slack's guide "Rate limits",
//! `chat.postMessage`), kept without sleeping: what comes too soon is given its own later moment.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The pause between two messages in one conversation, in milliseconds.
const PAUSE: i64 = 1_000;
/// How far ahead of that pause a burst may run: five messages at once.
const BURST: i64 = 4 * PAUSE;
/// How many conversations and reservations are remembered at most.
const REMEMBERED_MAX: usize = 10_000;

/// Hands out moments to post at. Times are milliseconds since 1970.
#[derive(Default)]
pub struct Pace(Mutex<Moments>);

#[derive(Default)]
struct Moments {
    /// When the messages so far would have gone out at one a second.
    next: HashMap<String, i64>,
    /// Who was told to come back, and when.
    reserved: HashMap<(String, String), i64>,
}

impl Pace {
    /// Asks to post `what` in a conversation at `now`: yes, or how long to wait, in milliseconds. Who
    /// comes back after that time is let through: many who wait are told different times.
    ///
    /// # Errors
    /// How long to wait.
    pub fn ask(&self, channel: &str, what: &str, now: i64) -> Result<(), i64> {
        let mut moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (channel.to_owned(), what.to_owned());
        if let Some(at) = moments.reserved.get(&key).copied() {
            return if now >= at {
                moments.reserved.remove(&key);
                Ok(())
            } else {
                Err(at - now)
            };
        }
        moments.forget(now);
        let next = moments.next.get(channel).copied().unwrap_or(now).max(now);
        moments.next.insert(channel.to_owned(), next + PAUSE);
        let at = next - BURST;
        if at <= now {
            return Ok(());
        }
        moments.reserved.insert(key, at);
        Err(at - now)
    }

    /// Slack itself asked for a pause in a conversation: nothing goes out there before it is over.
    pub fn pause(&self, channel: &str, now: i64, millis: i64) {
        let mut moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now.saturating_add(millis).saturating_add(BURST);
        let next = moments.next.entry(channel.to_owned()).or_insert(until);
        *next = until.max(*next);
    }
}

impl Moments {
    /// Drops what holds nobody back any more.
    fn forget(&mut self, now: i64) {
        if self.next.len() >= REMEMBERED_MAX {
            self.next.retain(|_, next| *next > now);
        }
        if self.reserved.len() >= REMEMBERED_MAX {
            self.reserved.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_out_at_once_and_what_follows_one_a_second_each_at_its_own_moment() {
        let pace = Pace::default();
        let asked: Vec<_> = (0..10).map(|n| pace.ask("D1", &n.to_string(), 1_000_000)).collect();
        let waits: Vec<i64> = asked.into_iter().map(|asked| asked.err().unwrap_or_default()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1_000, 2_000, 3_000, 4_000, 5_000]);
        assert_eq!(pace.ask("D2", "0", 1_000_000), Ok(()), "another conversation has its own pace");
        assert_eq!(pace.ask("D1", "6", 1_001_500), Err(500), "who comes early is told the same moment");
        for n in 5..10 {
            assert_eq!(pace.ask("D1", &n.to_string(), 1_000_000 + (n - 4) * 1_000), Ok(()));
        }
        assert_eq!(pace.ask("D1", "new", 1_100_000), Ok(()), "after a while nothing is held back");
    }

    #[test]
    fn slacks_own_pause_is_kept() {
        let pace = Pace::default();
        pace.pause("D1", 1_000_000, 7_000);
        assert_eq!(pace.ask("D1", "a", 1_000_000), Err(7_000));
        assert_eq!(pace.ask("D1", "b", 1_000_000), Err(8_000));
        assert_eq!(pace.ask("D1", "a", 1_007_000), Ok(()));
    }
}
