//! One connection, from its first byte to its last.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::Instant,
};

use crate::{
    Peer,
    body::watched,
    line::{At, Line},
    paced::Paced,
    room::Ticket,
};

/// Answers what comes by this socket until its peer hangs up, takes too long, or is sent away; once the service stops,
/// until the request under way is answered.
pub(crate) async fn answer<S>(socket: S, peer: Peer, ticket: Ticket, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (line, limits) = (Arc::clone(&ticket.line), ticket.limits().clone());
    let router = TowerToHyperService::new(router);
    let handle = service_fn(|request: Request<Incoming>| {
        line.moves(At::Busy, Instant::now());
        let (line, router, limits) = (Arc::clone(&line), router.clone(), &limits);
        async move {
            let leaving = Leaving(line);
            let (parts, body) = request.into_parts();
            let (body, progress) = watched(body, limits);
            let mut request = Request::from_parts(parts, Body::new(body));
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = tokio::select! {
                biased;
                answer = router.call(request) => match answer {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                },
                () = progress.late() => too_slow(),
            };
            Ok::<_, std::convert::Infallible>(answer.map(|body| Said { body, _leaving: leaving }))
        }
    });
    let mut http = http1::Builder::new();
    // Heads have the time of `Limits::head`, which knows an idle connection from a slow one.
    http.header_read_timeout(None);
    let mut connection = pin!(http.serve_connection(TokioIo::new(Paced::new(socket, Arc::clone(&ticket.line))), handle));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%peer, %error, "a connection ended early");
                }
                return;
            }
            () = ticket.line.closed() => return,
            _ = stopped.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// 408: nothing was done, since nothing is done before the whole of a request is here.
fn too_slow() -> Response {
    let text = "The body of the request took too long; nothing was done. Send it again, faster.\n";
    let mut response = (StatusCode::REQUEST_TIMEOUT, text).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Says that the answer has ended, however it did.
struct Leaving(Arc<Line>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.moves(At::Idle, Instant::now());
    }
}

/// The body of an answer. The connection is busy until it is dropped.
struct Said {
    body: Body,
    _leaving: Leaving,
}

impl http_body::Body for Said {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
