//! What is said to whom there is no room for.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

/// The most that are told at a time; beyond it connections are closed without a word.
const TOLD_MAX: usize = 64;
/// How long telling may take.
const TELLING: Duration = Duration::from_secs(1);

const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\n\
                      content-type: text/plain; charset=utf-8\r\ncontent-length: 47\r\n\r\n\
                      Too many connections. Try again in two seconds\n";

/// Tells those who cannot come in.
pub(crate) struct Porter(Arc<Semaphore>);

impl Default for Porter {
    fn default() -> Porter {
        Porter(Arc::new(Semaphore::new(TOLD_MAX)))
    }
}

impl Porter {
    /// Answers 503 and closes.
    pub(crate) fn turn_away(&self, mut socket: TcpStream) {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let told = async {
                socket.write_all(ANSWER.as_bytes()).await?;
                socket.shutdown().await?;
                // Closed with something unread, the peer would be told of a reset in place of the answer.
                let mut rest = [0; 4_096];
                while socket.read(&mut rest).await? > 0 {}
                std::io::Result::Ok(())
            };
            // Whoever does not listen is not told.
            let _ = timeout(TELLING, told).await;
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
