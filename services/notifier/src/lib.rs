//! Tells reviewers that they are asked, asked again, and how it ended, each once.
//!
//! Who is still to be told, and on which channel, follows from the log: [`review::owed`] says it.
//! Before a message goes out its delivery key is claimed with a lease, so that a redelivery beside it
//! sends nothing; that it went out is then logged. A crash in between may send one message again,
//! never count a vote twice.
//!
//! | file | holds |
//! |---|---|
//! | [`announce`] | telling people when the directory changed who they are |
//! | [`deliver`] | a channel, as the notifier sees it |
//! | `run` | one run over one review |
//! | `slack` | direct messages in Slack |
//! | `letter` | a message as the letter that both of these carry |
//! | [`ses`] | mails by the AWS Simple Email Service |
//! | [`smtp`] | mails by an SMTP server |
//! | [`sms`] | SMS by the AWS Simple Notification Service |
//! | [`returned`] | messages that came back |

pub mod announce;
pub mod deliver;
#[cfg(any(feature = "ses", feature = "smtp"))]
mod letter;
pub mod returned;
mod run;
#[cfg(feature = "ses")]
pub mod ses;
#[cfg(feature = "slack")]
pub mod slack;
#[cfg(feature = "sms")]
pub mod sms;
#[cfg(feature = "smtp")]
pub mod smtp;

use std::sync::Arc;

use channels::link::Links;
use events::{Event, ReviewId};
use ledger::{ExecuteError, LedgerError, Reviews, Work};
use review::{Directory, Review, contact::Route, owed};

pub use announce::{Announce, AnnounceError, Announcer};
pub use deliver::{Deliver, DeliverError, Message};
pub use run::LEASE;

/// A handler error. A channel's failure is logged and is none.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The log failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The claims failed.
    #[error(transparent)]
    Work(#[from] LedgerError),
}

impl NotifyError {
    /// Whether handling the same review again may work without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            NotifyError::Execute(error) => error.is_retryable(),
            NotifyError::Work(error) => error.is_retryable(),
        }
    }
}

/// The handler.
pub struct Notifier {
    reviews: Arc<Reviews>,
    work: Arc<dyn Work>,
    links: Links,
    channels: Vec<Arc<dyn Deliver>>,
    routes: Vec<Route>,
}

impl Notifier {
    /// Over these reviews, through these channels, the preferred first.
    pub fn new(reviews: Arc<Reviews>, work: Arc<dyn Work>, links: Links, channels: Vec<Arc<dyn Deliver>>) -> Notifier {
        let routes = channels.iter().map(|channel| channel.route()).collect();
        Notifier { reviews, work, links, channels, routes }
    }

    /// Whether an event may leave somebody to be told of it.
    pub fn concerns(&self, event: &Event) -> bool {
        let any = |does: fn(&Route) -> bool| self.routes.iter().any(does);
        match event {
            Event::ReviewRequested(_) => true,
            Event::ReviewReminded(_) => any(|route| route.reminds),
            Event::VoteCast(_) => any(|route| route.updates),
            Event::ReviewDecided(_) | Event::ReviewExpired(_) | Event::ReviewCancelled(_) => {
                any(|route| route.tells_end || route.updates)
            }
            Event::NotificationFailed(failed) => failed.message_ref.is_some(),
            _ => false,
        }
    }

    /// Whether anything is to be sent or changed for this review now.
    pub fn owes(&self, review: &Review, directory: &Directory) -> bool {
        let now = self.reviews.now();
        !owed::messages(review, directory, &self.routes, now).is_empty() || !owed::updates(review, &self.routes, now).is_empty()
    }

    /// Sends what is owed to the people of this review and puts on record how it went.
    ///
    /// # Errors
    /// When the log or the claims fail.
    pub async fn notify(&self, id: ReviewId) -> Result<(), NotifyError> {
        run::run(self, id).await
    }
}
