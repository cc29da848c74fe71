//! The Runtime API, and AWS behind the same port.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use serde_json::Value;

use super::{Shared, aws};

struct Request {
    path: String,
    target: Option<String>,
    body: Vec<u8>,
}

/// Answers until the test's process ends.
pub fn serve(listener: TcpListener, shared: Arc<Shared>) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || converse(stream, &shared));
        }
    });
}

fn converse(mut stream: TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(request) = read(&mut reader) {
        let Some(answer) = answer(&request, shared) else {
            // No event is left: the function waits, as it would on Lambda.
            std::thread::park();
            return;
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let (mut length, mut target, mut chunked) = (0, None, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", value) => length = value.parse().ok()?,
            ("transfer-encoding", "chunked") => chunked = true,
            ("x-amz-target", value) => target = value.split('.').next_back().map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    while chunked {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    Some(Request { path, target, body })
}

fn answer(request: &Request, shared: &Shared) -> Option<String> {
    let mut state = shared.state.lock().expect("state");
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or(Value::Null);
    if let Some(operation) = &request.target {
        state.run.calls.push((operation.clone(), body()));
        let (status, answer) = match state.broken.contains(operation) {
            true => aws::out_of_order(),
            false => aws::answer(operation, &body()),
        };
        return Some(respond(status, "", &answer.to_string()));
    }
    let invocation = request.path.strip_prefix("/2018-06-01/runtime/")?;
    if invocation == "invocation/next" {
        let event = state.events.get(state.given)?.clone();
        state.given += 1;
        let deadline = chrono::Utc::now().timestamp_millis() + 30_000;
        let headers = format!(
            "Lambda-Runtime-Aws-Request-Id: request-{}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:function\r\n",
            state.given
        );
        return Some(respond(200, &headers, &event));
    }
    let failed = invocation.ends_with("/error");
    state.run.answers.push(if failed { Err(body()) } else { Ok(body()) });
    shared.answered.notify_all();
    Some(respond(202, "", "{}"))
}

fn respond(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
