//! `/v1/tables`: what the admin keeps for rules to look up.
//!
//! Setting rows is a matter of the day (an operator's); what shape they have, and whether a table is there at all, is a developer's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::body::{Filter, Json};
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::store::{Page, Version};
use crate::table::{Form, Table, object};
use crate::tables::{File, Imported};

/// Largest file of rows, bytes: above any `tables.bytes` that makes sense.
pub(super) const MAX_IMPORT_BYTES: usize = 128 << 20;
/// Rows of a page unless the query says otherwise, and at most.
const LIMIT: (u32, u32) = (50, 200);
/// Versions of a row that are shown.
const VERSIONS: u32 = 100;

/// Every table.
#[derive(Serialize, JsonSchema)]
pub(super) struct Tables {
    items: Vec<Card>,
}

/// One table without its rows.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Table")]
pub(super) struct Card {
    name: String,
    /// Rows that are there now.
    rows: usize,
    /// When it was last changed.
    changed: Timestamp,
    /// JSON Schema of a row, as an object of its columns.
    schema: Option<Value>,
    /// Live steps that may look it up.
    granted_to: Vec<String>,
}

/// How a table is to be.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewTable")]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// JSON Schema of a row, as an object of its columns; null for rows of any kind.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "Value", required)]
    schema: Value,
}

/// A field that is there, whatever it holds.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Value::deserialize(deserializer)
}

/// One row as it is now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Row")]
pub(super) struct Line {
    key: String,
    /// Texts, numbers, booleans and lists of texts, by name.
    columns: Map<String, Value>,
    /// Since when it says that.
    since: Timestamp,
}

/// A row with its past.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RowVersions")]
pub(super) struct Past {
    key: String,
    /// What it said when, the latest first, at most 100.
    versions: Vec<Was>,
}

/// One version of a row.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RowVersion")]
struct Was {
    columns: Map<String, Value>,
    /// From then on.
    since: Timestamp,
    /// Until before then; null is now.
    until: Option<Timestamp>,
}

/// A page of rows.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RowQuery {
    /// Length of the page: 1 to 200, 50 if absent.
    #[schemars(range(max = 4_294_967_295_u32))]
    limit: Option<u32>,
    /// `next` of the page before: the last key of it.
    cursor: Option<String>,
}

/// How a file of rows is taken in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// The column that a row is known by; `key` if absent.
    key: Option<String>,
    /// Take away the rows that the file does not have.
    replace: bool,
}

/// Rows of a file: each an object of its columns, with the one that it is known by.
#[derive(JsonSchema)]
#[schemars(rename = "Rows", transparent)]
pub(super) struct Lines(
    #[expect(dead_code, reason = "the shape is what the document shows; the bytes are read by `table`")] Vec<BTreeMap<String, Value>>,
);

fn card(app: &App, name: &str, table: &Table) -> Card {
    let generation = app.generation();
    let grant = crate::grant::Grant::Lookup(name.to_owned());
    let users = generation.setup.steps().filter(|(_, _, step)| step.grants.contains(&grant));
    let granted_to = users.map(|(chain, _, step)| format!("{chain}/{}", step.label())).collect();
    Card { name: name.to_owned(), rows: table.rows.len(), changed: table.changed, schema: table.schema.clone(), granted_to }
}

fn unknown() -> ApiError {
    ApiError::NotFound("table with this name".to_owned())
}

fn found(app: &App, name: &str) -> Result<Arc<Table>, ApiError> {
    app.tables.book().table(name).cloned().ok_or_else(unknown)
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Tables> {
    let book = app.tables.book();
    Json(Tables { items: book.tables().iter().map(|(name, table)| card(&app, name, table)).collect() })
}

pub(super) async fn show(State(app): State<Arc<App>>, name: Result<Path<String>, PathRejection>) -> Result<Json<Card>, ApiError> {
    let Path(name) = name.map_err(|_| unknown())?;
    Ok(Json(card(&app, &name, &*found(&app, &name)?)))
}

pub(super) async fn put(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    change: Change,
    Json(new): Json<New>,
) -> Result<Json<Card>, ApiError> {
    let Path(name) = name.map_err(|_| unknown())?;
    let schema = Some(new.schema).filter(|schema| !schema.is_null());
    let table = app.tables.put(&name, schema, change.entry("table.put", &name)).await?;
    Ok(Json(card(&app, &name, &table)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    change: Change,
) -> Result<StatusCode, ApiError> {
    let Path(name) = name.map_err(|_| unknown())?;
    app.tables.remove(&name, change.entry("table.remove", &name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rows(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Filter(query): Filter<RowQuery>,
) -> Result<Json<Page<Line>>, ApiError> {
    use std::ops::Bound::{Excluded, Unbounded};
    let Path(name) = name.map_err(|_| unknown())?;
    let table = found(&app, &name)?;
    let limit = query.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1) as usize;
    let after = query.cursor.as_deref().map_or(Unbounded, Excluded);
    let mut rows = table.rows.range::<str, _>((after, Unbounded));
    let line = |(key, row): (&String, &crate::table::Row)| Line { key: key.clone(), columns: object(&row.columns), since: row.since };
    let items: Vec<Line> = rows.by_ref().take(limit).map(line).collect();
    let next = rows.next().and_then(|_| items.last().map(|line| line.key.clone()));
    Ok(Json(Page { items, next }))
}

pub(super) async fn row(State(app): State<Arc<App>>, path: Result<Path<(String, String)>, PathRejection>) -> Result<Json<Past>, ApiError> {
    let unknown = || ApiError::NotFound("row with this key in this table, and never was".to_owned());
    let Path((name, key)) = path.map_err(|_| unknown())?;
    let versions = app.store.row_versions(&name, &key, VERSIONS).await?;
    if versions.is_empty() {
        return Err(unknown());
    }
    let was = |Version { columns, since, until }: Version| Was { columns, since, until };
    Ok(Json(Past { key, versions: versions.into_iter().map(was).collect() }))
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    change: Change,
    Json(columns): Json<Map<String, Value>>,
) -> Result<Json<Line>, ApiError> {
    let Path((name, key)) = path.map_err(|_| unknown())?;
    let row = app.tables.set(&name, &key, &columns, change.entry("table.set", &format!("{name}/{key}"))).await?;
    Ok(Json(Line { key, columns: object(&row.columns), since: row.since }))
}

pub(super) async fn unset(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    change: Change,
) -> Result<StatusCode, ApiError> {
    let Path((name, key)) = path.map_err(|_| unknown())?;
    app.tables.unset(&name, &key, change.entry("table.unset", &format!("{name}/{key}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Filter(query): Filter<ImportQuery>,
    headers: HeaderMap,
    change: Change,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Imported>, ApiError> {
    let Path(name) = name.map_err(|_| unknown())?;
    let bytes = body.map_err(|_| ApiError::Long(MAX_IMPORT_BYTES))?;
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = match media.split(';').next().unwrap_or_default().trim() {
        "application/json" => Form::Json,
        "text/csv" => Form::Csv,
        _ => return Err(ApiError::NotRows),
    };
    let file = File { bytes: &bytes, form, key: query.key.as_deref().unwrap_or("key"), replace: query.replace };
    Ok(Json(app.tables.import(&name, &file, change.entry("table.import", &name)).await?))
}
