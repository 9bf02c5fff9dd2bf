//! `/v1/plugins`: uploads through the gate, what there is, and taking it away.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::body::Json;
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::gate::GateReport;
use crate::registry::Upload;
use crate::store::PluginRow;

/// Largest body of an upload, bytes: above any `upload_bytes` that makes sense, so that the gate says what is too large.
pub(super) const MAX_UPLOAD_BYTES: usize = 128 << 20;

/// One plugin that a step may use.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Plugin")]
pub(super) struct Card {
    /// SHA-256 of its bytes, hex.
    digest: String,
    name: String,
    version: String,
    /// When it was uploaded; absent for what comes with the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded: Option<Timestamp>,
    /// Who brought it.
    by: String,
    /// Live steps that use it.
    used_by: Vec<User>,
}

/// A live step.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PluginUser")]
struct User {
    chain: String,
    step: String,
}

/// Every plugin.
#[derive(Serialize, JsonSchema)]
pub(super) struct Plugins {
    items: Vec<Card>,
}

fn card(app: &App, row: PluginRow) -> Card {
    let generation = app.generation();
    let users = generation.setup.steps().filter(|(_, _, step)| step.digest.as_deref() == Some(&row.digest));
    let used_by = users.map(|(chain, _, step)| User { chain: chain.to_owned(), step: step.label() }).collect();
    let PluginRow { digest, name, version, uploaded, by, report: _ } = row;
    Card { digest, name, version, uploaded: (uploaded.0 > 0).then_some(uploaded), by, used_by }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Plugins>, ApiError> {
    let rows = app.registry.plugins().await?;
    Ok(Json(Plugins { items: rows.into_iter().map(|row| card(&app, row)).collect() }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    reference: Result<Path<String>, PathRejection>,
) -> Result<Json<GateReport>, ApiError> {
    let Path(reference) = reference.map_err(|_| ApiError::NotFound("plugin with this name".to_owned()))?;
    Ok(Json(app.registry.report(&reference).await?))
}

pub(super) async fn upload(State(app): State<Arc<App>>, change: Change, wasm: Result<Bytes, BytesRejection>) -> Result<Response, ApiError> {
    let wasm = wasm.map_err(|_| ApiError::Long(MAX_UPLOAD_BYTES))?;
    let (report, upload) = app.registry.upload(Arc::from(wasm.as_ref()), change.entry("plugin.upload", "")).await?;
    let status = match upload {
        Upload::New => StatusCode::CREATED,
        Upload::Known => StatusCode::OK,
    };
    Ok((status, Json(report)).into_response())
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    reference: Result<Path<String>, PathRejection>,
    change: Change,
) -> Result<StatusCode, ApiError> {
    let Path(reference) = reference.map_err(|_| ApiError::NotFound("plugin with this name".to_owned()))?;
    app.registry.remove(&reference, change.entry("plugin.remove", &reference)).await?;
    Ok(StatusCode::NO_CONTENT)
}
