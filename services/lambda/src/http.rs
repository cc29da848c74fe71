//! How the SDKs reach AWS: by HTTP/1.1 alone, which is what the services we call speak. The SDK's own client
//! brings HTTP/2 along: in the gateway 0.5 MB of code to load at a cold start. That another may take its place is in the
//! developer guide of the AWS SDK for Rust ("Configuring the HTTP client").

use std::{error::Error, io, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, retry::ErrorKind};
use https::Client;
use hyper_util::client::legacy::{
    self,
    connect::{CaptureConnection, capture_connection},
};

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client<SdkBody>,
}

impl Http {
    /// A connection is made within `limit`; how long a call may take is for the SDK to watch.
    ///
    /// # Errors
    /// When the machine has no root certificates.
    pub(crate) fn new(limit: Duration) -> io::Result<Http> {
        Ok(Http { client: https::client(limit)? })
    }

    async fn send(client: Client<SdkBody>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let connection = capture_connection(&mut request);
        if let Some(asked) = request.extensions().get::<CaptureSmithyConnection>() {
            asked.set_connection_retriever(move || metadata(&connection));
        }
        let response = client.request(request).await.map_err(classify)?;
        let response = response.map(SdkBody::from_body_1_x);
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(Http::send(self.client.clone(), request))
    }
}

/// What the SDK wants to know of a call's connection: how to have it closed, after an answer that bodes ill for it.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let proxied = connection.connection_metadata().as_ref()?.is_proxied();
    let connection = connection.clone();
    let close = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(proxied).poison_fn(close).build())
}

/// Whatever happens on the way may pass: the SDK tries again. What a caller did wrong does not.
fn classify(error: legacy::Error) -> ConnectorError {
    let of_hyper = find::<hyper::Error>(&error);
    if of_hyper.is_some_and(hyper::Error::is_user) {
        return ConnectorError::user(error.into());
    }
    if find::<io::Error>(&error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
        return ConnectorError::timeout(error.into());
    }
    let broke_off = of_hyper.is_some_and(|error| error.is_closed() || error.is_canceled());
    if error.is_connect() || broke_off || find::<io::Error>(&error).is_some() {
        return ConnectorError::io(error.into());
    }
    let cut_short = of_hyper.is_some_and(hyper::Error::is_incomplete_message);
    ConnectorError::other(error.into(), cut_short.then_some(ErrorKind::TransientError))
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// What a call comes to at a server that does `then` with its one connection.
    async fn check(then: impl FnOnce(&mut TcpStream) + Send + 'static) -> Result<HttpResponse, ConnectorError> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).expect("a request");
            then(&mut stream);
        });
        let answer = call(&url).await;
        server.join().expect("served");
        answer
    }

    async fn call(url: &str) -> Result<HttpResponse, ConnectorError> {
        let request = http::Request::post(url).body(SdkBody::from("{}")).expect("a request");
        Http::new(Duration::from_secs(1)).expect("root certificates").call(request.try_into().expect("a request")).await
    }

    #[tokio::test]
    async fn an_answer_comes_through_with_its_status_and_body() {
        let answer = check(|stream| stream.write_all(b"HTTP/1.1 418 T\r\ncontent-length: 2\r\n\r\nhi").expect("written")).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status().as_u16(), 418);
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.expect("a body").to_bytes();
        assert_eq!(&body[..], b"hi");
    }

    #[tokio::test]
    async fn a_connection_that_breaks_off_or_cannot_be_made_is_tried_again_by_the_sdk() {
        let cut = check(|_| {}).await.expect_err("no answer");
        assert!(cut.is_io() || cut.as_other() == Some(ErrorKind::TransientError), "{cut:?}");
        let half = check(|stream| stream.write_all(b"HTTP/1.1 200 O").expect("written")).await.expect_err("half an answer");
        assert!(half.is_io() || half.as_other() == Some(ErrorKind::TransientError), "{half:?}");

        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let refused = call(&format!("http://{free}")).await.expect_err("nobody listens");
        assert!(refused.is_io(), "{refused:?}");
    }

    #[tokio::test]
    async fn what_is_no_http_is_not_taken_for_a_passing_failure() {
        let strange = check(|stream| stream.write_all(b"SSH-2.0-x\r\n\r\n").expect("written")).await.expect_err("no HTTP");
        assert!(!strange.is_io() && !strange.is_timeout() && strange.as_other().is_none(), "{strange:?}");
    }
}
