//! Whole connections over a pipe, by a clock that stands until it is moved.

use axum::{body::to_bytes, extract::Request, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;

/// `GET /` answers at once, `POST /` once its body is here, `GET /news` after half an hour, `GET /large` at length.
fn router() -> Router {
    let read = async |request: Request| match to_bytes(request.into_body(), usize::MAX).await {
        Ok(body) => format!("{} bytes", body.len()),
        Err(_) => "broken".to_owned(),
    };
    Router::new()
        .route("/", get(async || "here").post(read))
        .route(
            "/news",
            get(async || {
                sleep(Duration::from_secs(1_800)).await;
                "news"
            }),
        )
        .route("/large", get(async || "x".repeat(4_000_000)))
}

struct World {
    room: Arc<Room>,
    stop: watch::Sender<bool>,
}

impl World {
    fn new() -> World {
        World { room: Arc::new(Room::new(Limits::default())), stop: watch::channel(false).0 }
    }

    /// A connection, and the task that answers it beside one that closes who is late.
    fn connect(&self) -> (DuplexStream, JoinHandle<()>) {
        let (ours, theirs) = duplex(1_000);
        let peer: SocketAddr = "192.0.2.1:9".parse().expect("an address");
        let Admitted::Yes { ticket, .. } = self.room.admit(peer.ip()) else { panic!("no room") };
        let room = Arc::clone(&self.room);
        let answered = answer::answer(theirs, peer, ticket, router(), self.stop.subscribe());
        let task = tokio::spawn(async move {
            let mut answered = std::pin::pin!(answered);
            loop {
                tokio::select! {
                    () = &mut answered => return,
                    () = sleep(LOOK) => room.close_late(),
                }
            }
        });
        (ours, task)
    }
}

/// Reads to the end of the connection; gives it and how many seconds that took.
async fn rest(mut socket: DuplexStream) -> (String, u64) {
    let (begin, mut text) = (Instant::now(), String::new());
    let _ = timeout(Duration::from_secs(10_000), socket.read_to_string(&mut text)).await.expect("it ends");
    (text, begin.elapsed().as_secs())
}

async fn answered(socket: &mut DuplexStream, request: &str) -> String {
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 1_000];
    let length = socket.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_when_its_time_is_over() {
    let world = World::new();
    let (socket, _) = world.connect();
    let (text, seconds) = rest(socket).await;
    assert!(text.is_empty() && (75..=76).contains(&seconds), "{seconds}: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_closed_when_its_time_is_over() {
    let world = World::new();
    let (mut socket, task) = world.connect();
    let begin = Instant::now();
    for byte in "GET / HTTP/1.1\r\nHost: x\r\n".bytes().cycle() {
        sleep(Duration::from_secs(1)).await;
        if socket.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    task.await.expect("it ends");
    assert!((15..=18).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stands_still_or_takes_too_long_is_answered_408() {
    let world = World::new();
    let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let (mut still, _) = world.connect();
    still.write_all(post.as_bytes()).await.expect("sent");
    let (text, seconds) = rest(still).await;
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("nothing was done") && seconds == 10, "{seconds}: {text}");

    let (mut slow, _) = world.connect();
    slow.write_all(post.as_bytes()).await.expect("sent");
    let begin = Instant::now();
    let (mut read, mut write) = tokio::io::split(slow);
    let dripping = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(2)).await;
        }
    });
    let mut text = String::new();
    let _ = read.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 408") && begin.elapsed().as_secs() == 30, "{:?}: {text}", begin.elapsed());
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn who_is_slow_but_goes_on_is_answered() {
    let world = World::new();
    let (mut socket, _) = world.connect();
    for part in ["POST / HTTP/1.1\r\n", "Host: x\r\n", "Content-Length: 4\r\n\r\n", "a", "b", "c"] {
        socket.write_all(part.as_bytes()).await.expect("sent");
        sleep(Duration::from_secs(4)).await;
    }
    assert!(answered(&mut socket, "d").await.contains("4 bytes"));
    // And may use the connection again after a pause, and wait for news longer than for anything else.
    sleep(Duration::from_secs(70)).await;
    assert!(answered(&mut socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.contains("here"));
    sleep(Duration::from_secs(70)).await;
    assert!(answered(&mut socket, "GET /news HTTP/1.1\r\nHost: x\r\n\r\n").await.contains("news"));
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_an_answer_is_closed_and_who_takes_it_slowly_is_not() {
    let world = World::new();
    let (mut deaf, task) = world.connect();
    deaf.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let begin = Instant::now();
    task.await.expect("it ends");
    assert!((10..=11).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());

    let (mut slow, task) = world.connect();
    slow.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut part = vec![0; 1_000];
    for _ in 0..100 {
        sleep(Duration::from_secs(8)).await;
        assert!(slow.read(&mut part).await.expect("more of it") > 0);
    }
    assert!(!task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_requests_under_way_and_for_nobody_idle() {
    let world = World::new();
    let ((mut waits, task), (idle, idle_task)) = (world.connect(), world.connect());
    waits.write_all(b"GET /news HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    sleep(Duration::from_secs(1)).await;
    world.stop.send_replace(true);
    timeout(Duration::from_secs(1), idle_task).await.expect("at once").expect("it ends");
    drop(idle);
    let (text, _) = rest(waits).await;
    assert!(text.ends_with("news"), "{text}");
    task.await.expect("it ends");
    assert_eq!(world.room.len(), 0, "every place is free again");
}
