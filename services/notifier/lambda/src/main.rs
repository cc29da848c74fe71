//! The notifier Lambda: tells reviewers, from a queue of our own published events and of mails that came
//! back; mails the links that the gateway has people sign in by, and asks the provider of sign-ins for it.

mod function;
mod provider;
mod returned;

use std::{process::ExitCode, sync::Arc};

use channels::link::Links;
use function::Notify;
use lambda::{Settings, aws, metrics::Metrics, secrets, slack::SlackSettings, telling::Telling};
use notifier::Notifier;
use provider::{Provider, ProviderSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, links) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.required("LINK_KEYS_SECRET"));
    let (base_url, metrics) = (env.base_url(), Metrics::new(env.optional("METRICS_NAMESPACE")));
    let (telling, slack) = (Telling::from(&mut env), SlackSettings::from(&mut env));
    let provider = ProviderSettings::from(&mut env);
    env.check()?;

    let config = aws::config().await?;
    let store = aws::store(&config, log, views);
    let secrets = async { tokio::try_join!(secrets::link_keys(&config, &links), slack.load(&config)) };
    let (reviews, secrets) = tokio::join!(aws::reviews(&store), secrets);
    let (keys, slack) = secrets?;
    let keys = Arc::new(keys);
    let mails = telling.mails(&config);
    let channels = telling.channels(&config, slack, &keys);
    let provider = Provider::new(provider, config, Arc::clone(&base_url), metrics.clone());
    let notifier = Notifier::new(reviews, Arc::new(store), Links::new(keys, base_url), channels);
    lambda::run(Notify { notifier: Arc::new(notifier), mails, provider, metrics }).await
}
