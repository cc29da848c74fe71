//! A line in the log at most once a minute, whatever comes in.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// What an operator is told of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Complaint {
    /// Somebody idle was closed for somebody new.
    MadeRoom,
    /// Somebody was turned away.
    NoRoom,
    /// The system did not let us have a connection.
    NotAccepted,
    /// Few file descriptors are left.
    FewDescriptors,
}

const KINDS: usize = 4;

impl Complaint {
    fn words(self) -> &'static str {
        match self {
            Complaint::MadeRoom => "connections have reached their limit: idle ones are closed for new ones",
            Complaint::NoRoom => "connections have reached their limit: new ones are answered 503",
            Complaint::NotAccepted => "a connection could not be accepted",
            Complaint::FewDescriptors => "file descriptors are running out: raise `ulimit -n` or see who holds them",
        }
    }
}

/// When each was last written, and how often it came since.
#[derive(Default)]
pub(crate) struct Complaints(Mutex<[Option<(Instant, u64)>; KINDS]>);

impl Complaints {
    pub(crate) fn note(&self, complaint: Complaint, detail: impl FnOnce() -> String) {
        if let Some(times) = self.is_due(complaint, Instant::now()) {
            tracing::warn!(times, detail = detail(), "{}", complaint.words());
        }
    }

    /// How often it came since it was last written, this time included; `None` when that is less than a minute ago.
    fn is_due(&self, complaint: Complaint, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.get_mut(complaint as usize)?;
        match kind {
            Some((last, since)) if now.saturating_duration_since(*last) < MINUTE => {
                *since += 1;
                None
            }
            known => {
                let times = known.map_or(1, |(_, since)| since + 1);
                *known = Some((now, 0));
                Some(times)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_written_once_a_minute_with_how_often_it_came() {
        let (complaints, begin) = (Complaints::default(), Instant::now());
        let at = |seconds| complaints.is_due(Complaint::NoRoom, begin + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(59), at(60), at(61), at(130)], [Some(1), None, None, Some(3), None, Some(2)]);
        assert_eq!(complaints.is_due(Complaint::MadeRoom, begin), Some(1));
    }
}
