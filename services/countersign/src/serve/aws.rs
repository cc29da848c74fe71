//! The clients of Step Functions, EventBridge and SNS, and what stands in their place when this build
//! has none.

use std::sync::Arc;

use projector::Workflows;

/// The workflows that task tokens belong to: AWS, or whatever `AWS_ENDPOINT_URL_SFN` names.
#[cfg(feature = "sfn")]
pub fn workflows() -> Arc<dyn Workflows> {
    Arc::new(lazy::LazyStepFunctions::default())
}

/// See the other: this build cannot answer.
#[cfg(not(feature = "sfn"))]
pub fn workflows() -> Arc<dyn Workflows> {
    Arc::new(absent::NoStepFunctions)
}

/// The bus to publish to.
///
/// # Errors
/// When this build was made without EventBridge.
#[cfg(feature = "eventbridge")]
pub async fn bus(name: &str) -> anyhow::Result<Arc<dyn projector::Bus>> {
    let config = config().await;
    let client = aws_sdk_eventbridge::Client::new(&config);
    Ok(Arc::new(projector::eventbridge::EventBridge::new(client, name)))
}

/// See the other.
///
/// # Errors
/// Always.
#[cfg(not(feature = "eventbridge"))]
pub async fn bus(name: &str) -> anyhow::Result<Arc<dyn projector::Bus>> {
    anyhow::bail!("this build cannot publish to {name}; build with: cargo build --release --features eventbridge")
}

/// The channel for SMS.
///
/// # Errors
/// When no region is set, or when this build was made without SNS.
#[cfg(feature = "sns")]
pub async fn sms() -> anyhow::Result<Arc<dyn notifier::Deliver>> {
    let config = config().await;
    anyhow::ensure!(config.region().is_some(), "--sms: no AWS region is set; set AWS_REGION or AWS_PROFILE");
    Ok(Arc::new(notifier::sms::Sms::new(aws_sdk_sns::Client::new(&config))))
}

/// See the other.
///
/// # Errors
/// Always.
#[cfg(not(feature = "sns"))]
pub async fn sms() -> anyhow::Result<Arc<dyn notifier::Deliver>> {
    anyhow::bail!("this build sends no SMS; build with: cargo build --release --features sns")
}

/// What every client of AWS is made with.
#[cfg(feature = "aws")]
pub(crate) async fn config() -> aws_config::SdkConfig {
    use aws_config::{BehaviorVersion, timeout::TimeoutConfig};
    use aws_smithy_http_client::tls;
    use std::time::Duration;
    // A dead endpoint is an outcome to record and to try again later, not one to hang on.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10))
        .build();
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts).load().await
}

#[cfg(feature = "sfn")]
mod lazy {
    use async_trait::async_trait;
    use events::{ReviewId, TaskToken};
    use projector::{Gone, WorkflowError, Workflows, sfn::StepFunctions};
    use review::task::TaskAnswer;
    use tokio::sync::OnceCell;

    /// Made when the first token is to be answered: most services never need it, and finding
    /// credentials takes longer than starting.
    #[derive(Default)]
    pub(super) struct LazyStepFunctions(OnceCell<StepFunctions>);

    impl LazyStepFunctions {
        async fn get(&self) -> &StepFunctions {
            self.0.get_or_init(|| async { StepFunctions::new(aws_sdk_sfn::Client::new(&super::config().await)) }).await
        }
    }

    #[async_trait]
    impl Workflows for LazyStepFunctions {
        async fn answer(&self, token: &TaskToken, answer: &TaskAnswer) -> Result<(), WorkflowError> {
            self.get().await.answer(token, answer).await
        }

        async fn why_gone(&self, execution_arn: &str, review: ReviewId) -> Result<Gone, WorkflowError> {
            self.get().await.why_gone(execution_arn, review).await
        }
    }
}

#[cfg(not(feature = "sfn"))]
mod absent {
    use async_trait::async_trait;
    use events::{ReviewId, TaskToken};
    use projector::{Gone, WorkflowError, Workflows};
    use review::task::TaskAnswer;

    /// A build without Step Functions: the outcome stays owed until another build takes over.
    pub(super) struct NoStepFunctions;

    #[async_trait]
    impl Workflows for NoStepFunctions {
        async fn answer(&self, _: &TaskToken, _: &TaskAnswer) -> Result<(), WorkflowError> {
            let message = "this build has no Step Functions; start one built with --features sfn".to_owned();
            Err(WorkflowError::Unavailable { source: message.clone().into(), message })
        }

        async fn why_gone(&self, _: &str, _: ReviewId) -> Result<Gone, WorkflowError> {
            Ok(Gone::Unknown)
        }
    }
}
