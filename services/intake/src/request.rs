//! Requests for a review.

use events::{
    Fault, ReviewId, ReviewRequest,
    commit::SealedHandle,
    event::{RefusalKind, Resume, ReviewRefused, V},
    request::{DETAIL_MAX, ResumeRequest, salvage_groups, salvage_resume},
};
use ledger::Known;
use review::{Answer, Command, State, command::Request, decide::unknown_groups};

use crate::{BusEvent, Intake, IntakeError, Received};

/// How often one request may be asked again after expiry or cancellation. A workflow that retries
/// hourly for a year stays below it.
const ATTEMPTS_MAX: u32 = 10_000;

impl Intake {
    pub(crate) async fn request(&self, event: &BusEvent, exact: bool) -> Result<Received, IntakeError> {
        let size = event.detail.value.to_string().len();
        if size > DETAIL_MAX {
            let fault = Fault::new(
                "",
                format!("a detail of at most {DETAIL_MAX} bytes (this one has {size}); put large evidence behind a url"),
            );
            return self.refuse(event, RefusalKind::Invalid, vec![fault]).await;
        }
        match event.read(ReviewRequest::parse) {
            Ok(request) if !self.recipients.faults(&request).is_empty() => {
                self.refuse(event, RefusalKind::Invalid, self.recipients.faults(&request)).await
            }
            Ok(request) => match self.refused_before(event).await? {
                Some(refused) => Ok(refused),
                None => self.open(event, request, exact).await,
            },
            Err(mut faults) => {
                let groups = salvage_groups(&event.detail.value);
                let directory = self.reviews.directory().await?;
                faults.extend(unknown_groups(groups.iter().map(|(index, group)| (*index, group)), &directory));
                self.refuse(event, RefusalKind::Invalid, faults).await
            }
        }
    }

    /// A refusal stands, also when the same event comes again after the missing group was made: its
    /// workflow was failed, and nobody would wait for the review.
    async fn refused_before(&self, event: &BusEvent) -> Result<Option<Received>, IntakeError> {
        let review_id = ReviewId::for_refusal(event.sender.account(), event.sender.source(), &event.id);
        Ok(match self.reviews.load(review_id).await?.state {
            State::Refused(refused) => {
                let ReviewRefused { kind, faults, .. } = &*refused.refusal;
                Some(Received::Refused { review_id, kind: *kind, faults: faults.clone() })
            }
            State::Absent | State::Recorded(_) => None,
        })
    }

    /// Opens the review, or finds it. A workflow that retries after expiry or cancellation has a new
    /// token under the old key: it is given the next attempt, linked to the one before.
    async fn open(&self, event: &BusEvent, request: ReviewRequest, exact: bool) -> Result<Received, IntakeError> {
        let mut follows = None;
        for attempt in 1..=ATTEMPTS_MAX {
            let review_id = match &request.request_key {
                Some(key) => ReviewId::for_key(event.sender.account(), event.sender.source(), key, attempt),
                None => ReviewId::for_event(event.sender.account(), event.sender.source(), &event.id, attempt),
            };
            let (resume, sealed) = self.seal(review_id, request.resume.as_ref()).await?;
            let wish = Request { request: request.clone(), origin: event.origin(), resume, follows, exact };
            // Most requests are new: that one is not shows when it is to be recorded.
            let command = Command::Request(Box::new(wish));
            let executed = self.reviews.execute_from(Known::default(), review_id, &command, sealed).await?;
            match executed.answer {
                Answer::Opened => return Ok(Received::Opened { review_id }),
                Answer::KeyReused(faults) => return self.refuse(event, RefusalKind::KeyReused, faults).await,
                Answer::Unapprovable(faults) => return self.refuse(event, RefusalKind::Unapprovable, faults).await,
                Answer::Superseded => follows = Some(review_id),
                Answer::NeedsNewer(what) => return Err(IntakeError::NeedsNewer { review_id, what }),
                _ => return Ok(Received::Found { review_id }),
            }
        }
        Err(IntakeError::TooManyAttempts(ATTEMPTS_MAX))
    }

    pub(crate) async fn refuse(&self, event: &BusEvent, kind: RefusalKind, faults: Vec<Fault>) -> Result<Received, IntakeError> {
        let review_id = ReviewId::for_refusal(event.sender.account(), event.sender.source(), &event.id);
        let (resume, sealed) = self.seal(review_id, salvage_resume(&event.detail.value).as_ref()).await?;
        let text = |field: &str| event.detail.value.get(field).and_then(|value| value.as_str());
        let refusal = ReviewRefused {
            v: V,
            origin: event.origin(),
            kind,
            faults: faults.clone(),
            title: text("title").map(|title| title.chars().take(300).collect()),
            request_key: text("request_key").and_then(|key| key.parse().ok()),
            resume,
        };
        self.reviews.execute(review_id, &Command::Refuse(Box::new(refusal)), sealed).await?;
        Ok(Received::Refused { review_id, kind, faults })
    }

    /// Seals the token for the stream that it is stored on.
    async fn seal(
        &self,
        review_id: ReviewId,
        resume: Option<&ResumeRequest>,
    ) -> Result<(Option<Resume>, Option<SealedHandle>), IntakeError> {
        let Some(resume) = resume else { return Ok((None, None)) };
        let sealed = self.seal.seal(&resume.task_token, review_id).await?;
        let known = Resume {
            token_hash: resume.task_token.hash(),
            handle_hash: sealed.hash(),
            execution_arn: resume.execution_arn.clone(),
            deadline: resume.deadline,
        };
        Ok((Some(known), Some(sealed)))
    }
}
