//! How many files and sockets the system lets this process have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::complaint::{Complaint, Complaints};

/// What is kept back for the log, its readers, calls that leave the service, and whom there is no room for.
const KEPT: u64 = 192;

/// Raises the soft limit to the hard one, which any process may; gives what it is now. `None` where there is none.
pub fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    }
}

/// How many of so many descriptors are for connections.
pub(crate) fn connections(limit: u64) -> usize {
    let connections = limit.saturating_sub(KEPT).max(limit / 4).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Warns while nine tenths are in use. Where the system does not say how many are, nothing is said.
pub(crate) fn warn_when_scarce(complaints: &Complaints) {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return };
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return };
    // Reading them takes one itself.
    let open = (open.count() as u64).saturating_sub(1);
    if is_scarce(open, limit) {
        complaints.note(Complaint::FewDescriptors, || format!("{open} of {limit} are in use"));
    }
}

fn is_scarce(open: u64, limit: u64) -> bool {
    open >= limit / 10 * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn something_is_kept_for_all_else_and_there_is_always_room_for_somebody() {
        assert_eq!([1, 64, 256, 1_024, 20_000].map(connections), [1, 16, 64, 832, 19_808]);
        assert!(is_scarce(950, 1_024) && !is_scarce(800, 1_024));
    }
}
