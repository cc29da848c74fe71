//! A stand-in for Step Functions on loopback: takes `SendTaskSuccess`, counts tokens, and tells the
//! client whose token came.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Result, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use crate::http::{broken, content_length};

/// The longest that a told workflow may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// About as long as a real token.
const TOKEN_LENGTH: usize = 700;

/// The double.
pub struct StepFunctions {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// How often each token came.
    came: Mutex<HashMap<String, u32>>,
    clients: Vec<Sender<String>>,
}

/// The side of one client.
pub struct Told(Receiver<String>);

impl Told {
    /// Waits until this token was answered.
    pub fn wait(&self, token: &str) -> Result<()> {
        let came = self.0.recv_timeout(TIMEOUT).map_err(|_| broken("a workflow was not told in 30 s"))?;
        if came == token { Ok(()) } else { Err(broken("a workflow was told twice, or out of turn")) }
    }
}

/// The token of a client's `number`th workflow.
pub fn token(client: usize, number: usize) -> String {
    format!("{client:04}-{number:08}-{:A<width$}", "", width = TOKEN_LENGTH - 14)
}

impl StepFunctions {
    /// Listens on a free port until the process ends.
    pub fn start(clients: usize) -> Result<(StepFunctions, Vec<Told>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (senders, told) = (0..clients).map(|_| mpsc::channel()).map(|(sender, told)| (sender, Told(told))).unzip();
        let shared = Arc::new(Shared { came: Mutex::default(), clients: senders });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // Ends when the service hangs up.
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Ok((StepFunctions { address, shared }, told))
    }

    /// How many tokens came, and how many calls came beyond one for each.
    pub fn counts(&self) -> (usize, usize) {
        let came = self.shared.came.lock().unwrap_or_else(PoisonError::into_inner);
        let calls: usize = came.values().map(|count| *count as usize).sum();
        (came.len(), calls - came.len())
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let body = read_request(&mut reader)?;
            let token = body.split_once("\"taskToken\":\"").and_then(|(_, rest)| rest.split_once('"'));
            let (token, _) = token.ok_or_else(|| broken("no taskToken in the call"))?;
            *self.came.lock().unwrap_or_else(PoisonError::into_inner).entry(token.to_owned()).or_default() += 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}")?;
            let client = token.get(..4).and_then(|client| client.parse::<usize>().ok());
            let client = client.and_then(|client| self.clients.get(client)).ok_or_else(|| broken("a token of nobody"))?;
            client.send(token.to_owned()).map_err(|_| broken("the client is gone"))?;
        }
    }
}

/// The body of the next request.
fn read_request(reader: &mut impl BufRead) -> Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let succeeded = head.lines().any(|line| line.eq_ignore_ascii_case("x-amz-target: AWSStepFunctions.SendTaskSuccess"));
    let length =
        content_length(head.lines()).filter(|_| succeeded).ok_or_else(|| broken(format!("not SendTaskSuccess: {head}")))?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    String::from_utf8(body).map_err(|error| broken(error.to_string()))
}
