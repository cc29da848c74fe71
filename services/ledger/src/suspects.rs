//! Votes by somebody who may not cast them, counted in the one place that every door goes through.

use std::sync::atomic::{AtomicU64, Ordering};

use events::event::VoteRefusal;
use review::Answer;

/// How many votes were refused because of who cast them, since this process started. A few are people who pressed
/// the wrong link; many at once are somebody who tries.
#[derive(Debug, Default)]
pub struct Suspects {
    total: AtomicU64,
    told: AtomicU64,
}

impl Suspects {
    /// Counts an answer, if it is one of these.
    pub(crate) fn note(&self, answer: &Answer) {
        if let Answer::NotCounted { why, .. } = answer
            && is_suspect(*why)
        {
            self.total.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// How many came since this was last asked.
    pub fn news(&self) -> u64 {
        let total = self.total();
        total.saturating_sub(self.told.swap(total, Ordering::Relaxed))
    }
}

/// Whether a vote was refused because of who cast it, and not because it came late or was on other content.
fn is_suspect(why: VoteRefusal) -> bool {
    match why {
        VoteRefusal::UntrustedSource | VoteRefusal::NotAReviewer | VoteRefusal::OwnRequest => true,
        VoteRefusal::AlreadyDecided
        | VoteRefusal::Expired
        | VoteRefusal::Cancelled
        | VoteRefusal::OtherSubject
        | VoteRefusal::NotSeenWhole
        | VoteRefusal::TooOften => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_vote_is_counted_and_told_once() {
        let suspects = Suspects::default();
        let answer = |why| Answer::NotCounted { why, ending: None };
        for why in [VoteRefusal::UntrustedSource, VoteRefusal::NotAReviewer, VoteRefusal::OwnRequest, VoteRefusal::Expired] {
            suspects.note(&answer(why));
        }
        suspects.note(&Answer::Counted { verdict: None });
        assert_eq!((suspects.total(), suspects.news(), suspects.news()), (3, 3, 0));
        suspects.note(&answer(VoteRefusal::OwnRequest));
        assert_eq!((suspects.total(), suspects.news()), (4, 1));
    }
}
