//! Counting votes under a policy.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    event::{Choice, Verdict, VoteCast},
    request::Policy,
};

use crate::{directory::Directory, primary::PrimaryId};

/// Where the votes stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Everybody whose last word is yes, of those for whom one id acted the first.
    pub approvers: Vec<PrimaryId>,
    /// Everybody whose last word is no.
    pub rejecters: Vec<PrimaryId>,
}

impl Tally {
    /// Counts. Each person's last vote counts, comments aside. People whom the directory knows to be one are
    /// counted once, and so is whoever acted for two people: an id that was an alias when it voted, and is its
    /// own again, approves once.
    pub fn of<'a>(votes: impl IntoIterator<Item = &'a VoteCast>, directory: &Directory) -> Tally {
        let mut last: BTreeMap<PrimaryId, &VoteCast> = BTreeMap::new();
        for vote in votes.into_iter().filter(|vote| vote.choice != Choice::Comment) {
            last.insert(directory.primary(&vote.person), vote);
        }
        let mut acted: BTreeSet<PrimaryId> = BTreeSet::new();
        let mut approvers = Vec::new();
        for (person, vote) in last.iter().filter(|(_, vote)| vote.choice == Choice::Approve) {
            if acted.insert(directory.primary(vote.acted_as.as_ref().unwrap_or(&vote.person))) {
                approvers.push(person.clone());
            }
        }
        let rejecters = last.iter().filter(|(_, vote)| vote.choice == Choice::Reject);
        Tally { approvers, rejecters: rejecters.map(|(person, _)| person.clone()).collect() }
    }

    /// The outcome under a policy and who made it; `None` while it is open. One rejection decides,
    /// else the quorum of approvals does.
    pub fn verdict(self, policy: &Policy) -> Option<(Verdict, Vec<PrimaryId>)> {
        if !self.rejecters.is_empty() {
            Some((Verdict::Rejected, self.rejecters))
        } else if self.approvers.len() >= usize::from(policy.quorum) {
            Some((Verdict::Approved, self.approvers))
        } else {
            None
        }
    }
}
