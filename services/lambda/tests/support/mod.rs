//! Runs a function's binary against a local Runtime API (AWS Lambda developer guide, "Using the Lambda
//! runtime API"), and stands in for the few AWS calls that it makes before and beside malformed events.

mod aws;
mod http;

use std::{
    collections::BTreeMap,
    io::Read,
    net::TcpListener,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use serde_json::Value;

/// How long one function may take to answer everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that any function reads.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LOG_TABLE", "log"),
    ("LOG_STREAM_ARN", "arn:aws:dynamodb:us-east-1:000000000000:table/log/stream/1"),
    ("CHECKPOINT_BUCKET", "checkpoints"),
    ("SIGNING_KEY_ARN", "arn:aws:kms:us-east-1:000000000000:key/2"),
    ("VIEWS_TABLE", "views"),
    ("SEAL_KEY_ARN", "arn:aws:kms:us-east-1:000000000000:key/1"),
    ("ACCOUNT_ID", "000000000000"),
    ("BUS_NAME", "bus"),
    ("TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:topic"),
    ("PROJECTOR_FUNCTION", "projector"),
    ("NOTIFIER_FUNCTION", "notifier"),
    ("BASE_URL", "https://reviews.example.com"),
    ("LINK_KEYS_SECRET", "links"),
    ("OPERATOR_KEY_SECRET", "operator"),
    ("SLACK_SECRET", "slack"),
    ("SLACK_API_URL", "http://127.0.0.1:9/api"),
    ("SES_FROM", "countersign@example.com"),
    ("OIDC_ISSUER", "http://127.0.0.1:9"),
    ("OIDC_CLIENT_ID", "countersign"),
    ("OIDC_SECRET", "oidc"),
    ("OIDC_NAME", "Example SSO"),
];

/// What the function did.
#[derive(Default)]
pub struct Run {
    /// What it answered each event with, in order: a response, or an error.
    pub answers: Vec<Result<Value, Value>>,
    /// The AWS calls that it made: operation and body.
    pub calls: Vec<(String, Value)>,
    /// What it wrote, standard error included.
    pub output: String,
    /// Its exit code, if it ended by itself.
    pub exit: Option<i32>,
}

impl Run {
    /// Log lines of this level. Every line must be JSON.
    pub fn lines(&self, level: &str) -> Vec<Value> {
        let lines =
            self.output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
        lines.filter(|line| line["level"] == level).collect()
    }
}

struct State {
    events: Vec<String>,
    /// AWS operations that are out of order.
    broken: Vec<String>,
    given: usize,
    run: Run,
}

/// What the server and the test share.
pub struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

/// Starts the function without these environment variables and AWS operations, gives it the events one
/// after the other, and stops it when all are answered.
pub fn run(binary: &str, without: &[&str], events: &[&str]) -> Run {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
    let broken = without.iter().map(|name| (*name).to_owned()).collect();
    let wanted = events.len();
    let shared =
        Arc::new(Shared { state: Mutex::new(State { events, broken, given: 0, run: Run::default() }), answered: Condvar::new() });
    http::serve(listener, Arc::clone(&shared));

    let runtime: BTreeMap<&str, &str> = BTreeMap::from([
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
    let settings = ENVIRONMENT.iter().filter(|(name, _)| !without.contains(name)).copied();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(runtime)
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .envs(settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let (mut out, mut err) = (child.stdout.take().expect("stdout"), child.stderr.take().expect("stderr"));
    let [out, err] = [read(move |text| out.read_to_string(text)), read(move |text| err.read_to_string(text))];

    let exit = if wanted == 0 {
        child.wait().expect("ended").code()
    } else {
        let state = shared.state.lock().expect("state");
        let done = shared.answered.wait_timeout_while(state, PATIENCE, |state| state.run.answers.len() < wanted).expect("state");
        drop(done);
        let ended = child.try_wait().expect("status").and_then(|status| status.code());
        child.kill().expect("stopped");
        child.wait().expect("ended");
        ended
    };
    let output = format!("{}{}", out.join().expect("stdout"), err.join().expect("stderr"));
    let run = std::mem::take(&mut shared.state.lock().expect("state").run);
    assert_eq!(run.answers.len(), wanted, "{output}");
    assert!(!output.contains("panicked"), "{output}");
    Run { output, exit, ..run }
}

fn read(read: impl FnOnce(&mut String) -> std::io::Result<usize> + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        read(&mut text).expect("read");
        text
    })
}

/// Without these variables the function ends with one line that names each of them.
pub fn check_missing_environment(binary: &str, names: &[&str]) {
    let run = run(binary, names, &[]);
    assert_eq!(run.exit, Some(1), "{}", run.output);
    let errors = run.lines("ERROR");
    let [error] = errors.as_slice() else { panic!("not one line: {}", run.output) };
    for name in names {
        assert!(error["error"].as_str().is_some_and(|error| error.contains(name)), "{name} in {error}");
    }
    assert_eq!(run.output.lines().count(), 1, "{}", run.output);
    assert!(run.calls.is_empty(), "nothing was asked of AWS");
}

/// Each malformed event is answered with an error, says why in one line, and writes nothing.
pub fn check_malformed(binary: &str, events: &[&str]) {
    let run = run(binary, &[], events);
    assert_eq!(run.exit, None, "it goes on");
    let errors = run.lines("ERROR");
    for (event, answer) in events.iter().zip(&run.answers) {
        let error = answer.as_ref().expect_err(event);
        let message = &error["errorMessage"];
        assert!(message.as_str().is_some_and(|message| !message.is_empty() && message.len() < 300), "{event}: {error}");
        assert!(errors.iter().any(|line| &line["error"] == message), "{event}: {message} in {errors:?}");
    }
    assert_eq!(errors.len(), events.len(), "one line each: {}", run.output);
    let written = |operation: &str| ["PutItem", "UpdateItem", "DeleteItem", "PutEvents", "SendEmail"].contains(&operation);
    assert!(!run.calls.iter().any(|(operation, _)| written(operation)));
}
