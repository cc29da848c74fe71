//! The intake Lambda: what comes in from programs, by queue or direct invoke.

mod events;
mod function;

use std::{process::ExitCode, sync::Arc};

use function::Intake;
use lambda::{Settings, aws};
use ledger::seal::KmsSeal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, key) = (env.required("LOG_TABLE"), env.required("SEAL_KEY_ARN"));
    let trusted = env.parsed("TRUSTED_SOURCES", "account/source,account/source", events::trusted).unwrap_or_default();
    let queue = env.both("QUEUE_ACCOUNT", "QUEUE_SOURCE");
    env.check()?;

    let config = aws::config().await;
    let reviews = aws::reviews(&aws::store(&config, log, String::new())).await;
    let seal = Arc::new(KmsSeal::new(aws_sdk_kms::Client::new(&config), key));
    let intake = ::intake::Intake::new(reviews, seal, trusted);
    lambda::run(Intake { intake: Arc::new(intake), queue }).await
}
