//! `/v1/plugins`: uploads through the gate, what there is, and taking it away.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_LENGTH;
use http::{Request, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{self, Json};
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::gate::GateReport;
use crate::registry::Upload;
use crate::store::PluginRow;

/// Largest body of an upload, bytes: above any `upload_bytes` that makes sense, so that the gate says what is too large.
pub(super) const MAX_UPLOAD_BYTES: usize = 128 << 20;

/// For an upload's bytes: the largest over a slow line.
const UPLOAD_TIME: Duration = Duration::from_secs(120);

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

/// The bytes of an upload, and its place, which is taken before the first of them is read: a storm of uploads costs no memory.
pub(super) struct Wasm {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl FromRequest<Arc<App>> for Wasm {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, ApiError> {
        let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > MAX_UPLOAD_BYTES as u64) {
            return Err(ApiError::Long(MAX_UPLOAD_BYTES));
        }
        let place = app.uploads.clone().try_acquire_owned().map_err(|_| ApiError::Overloaded)?;
        let bytes = body::bytes(request, app, UPLOAD_TIME, MAX_UPLOAD_BYTES).await?;
        Ok(Self { bytes, _place: place })
    }
}

pub(super) async fn upload(State(app): State<Arc<App>>, change: Change, wasm: Wasm) -> Result<Response, ApiError> {
    let (report, upload) = app.registry.upload(Arc::from(wasm.bytes.as_ref()), change.entry("plugin.upload", "")).await?;
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
