//! Votes that an approver tool hands in over the bus.

use std::sync::Arc;

use events::{event::Channel, inbound::VoteSubmitted};
use review::{
    Command,
    command::{Stated, Vote},
};

use crate::{BusEvent, Intake, IntakeError, Received};

impl Intake {
    /// A vote counts only from a source that configuration names, or from an integration that was registered for it;
    /// any other is refused, on record.
    pub(crate) async fn vote(&self, event: &BusEvent, vote: VoteSubmitted) -> Result<Received, IntakeError> {
        // Whom an integration acts as may have several names; of nobody else is the directory asked here.
        let directory = match event.sender.integration() {
            Some(_) => self.reviews.directory().await?,
            None => Arc::default(),
        };
        let trusted = self.trust.votes(&event.sender, &vote.person, &directory);
        let command = Command::Vote(Vote {
            person: vote.person,
            choice: vote.choice,
            reason: vote.reason,
            channel: Channel::Bus,
            entered_by: None,
            integration: event.sender.integration().map(|(name, _)| name.clone()),
            matched_account: None,
            stated: Stated::by_digests(vote.seen_digest, vote.subject_digest),
            trusted,
        });
        self.answer(vote.review_id, command).await
    }
}
