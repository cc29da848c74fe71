//! From process start to the answers.

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, value::RawValue};

use crate::{Failure, Settings, logs};

/// What a Lambda does when it is invoked.
#[async_trait]
pub trait Function: Send + Sync {
    /// Handles one invocation.
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure>;

    /// Handles one invocation by the text that came: for a function to which it matters how an event was
    /// written.
    async fn call_with_text(&self, event: &str, context: &Context) -> Result<Value, Failure> {
        let event = serde_json::from_str(event).map_err(|_| Failure::refused("the event is not JSON"))?;
        self.call(event, context).await
    }
}

/// Runs `main`, which reads settings, makes the clients and serves until the process ends; what it
/// fails with becomes one line.
pub async fn start(main: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    logs::start(Settings::from_env().optional("LOG_LEVEL").as_deref());
    match main.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = Failure::of(error.as_ref(), false).error, "cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Answers invocations until the process ends.
///
/// # Errors
/// When the Runtime API is gone.
pub async fn run(function: impl Function) -> Result<(), lambda_runtime::Error> {
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let function = Arc::clone(&function);
        async move {
            let LambdaEvent { payload, context } = event;
            function.call_with_text(payload.get(), &context).await.map_err(|failure| {
                let Failure { retryable, error } = &failure;
                tracing::error!(correlation_id = context.request_id, retryable, error, "the invocation failed");
                Diagnostic::from(failure)
            })
        }
    }))
    .await
}
