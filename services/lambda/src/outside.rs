//! Workflows of other accounts, answered by a role of their account.
//!
//! Step Functions completes a task token for a principal of the token's own account alone. So another
//! account makes a role (`infra/outside-account.yaml`) that lets us answer its workflows and read what
//! became of an answer, and `RESUME_ROLES` lists these roles, one an account.
//!
//! # Whose role is taken
//! That of the account from which the request came, `origin.account`, and no other. EventBridge writes
//! that account into the event's envelope, or the queue of one account stands for it; a caller can
//! choose neither. What a caller writes, such as `execution_arn`, selects nothing: an account that came
//! by another's token or names another's execution would have us use its own role, which can do nothing
//! there. All tokens of a review come from one account, since the account is part of the review's id.
//! An account without a role here is not answered: with our own credentials we would act on a workflow of
//! ours because another account asked. The review says so, and it is tried again, for an operator may add
//! the role. Our own account is `ACCOUNT_ID`.
//!
//! # The external id
//! Each role asks for `RESUME_EXTERNAL_ID/<its account>`, so that every account has an id of its own, as
//! the IAM user guide recommends ("Access to AWS accounts owned by third parties"). The same page says
//! that AWS does not treat it as a secret: it is shown to whoever may look at the role. So it is a
//! setting like any other, and no entry of Secrets Manager.
//!
//! # When
//! A role is taken on when the first of its workflows is to be told, so a cold start without one costs
//! nothing. The SDK keeps the credentials, an hour's, and asks for new ones before they expire. A role
//! that cannot be had is a passing failure, on record like any other.

use std::{collections::BTreeMap, error::Error, sync::Arc};

use async_trait::async_trait;
use aws_config::{SdkConfig, sts::AssumeRoleProvider};
use aws_sdk_sfn::{Client, config::SharedCredentialsProvider};
use aws_sdk_sts::{
    error::{ProvideErrorMetadata as _, SdkError},
    operation::assume_role::AssumeRoleError,
};
use events::{ReviewId, TaskToken};
use projector::{Gone, WorkflowError, Workflows, sfn::StepFunctions};
use review::task::TaskAnswer;
use tokio::sync::OnceCell;

use crate::Settings;

/// What CloudTrail of the other account shows us as.
const SESSION: &str = "countersign";

/// The roles that are configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Role ARNs by account.
    arns: BTreeMap<String, String>,
    external_id: String,
}

impl Roles {
    /// These role ARNs by account, taken on under `external_id/account`.
    pub fn new(arns: BTreeMap<String, String>, external_id: &str) -> Roles {
        Roles { arns, external_id: external_id.to_owned() }
    }

    /// Reads `RESUME_ROLES` and, when there are any, `RESUME_EXTERNAL_ID`.
    pub fn from(env: &mut Settings) -> Roles {
        let expected = "ARNs of roles, one an account, separated by commas";
        let arns = env.parsed("RESUME_ROLES", expected, by_account).unwrap_or_default();
        let external_id = if arns.is_empty() { String::new() } else { env.required("RESUME_EXTERNAL_ID") };
        Roles { arns, external_id }
    }

    /// The workflows of each account; nothing is called yet.
    pub fn workflows(self, config: &SdkConfig) -> BTreeMap<String, Arc<dyn Workflows>> {
        let Roles { arns, external_id } = self;
        let workflows = arns.into_iter().map(|(account, role)| {
            let external_id = format!("{external_id}/{account}");
            let outside = Outside { config: config.clone(), role, external_id, made: OnceCell::new() };
            (account, Arc::new(outside) as Arc<dyn Workflows>)
        });
        workflows.collect()
    }
}

/// `None` when an entry is no role's ARN, or an account has two.
fn by_account(list: &str) -> Option<BTreeMap<String, String>> {
    let mut arns = BTreeMap::new();
    for arn in list.split(',').map(str::trim).filter(|arn| !arn.is_empty()) {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "iam", "", account, name] = parts[..] else { return None };
        let twelve_digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !twelve_digits || !name.starts_with("role/") || arns.insert(account.to_owned(), arn.to_owned()).is_some() {
            return None;
        }
    }
    Some(arns)
}

/// The workflows of one other account.
struct Outside {
    config: SdkConfig,
    role: String,
    external_id: String,
    made: OnceCell<StepFunctions>,
}

impl Outside {
    async fn get(&self) -> &StepFunctions {
        self.made.get_or_init(|| self.make()).await
    }

    async fn make(&self) -> StepFunctions {
        let role = AssumeRoleProvider::builder(&self.role).external_id(&self.external_id).session_name(SESSION);
        let role = role.configure(&self.config).build().await;
        let config = self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(role)).build();
        StepFunctions::new(Client::new(&config))
    }

    /// Says so when it was the role that could not be had.
    fn explained(&self, error: WorkflowError) -> WorkflowError {
        match error {
            WorkflowError::Unavailable { source, .. } if was_refused(source.as_ref()).is_some() => {
                let why = was_refused(source.as_ref()).unwrap_or_default();
                WorkflowError::Unavailable { message: format!("the role {} could not be assumed: {why}", self.role), source }
            }
            other => other,
        }
    }
}

/// Why the role could not be had; `None` when something else failed.
fn was_refused(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(sts) = error.downcast_ref::<SdkError<AssumeRoleError>>() {
        return Some(sts.code().unwrap_or("STS did not answer").to_owned());
    }
    was_refused(error.source()?)
}

#[async_trait]
impl Workflows for Outside {
    async fn answer(&self, token: &TaskToken, answer: &TaskAnswer) -> Result<(), WorkflowError> {
        self.get().await.answer(token, answer).await.map_err(|error| self.explained(error))
    }

    async fn why_gone(&self, execution_arn: &str, review: ReviewId) -> Result<Gone, WorkflowError> {
        self.get().await.why_gone(execution_arn, review).await.map_err(|error| self.explained(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_role_is_read_off_its_arn() {
        let (one, other) = ("arn:aws:iam::111122223333:role/a", "arn:aws-cn:iam::444455556666:role/path/b");
        let read = by_account(&format!("{one}, {other}")).expect("roles");
        assert_eq!(read, [("111122223333", one), ("444455556666", other)].map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        for wrong in [
            "111122223333",
            "arn:aws:iam::1111:role/a",
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "arn:aws:iam::111122223333:role/a,arn:aws:iam::111122223333:role/b",
        ] {
            assert_eq!(by_account(wrong), None, "{wrong}");
        }
    }
}
