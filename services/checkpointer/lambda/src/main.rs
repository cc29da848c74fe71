//! The checkpointer Lambda: enters what is new in the log into the signed tree.

mod function;

use std::{process::ExitCode, sync::Arc};

use checkpointer::{Checkpointer, kms::KmsKey, s3::S3};
use function::Keeper;
use lambda::{Settings, aws, metrics::Metrics};
use ledger::{SystemClock, dynamodb::DynamoFollower};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::start(serve()).await
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = Settings::from_env();
    let (log, stream) = (env.required("LOG_TABLE"), env.required("LOG_STREAM_ARN"));
    let (bucket, key) = (env.required("CHECKPOINT_BUCKET"), env.required("SIGNING_KEY_ARN"));
    let metrics = Metrics::new(env.optional("METRICS_NAMESPACE"));
    env.check()?;

    let config = aws::config().await?;
    // It knows no views.
    let store = aws::store(&config, log, String::new());
    let stream = DynamoFollower::of(aws_sdk_dynamodbstreams::Client::new(&config), stream);
    let key = KmsKey::new(aws_sdk_kms::Client::new(&config), key);
    let (bucket, clock) = (Arc::new(S3::new(&config, &bucket)), Arc::new(SystemClock));
    let (log, followed) = (store.clone(), stream.clone());
    let checkpointer = Checkpointer::new(Arc::new(store), Arc::new(stream), bucket, Arc::new(key), clock);
    lambda::run(Keeper { checkpointer, log, stream: followed, metrics }).await
}
