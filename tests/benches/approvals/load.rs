//! What clients do: ask, wait, vote. Each client is a thread with connections of its own.

use std::{
    net::SocketAddr,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    double::{self, Told},
    figures::Latencies,
    http::{Connection, broken},
    service::{Service, require},
};

/// How many clients load the service at once.
pub const CLIENTS: usize = 16;
/// Long enough for a wait to be held before the vote is sent.
const ESTABLISHED: Duration = Duration::from_millis(5);

/// Writes requests.
pub struct Api {
    address: SocketAddr,
    head: String,
    requests: AtomicUsize,
    /// Waits for an end that were answered before there was one, and before they were over.
    early: AtomicUsize,
}

impl Api {
    pub fn of(service: &Service) -> Api {
        let head = format!("host: {}\r\nauthorization: Bearer {}\r\n", service.address, service.key);
        Api { address: service.address, head, requests: AtomicUsize::new(0), early: AtomicUsize::new(0) }
    }

    /// How many waits were answered too early.
    pub fn early(&self) -> usize {
        self.early.load(Ordering::Relaxed)
    }

    fn connect(&self) -> Outcome<Connection> {
        Ok(Connection::open(self.address)?)
    }

    fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "POST /api/v1/{path} HTTP/1.1\r\n{}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            self.head
        )
    }

    /// Asks for a review, in about 600 bytes; with a task token, for a workflow that waits.
    fn ask(&self, token: Option<&str>) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let resume = token.map_or_else(String::new, |token| format!(r#","resume":{{"task_token":"{token}"}}"#));
        let detail = format!(
            r#"{{"request_key":"churn-v{number}","title":"Promote churn-model v{number} to production","summary":"The nightly run flagged **7.4 %** of the customers; the limit is 6 %.","subject":{{"kind":"model-promotion","id":"churn-v{number}","dataset":"customers","rows":18250}},"evidence":[{{"label":"Flagged rows","value":"7.4 %"}},{{"label":"AUC before and after","value":"0.871, 0.874"}},{{"label":"Report","url":"https://reports.example.com/churn/{number}"}}],"requester":{{"email":"pipeline@example.com"}},"reviewers":[{{"email":"reviewer@example.com"}}],"policy":{{"quorum":1}},"expires_in":"PT24H","on_expiry":"fail","on_reject":"fail"{resume}}}"#
        );
        self.post("reviews", &detail)
    }

    /// Waits for the end of a review, knowing its first version.
    fn wait(&self, review: &str) -> String {
        format!("GET /api/v1/reviews/{review}?wait=25&until=ended HTTP/1.1\r\n{}if-none-match: \"v1\"\r\n\r\n", self.head)
    }

    fn vote(&self, review: &str) -> String {
        let body = r#"{"person":{"email":"reviewer@example.com"},"choice":"approve","reason":"The drift is the campaign of last week."}"#;
        self.post(&format!("reviews/{review}/votes"), body)
    }

    fn create(&self, connection: &mut Connection, token: Option<&str>) -> Outcome<String> {
        let answer = connection.call(&self.ask(token))?;
        let id = answer.body.split_once(r#""review_id":""#).and_then(|(_, rest)| rest.get(..36)).map(str::to_owned);
        require(answer.status == 201, || format!("not created: {} {}", answer.status, answer.body))?;
        Ok(id.ok_or_else(|| broken("no review_id"))?)
    }
}

/// The vote was counted.
fn counted(connection: &mut Connection) -> Outcome<()> {
    let answer = connection.receive()?;
    let counted = answer.status == 200 && answer.body.contains(r#""counted":true"#);
    require(counted, || format!("not counted: {} {}", answer.status, answer.body))
}

/// Who waits was told that the review is approved; who was answered too early asks again.
fn told(api: &Api, review: &str, waiting: &mut Connection) -> Outcome<()> {
    loop {
        let answer = waiting.receive()?;
        if answer.status == 200 && answer.body.contains(r#""status":"approved""#) {
            return Ok(());
        }
        let open = answer.status == 304 || (answer.status == 200 && answer.body.contains(r#""status":"open""#));
        require(open, || format!("not told: {} {}", answer.status, answer.body))?;
        api.early.fetch_add(1, Ordering::Relaxed);
        waiting.send(&api.wait(review))?;
    }
}

/// From writing the vote to the last byte of the answer to who waits, one round at a time.
pub fn vote_until_told(api: &Api, warm_up: usize, rounds: usize) -> Outcome<Latencies> {
    let (mut asking, mut waiting, mut voting) = (api.connect()?, api.connect()?, api.connect()?);
    let mut latencies = Vec::with_capacity(rounds);
    for round in 0..warm_up + rounds {
        let review = api.create(&mut asking, None)?;
        waiting.send(&api.wait(&review))?;
        std::thread::sleep(ESTABLISHED);
        let vote = api.vote(&review);
        let began = Instant::now();
        voting.send(&vote)?;
        told(api, &review, &mut waiting)?;
        if round >= warm_up {
            latencies.push(began.elapsed());
        }
        counted(&mut voting)?;
    }
    Ok(Latencies::of(latencies))
}

/// Reviews of one client.
pub type Created = Vec<String>;

/// A round of all clients: what each came to, and how long the last took.
pub struct Round<T> {
    pub clients: Vec<T>,
    pub elapsed: Duration,
}

/// Asks for `each` reviews a client, one after the other.
pub fn create(api: &Api, each: usize) -> Outcome<Round<Created>> {
    let asking = (0..CLIENTS).map(|_| api.connect()).collect::<Outcome<Vec<_>>>()?;
    together(asking, |mut asking| (0..each).map(|_| api.create(&mut asking, None)).collect())
}

/// Votes on each review while somebody waits for it. Each client has two connections that wait: the
/// wait for the next review is held before the vote on this one.
pub fn resume(api: &Api, created: Vec<Created>) -> Outcome<Round<()>> {
    let connect = |reviews| Ok((reviews, [api.connect()?, api.connect()?], api.connect()?));
    let clients = created.into_iter().map(connect).collect::<Outcome<Vec<_>>>()?;
    together(clients, |(reviews, [mut now, mut next], mut voting)| {
        let mut held = reviews.iter();
        if let Some(first) = held.next() {
            now.send(&api.wait(first))?;
        }
        for review in &reviews {
            if let Some(following) = held.next() {
                next.send(&api.wait(following))?;
            }
            voting.send(&api.vote(review))?;
            counted(&mut voting)?;
            told(api, review, &mut now)?;
            std::mem::swap(&mut now, &mut next);
        }
        Ok(())
    })
}

/// Reviews of one client that workflows wait for, with their tokens.
pub type Tokens = Vec<(String, String)>;

/// Asks for `each` reviews a client, on each of which a workflow waits; `from` numbers the tokens.
pub fn create_with_tokens(api: &Api, from: usize, each: usize) -> Outcome<Vec<Tokens>> {
    let asking = (0..CLIENTS).map(|client| Ok((client, api.connect()?))).collect::<Outcome<Vec<_>>>()?;
    let round = together(asking, |(client, mut asking)| {
        let tokens = (from..from + each).map(|number| double::token(client, number));
        tokens.map(|token| Ok((api.create(&mut asking, Some(&token))?, token))).collect()
    })?;
    Ok(round.clients)
}

/// Votes on each review and waits until its workflow was told.
pub fn resume_workflows(api: &Api, tokens: Vec<Tokens>, told: &mut [Told]) -> Outcome<Round<()>> {
    let clients = tokens.into_iter().zip(told).map(|(tokens, told)| Ok((tokens, told, api.connect()?)));
    together(clients.collect::<Outcome<Vec<_>>>()?, |(tokens, told, mut voting)| {
        for (review, token) in tokens {
            voting.send(&api.vote(&review))?;
            counted(&mut voting)?;
            told.wait(&token)?;
        }
        Ok(())
    })
}

/// Runs every client in a thread, all from the same moment.
fn together<C: Send, T: Send>(clients: Vec<C>, run: impl Fn(C) -> Outcome<T> + Sync) -> Outcome<Round<T>> {
    let start = Barrier::new(clients.len() + 1);
    std::thread::scope(|scope| {
        let threads = clients.into_iter().map(|client| {
            scope.spawn(|| {
                start.wait();
                run(client)
            })
        });
        let threads: Vec<_> = threads.collect();
        start.wait();
        let began = Instant::now();
        let done = threads.into_iter().map(|thread| thread.join().map_err(|_| broken("a client panicked"))?);
        let clients = done.collect::<Outcome<Vec<T>>>()?;
        Ok(Round { clients, elapsed: began.elapsed() })
    })
}
