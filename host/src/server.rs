//! The two listeners: their routes as a table of contents, their layers, and the loop that serves and drains them.
//!
//! `run` takes sockets and a stop signal, so that `serve` brings Ctrl-C and a test brings port 0. axum's own `serve` installs no
//! timer, which leaves hyper's header timeout without effect; this loop builds the connection with one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;
use tracing::Instrument as _;

use crate::admin;
use crate::app::App;
use crate::call::{Peer, RequestId};
use crate::console;
use crate::error::ApiError;
use crate::webhook;

const REQUEST_ID: HeaderName = HeaderName::from_static("signalbox-request-id");

/// How long connections may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For a request's headers.
    pub header_timeout: Duration,
    /// For a caller to take more of an answer, when it has stopped taking.
    pub answer_timeout: Duration,
    /// For the requests under way when the host stops.
    pub drain: Duration,
    /// Connections at once, per listener.
    pub connections: usize,
}

/// What desks call.
pub fn public(app: Arc<App>) -> Router {
    Router::new()
        .route("/hooks/{source}", hooks())
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .fallback(|| async { ApiError::NoRoute })
        .layer(middleware::from_fn(around))
        .with_state(app)
}

/// Calls, and the questions that desks ask before they call.
fn hooks() -> MethodRouter<Arc<App>> {
    post(webhook::receive).get(webhook::challenge).options(webhook::validate).fallback(|| async { ApiError::Method("POST".to_owned()) })
}

/// What admins call: every `/v1` route and the metrics need a token; the description of them and the console's own files do not.
pub fn admin(app: Arc<App>) -> Router {
    Router::new()
        .nest("/v1", admin::router(&app))
        .route("/metrics", admin::metrics::route(&app))
        .route("/openapi.json", get(admin::openapi::serve).fallback(|| async { ApiError::Method("GET".to_owned()) }))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/", get(console::page).fallback(|| async { ApiError::Method("GET".to_owned()) }))
        .route("/console/{version}/{*file}", get(console::file).fallback(|| async { ApiError::Method("GET".to_owned()) }))
        .fallback(|| async { ApiError::NoRoute })
        // Not on the public listener: what desks get is small, and never depends on what they accept. Event streams stay as they are.
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(around))
        .with_state(app)
}

/// Alive: the process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Ready: the journal takes events, and nobody is shutting the house down.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.unready().await {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// A request id, a span, and the headers every answer has.
async fn around(mut request: Request<Body>, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Only the files of the console are the same for everybody, and say how long they are good for.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Bytes of answers that the kernel holds for one caller who does not read (it doubles them). With its own choice, up to some MiB, a
/// caller would also have to read a third of those before the next piece is seen to go, and would seem to have stopped.
const UNREAD: usize = 64 << 10;

/// Serves one listener until `stop` ends, then lets the requests under way finish.
pub async fn run(listener: TcpListener, router: Router, bounds: Bounds, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let connections = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.header_timeout);
    let mut stop = std::pin::pin!(stop);
    loop {
        // A place first: when all are taken, the next caller waits in the kernel's queue instead of in our memory.
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to come back instead of spinning.
                tracing::warn!(reason = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, UNREAD);
        let router = router.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let router = router.clone();
            async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
        });
        // A caller that does not read what it asked for frees its place too.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(bounds.answer_timeout));
        let connection = connections.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // A caller that breaks off is no event of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(bounds.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(drain_ms = bounds.drain.as_millis() as u64, "some requests were still under way at the end of the drain time");
    }
}
