//! A small desk: a real listener on this machine that takes calls, remembers them, and is as slow, broken or gone as a test wants it.
//!
//! It honours an idempotency key (`webhook-id` or `idempotency-key`) and can be read back: `POST /tickets/T/articles` adds an article,
//! `GET` lists them. An *effect* is a call that changed something; the claim of most tests is that there is one per delivery. It runs on a
//! thread of its own, so that a test may block. Used by the black-box suite and by the worker's own tests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{LOCATION, RETRY_AFTER};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How the desk takes one call.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Does it and says so.
    Well,
    /// Does it, and takes its time to say so.
    Slow(Duration),
    /// Does it, and closes the connection without a word.
    Mute,
    /// Does not do it, and says this.
    Says(u16, &'static str),
    /// Does not do it, and asks to be left alone for so long.
    Busy(u16, String),
    /// Does not do it, and points elsewhere.
    Elsewhere(String),
}

/// One call, as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub at: Instant,
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

type Script = Arc<dyn Fn(&Call) -> Mood + Send + Sync>;
type After = Arc<dyn Fn(&Call) + Send + Sync>;

#[derive(Default)]
struct Ledger {
    calls: Vec<Call>,
    effects: Vec<Call>,
    keys: BTreeSet<String>,
    articles: BTreeMap<String, Vec<Value>>,
    script: Option<Script>,
    after: Option<After>,
}

enum Order {
    Open(oneshot::Sender<()>),
    Shut(oneshot::Sender<()>),
}

/// The desk. It closes when it is dropped.
pub struct Desk {
    pub address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Desk {
    /// Opens at a port of its own.
    pub fn open() -> Self {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let (orders, taken) = mpsc::unbounded_channel();
        let (bound, address) = std::sync::mpsc::channel();
        let book = Arc::clone(&ledger);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(keep(book, taken, bound));
        });
        Self { address: address.recv().unwrap(), ledger, orders }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How it takes calls from now on.
    pub fn behave(&self, script: impl Fn(&Call) -> Mood + Send + Sync + 'static) {
        self.book().script = Some(Arc::new(script));
    }

    /// What it does after each effect, as a desk whose own rules fire.
    pub fn after(&self, after: impl Fn(&Call) + Send + Sync + 'static) {
        self.book().after = Some(Arc::new(after));
    }

    /// Closes the listener and cuts every connection: the next call finds nobody.
    pub fn shut(&self) {
        self.order(Order::Shut);
    }

    /// Listens again, at the same port.
    pub fn reopen(&self) {
        self.order(Order::Open);
    }

    /// Every call that came, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.book().calls.clone()
    }

    /// Those that changed something.
    pub fn effects(&self) -> Vec<Call> {
        self.book().effects.clone()
    }

    fn order(&self, order: impl FnOnce(oneshot::Sender<()>) -> Order) {
        let (done, wait) = oneshot::channel();
        let _ = self.orders.send(order(done));
        // On a thread without a runtime as well as inside one.
        std::thread::scope(|scope| scope.spawn(|| wait.blocking_recv().unwrap()).join().unwrap());
    }

    fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(ledger: Arc<Mutex<Ledger>>, mut orders: mpsc::UnboundedReceiver<Order>, bound: std::sync::mpsc::Sender<SocketAddr>) {
    let mut listener = Some(listen(([127, 0, 0, 1], 0).into()));
    let address = listener.as_ref().unwrap().local_addr().unwrap();
    bound.send(address).unwrap();
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Shut(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    done.send(()).unwrap();
                }
                Some(Order::Open(done)) => {
                    listener.get_or_insert_with(|| listen(address));
                    done.send(()).unwrap();
                }
            },
            Ok((stream, _)) = accept => {
                let ledger = Arc::clone(&ledger);
                let service = service_fn(move |request| take(Arc::clone(&ledger), request));
                connections.spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(1_024).unwrap()
}

/// An error closes the connection without an answer.
async fn take(ledger: Arc<Mutex<Ledger>>, request: Request<hyper::body::Incoming>) -> Result<Response, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes().to_vec();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let call = Call { at: Instant::now(), method: parts.method.to_string(), path: parts.uri.to_string(), headers, body };
    let (mood, answer, effect, after) = {
        let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        book.calls.push(call.clone());
        let mood = book.script.clone().map_or(Mood::Well, |script| script(&call));
        let before = book.effects.len();
        let answer = if matches!(mood, Mood::Well | Mood::Slow(_) | Mood::Mute) { book.act(&call) } else { Value::Null };
        (mood, answer, book.effects.len() > before, book.after.clone())
    };
    if let Some(after) = after.filter(|_| effect) {
        tokio::task::spawn_blocking(move || after(&call));
    }
    match mood {
        Mood::Well => {}
        Mood::Slow(wait) => tokio::time::sleep(wait).await,
        Mood::Mute => return Err(std::io::Error::other("not a word")),
        Mood::Says(status, words) => return Ok((StatusCode::from_u16(status).unwrap(), words).into_response()),
        Mood::Busy(status, wait) => return Ok((StatusCode::from_u16(status).unwrap(), [(RETRY_AFTER, wait)]).into_response()),
        Mood::Elsewhere(url) => return Ok((StatusCode::FOUND, [(LOCATION, url)]).into_response()),
    }
    Ok(Response::new(Body::from(answer.to_string())))
}

impl Ledger {
    fn act(&mut self, call: &Call) -> Value {
        let articles = call.path.strip_prefix("/tickets/").and_then(|rest| rest.strip_suffix("/articles")).map(str::to_owned);
        match (call.method.as_str(), articles) {
            ("GET", Some(ticket)) => json!(self.articles.get(&ticket)),
            // Any other page shows all that was ever written to the record that its path ends with, as a ticket's history does.
            ("GET", None) => {
                let record = |path: &str| path.rsplit('/').next().map(str::to_owned);
                let told = self.effects.iter().filter(|effect| record(&effect.path) == record(&call.path));
                told.map(|call| String::from_utf8_lossy(&call.body).into_owned()).collect()
            }
            (_, Some(ticket)) => {
                self.articles.entry(ticket).or_default().push(call.json());
                self.effects.push(call.clone());
                json!({ "article": "made" })
            }
            (_, None) => {
                let key = call.header("webhook-id").or(call.header("idempotency-key"));
                let new = key.is_none_or(|key| self.keys.insert(key.to_owned()));
                if new {
                    self.effects.push(call.clone());
                }
                json!({ "new": new })
            }
        }
    }
}
