//! The notifier Lambda: tells reviewers, from a queue of our own published events.

mod function;

use std::{process::ExitCode, sync::Arc};

use function::Notify;
use lambda::{Settings, aws, secrets};
use notifier::{Notifier, ses::Ses};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, links) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.required("LINK_KEYS_SECRET"));
    let (base_url, from, set) = (env.base_url(), env.required("SES_FROM"), env.optional("SES_CONFIGURATION_SET"));
    env.check()?;

    let config = aws::config().await;
    let store = aws::store(&config, log, views);
    let (reviews, keys) = tokio::join!(aws::reviews(&store), secrets::link_keys(&config, &links));
    let ses = Ses::new(aws_sdk_sesv2::Client::new(&config), from, set, Arc::new(keys?), base_url);
    let notifier = Notifier::new(reviews, Arc::new(store), Arc::new(ses));
    lambda::run(Notify(Arc::new(notifier))).await
}
