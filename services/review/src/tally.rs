//! Counting votes under a policy.

use std::collections::BTreeMap;

use events::{
    event::{Choice, Verdict, VoteCast},
    request::Policy,
};

use crate::{directory::Directory, primary::PrimaryId};

/// Where the votes stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Everybody whose last word is yes.
    pub approvers: Vec<PrimaryId>,
    /// Everybody whose last word is no.
    pub rejecters: Vec<PrimaryId>,
}

impl Tally {
    /// Counts. Each person's last vote counts, comments aside. People whom the directory knows to be
    /// one are counted once.
    pub fn of<'a>(votes: impl IntoIterator<Item = &'a VoteCast>, directory: &Directory) -> Tally {
        let mut last: BTreeMap<PrimaryId, Choice> = BTreeMap::new();
        for vote in votes.into_iter().filter(|vote| vote.choice != Choice::Comment) {
            last.insert(directory.primary(&vote.person), vote.choice);
        }
        let who =
            |choice: Choice| last.iter().filter(move |(_, said)| **said == choice).map(|(person, _)| person.clone()).collect();
        Tally { approvers: who(Choice::Approve), rejecters: who(Choice::Reject) }
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
