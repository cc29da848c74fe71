//! Messages that came back after their channel had taken them: a mail that bounced, or that its reader
//! complained about.

use events::{
    ReviewId,
    event::{Channel, NotificationFailed, V},
};
use ledger::Known;
use review::{Command, command::Notice};

use crate::{Notifier, NotifyError};

/// A message that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The review that it was about, as the message itself says.
    pub review: ReviewId,
    /// The channel.
    pub channel: Channel,
    /// The channel's reference to it.
    pub message_ref: String,
    /// Why, without the address.
    pub why: String,
}

/// What is known of a message that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traced {
    /// It is on record that it came back, now or before, and what follows from that is done.
    Noted,
    /// It is not on record that it went out: not yet, or not from here.
    Unknown,
}

impl Notifier {
    /// Puts on record that a message came back, and tells its reader by the next channel. For good: no
    /// further message about this review goes where this one did not arrive. The same message again
    /// changes nothing.
    ///
    /// # Errors
    /// When the log or the claims fail.
    pub async fn returned(&self, returned: &Returned) -> Result<Traced, NotifyError> {
        let fold = self.reviews.load(returned.review).await?;
        let sent = fold.state.review().and_then(|review| {
            let mut notices = review.notified.iter().map(|notice| notice.what.as_ref());
            notices.find(|notice| {
                // What a program reported may have gone this way too; we know it by the bus alone.
                let here = notice.channel == returned.channel || notice.reported_by.is_some();
                here && notice.message_ref.as_deref() == Some(returned.message_ref.as_str())
            })
        });
        let Some(sent) = sent else { return Ok(Traced::Unknown) };
        let failed = NotificationFailed {
            v: V,
            person: sent.person.clone(),
            channel: sent.channel,
            occasion: sent.occasion,
            reminder: sent.reminder,
            error: returned.why.clone(),
            retry_at: None,
            waits: false,
            message_ref: sent.message_ref.clone(),
        };
        let notices = Command::Notices(vec![Notice::Failed(failed)]);
        self.reviews.execute_from(Known { fold, directory: None }, returned.review, &notices, None).await?;
        // Also when that was on record before: whoever put it there may have got no further.
        self.notify(returned.review).await?;
        Ok(Traced::Noted)
    }
}
