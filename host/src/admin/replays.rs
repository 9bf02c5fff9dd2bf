//! `/v1/replays`: what a change would do to events that were decided already.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::body::{Json, json};
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::event::{Event, Timestamp};
use crate::replay::{self, EVENTS, Report, Request, in_the_background, over_events, over_recorded};
use crate::store::ReplayRow;

/// Largest request, bytes: a file of some thousand events.
pub(super) const MAX_REQUEST_BYTES: usize = 64 << 20;

/// A replay and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Replay")]
pub(super) struct Shown {
    id: String,
    made: Timestamp,
    by: String,
    /// "running", "done" or "failed".
    state: String,
    /// What came of it, when it is done.
    #[schemars(with = "Option<Report>")]
    report: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

pub(super) async fn start(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    change: Change,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|_| ApiError::Long(MAX_REQUEST_BYTES))?;
    if !headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"application/json")) {
        return Err(ApiError::NotJson);
    }
    let mut request: Request = json(&body)?;
    let fault = |pointer: &str, problem: String| ApiError::Body { pointer: pointer.to_owned(), problem };
    let most = EVENTS.1 as usize;
    if request.events.len() > most {
        return Err(fault("/events", format!("has {} events; a replay takes at most {most}", request.events.len())));
    }
    let last = replay::last(request.last).map_err(|problem| fault("/last", problem))?;
    let events = std::mem::take(&mut request.events).into_iter().enumerate().map(|(at, event)| {
        let event = Event::from_json(event.to_string().as_bytes()).map_err(|error| fault(&format!("/events/{at}"), error.to_string()));
        Ok(event?.event)
    });
    let events = events.collect::<Result<Vec<_>, ApiError>>()?;
    let live = app.generation();
    let candidate = match (request.setup.clone(), &request.generation) {
        (Some(_), Some(_)) => return Err(fault("/generation", "is there beside `setup`; keep one".to_owned())),
        (Some(setup), None) => app.registry.stage(setup).await?,
        (None, Some(id)) => app.registry.kept(id).await?,
        (None, None) => live.clone(),
    };
    let recorded = match events.is_empty() {
        true => app.store.recorded(request.since, request.until, last).await?,
        false => Vec::new(),
    };
    let (now, against) = (change.at(), request.against);
    let mut row = ReplayRow {
        id: uuid::Uuid::now_v7().to_string(),
        made: now,
        by: change.caller().name.clone(),
        state: "running".to_owned(),
        request: serde_json::to_string(&request).unwrap_or_default(),
        report: None,
    };
    app.store.keep_replay(row.clone()).await?;
    let shown = shown(row.clone());
    let archive = app.archive();
    let work = move || match events.is_empty() {
        true => over_recorded(&candidate, &live, recorded, against, &archive),
        false => over_events(&candidate, &live, events, now, &archive),
    };
    let done = in_the_background(work).map_err(|error| ApiError::Internal(format!("no thread for the replay: {error}")))?;
    tokio::spawn(async move {
        let report = done.await.map_err(|_| "the replay ended without a report".to_owned());
        let report = report.and_then(|report| serde_json::to_string(&report).map_err(|error| error.to_string()));
        row.state = if report.is_ok() { "done" } else { "failed" }.to_owned();
        row.report = Some(report.unwrap_or_else(|why| why));
        if let Err(error) = app.store.keep_replay(row).await {
            tracing::error!(reason = %error, "a replay's report could not be kept");
        }
    });
    Ok((StatusCode::ACCEPTED, Json(shown)).into_response())
}

pub(super) async fn show(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Json<Shown>, ApiError> {
    Ok(Json(shown(row(&app, id).await?)))
}

/// The report as a table: one line per field that differs.
pub(super) async fn csv(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let row = row(&app, id).await?;
    let report: Report = row.report.as_deref().and_then(|report| serde_json::from_str(report).ok()).unwrap_or_default();
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], report.csv()).into_response())
}

async fn row(app: &App, id: Result<Path<String>, PathRejection>) -> Result<ReplayRow, ApiError> {
    let unknown = || ApiError::NotFound("replay with this id".to_owned());
    let Path(id) = id.map_err(|_| unknown())?;
    app.store.replay_of(&id).await?.ok_or_else(unknown)
}

fn shown(row: ReplayRow) -> Shown {
    let ReplayRow { id, made, by, state, request: _, report } = row;
    let (report, failure) = match state.as_str() {
        "done" => (report.and_then(|report| RawValue::from_string(report).ok()), None),
        _ => (None, report),
    };
    Shown { id, made, by, state, report, failure }
}
