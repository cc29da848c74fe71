//! The gateway Lambda: the HTTP surface.

mod adapters;
mod function;

use std::{process::ExitCode, sync::Arc};

use adapters::{AtOnce, ByTimekeeper, InProcess};
use function::Http;
use gateway::Gateway;
use intake::Intake;
use lambda::{Settings, aws, projection::Wanted, secrets};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views, base_url) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"), env.base_url());
    let (links, operator) = (env.required("LINK_KEYS_SECRET"), env.required("OPERATOR_KEY_SECRET"));
    let wanted = Wanted::from(&mut env, &base_url);
    env.check()?;

    let config = aws::config().await;
    let store = aws::store(&config, log, views);
    let secrets = async { tokio::try_join!(secrets::link_keys(&config, &links), secrets::operator_key(&config, &operator)) };
    let (reviews, secrets) = tokio::join!(aws::reviews(&store), secrets);
    let ((keys, operator_key), parts) = (secrets?, wanted.build(&config, &store, &reviews));
    let (intake, reconcile) = (Intake::new(Arc::clone(&reviews), parts.seal, Vec::new()), Arc::new(ByTimekeeper));
    let (views, work, redrive) = (parts.views, parts.work, Arc::new(InProcess(Arc::new(parts.projection))));
    let (keys, operator_key) = (Arc::new(keys), Arc::new(operator_key));
    let (intake, arrivals, demo) = (Arc::new(intake), Arc::new(AtOnce), false);
    let gateway = Gateway { reviews, views, work, intake, arrivals, redrive, reconcile, keys, operator_key, base_url, demo };
    let (keys, base_url) = (Arc::clone(&gateway.keys), Arc::clone(&gateway.base_url));
    lambda::run(Http { router: gateway::router(gateway), keys, base_url }).await
}
