//! Workflows that wait in AWS Step Functions.

use async_trait::async_trait;
use aws_sdk_sfn::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::HistoryEvent,
};
use events::{ReviewId, TaskToken};
use review::task::TaskAnswer;

use crate::resumer::{Gone, WorkflowError, Workflows};

/// Step Functions through its API: `SendTaskSuccess`, `SendTaskFailure`, `GetExecutionHistory`.
pub struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    /// Through this client; its endpoint and credentials are the caller's.
    pub fn new(client: Client) -> StepFunctions {
        StepFunctions { client }
    }
}

#[async_trait]
impl Workflows for StepFunctions {
    async fn answer(&self, token: &TaskToken, answer: &TaskAnswer) -> Result<(), WorkflowError> {
        match answer {
            TaskAnswer::Success { output } => {
                let call = self.client.send_task_success().task_token(token.expose()).output(output);
                call.send().await.map(drop).map_err(class)
            }
            TaskAnswer::Failure { error, cause } => {
                let call = self.client.send_task_failure().task_token(token.expose()).error(*error).cause(cause);
                call.send().await.map(drop).map_err(class)
            }
        }
    }

    async fn why_gone(&self, execution_arn: &str, review: ReviewId) -> Result<Gone, WorkflowError> {
        let review = review.to_string();
        let mut pages = self
            .client
            .get_execution_history()
            .execution_arn(execution_arn)
            .reverse_order(true)
            .include_execution_data(true)
            .into_paginator()
            .send();
        let mut ended_by = None;
        while let Some(page) = pages.next().await {
            for event in page.map_err(history_class)?.events() {
                if carries(event, &review) {
                    return Ok(Gone::ByOurAnswer);
                }
                // Read backwards: the first ending that is met is the last that happened.
                ended_by = ended_by.or_else(|| ending(event));
            }
        }
        Ok(ended_by.map_or(Gone::Unknown, |why| Gone::ByItself(why.to_owned())))
    }
}

/// Whether this is the event by which the execution took an answer for this review.
fn carries(event: &HistoryEvent, review: &str) -> bool {
    let output = event.task_succeeded_event_details().and_then(|details| details.output());
    let lambda = event.lambda_function_succeeded_event_details().and_then(|details| details.output());
    let cause = event.task_failed_event_details().and_then(|details| details.cause());
    let lambda_cause = event.lambda_function_failed_event_details().and_then(|details| details.cause());
    [output, lambda, cause, lambda_cause].into_iter().flatten().any(|text| text.contains(review))
}

fn ending(event: &HistoryEvent) -> Option<&'static str> {
    use aws_sdk_sfn::types::HistoryEventType as Type;
    match event.r#type() {
        Type::TaskTimedOut | Type::LambdaFunctionTimedOut => Some("the task timed out by itself"),
        Type::ExecutionTimedOut => Some("the execution timed out by itself"),
        Type::ExecutionAborted => Some("the execution was stopped"),
        _ => None,
    }
}

/// As [`class`], but for a caller who may send answers and not read histories: that is common, and no
/// passing fault.
fn history_class<E>(error: SdkError<E>) -> WorkflowError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.code() {
        Some(code @ "AccessDeniedException") => WorkflowError::Refused(code.to_owned()),
        _ => class(error),
    }
}

/// The error names of the API reference, "SendTaskSuccess" and "SendTaskFailure". What is neither
/// final there nor known here is taken for a passing fault: a call that is not allowed today may be
/// allowed tomorrow, and the pauses grow.
fn class<E>(error: SdkError<E>) -> WorkflowError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    match code.as_deref() {
        Some(code @ ("TaskTimedOut" | "TaskDoesNotExist" | "ExecutionDoesNotExist")) => WorkflowError::Gone(code.to_owned()),
        Some(code @ ("InvalidToken" | "InvalidOutput" | "InvalidArn" | "ValidationException" | "InvalidExecutionInput")) => {
            WorkflowError::Refused(code.to_owned())
        }
        Some(code) => WorkflowError::Unavailable { message: code.to_owned(), source: Box::new(error) },
        None => {
            let text = DisplayErrorContext(&error).to_string();
            // The first clause says what happened; the rest is for the operator's log.
            let message = text.split(['(', '\n']).next().unwrap_or_default().trim().chars().take(200).collect();
            WorkflowError::Unavailable { message, source: Box::new(error) }
        }
    }
}
