//! `/v1/calendars`: when somebody is there to answer. Service levels count on them, and rules may ask them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{Filter, Json};
use super::change::Change;
use crate::app::App;
use crate::calendar::{Calendar, CalendarError, Spec, holidays, is_name};
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::store::CalendarRow;

/// Largest iCalendar file, bytes: a country's holidays over twenty years have some hundred thousand.
pub(super) const MAX_IMPORT_BYTES: usize = 1 << 20;

/// A calendar that is kept.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KeptCalendar")]
pub(super) struct Kept {
    /// What set-ups and rules call it.
    name: String,
    /// When it was last changed.
    changed: Timestamp,
    /// Whether it is open now.
    open: bool,
    /// What was written.
    calendar: Spec,
}

/// Every calendar.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Calendars")]
pub(super) struct All {
    items: Vec<Kept>,
}

/// How holidays are taken in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ImportHow")]
pub(super) struct How {
    /// Instead of the holidays that are there; without it, to them.
    replace: bool,
}

/// A moment, and a working time from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CalendarQuestion")]
pub(super) struct Question {
    /// The moment; now, if absent.
    at: Option<Timestamp>,
    /// Working seconds from that moment on.
    #[serde(default)]
    #[schemars(range(max = 4_294_967_295_u32))]
    seconds: u32,
}

/// What a calendar says to a moment.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CalendarAnswer")]
pub(super) struct Answer {
    /// The moment.
    at: Timestamp,
    /// Whether it is open then.
    open: bool,
    /// When so many working seconds have passed; null when that is more than forty years away.
    due: Option<Timestamp>,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<All>, ApiError> {
    let rows = app.store.calendars().await?;
    Ok(Json(All { items: rows.into_iter().map(|row| kept(&app, row)).collect::<Result<_, _>>()? }))
}

pub(super) async fn show(State(app): State<Arc<App>>, name: Result<Path<String>, PathRejection>) -> Result<Json<Kept>, ApiError> {
    let row = app.store.calendar(&named(name)?).await?.ok_or_else(unknown)?;
    Ok(Json(kept(&app, row)?))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Filter(question): Filter<Question>,
) -> Result<Json<Answer>, ApiError> {
    let calendar = app.calendars.get(&named(name)?).ok_or_else(unknown)?;
    let at = question.at.unwrap_or_else(|| app.clock.now());
    Ok(Json(Answer { at, open: calendar.open_at(at), due: calendar.due_at(at, u64::from(question.seconds)) }))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    change: Change,
    Json(spec): Json<Spec>,
) -> Result<Json<Kept>, ApiError> {
    let name = named(name)?;
    if !is_name(&name) {
        let problem = "the name of a calendar is 1 to 64 lower-case letters, digits, `-`, `_` and `.`".to_owned();
        return Err(ApiError::Body { pointer: String::new(), problem });
    }
    let _one = app.calendar_changes.lock().await;
    keep(&app, change, "calendar.set", name, spec).await
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Filter(how): Filter<How>,
    change: Change,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Kept>, ApiError> {
    let name = named(name)?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::Long(MAX_IMPORT_BYTES),
        _ => ApiError::BrokenOff,
    })?;
    let wrong = |problem| ApiError::Body { pointer: String::new(), problem };
    let text = std::str::from_utf8(&body).map_err(|_| wrong("the file is not UTF-8".to_owned()))?;
    let found = holidays(text).map_err(wrong)?;
    let _one = app.calendar_changes.lock().await;
    let mut spec = read(&app.store.calendar(&name).await?.ok_or_else(unknown)?)?;
    if how.replace {
        spec.holidays.clear();
    }
    spec.holidays.extend(found);
    spec.holidays.sort();
    spec.holidays.dedup();
    keep(&app, change, "calendar.import", name, spec).await
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    change: Change,
) -> Result<StatusCode, ApiError> {
    let name = named(name)?;
    let _one = app.calendar_changes.lock().await;
    if !app.store.remove_calendar(&name, change.entry("calendar.remove", &name)).await? {
        return Err(unknown());
    }
    app.calendars.remove(&name);
    Ok(StatusCode::NO_CONTENT)
}

/// Checked, then durable, then in memory.
async fn keep(app: &App, change: Change, action: &str, name: String, spec: Spec) -> Result<Json<Kept>, ApiError> {
    let calendar = Calendar::new(&spec).map_err(|CalendarError { pointer, problem }| ApiError::Body { pointer, problem })?;
    let text = serde_json::to_string(&spec).map_err(|error| ApiError::Internal(error.to_string()))?;
    let row = CalendarRow { name: name.clone(), changed: change.at(), spec: text };
    app.store.put_calendar(row.clone(), change.entry(action, &name)).await?;
    app.calendars.put(name, calendar);
    Ok(Json(kept(app, row)?))
}

fn kept(app: &App, row: CalendarRow) -> Result<Kept, ApiError> {
    let calendar = read(&row)?;
    let open = app.calendars.get(&row.name).is_some_and(|calendar| calendar.open_at(app.clock.now()));
    Ok(Kept { name: row.name, changed: row.changed, open, calendar })
}

fn read(row: &CalendarRow) -> Result<Spec, ApiError> {
    serde_json::from_str(&row.spec).map_err(|error| ApiError::Internal(format!("the calendar `{}` cannot be read: {error}", row.name)))
}

fn named(name: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    name.map(|Path(name)| name).map_err(|_| unknown())
}

fn unknown() -> ApiError {
    ApiError::NotFound("calendar of this name; PUT /v1/calendars/NAME makes one".to_owned())
}
