//! The projector Lambda: publishes, resumes and writes views, from the stream of the log table.

mod function;

use std::{process::ExitCode, sync::Arc};

use function::Projector;
use lambda::{Settings, aws, projection::Wanted};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, views) = (env.required("LOG_TABLE"), env.required("VIEWS_TABLE"));
    let base_url = env.base_url();
    let wanted = Wanted::from(&mut env, &base_url);
    env.check()?;

    let config = aws::config().await?;
    let store = aws::store(&config, log, views);
    let reviews = aws::reviews(&store).await;
    let parts = wanted.build(&config, &store, &reviews);
    lambda::run(Projector { projection: Arc::new(parts.projection), aliases: parts.aliases.map(Arc::new), work: parts.work })
        .await
}
