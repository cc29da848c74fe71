//! The timekeeper Lambda: expiries, owed retries, reconciliation.

mod function;

use std::{process::ExitCode, sync::Arc};

use function::Clockwork;
use lambda::{Settings, aws, metrics::Metrics, projection::Wanted, secrets};
use notifier::{Notifier, ses::Ses};
use projector::Rows;
use timekeeper::Timekeeper;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, links) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.required("LINK_KEYS_SECRET"));
    let (base_url, from, set) = (env.base_url(), env.required("SES_FROM"), env.optional("SES_CONFIGURATION_SET"));
    let (wanted, metrics) = (Wanted::from(&mut env, &base_url), Metrics::new(env.optional("METRICS_NAMESPACE")));
    env.check()?;

    let config = aws::config().await;
    let store = aws::store(&config, log, views);
    let (reviews, keys) = tokio::join!(aws::reviews(&store), secrets::link_keys(&config, &links));
    let parts = wanted.build(&config, &store, &reviews);
    let ses = Arc::new(Ses::new(aws_sdk_sesv2::Client::new(&config), from, set, Arc::new(keys?), base_url));
    let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), Arc::clone(&parts.work), ses));
    let rows = Rows::new(Arc::clone(&reviews), Arc::clone(&parts.views)).publishing(parts.outlets);
    let timekeeper = Timekeeper::new(reviews, parts.views, parts.work, notifier, parts.resumer).with_rows(rows);
    lambda::run(Clockwork { timekeeper: Arc::new(timekeeper), metrics }).await
}
