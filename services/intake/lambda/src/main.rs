//! The intake Lambda: what comes in from programs, by queue or direct invoke.

mod events;
mod function;

use std::{process::ExitCode, sync::Arc};

use ::intake::{RATION_DEFAULT, Recipients};
use function::Intake;
use lambda::{Settings, aws, metrics::Metrics};
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
    // The queue of an outside account takes requests alone, which need no view.
    let views = if queue.is_none() { env.required("VIEWS_TABLE") } else { String::new() };
    let ration = env.parsed("REQUESTS_PER_MINUTE", "a whole number, 0 for no limit", |text| text.parse().ok());
    let recipients = env.parsed("RECIPIENTS", "domains, separated by commas", |list| Recipients::parse(list).ok());
    let metrics = Metrics::new(env.optional("METRICS_NAMESPACE"));
    env.check()?;

    let config = aws::config().await?;
    let store = aws::store(&config, log, views);
    let reviews = aws::reviews(&store).await;
    let seal = Arc::new(KmsSeal::new(aws_sdk_kms::Client::new(&config), key));
    let intake = ::intake::Intake::new(Arc::clone(&reviews), Arc::new(store), seal, trusted)
        .limited(ration.unwrap_or(RATION_DEFAULT), recipients.unwrap_or_default());
    lambda::run(Intake { intake: Arc::new(intake), queue, reviews, metrics }).await
}
