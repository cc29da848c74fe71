//! A role of another account, taken on at an STS and used at a Step Functions of the tests.

#![cfg(feature = "projection")]
#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sfn::config::Credentials;
use events::TaskToken;
use lambda::outside::Roles;
use projector::{WorkflowError, Workflows};
use review::task::TaskAnswer;

const ACCOUNT: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::222222222222:role/resume";

/// What came in: the calls of STS as they are, of others by operation and access key.
#[derive(Default)]
struct Aws {
    assumed: Mutex<Vec<String>>,
    answered: Mutex<Vec<(String, String)>>,
    refuses: Mutex<bool>,
    lives_for: Mutex<i64>,
}

impl Aws {
    fn serve() -> (Arc<Aws>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let aws = Arc::new(Aws { lives_for: Mutex::new(3_600), ..Aws::default() });
        let shared = Arc::clone(&aws);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let aws = Arc::clone(&shared);
                std::thread::spawn(move || aws.converse(stream));
            }
        });
        (aws, url)
    }

    fn converse(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        while let Some((head, body)) = read(&mut reader) {
            let (status, answer) = self.answer(&head, &body);
            let said = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            if stream.write_all(said.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, head: &str, body: &str) -> (u16, String) {
        if let Some(target) = head.lines().find_map(|line| line.strip_prefix("x-amz-target: AWSStepFunctions.")) {
            let key = head.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            self.answered.lock().expect("a lock").push((target.to_owned(), key.to_owned()));
            return (200, "{}".to_owned());
        }
        let mut assumed = self.assumed.lock().expect("a lock");
        assumed.push(body.to_owned());
        if *self.refuses.lock().expect("a lock") {
            let error =
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
            return (403, error.to_owned());
        }
        let until = chrono::Utc::now() + chrono::Duration::seconds(*self.lives_for.lock().expect("a lock"));
        let until = until.format("%Y-%m-%dT%H:%M:%SZ");
        let number = assumed.len();
        (
            200,
            format!(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE{number}</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials>\
                 </AssumeRoleResult></AssumeRoleResponse>"
            ),
        )
    }

    fn keys(&self) -> Vec<String> {
        self.answered.lock().expect("a lock").iter().map(|(_, key)| key.clone()).collect()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(line.trim_end());
        head.push('\n');
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

async fn config(url: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("OURS", "s", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await
}

async fn outside(url: &str) -> Arc<dyn Workflows> {
    let roles = Roles::new([(ACCOUNT.to_owned(), ROLE.to_owned())].into(), "our-deployment");
    roles.workflows(&config(url).await).remove(ACCOUNT).expect("the account's workflows")
}

async fn answer(workflows: &dyn Workflows) -> Result<(), WorkflowError> {
    let token = TaskToken::new("AAAA").expect("a token");
    workflows.answer(&token, &TaskAnswer::Success { output: "{}".to_owned() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_taken_on_when_first_needed_with_an_external_id_of_the_account_and_kept() {
    let (aws, url) = Aws::serve();
    let workflows = outside(&url).await;
    assert_eq!(aws.assumed.lock().expect("a lock").len(), 0, "nothing is called before");
    for _ in 0..3 {
        answer(workflows.as_ref()).await.expect("answered");
    }
    assert_eq!(aws.keys(), ["ROLE1", "ROLE1", "ROLE1"]);
    let assumed = aws.assumed.lock().expect("a lock").clone();
    assert_eq!(assumed.len(), 1, "the credentials are kept");
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fresume",
        "ExternalId=our-deployment%2F222222222222",
        "RoleSessionName=countersign",
    ] {
        assert!(assumed[0].contains(part), "{part} is not in {}", assumed[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_about_to_expire_are_asked_for_anew() {
    let (aws, url) = Aws::serve();
    *aws.lives_for.lock().expect("a lock") = 5;
    let workflows = outside(&url).await;
    for _ in 0..2 {
        answer(workflows.as_ref()).await.expect("answered");
    }
    assert_eq!(aws.keys(), ["ROLE1", "ROLE2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_had_is_a_passing_failure_that_names_it_and_nothing_is_answered() {
    let (aws, url) = Aws::serve();
    *aws.refuses.lock().expect("a lock") = true;
    let workflows = outside(&url).await;
    let Err(WorkflowError::Unavailable { message, .. }) = answer(workflows.as_ref()).await else { panic!("no passing failure") };
    assert_eq!(message, format!("the role {ROLE} could not be assumed: AccessDenied"));
    assert_eq!(aws.keys(), [""; 0]);
    *aws.refuses.lock().expect("a lock") = false;
    answer(workflows.as_ref()).await.expect("once the role is there");
}
