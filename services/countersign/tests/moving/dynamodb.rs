//! From a data directory into DynamoDB (an emulator) and back.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use channels::{keys::Keyring, link::Links};
use events::{ReviewId, TaskToken, event::Channel};
use ledger::{
    Position, ReviewRow, Reviews, SystemClock, Views,
    dynamodb::{DynamoStore, Tables, create_tables},
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use notifier::{Deliver, DeliverError, Message, Notifier};
use projector::{Gone, Resumer, WorkflowError, Workflows as Waiting};
use review::{
    contact::{Kind, Route},
    task::TaskAnswer,
};
use serde_json::json;
use timekeeper::{Reconciled, Timekeeper};
use tokio::runtime::Runtime;

use crate::{
    places::{Commits, Ground, bare, commits, directory, import, made_log, refused, run, scan, succeeded, text},
    support::{
        api::request,
        eventually,
        process::{Service, countersign},
        workflows::{Wire, Workflows},
    },
};

/// A DynamoDB with both tables.
struct Dynamo {
    url: String,
    store: DynamoStore,
    runtime: Runtime,
}

impl Dynamo {
    fn start() -> Dynamo {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let tables = Tables { log: "log".to_owned(), views: "views".to_owned() };
        let url = dynamodb_double::serve().expect("a DynamoDB");
        let store = runtime.block_on(async {
            let config = aws_sdk_dynamodb::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-central-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "moving"))
                .endpoint_url(&url)
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build();
            let client = aws_sdk_dynamodb::Client::from_conf(config);
            create_tables(&client, &tables).await.expect("the tables");
            DynamoStore::new(client, tables)
        });
        Dynamo { url, store, runtime }
    }

    /// A command that finds this as if it were AWS.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = countersign();
        command.args(arguments).env("AWS_ENDPOINT_URL_DYNAMODB", &self.url).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command
    }

    fn import(&self, file: &Path) -> serde_json::Value {
        succeeded(
            self.command(&["--json", "import", text(file), "--table", "log", "--allow-uncovered"]).output().expect("it runs"),
        )
    }

    fn commits(&self) -> Commits {
        self.runtime.block_on(scan(&self.store))
    }

    /// What the timekeeper does daily and by hand: everything that the log says is owed.
    fn reconcile(&self) -> Reconciled {
        let reviews = Arc::new(Reviews::new(Arc::new(self.store.clone()), Arc::new(SystemClock)));
        let work = Arc::new(self.store.clone());
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let keys = Keyring::new(vec![(1, [7; 32])]).expect("keys");
        let links = Links::new(Arc::new(keys), "https://r.example".into());
        let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), work.clone(), links, vec![Arc::new(Nobody)]));
        let resumer = Arc::new(Resumer::new(Arc::clone(&reviews), seal, Arc::new(Nobody)));
        let timekeeper = Timekeeper::new(reviews, work.clone(), work, notifier, resumer);
        self.runtime.block_on(timekeeper.reconcile()).expect("reconciled")
    }
}

/// Nobody is to be told anything.
struct Nobody;

#[async_trait]
impl Deliver for Nobody {
    fn route(&self) -> Route {
        Route { channel: Channel::Outbox, by: &[Kind::Anywhere], reminds: false, tells_end: false, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        panic!("{} is asked again", message.person)
    }
}

#[async_trait]
impl Waiting for Nobody {
    async fn answer(&self, _: &TaskToken, _: &TaskAnswer) -> Result<(), WorkflowError> {
        panic!("a workflow is told again")
    }

    async fn why_gone(&self, execution_arn: &str, _: ReviewId) -> Result<Gone, WorkflowError> {
        panic!("{execution_arn} is asked for")
    }
}

async fn rows(views: &dyn Views) -> Vec<ReviewRow> {
    let (mut rows, mut position) = (Vec::new(), Position::default());
    loop {
        let page = views.rows(&position, 100).await.expect("rows");
        rows.extend(page.rows);
        match page.next {
            Some(next) => position = next,
            None => break,
        }
    }
    rows.sort_by_key(|row| row.review_id);
    rows
}

#[test]
fn moved_up_the_log_is_the_same_byte_for_byte_and_its_views_are_equal() {
    let (ground, workflows, up) = (Ground::new(), Workflows::listen(), Dynamo::start());
    let mut old = Service::start_new(&workflows);
    directory(&old, &ground);
    let api = old.api();
    for number in 0..4 {
        let review = api.create(&request(&format!("number {number}"), json!({"risk": "low"})));
        eventually("asked", Duration::from_secs(15), || (api.events_of(&review, "ReviewNotified").len() == 2).then_some(()));
        if number > 1 {
            api.vote(&review, "ana@example.com", if number == 2 { "approve" } else { "reject" }).with_status(200);
        }
    }
    api.post("/api/v1/reviews", &json!({"title": "", "reviewers": []})).with_status(422);
    eventually("the views are up", Duration::from_secs(15), || {
        let rows = api.rows();
        let up = |row: &serde_json::Value| row["version"] == api.review(row["review_id"].as_str().expect("an id"))["version"];
        (rows.len() == 5 && rows.iter().all(up)).then_some(())
    });
    old.stop_cleanly();

    let file = ground.export(&old.data(), "log.jsonl");
    let (held, said) = (commits(&old.data()), up.import(&file));
    assert_eq!(said["written"], held.len());
    assert_eq!(up.commits(), held);
    let found = up.reconcile();
    assert_eq!((found.reviews, found.rows, found.notices, found.failed.len()), (5, 5, 0, 0), "{found:?}");
    let before = up.runtime.block_on(rows(&SqliteStore::open_read_only(&old.data()).expect("opened")));
    assert_eq!(up.runtime.block_on(rows(&up.store)), before);
    assert_eq!(before.len(), 5);
    assert_eq!(up.commits(), held, "reconciling found nothing to add");

    assert_eq!(up.import(&file)["written"], 0, "importing again changes nothing");
    let down = ground.path("down.jsonl");
    succeeded(up.command(&["export", "--out", text(&down), "--table", "log"]).output().expect("it runs"));
    succeeded(import(&ground.path("down"), &down));
    assert_eq!(commits(&ground.path("down")), bare(held), "and down again");
}

#[test]
fn task_tokens_for_a_key_file_are_not_taken_into_a_table() {
    let (ground, workflows, up) = (Ground::new(), Workflows::listen(), Dynamo::start());
    let mut old = Service::start_new(&workflows);
    let (token, execution) = workflows.task(Wire::Whole);
    old.api().create(&request("waits", json!({"resume": {"task_token": token, "execution_arn": execution}})));
    old.stop_cleanly();
    let (key, file) = (ground.path("target.key"), ground.path("moved.jsonl"));
    ledger::seal::load_or_create(&key).expect("a key");
    succeeded(run(&old.data(), &["export", "--out", text(&file), "--move", "--to-key", text(&key)]));
    let said = refused(up.command(&["import", text(&file), "--table", "log", "--allow-uncovered"]).output().expect("it runs"));
    assert!(said.contains("--to-key kms:ARN") && up.commits().is_empty(), "{said}");
}

#[test]
fn an_import_into_dynamodb_that_is_killed_goes_on_where_it_was() {
    let (ground, up) = (Ground::new(), Dynamo::start());
    made_log(&ground.path("old"), 300);
    let file = ground.export(&ground.path("old"), "log.jsonl");
    let all = commits(&ground.path("old"));
    let (mut partly, mut pause) = (0, Duration::from_millis(150));
    loop {
        pause = pause.mul_f32(1.3);
        assert!(pause < Duration::from_secs(60), "it is never done");
        let mut command = up.command(&["import", text(&file), "--table", "log", "--allow-uncovered"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(pause);
        child.kill().expect("killed, or gone");
        let done = child.wait().expect("gone").success();
        let there = up.commits();
        assert!(there.iter().all(|(place, commit)| all.get(place) == Some(commit)));
        partly += usize::from((1..all.len()).contains(&there.len()));
        if done || there.len() == all.len() {
            break;
        }
    }
    assert!(partly > 0, "it was killed while it wrote");
    up.import(&file);
    assert_eq!(up.commits(), all);
}
