//! A double of Step Functions on loopback, with what the API reference says of tokens: the first
//! answer ends the wait, any later one is told `TaskTimedOut`, and the execution's history shows what
//! ended it. It is in the test's own process, so it outlives every kill of the service.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

/// What ended the wait of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// `SendTaskSuccess`, with this output.
    Succeeded(Value),
    /// `SendTaskFailure`, with this error name and cause.
    Failed(String, String),
    /// Its own time limit.
    TimedOut,
}

/// How the wire behaves to the answer of one token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wire {
    /// The answer is taken and the caller is told so.
    Whole,
    /// The answer is taken, and the caller is told of an internal failure.
    LosesReplies,
    /// The answer is taken, and the caller is told nothing for longer than it lives.
    HoldsReplies,
}

struct Task {
    execution: String,
    wire: Wire,
    ended: Option<Ended>,
    /// When an answer was sent, taken or not.
    calls: Vec<Instant>,
}

#[derive(Default)]
struct Tasks {
    by_token: HashMap<String, Task>,
    down: bool,
    /// Requests of any kind.
    requests: usize,
    /// Executions whose history this caller may not read.
    hidden: Vec<String>,
}

/// The double. Clones are the same one.
#[derive(Clone)]
pub struct Workflows {
    address: std::net::SocketAddr,
    tasks: Arc<Mutex<Tasks>>,
}

impl Workflows {
    /// Listens from now on, until the test's process ends.
    pub fn listen() -> Workflows {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("for tokio");
        let address = listener.local_addr().expect("an address");
        let tasks = Arc::new(Mutex::new(Tasks::default()));
        let router = Router::new().route("/", post(call)).with_state(Arc::clone(&tasks));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await.expect("served");
            });
        });
        Workflows { address, tasks }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A task begins to wait: its token and its execution.
    pub fn task(&self, wire: Wire) -> (String, String) {
        // As long and as unlike anything else as a real one, so that it is found wherever it is.
        let token: String = (0..40).map(|_| format!("{:016X}", fastrand::u64(..))).collect();
        let execution = format!("arn:aws:states:us-east-1:123456789012:execution:pipeline:{:016x}", fastrand::u64(..));
        let task = Task { execution: execution.clone(), wire, ended: None, calls: Vec::new() };
        self.lock().by_token.insert(token.clone(), task);
        (token, execution)
    }

    /// The task's own time limit passes.
    pub fn time_out(&self, token: &str) {
        let mut tasks = self.lock();
        let task = tasks.by_token.get_mut(token).expect("a task");
        assert_eq!(task.ended.replace(Ended::TimedOut), None, "it had ended");
    }

    /// From now on, is it out of order?
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// The history of this execution may not be read.
    pub fn hide(&self, execution: &str) {
        self.lock().hidden.push(execution.to_owned());
    }

    /// What ended the task of this token.
    pub fn ended(&self, token: &str) -> Option<Ended> {
        self.lock().by_token[token].ended.clone()
    }

    /// When answers to this token came in, taken or not.
    pub fn calls(&self, token: &str) -> Vec<Instant> {
        self.lock().by_token[token].calls.clone()
    }

    /// How many requests of any kind came in.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Every token and what ended its task, and how many answers came in for it.
    pub fn all(&self) -> Vec<(String, Option<Ended>, usize)> {
        let tasks = self.lock();
        tasks.by_token.iter().map(|(token, task)| (token.clone(), task.ended.clone(), task.calls.len())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        lock(&self.tasks)
    }
}

fn lock(tasks: &Mutex<Tasks>) -> MutexGuard<'_, Tasks> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn call(State(tasks): State<Arc<Mutex<Tasks>>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    lock(&tasks).requests += 1;
    if lock(&tasks).down {
        return reply(StatusCode::SERVICE_UNAVAILABLE, json!({"__type": "ServiceUnavailable", "message": "down"}));
    }
    let text = |field: &str| body[field].as_str().unwrap_or_else(|| panic!("{target} without {field}")).to_owned();
    let ended = match target {
        "AWSStepFunctions.SendTaskSuccess" => Ended::Succeeded(serde_json::from_str(&text("output")).expect("an output is JSON")),
        "AWSStepFunctions.SendTaskFailure" => Ended::Failed(text("error"), text("cause")),
        "AWSStepFunctions.GetExecutionHistory" => return history(&lock(&tasks), &text("executionArn"), &body),
        _ => return reply(StatusCode::BAD_REQUEST, json!({"__type": "UnknownOperationException"})),
    };
    let wire = match take(&mut lock(&tasks), &text("taskToken"), ended) {
        Ok(wire) => wire,
        Err(code) => return reply(StatusCode::BAD_REQUEST, json!({"__type": code, "message": "as AWS says"})),
    };
    match wire {
        Wire::Whole => reply(StatusCode::OK, json!({})),
        Wire::LosesReplies => reply(StatusCode::INTERNAL_SERVER_ERROR, json!({"__type": "InternalFailure"})),
        Wire::HoldsReplies => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            reply(StatusCode::OK, json!({}))
        }
    }
}

/// The first answer wins.
fn take(tasks: &mut Tasks, token: &str, ended: Ended) -> Result<Wire, &'static str> {
    let task = tasks.by_token.get_mut(token).ok_or("TaskDoesNotExist")?;
    task.calls.push(Instant::now());
    if task.ended.is_some() {
        return Err("TaskTimedOut");
    }
    task.ended = Some(ended);
    Ok(task.wire)
}

/// The events of a Standard execution of one task (API reference, `GetExecutionHistory`).
fn history(tasks: &Tasks, execution: &str, call: &Value) -> Response {
    if tasks.hidden.iter().any(|hidden| hidden == execution) {
        return reply(StatusCode::BAD_REQUEST, json!({"__type": "AccessDeniedException", "message": "not authorized"}));
    }
    let Some(task) = tasks.by_token.values().find(|task| task.execution == execution) else {
        return reply(StatusCode::BAD_REQUEST, json!({"__type": "ExecutionDoesNotExist"}));
    };
    let resource = json!({"resourceType": "events", "resource": "putEvents.waitForTaskToken"});
    let with = |more: Value| {
        let mut details = resource.clone();
        more.as_object().expect("an object").iter().for_each(|(name, value)| details[name] = value.clone());
        details
    };
    let mut events = vec![json!({"type": "ExecutionStarted"}), json!({"type": "TaskSubmitted"})];
    match &task.ended {
        None => {}
        Some(Ended::Succeeded(output)) => {
            events
                .push(json!({"type": "TaskSucceeded", "taskSucceededEventDetails": with(json!({"output": output.to_string()}))}));
        }
        Some(Ended::Failed(error, cause)) => {
            events.push(json!({"type": "TaskFailed", "taskFailedEventDetails": with(json!({"error": error, "cause": cause}))}));
        }
        Some(Ended::TimedOut) => {
            events.push(json!({"type": "TaskTimedOut", "taskTimedOutEventDetails": with(json!({"error": "States.Timeout"}))}));
            events.push(json!({"type": "ExecutionFailed"}));
        }
    }
    for (id, event) in (1..).zip(&mut events) {
        (event["id"], event["timestamp"]) = (json!(id), json!(1_795_000_000 + id));
    }
    if call["reverseOrder"] == true {
        events.reverse();
    }
    reply(StatusCode::OK, json!({"events": events}))
}

fn reply(status: StatusCode, body: Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}
