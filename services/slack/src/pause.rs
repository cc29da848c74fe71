//! Methods that Slack takes no more calls of for a while. It counts calls by method and workspace, and
//! says with 429 how long that method, and no other, is to be left alone there (guide "Rate limits").

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::SlackError;

/// Remembers which method is to be left alone until when, so that whoever comes next is told so without
/// a call. Times are milliseconds since 1970.
#[derive(Default)]
pub struct Pauses(Mutex<HashMap<String, i64>>);

impl Pauses {
    /// Asks to call `method` at `now`.
    ///
    /// # Errors
    /// What Slack would answer: [`SlackError::Busy`], with the seconds that are left.
    pub fn ask(&self, method: &str, now: i64) -> Result<(), SlackError> {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pauses.get(method) {
            Some(until) if now < *until => {
                Err(SlackError::Busy { method: method.to_owned(), retry_after: (until - now + 999) / 1_000 })
            }
            _ => Ok(()),
        }
    }

    /// Notes what a call answered at `now`, when that asks for a pause.
    pub fn note(&self, error: &SlackError, now: i64) {
        let SlackError::Busy { method, retry_after } = error else { return };
        let until = now.saturating_add(retry_after.saturating_mul(1_000));
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pauses.entry(method.clone()).or_insert(until);
        *known = until.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_method_is_left_alone_as_long_as_slack_said_and_no_other_is() {
        let pauses = Pauses::default();
        let busy = |retry_after| SlackError::Busy { method: "chat.update".to_owned(), retry_after };
        assert_eq!(pauses.ask("chat.update", 1_000_000), Ok(()));
        pauses.note(&SlackError::Unavailable("down".to_owned()), 1_000_000);
        assert_eq!(pauses.ask("chat.update", 1_000_000), Ok(()), "an outage is none of its business");
        pauses.note(&busy(7), 1_000_000);
        pauses.note(&busy(2), 1_000_000);
        assert_eq!(pauses.ask("chat.update", 1_000_000), Err(busy(7)));
        assert_eq!(pauses.ask("chat.update", 1_006_001), Err(busy(1)));
        assert_eq!(pauses.ask("chat.postMessage", 1_000_000), Ok(()));
        assert_eq!(pauses.ask("chat.update", 1_007_000), Ok(()));
    }
}
