//! What comes in from programs: requests, cancellations, votes and notices, from the bus, the API
//! or the command line. One handler for all of them.
//!
//! Bad input is never dropped silently: a request that cannot be taken leaves a `ReviewRefused`
//! that names every fault, and a workflow that waits on it is failed rather than left to hang.

mod execution;
mod rations;
mod recipients;
mod request;
mod sender;
mod vote;

use std::{borrow::Cow, sync::Arc};

use events::{
    Fault, ReviewId,
    event::{Origin, Program, RefusalKind},
    inbound::{CancelRequested, NoticeReported, VoteSubmitted},
    json::Typed,
    request::Contact,
};
use ledger::{
    ExecuteError, LedgerError, Reviews, Views,
    seal::{Seal, SealError},
};
use rations::Rations;
use review::{Answer, Command, command::Report};
use sender::Trust;
use serde_json::{Value, json};

pub use rations::{DEFAULT as RATION_DEFAULT, TooMany};
pub use recipients::{NoDomain, Recipients};
pub use sender::Sender;

/// An event as it came off the bus, or as the API makes one of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct BusEvent {
    /// The event's id; the same on redelivery.
    pub id: String,
    /// Who handed it in.
    pub sender: Sender,
    /// Its detail-type, such as `ReviewRequested`.
    pub detail_type: String,
    /// Its detail, and what of it could not be kept as it was typed.
    pub detail: Typed,
}

/// The account of events on one machine.
pub const LOCAL_ACCOUNT: &str = "local";
/// The source of requests made by the API and the command line.
pub const API_SOURCE: &str = "api";

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A review was opened.
    Opened {
        /// Which.
        review_id: ReviewId,
    },
    /// The same request was taken before; a further workflow may have been attached.
    Found {
        /// Which review.
        review_id: ReviewId,
    },
    /// The request was refused, on record under this id.
    Refused {
        /// The stream that holds the refusal.
        review_id: ReviewId,
        /// Why.
        kind: RefusalKind,
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// A vote, cancellation or notice for a review; what came of it.
    Answered {
        /// Which review.
        review_id: ReviewId,
        /// What the domain said.
        answer: Answer,
    },
    /// A vote, cancellation or notice that names no review or breaks its schema. There is no stream
    /// to put it on; the caller is told and it is logged.
    Invalid {
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// A workflow ended by itself; what came of it for each review that it waits for.
    WorkflowEnded {
        /// The reviews and what the domain said.
        reviews: Vec<(ReviewId, Answer)>,
    },
    /// A workflow ended that no review is known to wait with: none does, or its row is still to come.
    UnknownWorkflow,
    /// Not for us: our own publication, or a detail-type that nobody here listens to.
    Ignored,
}

/// An event that could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The log failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The views failed.
    #[error(transparent)]
    Views(#[from] LedgerError),
    /// The task token could not be sealed.
    #[error("the task token could not be sealed")]
    Seal(#[from] SealError),
    /// The sender has asked too often. Retryable, after a while.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The review says more than this build knows. Retryable: a newer one may take it.
    #[error("review {review_id} needs a newer version of Countersign: {}", what.join("; "))]
    NeedsNewer {
        /// Which review.
        review_id: ReviewId,
        /// What this build does not know.
        what: Vec<String>,
    },
    /// The same request was asked again after expiry more often than anybody means to.
    #[error("request key was asked again {0} times")]
    TooManyAttempts(u32),
}

impl IntakeError {
    /// Whether the same event may be taken in later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            // On a queue the event comes again, perhaps to a newer version.
            IntakeError::Execute(error) => error.is_retryable() || error.needs_newer(),
            IntakeError::Views(error) => error.is_retryable(),
            IntakeError::Seal(error) => error.is_retryable(),
            IntakeError::NeedsNewer { .. } | IntakeError::TooMany(_) => true,
            IntakeError::TooManyAttempts(_) => false,
        }
    }
}

/// A bus source whose votes and reports of notices count. EventBridge vouches for the account; whoever may put events
/// there may write the source, unless a policy of that bus says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedSource {
    /// Its account.
    pub account: String,
    /// Its source.
    pub source: String,
}

/// The handler.
pub struct Intake {
    reviews: Arc<Reviews>,
    views: Arc<dyn Views>,
    seal: Arc<dyn Seal>,
    trust: Trust,
    rations: Rations,
    recipients: Recipients,
}

impl Intake {
    /// Over these reviews; the reviews of a workflow are found in `views`; tokens are sealed by `seal`;
    /// from the bus, votes and notices count only from `trusted` sources.
    pub fn new(reviews: Arc<Reviews>, views: Arc<dyn Views>, seal: Arc<dyn Seal>, trusted: Vec<TrustedSource>) -> Intake {
        Intake {
            reviews,
            views,
            seal,
            trust: Trust::new(trusted),
            rations: Rations::default(),
            recipients: Recipients::default(),
        }
    }

    /// With this ration for each sender (requests a minute, 0 for no limit), and these domains to write to.
    pub fn limited(self, requests_a_minute: u32, recipients: Recipients) -> Intake {
        Intake { rations: Rations::new(requests_a_minute), recipients, ..self }
    }

    /// Takes one event in. Taking it in again changes nothing.
    ///
    /// # Errors
    /// When it could not be put on record; nothing was acknowledged then.
    pub async fn receive(&self, event: &BusEvent) -> Result<Received, IntakeError> {
        if event.sender.is_us() {
            return Ok(Received::Ignored);
        }
        match event.sender.bus_source() {
            Some(source) if source.starts_with("aws.") => {
                let received = self.aws_event(event).await?;
                log(event, &received);
                return Ok(received);
            }
            _ => {}
        }
        let over = self.rations.take(&event.sender, self.reviews.now()).err();
        if let Some(over) = over {
            return self.over_the_ration(event, over).await;
        }
        let received = self.take_in(event).await?;
        log(event, &received);
        Ok(received)
    }

    async fn take_in(&self, event: &BusEvent) -> Result<Received, IntakeError> {
        Ok(match event.detail_type.as_str() {
            "ReviewRequested" => self.request(&event.with_requester(), false).await?,
            "VoteSubmitted" => match event.read(VoteSubmitted::parse) {
                Ok(vote) => self.vote(event, vote).await?,
                Err(faults) => Received::Invalid { faults },
            },
            "ReviewCancelled" => match event.read(CancelRequested::parse) {
                Ok(wish) => {
                    let by = event.sender.canceller();
                    self.answer(wish.review_id, Command::Cancel { by, reason: wish.reason }).await?
                }
                Err(faults) => Received::Invalid { faults },
            },
            "ReviewNotified" => match event.read(NoticeReported::parse) {
                Ok(report) => self.notice(event, report).await?,
                Err(faults) => Received::Invalid { faults },
            },
            _ => Received::Ignored,
        })
    }

    /// Takes a `ReviewRequested` in whose `request_key` stands for this very event: with the key of
    /// an event of another id it is refused, also when people would decide on the same.
    ///
    /// # Errors
    /// See [`Intake::receive`].
    pub async fn receive_exactly(&self, event: &BusEvent) -> Result<Received, IntakeError> {
        self.rations.take(&event.sender, self.reviews.now())?;
        let received = self.request(&event.with_requester(), true).await?;
        log(event, &received);
        Ok(received)
    }

    /// Whoever waits for an answer is told to come again. Nobody waits at the bus: a request of too many is refused
    /// on record, so that its workflow is told, and what is no request is taken all the same, since it adds no review.
    async fn over_the_ration(&self, event: &BusEvent, over: TooMany) -> Result<Received, IntakeError> {
        let is_of_the_bus = matches!(event.sender, Sender::Bus { .. });
        let received = match event.detail_type.as_str() {
            _ if !is_of_the_bus => return Err(over.into()),
            "ReviewRequested" => self.refuse(event, RefusalKind::Invalid, vec![Fault::new("", over.to_string())]).await?,
            _ => self.take_in(event).await?,
        };
        log(event, &received);
        Ok(received)
    }

    /// A program's word that it reached somebody. What it may change, the domain says.
    async fn notice(&self, event: &BusEvent, report: NoticeReported) -> Result<Received, IntakeError> {
        let by = Program { account: event.sender.account().to_owned(), source: event.sender.source().to_owned() };
        let NoticeReported { review_id, person, occasion, message_ref, channel: _ } = report;
        let report = Report { person, occasion, message_ref, by, trusted: self.trust.reports(&event.sender) };
        self.answer(review_id, Command::Report(report)).await
    }

    async fn answer(&self, review_id: ReviewId, command: Command) -> Result<Received, IntakeError> {
        let executed = self.reviews.execute(review_id, &command, None).await?;
        match executed.answer {
            Answer::NeedsNewer(what) => Err(IntakeError::NeedsNewer { review_id, what }),
            answer => Ok(Received::Answered { review_id, answer }),
        }
    }
}

impl BusEvent {
    /// Reads the detail; what could not be kept as it was typed is a fault like any other.
    fn read<T>(&self, parse: impl FnOnce(&serde_json::Value) -> Result<T, Vec<Fault>>) -> Result<T, Vec<Fault>> {
        match parse(&self.detail.value) {
            Ok(read) if self.detail.faults.is_empty() => Ok(read),
            Ok(_) => Err(self.detail.faults.clone()),
            Err(faults) => Err(self.detail.faults.iter().cloned().chain(faults).collect()),
        }
    }

    fn origin(&self) -> Origin {
        let (account, source) = (self.sender.account().to_owned(), self.sender.source().to_owned());
        Origin { account, source, event_id: self.id.clone() }
    }

    /// A request of an integration is that of the person whom it acts as, unless it names somebody.
    fn with_requester(&self) -> Cow<'_, BusEvent> {
        let acts_as = self.sender.integration().and_then(|(_, known)| known.acts_as.as_ref());
        let (Some(person), Some(fields)) = (acts_as, self.detail.value.as_object()) else { return Cow::Borrowed(self) };
        if fields.get("requester").is_some_and(|given| !given.is_null()) {
            return Cow::Borrowed(self);
        }
        let mut fields = fields.clone();
        fields.insert("requester".to_owned(), json!(Contact::from(person.clone())));
        let detail = Typed { value: Value::Object(fields), faults: self.detail.faults.clone() };
        Cow::Owned(BusEvent { detail, ..self.clone() })
    }
}

/// One line at the boundary, without the detail: it may hold a task token.
fn log(event: &BusEvent, received: &Received) {
    let (correlation_id, source, detail_type) = (event.id.as_str(), event.sender.source(), event.detail_type.as_str());
    match received {
        Received::Opened { review_id } => tracing::info!(%review_id, correlation_id, source, "review opened"),
        Received::Found { review_id } => tracing::info!(%review_id, correlation_id, source, "request known already"),
        Received::Refused { review_id, kind, faults } => {
            tracing::warn!(%review_id, correlation_id, source, ?kind, faults = faults.len(), "request refused");
        }
        Received::Answered { review_id, answer } => {
            tracing::info!(%review_id, correlation_id, source, detail_type, answer = answer.name(), "answered");
        }
        Received::Invalid { faults } => {
            tracing::warn!(correlation_id, source, detail_type, faults = faults.len(), "invalid event");
        }
        Received::WorkflowEnded { reviews } => {
            for (review_id, answer) in reviews {
                tracing::info!(%review_id, correlation_id, source, answer = answer.name(), "its workflow ended");
            }
        }
        Received::UnknownWorkflow => tracing::info!(correlation_id, source, "no review waits with this workflow"),
        Received::Ignored => tracing::debug!(correlation_id, source, detail_type, "not for us"),
    }
}
