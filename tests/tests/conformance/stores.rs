//! The stores under test, each fresh and empty.

use std::sync::Arc;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use ledger::{
    Follow, Ledger, Views, Work,
    dynamodb::{DynamoFollower, DynamoStore, Tables, create_tables},
    sqlite::SqliteStore,
};
use tempfile::TempDir;

/// A store, and what it stands on.
pub struct Store {
    pub ledger: Arc<dyn Ledger>,
    pub follow: Arc<dyn Follow>,
    pub views: Arc<dyn Views>,
    pub work: Arc<dyn Work>,
    ground: Ground,
}

/// What outlives the process that opened a store.
enum Ground {
    Dynamo { url: String },
    Sqlite { dir: TempDir },
}

impl Store {
    /// The same store as a new process finds it.
    pub async fn reopened(self) -> Store {
        let Store { ledger, follow, views, work, ground } = self;
        drop((ledger, follow, views, work));
        match ground {
            Ground::Dynamo { url } => open_dynamodb(url).await,
            Ground::Sqlite { dir } => open_sqlite(dir),
        }
    }
}

/// SQLite in a directory of its own.
pub async fn sqlite() -> Store {
    open_sqlite(TempDir::new().expect("a directory"))
}

fn open_sqlite(dir: TempDir) -> Store {
    let store = SqliteStore::open(dir.path()).expect("a store");
    Store {
        ledger: Arc::new(store.clone()),
        follow: Arc::new(store.clone()),
        views: Arc::new(store.clone()),
        work: Arc::new(store),
        ground: Ground::Sqlite { dir },
    }
}

/// DynamoDB, as an emulator.
pub async fn dynamodb() -> Store {
    open_dynamodb(serve_dynamodb().await).await
}

async fn open_dynamodb(url: String) -> Store {
    let store = dynamodb_at(&url, 3);
    let follow = follower_at(&store, &url).await;
    Store {
        ledger: Arc::new(store.clone()),
        follow: Arc::new(follow),
        views: Arc::new(store.clone()),
        work: Arc::new(store),
        ground: Ground::Dynamo { url },
    }
}

/// Serves an empty DynamoDB with both tables on a loopback port; gives its URL.
pub async fn serve_dynamodb() -> String {
    let url = dynamodb_double::serve().expect("a DynamoDB");
    create_tables(&client(&url, 3), &tables()).await.expect("the tables");
    url
}

/// The store at a URL; the SDK tries each call so many times.
pub fn dynamodb_at(url: &str, attempts: u32) -> DynamoStore {
    DynamoStore::new(client(url, attempts), tables())
}

/// A follower of the store's log whose stream is served at a URL.
pub async fn follower_at(store: &DynamoStore, url: &str) -> DynamoFollower {
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let streams = aws_sdk_dynamodbstreams::Client::from_conf(config);
    DynamoFollower::open(store, streams).await.expect("a follower")
}

/// A client of the DynamoDB at a URL.
pub fn client(url: &str, attempts: u32) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .endpoint_url(url)
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "conformance")
}

/// The names of its tables.
pub fn tables() -> Tables {
    Tables { log: "log".to_owned(), views: "views".to_owned() }
}
