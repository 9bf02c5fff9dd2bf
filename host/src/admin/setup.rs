//! `/v1/setup` and `/v1/generations`: what is live, putting something else live, and taking it back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{Filter, Json, json};
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::generation::Generation;
use crate::setup::{Problem, Setup};
use crate::store::ChangeRow;

/// Largest set-up, bytes: some hundred steps with their tables.
pub(super) const MAX_SETUP_BYTES: usize = 8 << 20;
/// Changes of a page, at most.
const PAGE: u32 = 200;

/// The set-up that is live.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LiveSetup")]
pub(super) struct Live {
    /// How often the set-up has changed; in quotes it is the `ETag`.
    revision: i64,
    /// The generation that serves.
    generation: String,
    /// Its chains, every plugin pinned to a digest.
    setup: Setup,
}

/// Whether to put it live.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct How {
    /// Build and validate it, and change nothing.
    dry_run: bool,
}

/// What a set-up became.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SetupChange")]
pub(super) struct Made {
    /// The generation.
    generation: String,
    /// Whether it is live now.
    live: bool,
    /// The set-up's revision.
    revision: i64,
    /// The generation that was live before.
    before: Option<String>,
    /// The set-up, every plugin pinned.
    setup: Setup,
    /// What can be built, and is hardly meant: a route for a source that is not there, a grant without effect.
    warnings: Vec<Problem>,
}

/// Changes, newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct History {
    items: Vec<Changed>,
    /// Cursor of the next page, if there is one.
    next: Option<String>,
}

/// One change of what is live.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Generation")]
struct Changed {
    revision: i64,
    at: Timestamp,
    by: String,
    /// "config", "apply" or "rollback".
    action: String,
    generation: String,
    before: Option<String>,
    why: Option<String>,
    change: Option<String>,
}

/// A page of changes.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Length of the page: 1 to 200, 50 if absent.
    #[schemars(range(max = 4_294_967_295_u32))]
    limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9]{1,18}$"))]
    cursor: Option<String>,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let (generation, revision) = app.registry.now();
    let live = Live { revision, generation: generation.id.clone(), setup: generation.setup.clone() };
    tagged(revision, Json(live))
}

pub(super) async fn apply(
    State(app): State<Arc<App>>,
    Filter(how): Filter<How>,
    headers: HeaderMap,
    change: Change,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|_| ApiError::Long(MAX_SETUP_BYTES))?;
    let setup = written(&headers, &body)?;
    if how.dry_run {
        let generation = app.registry.stage(setup).await?;
        let (live, revision) = app.registry.now();
        let made = Made {
            generation: generation.id.clone(),
            live: generation.id == live.id,
            revision,
            before: Some(live.id.clone()),
            setup: generation.setup.clone(),
            warnings: warnings(&app, &generation),
        };
        return Ok(Json(made).into_response());
    }
    let made = app.registry.apply(setup, expected(&headers)?, change.entry("setup.apply", "setup")).await?;
    Ok(done(&app, made))
}

pub(super) async fn history(State(app): State<Arc<App>>, Filter(query): Filter<HistoryQuery>) -> Result<Json<History>, ApiError> {
    let limit = query.limit.unwrap_or(50).clamp(1, PAGE);
    let before = query.cursor.map(|cursor| cursor.parse::<i64>()).transpose();
    let before = before.map_err(|_| ApiError::Query("`cursor` is none of ours; take `next` of the page before".to_owned()))?;
    let mut rows = app.registry.history(before, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.revision.to_string());
    Ok(Json(History { items: rows.into_iter().map(changed).collect(), next }))
}

pub(super) async fn generation(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Json<Setup>, ApiError> {
    let unknown = || ApiError::NotFound("generation with this id".to_owned());
    let Path(id) = id.map_err(|_| unknown())?;
    let setup = app.store.generation(&id).await?.ok_or_else(unknown)?;
    serde_json::from_str(&setup).map(Json).map_err(|error| ApiError::Internal(format!("the set-up of generation {id}: {error}")))
}

pub(super) async fn rollback(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    change: Change,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NotFound("generation with this id".to_owned()))?;
    let made = app.registry.rollback(&id, expected(&headers)?, change.entry("setup.rollback", "setup")).await?;
    Ok(done(&app, made))
}

fn done(app: &App, made: ChangeRow) -> Response {
    let (live, _) = app.registry.now();
    let answer = Made {
        live: live.id == made.generation,
        generation: made.generation,
        revision: made.revision,
        before: made.before,
        setup: live.setup.clone(),
        warnings: warnings(app, &live),
    };
    tagged(made.revision, Json(answer))
}

fn warnings(app: &App, generation: &Generation) -> Vec<Problem> {
    let book = app.tables.book();
    generation.warnings(|source| app.sources.contains_key(source), |table| book.table(table).is_some())
}

fn changed(row: ChangeRow) -> Changed {
    let ChangeRow { revision, at, by, action, generation, before, why, ticket, seed: _ } = row;
    Changed { revision, at, by, action, generation, before, why, change: ticket }
}

/// A set-up as JSON, or as TOML for `application/toml`.
pub(super) fn written(headers: &HeaderMap, body: &[u8]) -> Result<Setup, ApiError> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match media.split(';').next().unwrap_or_default().trim() {
        "application/json" => json(body),
        "application/toml" => {
            let text = std::str::from_utf8(body).map_err(|_| ApiError::Syntax("it is not UTF-8".to_owned()))?;
            Setup::from_toml(text).map_err(ApiError::Syntax)
        }
        _ => Err(ApiError::NotJson),
    }
}

/// What the change was made from.
fn expected(headers: &HeaderMap) -> Result<i64, ApiError> {
    let tag = headers.get(IF_MATCH).ok_or(ApiError::IfMatch)?.to_str().unwrap_or_default();
    // A tag of somebody's own making matches nothing.
    Ok(tag.trim().trim_matches('"').parse().unwrap_or(-1))
}

fn tagged(revision: i64, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
