//! A small blocking HTTP/1.1 client that sends exactly the bytes it is told to, and the signatures of two desks.
//!
//! A library would mend what the tests want broken: doubled headers, chunks of seven bytes, bodies that never end. Used by the
//! harness and by tests about framing. It only ever connects to this machine.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

/// Longest wait for an answer: far above every budget of a host, so that a hang is a failure and not a hung suite.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The one value of a header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} came twice: {self:?}");
        value
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text()))
    }

    /// The decision of a `200`.
    pub fn decision(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// Says that this is an error answer as every one of them is: problem+json that agrees with its status, and a request id.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{status}: {}", self.text());
        let request = self.header("signalbox-request-id").unwrap_or_default();
        assert!(request.len() == 32 && request.bytes().all(|b| b.is_ascii_hexdigit()), "{request}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("urn:signalbox:problem:"), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        problem
    }
}

/// What to send.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: Option<usize>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new(), chunk: None }
    }

    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new("POST", path) }
    }

    /// One header more; a name may be given again.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self) -> Self {
        self.header("content-type", "application/json")
    }

    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Sends the body in chunks of so many bytes, instead of announcing its length.
    pub fn chunked(mut self, chunk: usize) -> Self {
        self.chunk = Some(chunk);
        self
    }

    /// The request line and the headers, with the length of the body.
    pub fn head(&self) -> Vec<u8> {
        let framing = match self.chunk {
            Some(_) => "transfer-encoding: chunked".to_owned(),
            None => format!("content-length: {}", self.body.len()),
        };
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{} {} HTTP/1.1\r\nhost: signalbox.test\r\n{headers}{framing}\r\n\r\n", self.method, self.path).into_bytes()
    }

    /// Everything that goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        match self.chunk {
            None => bytes.extend_from_slice(&self.body),
            Some(size) => {
                for chunk in self.body.chunks(size) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }
}

/// One connection, kept open from answer to answer.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        assert!(address.ip().is_loopback(), "tests stay on this machine");
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Whether anything has come within `wait`: an answer, or the end of the connection.
    pub fn stirs(&mut self, wait: Duration) -> bool {
        self.0.get_mut().set_read_timeout(Some(wait)).unwrap();
        let quiet = self.0.fill_buf().is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        self.0.get_mut().set_read_timeout(Some(PATIENCE)).unwrap();
        !quiet
    }

    /// The next answer; none when the connection closed without one.
    pub fn read(&mut self) -> std::io::Result<Option<Answer>> {
        let line = match self.line() {
            Ok(line) => line,
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => return Ok(None),
            Err(error) => return Err(error),
        };
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status line: {line}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body)?;
        Ok(Some(Answer { status, headers, body }))
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Lines of an answer that does not end, up to the one that begins so.
    pub fn lines_to(&mut self, begin: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.starts_with(begin)) {
            lines.push(self.line().unwrap());
        }
        lines
    }

    /// Sends a request and waits for its answer. A host may answer and close before it has read the whole body: what it then
    /// says counts, not that the rest of the body found no reader.
    pub fn call(&mut self, request: &Request) -> std::io::Result<Option<Answer>> {
        let sent = self.write(&request.bytes());
        match self.read()? {
            None => sent.map(|()| None),
            answer => Ok(answer),
        }
    }
}

/// One request on a connection of its own.
pub fn call(address: SocketAddr, request: &Request) -> Answer {
    let answer = Connection::open(address).and_then(|mut connection| connection.call(request));
    answer
        .unwrap_or_else(|error| panic!("{}: {error}", request.path))
        .unwrap_or_else(|| panic!("{}: closed without an answer", request.path))
}

/// HMAC-SHA256 over `id.timestamp.body`: what Standard Webhooks signs.
pub fn standard_mac(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// The value of `webhook-signature`.
pub fn standard_signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(standard_mac(key, id, timestamp, body)))
}

/// The value of Zammad's `X-Hub-Signature`.
pub fn hub_signature(key: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(body);
    format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
}
