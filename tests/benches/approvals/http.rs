//! A minimal HTTP/1.1 client: one keep-alive connection, one request at a time.
//!
//! Written by hand because the load shares its processors with the service: a request costs one
//! `write` and usually one `read`, on a blocking socket of a thread of its own.

use std::{
    io::{Error, ErrorKind, Read, Result, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The longest that an answer may take: a held wait is answered after 25 s at the latest.
const TIMEOUT: Duration = Duration::from_secs(40);

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A complete answer.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a str,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream, buffer: Vec::with_capacity(8 * 1024) })
    }

    /// Writes a request in one piece.
    pub fn send(&mut self, request: &str) -> Result<()> {
        self.stream.write_all(request.as_bytes())
    }

    /// Reads the answer to the request before, to its last byte.
    pub fn receive(&mut self) -> Result<Answer<'_>> {
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break Head::parse(text(&self.buffer[..end])?, end + 4)?;
            }
            self.read_more()?;
        };
        let end = head.length + head.body;
        while self.buffer.len() < end {
            self.read_more()?;
        }
        if self.buffer.len() > end {
            return Err(broken("more came than the answer says"));
        }
        Ok(Answer { status: head.status, body: text(&self.buffer[head.length..])? })
    }

    /// Both.
    pub fn call(&mut self, request: &str) -> Result<Answer<'_>> {
        self.send(request)?;
        self.receive()
    }

    fn read_more(&mut self) -> Result<()> {
        let mut chunk = [0; 8 * 1024];
        let count = self.stream.read(&mut chunk)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

struct Head {
    status: u16,
    /// Bytes of the head with the empty line after it.
    length: usize,
    /// Bytes of the body.
    body: usize,
}

impl Head {
    fn parse(head: &str, length: usize) -> Result<Head> {
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| broken("no HTTP/1.1 status line"))?;
        // RFC 9110, 15.4.5: a 304 has no body, whatever its head says.
        let body = if status == 304 { Some(0) } else { content_length(lines) };
        let body = body.ok_or_else(|| broken("an answer without Content-Length"))?;
        Ok(Head { status, length, body })
    }
}

/// The `Content-Length` among header lines.
pub fn content_length<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let (_, value) =
        lines.find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))?;
    value.trim().parse().ok()
}

/// Where `needle` begins.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// An error of the protocol.
pub fn broken(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, why.into())
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}
