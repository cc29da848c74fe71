//! Accepts HTTP connections within limits: how many there may be, how long one may take to say what it wants, and
//! how slowly it may take its answer. `axum::serve` has none, so that idle sockets could keep everybody else out.
//!
//! | file | holds |
//! |---|---|
//! | here | the loop that accepts, and the end of it |
//! | [`limits`] | every limit, with its reason |
//! | `line` | where one connection stands, and since when |
//! | `room` | who is connected, and who has to go when there is no room |
//! | `paced` | the socket, watched |
//! | `body` | the body of a request, watched |
//! | `answer` | one connection, from its first byte to its last |
//! | `turned_away` | what is said when there is no room |
//! | `complaint` | a line in the log at most once a minute |
//! | [`descriptors`] | how many files and sockets the system lets us have |

pub mod descriptors;
pub mod limits;

mod answer;
mod body;
mod complaint;
mod line;
mod paced;
mod room;
mod turned_away;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

use crate::{
    complaint::{Complaint, Complaints},
    limits::Limits,
    room::{Admitted, Room},
    turned_away::Porter,
};

/// How often is looked for connections that take too long.
const LOOK: Duration = Duration::from_secs(1);
/// How often the descriptors in use are counted.
const COUNT: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system refused a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers connections until `stop`; then takes no more, lets requests under way end, and returns. Handlers find the
/// peer's address as `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let room = Arc::new(Room::new(limits));
    let complaints = Arc::new(Complaints::default());
    let porter = Porter::default();
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    let mut count = tokio::time::interval(COUNT);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => match room.admit(peer.ip()) {
                    Admitted::Yes { ticket, instead_of } => {
                        if instead_of {
                            complaints.note(Complaint::MadeRoom, || format!("{} are open; who waits longest is closed", room.len()));
                        }
                        let (router, stopped) = (router.clone(), stopped.clone());
                        connections.spawn(answer::answer(tuned(socket), peer, ticket, router, stopped));
                    }
                    Admitted::No => {
                        complaints.note(Complaint::NoRoom, || format!("{} are open, each with a request under way", room.len()));
                        porter.turn_away(socket);
                    }
                },
                Err(error) => {
                    complaints.note(Complaint::NotAccepted, || error.to_string());
                    if is_scarce(&error) {
                        room.make_room();
                        sleep(PAUSE).await;
                    }
                }
            },
            _ = look.tick() => room.close_late(),
            _ = count.tick() => descriptors::warn_when_scarce(&complaints),
            // So that what has ended takes no memory.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(true);
    loop {
        tokio::select! {
            ended = connections.join_next() => if ended.is_none() { break },
            _ = look.tick() => room.close_late(),
        }
    }
}

/// Answers are sent as they are made, not held back to be sent together.
fn tuned(socket: TcpStream) -> TcpStream {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a connection sends small packets late");
    }
    socket
}

/// Whether there are no descriptors or no memory for it, rather than a peer that hung up.
fn is_scarce(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Whom a connection is counted for.
type Peer = SocketAddr;

#[cfg(test)]
mod tests;
