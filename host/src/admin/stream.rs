//! `GET /v1/decisions/stream`: decided events as they happen, as server-sent events.
//!
//! Every event carries its place as the id; who comes back with it (`Last-Event-ID`) gets what was decided meanwhile. The journal is read,
//! not a channel of this process, so a follower sees what is durable and nothing else. A stream ends after some minutes: the next one shows
//! its token again, so that a revoked token does not read on for ever. It must never keep a stopping host waiting.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::channel::{Channel, Sender};
use schemars::JsonSchema;
use serde::Deserialize;

use super::body::Filter;
use super::decisions::Decided;
use crate::app::App;
use crate::error::ApiError;

/// The life of a stream unless the query says otherwise, and at most, seconds.
const LIFE_S: (u32, u32) = (300, 600);
/// Without a decision for so long, a line says that the stream is alive: proxies cut quiet connections after a minute.
const QUIET: Duration = Duration::from_secs(15);
/// What is decided within this time comes at once: a person sees no difference, and a busy host reads its journal ten times a second.
const GATHER: Duration = Duration::from_millis(100);
/// Decisions read at once.
const BATCH: u32 = 100;
/// Decisions that a follower who was away gets; of those before, only their number.
const MISSED: i64 = 500;

/// What is to be followed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StreamQuery {
    /// With the trace, unless this is `false`.
    trace: Option<bool>,
    /// How long, seconds: 1 to 600, 300 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    seconds: Option<u32>,
}

pub(super) async fn follow(
    State(app): State<Arc<App>>,
    Filter(query): Filter<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let newest = app.store.newest().await?;
    let seen = headers.get("last-event-id").and_then(|id| i64::from_str_radix(id.to_str().ok()?, 16).ok());
    let from = seen.filter(|place| (0..=newest).contains(place)).unwrap_or(newest);
    let life = Duration::from_secs(u64::from(query.seconds.unwrap_or(LIFE_S.0).clamp(1, LIFE_S.1)));
    let (sender, body) = Channel::<Bytes, Infallible>::new(4);
    tokio::spawn(async move {
        // Also the end of a follower that takes nothing any more.
        let _ = tokio::time::timeout(life, tell(&app, from.max(newest - MISSED), from, query.trace.unwrap_or(true), sender)).await;
    });
    Ok(([(CONTENT_TYPE, "text/event-stream")], Body::new(body)).into_response())
}

/// Tells what comes after a place, until nobody listens or the host stops.
async fn tell(app: &App, mut place: i64, seen: i64, trace: bool, mut to: Sender<Bytes, Infallible>) {
    let mut turn = app.turn.subscribe();
    // A first line at once, so that the caller knows that it is connected.
    let mut text = format!("retry: 2000\nid: {place:x}\nevent: here\ndata: {{\"skipped\":{}}}\n\n", place - seen);
    loop {
        turn.mark_unchanged();
        let Ok(found) = app.store.following(place, trace, BATCH).await else { return };
        let full = found.len() == BATCH as usize;
        for (at, stored) in found {
            place = at;
            let Some(json) = Decided::try_from(stored).ok().and_then(|decided| serde_json::to_string(&decided).ok()) else { continue };
            text.push_str(&format!("id: {place:x}\nevent: decided\ndata: {json}\n\n"));
        }
        if !text.is_empty() && to.send_data(Bytes::from(std::mem::take(&mut text))).await.is_err() {
            return;
        }
        if app.is_stopping() {
            return;
        }
        if !full && tokio::time::timeout(QUIET, turn.changed()).await.is_err() {
            text.push_str(":\n\n");
        }
        if !app.is_stopping() {
            tokio::time::sleep(GATHER).await;
        }
    }
}
