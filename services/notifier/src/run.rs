//! One run over one review: rounds of sending, each put on record in one commit, until nothing more
//! is owed. A second round is the exception: it goes to the next channel whom the first could not reach, or
//! shows on the cards what came while the first changed them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use events::{
    Period, ReviewId, Timestamp,
    event::{Channel, NoticeUpdateFailed, NoticeUpdated, NotificationFailed, Purpose, ReviewNotified, V},
};
use ledger::{Claim, Due, Known};
use review::{
    Command, Directory, Fold, PrimaryId, Review,
    command::Notice,
    owed::{self, Owed},
    state::{Card, Dated},
};

use crate::{Deliver, DeliverError, Message, Notifier, NotifyError};

/// How long a claimed delivery may take before somebody else may try.
pub const LEASE: Period = Period::seconds(60);
/// The pause after the first failure; it doubles with each further one.
const PAUSE_FIRST: Period = Period::seconds(10);
/// The longest pause: an outage that ends is noticed within it.
const PAUSE_MAX: Period = Period::seconds(10 * 60);
/// How long a channel that is merely busy is waited for before the next is tried, from its first
/// failure: whoever is to act hears of it within the first minute.
const BUSY_MAX: Period = Period::seconds(30);

/// How many rounds a run adds for votes that come while it changes cards. Whatever comes after is the next run's,
/// or, where that met our claims, the timekeeper's.
const MEANWHILE_MAX: usize = 20;

/// Channels that did not answer in this run: each is asked once, not once a person.
type Down = BTreeMap<Channel, DeliverError>;

pub(crate) async fn run(notifier: &Notifier, id: ReviewId) -> Result<(), NotifyError> {
    let mut fold = notifier.reviews.load(id).await?;
    let mut down = Down::new();
    // Each round but the last takes at least one channel away from somebody, or follows what came meanwhile.
    for _ in 0..=notifier.channels.len() + MEANWHILE_MAX {
        let directory = notifier.reviews.directory().await?;
        let claimed = claim(notifier, id, &fold, &directory).await?;
        if !claimed.is_empty() {
            // Whoever held a claim until a moment ago may have sent and recorded what it was for.
            notifier.reviews.catch_up(id, &mut fold).await?;
        }
        let Some(review) = fold.state.review() else { return Ok(()) };
        let mut round = Round { notifier, review, directory: &directory, down: &mut down, notices: Vec::new() };
        round.send(&claimed).await;
        let notices = round.notices;
        let done = notices.is_empty();
        if !done {
            let known = Known { fold, directory: Some(directory) };
            fold = notifier.reviews.execute_from(known, id, &Command::Notices(notices), None).await?.fold;
        }
        for key in &claimed {
            notifier.work.release(key).await?;
        }
        if done {
            return Ok(());
        }
        if has_cards(&fold, notifier) {
            // Whoever came with a vote until now found the cards claimed, and left them to us.
            notifier.reviews.catch_up(id, &mut fold).await?;
        }
    }
    Ok(())
}

/// Whether the review has messages that are kept up to date: where it has none, nothing waits for a claim of ours
/// that another run would not do.
fn has_cards(fold: &Fold, notifier: &Notifier) -> bool {
    let updates = |channel: Channel| notifier.routes.iter().any(|route| route.channel == channel && route.updates);
    fold.state.review().is_some_and(|review| review.cards.iter().any(|card| updates(card.channel)))
}

/// Claims what is owed, for as long as a lease. What somebody else is at is owed again when their
/// lease ends.
async fn claim(notifier: &Notifier, id: ReviewId, fold: &Fold, directory: &Directory) -> Result<BTreeSet<String>, NotifyError> {
    let Notifier { reviews, work, routes, .. } = notifier;
    let Some(review) = fold.state.review() else { return Ok(BTreeSet::new()) };
    let now = reviews.now();
    let messages = owed::messages(review, directory, routes, now);
    let updates = owed::updates(review, routes, now);
    let keys = messages.iter().map(|owed| delivery_key(id, owed)).chain(updates.into_iter().map(|card| card_key(id, card)));
    let mut claimed = BTreeSet::new();
    for key in keys {
        match work.claim(&key, now, now.after(LEASE)).await? {
            Claim::Busy { until } => work.owe(&Due { review_id: id, at: until }).await?,
            Claim::Granted => drop(claimed.insert(key)),
        }
    }
    Ok(claimed)
}

struct Round<'a> {
    notifier: &'a Notifier,
    review: &'a Review,
    directory: &'a Directory,
    down: &'a mut Down,
    notices: Vec<Notice>,
}

impl Round<'_> {
    async fn send(&mut self, claimed: &BTreeSet<String>) {
        let Notifier { reviews, routes, channels, .. } = self.notifier;
        let (review, directory, now) = (self.review, self.directory, reviews.now());
        let channel_of = |wanted: Channel| channels.iter().find(|channel| channel.route().channel == wanted);
        for owed in owed::messages(review, directory, routes, now) {
            let Some(channel) = channel_of(owed.channel).filter(|_| claimed.contains(&delivery_key(review.id, &owed))) else {
                continue;
            };
            let sent = self.deliver(channel.as_ref(), &owed).await;
            self.notices.extend(sent.map(|sent| self.outcome(&owed, sent)));
        }
        for card in owed::updates(review, routes, now) {
            let Some(channel) = channel_of(card.channel).filter(|_| claimed.contains(&card_key(review.id, card))) else {
                continue;
            };
            let updated = self.update(channel.as_ref(), card).await;
            self.notices.extend(updated.map(|updated| self.updated(card, updated)));
        }
        for failed in owed::lapsed(review, directory, routes, now) {
            let error = "nobody is owed this any more".to_owned();
            self.notices.push(Notice::Failed(NotificationFailed { error, retry_at: None, ..failed.last.clone() }));
        }
    }

    /// `None` when the person cannot be addressed, which `owed` has ruled out.
    async fn deliver(&mut self, channel: &dyn Deliver, owed: &Owed) -> Option<Result<Option<String>, DeliverError>> {
        let message = self.message(channel, &owed.person, owed.purpose)?;
        if let Some(error) = self.down.get(&owed.channel) {
            return Some(Err(error.clone()));
        }
        let sent = channel.deliver(&message).await;
        self.note(owed.channel, sent.as_ref().err());
        Some(sent)
    }

    async fn update(&mut self, channel: &dyn Deliver, card: &Card) -> Option<Result<(), DeliverError>> {
        let person = self.directory.primary(&card.person);
        let message = self.message(channel, &person, Purpose::Asked)?;
        if let Some(error) = self.down.get(&card.channel) {
            return Some(Err(error.clone()));
        }
        let updated = channel.update(&message, &card.message_ref).await;
        self.note(card.channel, updated.as_ref().err());
        Some(updated)
    }

    fn message<'a>(&'a self, channel: &dyn Deliver, person: &'a PrimaryId, purpose: Purpose) -> Option<Message<'a>> {
        let route = channel.route();
        let here = |notice: &&Dated<Arc<ReviewNotified>>| {
            notice.what.channel == route.channel && self.directory.is(&notice.what.person, person)
        };
        let to = route.contact(self.directory, person)?;
        // The link acts as the address that it is sent to, so that a vote by it names an alias that it went to.
        let holder = to.id();
        Some(Message {
            review: self.review,
            directory: self.directory,
            person,
            name: self.directory.name(person),
            to,
            purpose,
            link: self.notifier.links.to(self.review, holder.as_ref().unwrap_or(person.recorded())),
            earlier: self.review.reached().filter(here).filter_map(|notice| notice.what.message_ref.as_deref()).collect(),
            now: self.notifier.reviews.now(),
        })
    }

    fn note(&mut self, channel: Channel, error: Option<&DeliverError>) {
        match error {
            Some(error @ DeliverError::Unavailable { retry_after: None, .. }) => {
                tracing::warn!(?channel, review_id = %self.review.id, %error, "a channel is out of reach");
                self.down.insert(channel, error.clone());
            }
            Some(error @ DeliverError::Refused { .. }) => {
                tracing::error!(?channel, review_id = %self.review.id, %error, "a channel refuses our messages");
            }
            _ => {}
        }
    }

    fn outcome(&self, owed: &Owed, sent: Result<Option<String>, DeliverError>) -> Notice {
        let Owed { person, channel, purpose } = owed.clone();
        let (occasion, reminder) = (purpose.occasion(), purpose.reminder());
        let error = match sent {
            Ok(message_ref) => {
                let shows = self.review.progress();
                return Notice::Reached(ReviewNotified {
                    v: V,
                    person: person.into(),
                    channel,
                    occasion,
                    reminder,
                    message_ref,
                    shows,
                    reported_by: None,
                });
            }
            Err(error) => error,
        };
        let now = self.notifier.reviews.now();
        let before = self.review.unreached(&person, channel, purpose);
        let (retry_at, waits) = match &error {
            DeliverError::Unavailable { retry_after, .. } => {
                let at = retry_at(now, before.map_or(0, |failed| failed.tries), *retry_after);
                let patience = before.map_or(now, |failed| failed.since).after(BUSY_MAX);
                // How it ended is no hurry, and belongs into the thread that asked.
                (Some(at), purpose == Purpose::Ended || (retry_after.is_some() && at <= patience))
            }
            DeliverError::Unreachable { .. } | DeliverError::Refused { .. } => (None, false),
        };
        let error = error.to_string();
        Notice::Failed(NotificationFailed {
            v: V,
            person: person.into(),
            channel,
            occasion,
            reminder,
            error,
            retry_at,
            waits,
            message_ref: None,
        })
    }

    fn updated(&self, card: &Card, updated: Result<(), DeliverError>) -> Notice {
        let Card { person, channel, message_ref, .. } = card.clone();
        let Err(error) = updated else {
            return Notice::Updated(NoticeUpdated { v: V, person, channel, message_ref, shows: self.review.progress() });
        };
        let retry_at = match &error {
            DeliverError::Unavailable { retry_after, .. } => {
                Some(retry_at(self.notifier.reviews.now(), card.tries, *retry_after))
            }
            DeliverError::Unreachable { .. } | DeliverError::Refused { .. } => None,
        };
        Notice::UpdateFailed(NoticeUpdateFailed { v: V, person, channel, message_ref, error: error.to_string(), retry_at })
    }
}

/// When a channel is tried again: when it said, else after a pause that doubles with each failure.
fn retry_at(now: Timestamp, failures: u32, retry_after: Option<Period>) -> Timestamp {
    let pause = || Period::seconds(PAUSE_FIRST.as_seconds().saturating_mul(1 << failures.min(30)).min(PAUSE_MAX.as_seconds()));
    now.after(retry_after.filter(|pause| pause.as_seconds() > 0).unwrap_or_else(pause))
}

/// What the change of one message is claimed under.
fn card_key(review: ReviewId, card: &Card) -> String {
    format!("{review}|{:?}|{}", card.channel, card.message_ref)
}

/// What one message is claimed under: review, person, channel, occasion and, for reminders, number.
fn delivery_key(review: ReviewId, owed: &Owed) -> String {
    format!("{review}|{}|{:?}|{:?}", owed.person, owed.channel, owed.purpose)
}
