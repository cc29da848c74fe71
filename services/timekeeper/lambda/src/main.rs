//! The timekeeper Lambda: expiries, owed retries, reconciliation.

mod function;

use std::{process::ExitCode, sync::Arc};

use channels::link::Links;
use function::Clockwork;
use lambda::{Settings, aws, metrics::Metrics, projection::Wanted, secrets, slack::SlackSettings, telling::Telling};
use notifier::Notifier;
use projector::Rows;
use timekeeper::Timekeeper;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, links) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.required("LINK_KEYS_SECRET"));
    let base_url = env.base_url();
    let (wanted, metrics) = (Wanted::from(&mut env, &base_url), Metrics::new(env.optional("METRICS_NAMESPACE")));
    let (telling, slack) = (Telling::from(&mut env), SlackSettings::from(&mut env));
    env.check()?;

    let config = aws::config().await?;
    let store = aws::store(&config, log, views);
    let secrets = async { tokio::try_join!(secrets::link_keys(&config, &links), slack.load(&config)) };
    let (reviews, secrets) = tokio::join!(aws::reviews(&store), secrets);
    let (keys, slack) = secrets?;
    let keys = Arc::new(keys);
    let parts = wanted.build(&config, &store, &reviews);
    let channels = telling.channels(&config, slack, &keys);
    let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), Arc::clone(&parts.work), Links::new(keys, base_url), channels));
    let rows = Rows::new(Arc::clone(&reviews), Arc::clone(&parts.views)).publishing(parts.outlets);
    let timekeeper = Timekeeper::new(reviews, parts.views, parts.work, notifier, parts.resumer).with_rows(rows);
    lambda::run(Clockwork { timekeeper: Arc::new(timekeeper), metrics }).await
}
