//! The clock, as a thing that tests can hold still.

use chrono::Utc;
use events::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, UTC, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now().into()
    }
}
