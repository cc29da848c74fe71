//! What the tests of the running service share: the service as a process, its API as a client sees
//! it, a double of Step Functions, and checks of a review's log.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

pub mod api;
pub mod log;
pub mod process;
pub mod workflows;

use std::time::{Duration, Instant};

/// Waits until `look` finds something; fails loudly after `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{limit:?} are over and still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
