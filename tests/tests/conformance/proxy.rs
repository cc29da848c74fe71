//! A loopback proxy before DynamoDB that fails calls as it is told, since no emulator does.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It goes through.
    Pass,
    /// It goes through once this was notified.
    PassAfter(Arc<Notify>),
    /// It is not passed on and answered with this status and JSON body.
    Answer(u16, String),
    /// It is passed on, and the connection breaks before the answer.
    LoseAnswer,
}

impl Fate {
    /// It is not passed on and answered with this status and error code.
    pub fn refuse(status: u16, code: &str) -> Fate {
        Fate::Answer(status, format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{code}\",\"message\":\"by the proxy\"}}"))
    }
}

/// One call: its operation, such as `PutItem`, and its JSON body.
pub struct Call {
    pub operation: String,
    pub body: String,
}

/// Starts a proxy before `target` (`http://host:port`); gives its URL.
pub async fn start(target: &str, fate: impl Fn(&Call) -> Fate + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let target = target.strip_prefix("http://").expect("an http URL").to_owned();
    let fate = Arc::new(fate);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (target, fate) = (target.clone(), Arc::clone(&fate));
            tokio::spawn(async move { serve(client, &target, fate.as_ref()).await });
        }
    });
    url
}

/// Serves one connection until either side closes it.
async fn serve(mut client: TcpStream, target: &str, fate: &(dyn Fn(&Call) -> Fate + Send + Sync)) -> Option<()> {
    let mut server = TcpStream::connect(target).await.ok()?;
    loop {
        let (head, body) = message(&mut client).await?;
        let operation = header(&head, "x-amz-target").and_then(|target| target.split('.').next_back()).unwrap_or_default();
        let call = Call { operation: operation.to_owned(), body: String::from_utf8_lossy(&body).into_owned() };
        let fate = fate(&call);
        if let Fate::Answer(status, body) = &fate {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} Answered\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            client.write_all(answer.as_bytes()).await.ok()?;
            continue;
        }
        if let Fate::PassAfter(notify) = &fate {
            notify.notified().await;
        }
        server.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
        let (head, body) = message(&mut server).await?;
        if matches!(fate, Fate::LoseAnswer) {
            return None;
        }
        client.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
    }
}

/// Reads one HTTP message: its head with the empty line, and a body of the stated length.
async fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = read.split_off(end);
    let head = String::from_utf8(read).ok()?;
    let length: usize = header(&head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
