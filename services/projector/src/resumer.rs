//! Tells waiting workflows the outcome, exactly one, and logs what they answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use events::{
    Commit, Period, ReviewId, TaskToken, Timestamp,
    event::{ConfirmedBy, V, WorkflowResumeFailed, WorkflowResumeUnconfirmed, WorkflowResumed},
};
use ledger::{
    ExecuteError, Known, Reviews,
    seal::{Seal, SealError},
};
use review::{
    Command, Fold,
    command::Telling,
    owed,
    state::{Told, Waiting},
    task::{self, TaskAnswer},
};

use crate::turns::{Turn, Turns};

/// How often one run tries before the rest is left to the timekeeper.
const TRIES: u32 = 3;
/// The pause after the first failure that is on record; it doubles with each further one.
const PAUSE_FIRST: Period = Period::seconds(5);
/// The longest pause.
const PAUSE_MAX: Period = Period::hours(6);

/// The workflows that wait, such as Step Functions.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Answers a token.
    ///
    /// # Errors
    /// See [`WorkflowError`].
    async fn answer(&self, token: &TaskToken, answer: &TaskAnswer) -> Result<(), WorkflowError>;

    /// What ended the wait of a token that is gone, by the execution's history.
    ///
    /// # Errors
    /// When the history could not be read for now.
    async fn why_gone(&self, execution_arn: &str, review: ReviewId) -> Result<Gone, WorkflowError>;
}

/// Why a token is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// The execution took our answer, from an earlier call.
    ByOurAnswer,
    /// Something else ended it, such as its own time limit; in words.
    ByItself(String),
    /// The history does not say.
    Unknown,
}

/// A workflow could not be told.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// Throttled, out of reach, or not allowed yet. Retryable.
    #[error("the workflow service did not take the answer: {message}")]
    Unavailable {
        /// In a few words, for the log.
        message: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token is used or timed out (`TaskTimedOut`, `TaskDoesNotExist`). Final; why, the history says.
    #[error("the token is gone: {0}")]
    Gone(String),
    /// The service will never take this (`InvalidToken`, `InvalidOutput`). Final.
    #[error("the workflow service refused the answer: {0}")]
    Refused(String),
}

/// A handler error. What workflows answer is logged and is none.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The log failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The token could not be opened.
    #[error("the task token of {review} could not be opened")]
    Seal {
        /// Which review.
        review: ReviewId,
        /// Why.
        source: SealError,
    },
}

impl ResumeError {
    /// Whether handling the same review again may work without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            ResumeError::Execute(error) => error.is_retryable(),
            ResumeError::Seal { source, .. } => source.is_retryable(),
        }
    }
}

/// Resumes workflows.
pub struct Resumer {
    reviews: Arc<Reviews>,
    seal: Arc<dyn Seal>,
    workflows: Arc<dyn Workflows>,
    accounts: Option<Accounts>,
    turns: Turns,
}

/// Whose workflows are answered how.
struct Accounts {
    /// The account whose credentials ours are.
    own: String,
    outside: BTreeMap<String, Arc<dyn Workflows>>,
}

impl Resumer {
    /// Opens tokens with `seal` and answers them at `workflows`.
    pub fn new(reviews: Arc<Reviews>, seal: Arc<dyn Seal>, workflows: Arc<dyn Workflows>) -> Resumer {
        Resumer { reviews, seal, workflows, accounts: None, turns: Turns::default() }
    }

    /// Answers the workflows of other accounts there, and of no other account than these and our `own`.
    /// Which account that is follows from where a request came from: it is the bus that says so, never
    /// the request. What came by this deployment's API is its own.
    pub fn with_accounts(self, own: &str, outside: BTreeMap<String, Arc<dyn Workflows>>) -> Resumer {
        Resumer { accounts: Some(Accounts { own: own.to_owned(), outside }), ..self }
    }

    /// Where the workflows of an account are answered; `None` where they cannot be: with our own
    /// credentials we would answer another account's request about workflows of ours.
    fn workflows_of(&self, account: &str) -> Option<&Arc<dyn Workflows>> {
        match &self.accounts {
            Some(known) if is_of_aws(account) && account != known.own => known.outside.get(account),
            _ => Some(&self.workflows),
        }
    }

    /// Tells every workflow of this review what it is still owed. Nothing is told before the ending
    /// is in the log, and what was answered is logged, so a repeat tells nothing twice.
    ///
    /// # Errors
    /// When the log fails or a token cannot be opened.
    pub async fn resume(&self, review: ReviewId) -> Result<(), ResumeError> {
        let turn = self.turn(review).await;
        let mut fold = self.reviews.load(review).await?;
        self.resume_known(&turn, review, &mut fold, &mut Vec::new()).await
    }

    /// The right to tell the workflows of a review, which is to be read after it was taken: beside another
    /// run, the second call would find the token gone before the first is on record.
    pub(crate) async fn turn(&self, review: ReviewId) -> Turn<'_> {
        self.turns.take(review).await
    }

    /// As [`Resumer::resume`], of a review that was read in this turn. What it appends is folded, and
    /// added to `appended`; so it is also when it fails half-way.
    pub(crate) async fn resume_known(
        &self,
        _turn: &Turn<'_>,
        review: ReviewId,
        fold: &mut Fold,
        appended: &mut Vec<Commit>,
    ) -> Result<(), ResumeError> {
        let Some(answer) = task::answer(&fold.state) else { return Ok(()) };
        let account = fold.state.origin().map(|origin| origin.account.clone()).unwrap_or_default();
        let workflows: Arc<dyn Workflows> = match self.workflows_of(&account) {
            Some(workflows) => Arc::clone(workflows),
            None => Arc::new(NoRole { account }),
        };
        let owed: Vec<Waiting> = owed::resumptions(&fold.state, self.reviews.now()).cloned().collect();
        for waiting in &owed {
            let command = Command::Told(self.tell(workflows.as_ref(), review, waiting, &answer).await?);
            let known = Known { fold: fold.clone(), directory: None };
            let executed = self.reviews.execute_from(known, review, &command, None).await?;
            *fold = executed.fold;
            appended.extend(executed.commit);
        }
        Ok(())
    }

    async fn tell(
        &self,
        workflows: &dyn Workflows,
        review: ReviewId,
        waiting: &Waiting,
        answer: &TaskAnswer,
    ) -> Result<Telling, ResumeError> {
        let token_hash = waiting.resume.token_hash;
        let Some(sealed) = &waiting.sealed else {
            let error = "the sealed token was not moved with the log".to_owned();
            return Ok(Telling::Failed(WorkflowResumeFailed { v: V, token_hash, error, retry_at: None }));
        };
        let token = self.seal.open(sealed, review).await.map_err(|source| ResumeError::Seal { review, source })?;
        // A handle that was sealed anew for a move is bound to its event by the token's own hash.
        if token.hash() != token_hash {
            let error = "the sealed token is not the one that was recorded".to_owned();
            return Ok(Telling::Failed(WorkflowResumeFailed { v: V, token_hash, error, retry_at: None }));
        }
        let told = match answer {
            TaskAnswer::Success { .. } => "success",
            TaskAnswer::Failure { error, .. } => error,
        };
        let resumed = |confirmed_by| Telling::Resumed(WorkflowResumed { v: V, token_hash, told: told.to_owned(), confirmed_by });
        let failed = |error: String, retry_at| Telling::Failed(WorkflowResumeFailed { v: V, token_hash, error, retry_at });
        Ok(match try_to_answer(workflows, &token, answer).await {
            Ok(()) => resumed(ConfirmedBy::Answer),
            // A used token may also come back as invalid: the history knows.
            Err(WorkflowError::Refused(error)) => match why_gone(workflows, waiting, review).await {
                Ok(Gone::ByOurAnswer) => resumed(ConfirmedBy::History),
                Ok(Gone::ByItself(why)) => failed(format!("{error}: {why}"), None),
                Ok(Gone::Unknown) | Err(_) => failed(error, None),
            },
            Err(WorkflowError::Unavailable { message, .. }) => failed(message, Some(self.retry_at(waiting))),
            Err(WorkflowError::Gone(error)) => match why_gone(workflows, waiting, review).await {
                Ok(Gone::ByOurAnswer) => resumed(ConfirmedBy::History),
                Ok(Gone::ByItself(why)) => failed(format!("{error}: {why}"), None),
                Ok(Gone::Unknown) => Telling::Unconfirmed(WorkflowResumeUnconfirmed { v: V, token_hash, error }),
                Err(unreadable) => failed(format!("{error}, and its history: {unreadable}"), Some(self.retry_at(waiting))),
            },
        })
    }

    fn retry_at(&self, waiting: &Waiting) -> Timestamp {
        let failures = match waiting.told {
            Told::RetryAt { tries, .. } => tries,
            Told::NotYet | Told::Settled => 0,
        };
        self.reviews.now().after(pause(failures))
    }
}

/// Whether this is the number of an AWS account, and no word of ours.
fn is_of_aws(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// The workflows of an account that has no role here. An operator may add one, so it may pass.
struct NoRole {
    account: String,
}

#[async_trait]
impl Workflows for NoRole {
    async fn answer(&self, _: &TaskToken, _: &TaskAnswer) -> Result<(), WorkflowError> {
        let message = format!("account {} has no role here by which its workflows are answered", self.account);
        Err(WorkflowError::Unavailable { source: message.clone().into(), message })
    }

    async fn why_gone(&self, _: &str, _: ReviewId) -> Result<Gone, WorkflowError> {
        Ok(Gone::Unknown)
    }
}

async fn try_to_answer(workflows: &dyn Workflows, token: &TaskToken, answer: &TaskAnswer) -> Result<(), WorkflowError> {
    let mut tries = 1;
    loop {
        match workflows.answer(token, answer).await {
            Err(WorkflowError::Unavailable { .. }) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(100) * 4u32.pow(tries)).await;
                tries += 1;
            }
            result => return result,
        }
    }
}

async fn why_gone(workflows: &dyn Workflows, waiting: &Waiting, review: ReviewId) -> Result<Gone, WorkflowError> {
    match &waiting.resume.execution_arn {
        Some(arn) => match workflows.why_gone(arn, review).await {
            // Not being allowed to read it, or its being gone, is no reason to ask for ever.
            Err(WorkflowError::Refused(_) | WorkflowError::Gone(_)) => Ok(Gone::Unknown),
            other => other,
        },
        None => Ok(Gone::Unknown),
    }
}

/// The pause after so many failures: 5 s, doubling, at most 6 h.
fn pause(failures: u32) -> Period {
    let seconds = PAUSE_FIRST.as_seconds().saturating_mul(1 << failures.min(30));
    Period::seconds(seconds.min(PAUSE_MAX.as_seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_at_six_hours() {
        let seconds: Vec<i64> = [0, 1, 2, 12, 13, 4_000_000_000].map(|failures| pause(failures).as_seconds()).into();
        assert_eq!(seconds, [5, 10, 20, 20_480, 21_600, 21_600]);
    }
}
