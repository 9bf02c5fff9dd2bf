//! One bad call as data: a line of `webhook-bad.*.jsonl`, the bytes it describes, and its signature, right or wrong in a named way.
//!
//! Used by `refusals`. It knows how to build and to send; what must follow is said there.

use std::io::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::Hmac;
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha512;

use crate::harness::{DESK_KEY, TestHost, now};
use crate::wire::{Answer, Connection, Request, standard_mac};

/// A third of the project's bad and edge calls; the others are kept aside.
const SAMPLE: &str = include_str!("../fixtures/webhook-bad.sample.jsonl");
/// Lines of our own, in the same form: the kinds that the sample leaves out.
const MORE: &str = include_str!("../fixtures/webhook-bad.more.jsonl");
/// Body cap of a host unless told otherwise, bytes.
const CAP: usize = 1 << 20;

/// Every line of both files.
pub fn lines() -> impl Iterator<Item = Line> {
    SAMPLE.lines().chain(MORE.lines()).map(Line::read)
}

/// One line of a file.
pub struct Line {
    pub name: String,
    pub group: String,
    /// Accepted answers: codes, `2xx`, or `close`.
    pub expect: Vec<String>,
    pub repeat: usize,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Line {
    fn read(text: &str) -> Self {
        let line: Value = serde_json::from_str(text).unwrap();
        let word = |key: &str, default: &str| line[key].as_str().unwrap_or(default).to_owned();
        let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
        Self {
            name: word("id", ""),
            group: word("group", ""),
            method: word("method", "POST"),
            path: word("path", "/hooks/desk"),
            headers: line["headers"].as_array().unwrap().iter().map(pair).collect(),
            body: line["body"].clone(),
            expect: line["expect"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
            repeat: line["repeat"].as_u64().map_or(1, |repeat| usize::try_from(repeat).unwrap()),
        }
    }

    /// A message of its own for every line, by its id and its author, but for those that are about repeats.
    pub fn event_id(&self) -> String {
        if self.group == "replay" { "evt-1".to_owned() } else { format!("evt-{}", self.name) }
    }

    fn own(&self, bytes: &[u8]) -> Vec<u8> {
        let bytes = replace(bytes, b"evt-1", self.event_id().as_bytes());
        if self.group == "replay" { bytes } else { replace(&bytes, b"\"a1\"", format!("\"a-{}\"", self.name).as_bytes()) }
    }

    pub fn form(&self) -> &str {
        self.body["build"].as_str().unwrap_or("plain")
    }

    pub fn text(&self) -> &str {
        self.body["text"].as_str().unwrap()
    }

    /// The body's bytes, before any framing.
    fn bytes(&self, spec: &Value) -> Vec<u8> {
        let text = |key: &str| spec[key].as_str().unwrap_or_default();
        let number = |key: &str| usize::try_from(spec[key].as_u64().unwrap_or_default()).unwrap();
        match spec["build"].as_str() {
            None if spec["hex"].is_string() => self.own(&hex::decode(text("hex")).unwrap()),
            None => self.own(text("text").as_bytes()),
            Some("nest") => [text("open").repeat(number("n")), text("close").repeat(number("n"))].concat().into_bytes(),
            Some("pad") => {
                [self.own(text("prefix").as_bytes()), text("unit").repeat(number("n")).into_bytes(), self.own(text("suffix").as_bytes())]
                    .concat()
            }
            Some("pad-to") => {
                let mut bytes = self.bytes(&spec["of"]);
                let wanted = match text("bytes") {
                    "cap" => CAP,
                    "cap+1" => CAP + 1,
                    _ => number("bytes"),
                };
                bytes.resize(wanted, b' ');
                bytes
            }
            Some("keys") => {
                let keys: Vec<String> = (0..number("n")).map(|n| format!("\"k{n}\":{n}")).collect();
                format!("{{{}}}", keys.join(",")).into_bytes()
            }
            Some("gzip") => {
                let mut bytes = gzip(&self.bytes(&spec["of"]));
                bytes.truncate(bytes.len() - number("cut"));
                bytes
            }
            Some("gzip-bomb") => gzip(&vec![0; number("mb") << 20]),
            Some("chunked") => self.bytes(&spec["of"]),
            Some("slow" | "chunked-endless") => br#"{"id": "slow", "text": "and steady"}"#.to_vec(),
            Some(other) => panic!("{}: no such build: {other}", self.name),
        }
    }

    /// Sends one copy; the answer, or none when the connection was closed without one, and how long that took.
    pub fn send(&self, host: &TestHost, copy: usize) -> (Option<Answer>, Duration) {
        let mut connection = Connection::open(host.public).unwrap();
        let start = Instant::now();
        if self.form() == "raw-http" {
            let raw = self.text().replace("{path}", &self.path);
            // The host may close before it has read everything.
            let _ = connection.write(raw.as_bytes());
            let answer = connection.read().unwrap();
            let took = start.elapsed();
            // A tail that is no second request must not get a second answer.
            let tail = Duration::from_millis(200);
            assert!(!connection.stirs(tail) || connection.read().unwrap_or(None).is_none(), "{}: the tail was answered", self.name);
            return (answer, took);
        }
        let body = self.bytes(&self.body);
        // The same bytes again, but for the line whose point is another delivery of the same event.
        let id = if self.name == "replay-same" { "replayed".to_owned() } else { format!("{}-{copy}", self.name) };
        // A capture that is sent again after its window was signed in the past.
        let signer = Signer { id, timestamp: now() - if self.name == "replay-after-window" { 3_600 } else { 0 }, body: &body };
        let request = self
            .headers
            .iter()
            .fold(Request::new(&self.method, &self.path), |request, (name, value)| request.header(name, &signer.fill(value)));
        let request = request.body(body.clone());
        let answer = match self.form() {
            "slow" => self.slowly(&mut connection, &request),
            "chunked-endless" => endlessly(&mut connection, &request.chunked(1)),
            "chunked" => connection.call(&request.chunked(usize::try_from(self.body["chunk"].as_u64().unwrap()).unwrap())).unwrap(),
            _ => connection.call(&request).unwrap(),
        };
        (answer, start.elapsed())
    }

    /// A byte at a time, until the host has had enough of it.
    fn slowly(&self, connection: &mut Connection, request: &Request) -> Option<Answer> {
        let pause = Duration::from_millis(self.body["byte_ms"].as_u64().unwrap());
        let bytes = request.bytes();
        let at_once = if self.body["part"] == "body" { request.head().len() } else { 0 };
        connection.write(&bytes[..at_once]).unwrap();
        for byte in &bytes[at_once..] {
            if connection.stirs(pause) || connection.write(&[*byte]).is_err() {
                break;
            }
        }
        connection.read().unwrap_or(None)
    }
}

/// Chunks without end, as fast as they are read.
fn endlessly(connection: &mut Connection, request: &Request) -> Option<Answer> {
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x1_0000], b"\r\n"].concat();
    connection.write(&request.head()).unwrap();
    // Sixteen chunks are the cap: a host that reads four thousand of them has none.
    for _ in 0..4_096 {
        if connection.write(&chunk).is_err() || connection.stirs(Duration::from_millis(1)) {
            break;
        }
    }
    connection.read().unwrap_or(None)
}

/// What stands in for the placeholders of header values.
struct Signer<'a> {
    id: String,
    timestamp: u64,
    body: &'a [u8],
}

impl Signer<'_> {
    fn fill(&self, value: &str) -> String {
        let shifted = |seconds: u64| seconds.to_string();
        let filled = value
            .replace("{id}", &self.id)
            .replace("{ts}", &shifted(self.timestamp))
            .replace("{ts-400}", &shifted(self.timestamp - 400))
            .replace("{ts+400}", &shifted(self.timestamp + 400))
            .replace("{ts*1000}", &shifted(self.timestamp * 1_000))
            .replace("{sig}", &format!("v1,{}", self.base64()));
        let Some((before, rest)) = filled.split_once("{sig:") else { return filled };
        let (kind, after) = rest.split_once('}').unwrap();
        format!("{before}{}{after}", self.kind(kind))
    }

    fn mac(&self) -> Vec<u8> {
        standard_mac(DESK_KEY, &self.id, &self.timestamp.to_string(), self.body)
    }

    fn base64(&self) -> String {
        STANDARD.encode(self.mac())
    }

    /// A signature that is wrong in a named way, and the two parts of a right one.
    fn kind(&self, kind: &str) -> String {
        let timestamp = self.timestamp.to_string();
        let v1 = |mac: Vec<u8>| format!("v1,{}", STANDARD.encode(mac));
        let all = [format!("{}.{timestamp}.", self.id).as_bytes(), self.body].concat();
        match kind {
            "raw" => self.base64(),
            "hexraw" => hex::encode(self.mac()),
            "other-body" => v1(standard_mac(DESK_KEY, &self.id, &timestamp, b"{\"id\":\"another\",\"text\":\"body\"}")),
            "other-secret" => v1(standard_mac(b"another secret, of the same size", &self.id, &timestamp, self.body)),
            "other-ts" => v1(standard_mac(DESK_KEY, &self.id, &(self.timestamp + 1).to_string(), self.body)),
            "other-id" => v1(standard_mac(DESK_KEY, "another", &timestamp, self.body)),
            "body-only" => v1(mac::<Hmac<sha2::Sha256>>(DESK_KEY, self.body)),
            "empty-secret" => v1(standard_mac(b"", &self.id, &timestamp, self.body)),
            "old-secret" => v1(standard_mac(b"the secret of last year, retired", &self.id, &timestamp, self.body)),
            "sha1" => v1(mac::<Hmac<Sha1>>(DESK_KEY, &all)),
            "sha512" => v1(mac::<Hmac<Sha512>>(DESK_KEY, &all)),
            "hex" => format!("v1,{}", hex::encode(self.mac())),
            "HEX" => format!("v1,{}", hex::encode_upper(self.mac())),
            "urlsafe" => format!("v1,{}", URL_SAFE.encode(self.mac())),
            "nopad" => format!("v1,{}", STANDARD_NO_PAD.encode(self.mac())),
            "truncated" => v1(self.mac()[..16].to_vec()),
            "bitflip" => v1(self.mac().iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 31)).collect()),
            "reserialised" => {
                let body = serde_json::from_slice::<Value>(self.body).unwrap().to_string();
                v1(standard_mac(DESK_KEY, &self.id, &timestamp, body.as_bytes()))
            }
            prefix => {
                let right: usize = prefix.trim_start_matches("prefix").trim_start_matches([':', '-']).parse().unwrap();
                v1(self.mac().iter().enumerate().map(|(at, byte)| if at < right { *byte } else { !byte }).collect())
            }
        }
    }
}

fn mac<M: hmac::Mac + hmac::digest::KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <M as hmac::Mac>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}
