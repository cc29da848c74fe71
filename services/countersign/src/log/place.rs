//! Where the log is: a data directory or a table.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use ledger::{Ledger, Views, sqlite::SqliteStore};

/// How long a running service may take to notice that its directory was fenced and to let go of it.
const PATIENCE: Duration = Duration::from_secs(15);

/// The log of a data directory, for reading beside a service that may run.
///
/// # Errors
/// When there is no log.
pub fn read_directory(dir: &Path) -> anyhow::Result<Arc<dyn Ledger>> {
    let store = SqliteStore::open_read_only(dir).with_context(|| format!("there is no log to read in {}", dir.display()))?;
    Ok(Arc::new(store))
}

/// The same as it was when the commit of this place in its order was the last.
///
/// # Errors
/// When there is no log.
pub fn read_directory_until(dir: &Path, sequence: u64) -> anyhow::Result<Arc<dyn Ledger>> {
    Ok(Arc::new(SqliteStore::open_read_only_until(dir, sequence)?))
}

/// The log of a data directory, for this process alone.
///
/// # Errors
/// When another process has it.
pub fn own_directory(dir: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(dir).with_context(|| format!("cannot open the data directory {}", dir.display()))
}

/// The same once a service that runs there has noticed the fence.
///
/// # Errors
/// When it does not let go.
pub async fn own_fenced_directory(dir: &Path) -> anyhow::Result<SqliteStore> {
    let until = Instant::now() + PATIENCE;
    loop {
        match own_directory(dir) {
            Err(_) if Instant::now() < until => tokio::time::sleep(Duration::from_millis(200)).await,
            opened => return opened.context("the directory is fenced and was not exported; give the same command again"),
        }
    }
}

/// The views of a data directory for writing and its log for reading, beside a service that may run.
///
/// # Errors
/// When there is no log.
pub fn views_of_directory(dir: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open_beside(dir).with_context(|| format!("there is no log to read in {}", dir.display()))
}

/// The log of a DynamoDB table, in the region and with the credentials of the environment.
///
/// # Errors
/// When this build was made without DynamoDB.
pub async fn table(name: &str) -> anyhow::Result<Arc<dyn Ledger>> {
    // Only the log is read and written by those who ask for it alone.
    Ok(tables(name, "").await?.0)
}

/// The log and the views of two DynamoDB tables.
///
/// # Errors
/// When this build was made without DynamoDB.
#[cfg(feature = "dynamodb")]
pub async fn tables(log: &str, views: &str) -> anyhow::Result<(Arc<dyn Ledger>, Arc<dyn Views>)> {
    use ledger::dynamodb::{DynamoStore, Tables};
    let client = aws_sdk_dynamodb::Client::new(&crate::serve::aws::config().await);
    let store = DynamoStore::new(client, Tables { log: log.to_owned(), views: views.to_owned() }).heedless();
    Ok((Arc::new(store.clone()), Arc::new(store)))
}

/// See the other.
///
/// # Errors
/// Always.
#[cfg(not(feature = "dynamodb"))]
pub async fn tables(log: &str, _views: &str) -> anyhow::Result<(Arc<dyn Ledger>, Arc<dyn Views>)> {
    anyhow::bail!("this build cannot reach the table {log}; build with: cargo build --release --features dynamodb")
}
