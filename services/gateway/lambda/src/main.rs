//! The gateway Lambda: the HTTP surface.

mod adapters;
mod function;
mod mails;
mod provider;

use std::{process::ExitCode, sync::Arc};

use adapters::{AtOnce, ByProjector, ByTimekeeper};
use axum::Router;
use function::Http;
use gateway::{Gateway, Provider, SignIn, SignInMail, slack::App};
use intake::{Intake, RATION_DEFAULT, Recipients};
use lambda::{Settings, aws, metrics::Metrics, secrets, slack::SlackSettings};
use ledger::{Views, Work, seal::KmsSeal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, base_url) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.base_url());
    let (links, operator) = (env.required("LINK_KEYS_SECRET"), env.required("OPERATOR_KEY_SECRET"));
    let (key, projector) = (env.required("SEAL_KEY_ARN"), env.required("PROJECTOR_FUNCTION"));
    let (slack, notifier) = (SlackSettings::from(&mut env), env.required("NOTIFIER_FUNCTION"));
    let (provider, metrics) = (env.optional("OIDC_NAME"), Metrics::new(env.optional("METRICS_NAMESPACE")));
    let ration = env.parsed("REQUESTS_PER_MINUTE", "a whole number, 0 for no limit", |text| text.parse().ok());
    let recipients = env.parsed("RECIPIENTS", "domains, separated by commas", |list| Recipients::parse(list).ok());
    env.check()?;

    let config = aws::config().await?;
    let store = aws::store(&config, log, views);
    let secrets = async {
        tokio::try_join!(secrets::link_keys(&config, &links), secrets::operator_key(&config, &operator), slack.load(&config))
    };
    let (reviews, secrets) = tokio::join!(aws::reviews(&store), secrets);
    let (keys, operator_key, slack) = secrets?;
    let (views, work): (Arc<dyn Views>, Arc<dyn Work>) = (Arc::new(store.clone()), Arc::new(store));
    let seal = Arc::new(KmsSeal::new(aws_sdk_kms::Client::new(&config), key));
    let intake = Intake::new(Arc::clone(&reviews), Arc::clone(&views), seal, Vec::new())
        .limited(ration.unwrap_or(RATION_DEFAULT), recipients.unwrap_or_default());
    let redrive = Arc::new(ByProjector::new(&config, projector));
    let (keys, operator_key) = (Arc::new(keys), Arc::new(operator_key));
    let (intake, reconcile, arrivals, demo) = (Arc::new(intake), Arc::new(ByTimekeeper), Arc::new(AtOnce), false);
    let provider = provider.map(|name| provider::ByNotifier::new(name, &config, notifier.clone()));
    let provider = provider.map(|provider| Arc::new(provider) as Arc<dyn Provider>);
    let mail: Option<Arc<dyn SignInMail>> = Some(Arc::new(mails::ByNotifier::new(&config, notifier)));
    let (sign_in, dev) = (SignIn { mail, provider, ..SignIn::default() }, false);
    // The bus itself takes `PutEvents`, by IAM: there is no such route here, and nobody is given keys for it.
    let access_keys = None;
    let gateway = Gateway {
        reviews,
        views,
        work,
        intake,
        arrivals,
        redrive,
        reconcile,
        keys,
        operator_key,
        access_keys,
        base_url,
        sign_in,
        dev,
        demo,
    };
    let (keys, base_url, reviews) = (Arc::clone(&gateway.keys), Arc::clone(&gateway.base_url), Arc::clone(&gateway.reviews));
    let slack = slack.map(|app| App { secrets: app.signing, slack: app.client, trusted: app.trusted });
    let slack = slack.map(gateway::slack::routes);
    let router = function::with_peer(gateway::router_beside(gateway, slack.unwrap_or_else(Router::new)));
    lambda::run(Http { router, keys, base_url, reviews, metrics }).await
}
