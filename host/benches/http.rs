//! What a request costs: the whole server against an empty handler, the same rules native, reused and fresh, and the product as it ships.
//!
//! `cargo bench -p signalbox --bench http` starts one server process for each variant, on loopback, and calls them in turn, round after
//! round. CPU time is the server process's own, from the kernel; medians are compared. Then a fixed rate well below saturation, where
//! each call is timed from the moment it was due (no coordinated omission). Bounded, and every server ends with the benchmark.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod workload;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::json;
use signalbox::chain::{Chain, Step};
use signalbox::config::{Isolation, Limits};
use signalbox::event::Event;
use signalbox::plugin::{Backing, Sandbox};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use workload::{EVENTS, NOW, Native, events, median, settle};

/// Rounds of every variant; the tables show medians.
const ROUNDS: usize = 9;
/// Requests per round.
const BATCH: usize = 2_000;
/// Connections at once, per table.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Calls per second of the fixed rate, and how many.
const RATE: (u32, usize) = (500, 5_000);

/// The servers, in the order of the tables: an argument of this program, or the product itself.
const VARIANTS: [(&str, &str); 6] = [
    ("empty", "an empty axum handler that reads the body"),
    ("parse", "event read, chain of no steps, decision written"),
    ("native", "the same, and the three rules linked in"),
    ("reuse", "chain of three, reused instances"),
    ("fresh", "chain of three, fresh instances from snapshots"),
    ("product", "`signalbox serve`: verified, claimed, decided, durable before the answer"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--serve") {
        return serve(&arguments[at + 1]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let scratch = tempfile::tempdir().expect("a directory");
    let servers: Vec<Server> = VARIANTS.iter().map(|(variant, _)| Server::start(variant, scratch.path())).collect();
    let loads: Vec<Arc<Load>> = servers.iter().map(Load::of).collect();

    println!("{} rounds of {BATCH} requests, variants in turn; CPU time of the server process\n", ROUNDS);
    let mut table = serde_json::Map::new();
    for connections in CONNECTIONS {
        let mut samples = vec![Vec::new(); servers.len()];
        for round in 0..=ROUNDS {
            for ((server, load), samples) in servers.iter().zip(&loads).zip(&mut samples) {
                let before = server.cpu();
                runtime.block_on(closed(load, connections, BATCH));
                // The first round warms caches and pools.
                if round > 0 {
                    samples.push((server.cpu() - before).as_secs_f64() * 1e6 / BATCH as f64);
                }
            }
        }
        let medians: Vec<f64> = samples.into_iter().map(median).collect();
        println!("| {connections} connections | us of CPU per request | x empty | x native |\n|---|---|---|---|");
        for ((_, name), us) in VARIANTS.iter().zip(&medians) {
            println!("| {name} | {us:.0} | {:.2} | {:.2} |", us / medians[0], us / medians[2]);
        }
        println!("\nfresh / reused {:.2}; product / fresh {:.2}\n", medians[4] / medians[3], medians[5] / medians[4]);
        table.insert(connections.to_string(), json!(VARIANTS.iter().zip(&medians).map(|((name, _), us)| (*name, *us)).collect::<Vec<_>>()));
    }

    println!("| {} requests a second, from when each was due | p50 ms | p99 ms | p99.9 ms |\n|---|---|---|---|", RATE.0);
    for ((variant, name), load) in VARIANTS.iter().zip(&loads).filter(|((variant, _), _)| !matches!(*variant, "parse" | "native")) {
        let mut waits = runtime.block_on(paced(load));
        waits.sort();
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!("| {name} | {:.2} | {:.2} | {:.2} |", at(0.5), at(0.99), at(0.999));
        table.insert(format!("{variant} at {} a second, ms", RATE.0), json!([at(0.5), at(0.99), at(0.999)]));
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http.json");
    std::fs::write(&file, serde_json::to_string_pretty(&table).unwrap_or_default()).expect("the figures are kept");
    println!("\nalso in target/tmp/http.json");
}

/// A server process; it ends with this value.
struct Server {
    child: Child,
    address: SocketAddr,
    product: bool,
}

impl Server {
    fn start(variant: &str, scratch: &Path) -> Self {
        let product = variant == "product";
        let mut command = if product {
            let config = scratch.join("signalbox.toml");
            let text = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndata = \"data\"\n[sources.demo]\npreset = \"demo\"\nmax_per_second = 1000000\n";
            std::fs::write(&config, text).expect("a config");
            let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
            command.args(["serve", "--config"]).arg(config);
            command
        } else {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["--serve", variant]);
            command
        };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| listening(&line)).expect("it says where it listens");
        Self { child, address, product }
    }

    fn path(&self) -> &'static str {
        if self.product { "/hooks/demo" } else { "/" }
    }

    /// CPU time that the process has had so far, all threads.
    fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the server runs");
        let spent = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok());
        Duration::from_nanos(spent.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line such as "listening on 127.0.0.1:8640", or in the product's welcome.
fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// What a variant's server does with a body.
enum Work {
    Empty,
    Chain { chain: Chain, native: Option<Box<Native>> },
}

fn serve(variant: &str) {
    let events = events();
    let (limits, none) = (Limits::default(), || Chain::new("bench".to_owned(), String::new(), Vec::new()));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-artefacts");
    let sandbox = Sandbox::start(&limits, Path::new(env!("CARGO_BIN_EXE_signalbox")).to_owned(), cache).expect("the sandbox starts");
    let bundled =
        |isolation| signalbox_bundle::PLUGINS.map(|bundled| sandbox.load(bundled.wasm, None, &limits, isolation).expect("it loads"));
    let three = |isolation| Chain::new("bench".to_owned(), String::new(), Vec::from(bundled(isolation).map(Step::plain)));
    let work = Arc::new(match variant {
        "empty" => Work::Empty,
        "parse" => Work::Chain { chain: none(), native: None },
        "native" => {
            let fresh = bundled(Isolation::Fresh);
            let settled: Vec<_> = events.iter().map(|event| settle(&fresh, event)).collect();
            Work::Chain { chain: none(), native: Some(Box::new(Native::new(&events, &settled))) }
        }
        "reuse" => Work::Chain { chain: three(Isolation::Reuse), native: None },
        _ => Work::Chain { chain: three(Isolation::Fresh), native: None },
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("listening on http://{}", listener.local_addr().expect("an address"));
        let _ = std::io::stdout().flush();
        let app = Router::new().route("/", post(answer)).with_state(work);
        axum::serve(listener, app).await.expect("the server serves");
    });
}

async fn answer(State(work): State<Arc<Work>>, body: Bytes) -> Vec<u8> {
    match &*work {
        Work::Empty => format!("{{\"bytes\":{}}}", body.len()).into_bytes(),
        Work::Chain { chain, native } => {
            let event = Event::from_json(&body).expect("a canonical event").event;
            if let Some(native) = native {
                // The event that this body was made of: its id ends with its place.
                let at = event.id.split(':').nth(1).and_then(|at| at.parse::<usize>().ok());
                native.run(at.unwrap_or_default() % EVENTS);
            }
            serde_json::to_vec(&chain.run(&Arc::new(event), NOW, &Backing::none()).decision).unwrap_or_default()
        }
    }
}

/// What every caller has at hand.
struct Load {
    address: SocketAddr,
    path: &'static str,
    templates: Vec<String>,
    /// How many bodies were ever made: no two are alike, so that nobody takes one for a copy of another.
    made: AtomicUsize,
}

impl Load {
    fn of(server: &Server) -> Arc<Self> {
        let templates = events().iter().map(|event| serde_json::to_string(&**event).unwrap_or_default()).collect();
        Arc::new(Self { address: server.address, path: server.path(), templates, made: AtomicUsize::new(0) })
    }

    fn body(&self) -> Bytes {
        let nth = self.made.fetch_add(1, Ordering::Relaxed);
        let at = nth % EVENTS;
        let named = self.templates[at].replacen(&format!("mastodon:{at}"), &format!("mastodon:{at}:{nth}"), 1);
        Bytes::from(named.replacen("\"text\":\"", &format!("\"text\":\"{nth} "), 1))
    }
}

/// So many requests over so many connections, each sending its next as soon as it has its answer.
async fn closed(load: &Arc<Load>, connections: usize, requests: usize) {
    let left = Arc::new(AtomicUsize::new(requests));
    let mut callers = JoinSet::new();
    for _ in 0..connections {
        let (load, left) = (load.clone(), left.clone());
        callers.spawn(async move {
            let mut connection = open(load.address).await;
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                send(&mut connection, load.path, load.body()).await;
            }
        });
    }
    callers.join_all().await;
}

/// A fixed rate over sixteen connections; how long after it was due each was answered.
async fn paced(load: &Arc<Load>) -> Vec<Duration> {
    let (start, next, every) = (Instant::now(), Arc::new(AtomicUsize::new(0)), Duration::from_secs(1) / RATE.0);
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (load, next) = (load.clone(), next.clone());
        callers.spawn(async move {
            let (mut connection, mut waits) = (open(load.address).await, Vec::new());
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= RATE.1 {
                    return waits;
                }
                let due = start + every * nth as u32;
                tokio::time::sleep_until(due.into()).await;
                send(&mut connection, load.path, load.body()).await;
                waits.push(due.elapsed());
            }
        });
    }
    callers.join_all().await.concat()
}

async fn open(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

async fn send(connection: &mut SendRequest<Full<Bytes>>, path: &str, body: Bytes) {
    connection.ready().await.expect("the connection is open");
    let request = http::Request::post(path).header("host", "bench").header("content-type", "application/json").body(Full::new(body));
    let answer = connection.send_request(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 200, "every request is answered");
    answer.into_body().collect().await.expect("the whole answer");
}
