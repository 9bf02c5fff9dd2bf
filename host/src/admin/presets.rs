//! `/v1/presets`: the desks that a source can begin with, and what a call of one would become before anything is connected.
//!
//! Connecting is the config file's: a source holds secrets, and no route takes any.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{Filter, Json};
use super::sources::{Tried, Would, would};
use crate::app::App;
use crate::error::ApiError;
use crate::source::{Adapter, Source, is_name, presets};

/// Every preset.
#[derive(Serialize, JsonSchema)]
pub(super) struct Presets {
    items: Vec<Preset>,
}

/// A desk whose payloads are known.
#[derive(Serialize, JsonSchema)]
struct Preset {
    name: String,
    /// The desk's kind.
    system: String,
    /// What to set up on the desk's side.
    description: String,
}

/// The beginning of a source.
#[derive(Serialize, JsonSchema)]
pub(super) struct Beginning {
    #[serde(flatten)]
    preset: Preset,
    /// What to write into the host's config.
    config: String,
    /// A body to paste into the desk that is the whole event, where an admin writes the body.
    body: Option<String>,
}

/// How the source is to be called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Called {
    /// The source's name, the preset's if absent: 1 to 64 lower-case letters, digits, `-` and `_`.
    #[schemars(regex(pattern = "^[a-z0-9_-]{1,64}$"))]
    source: Option<String>,
}

pub(super) async fn list() -> Result<Json<Presets>, ApiError> {
    let items = presets::names().map(|name| adapter(name).map(|adapter| card(name, &adapter)));
    Ok(Json(Presets { items: items.collect::<Result<_, _>>()? }))
}

pub(super) async fn begin(name: Result<Path<String>, PathRejection>, Filter(called): Filter<Called>) -> Result<Json<Beginning>, ApiError> {
    let name = named(name)?;
    let adapter = adapter(&name)?;
    let source = called.source.as_ref().unwrap_or(&name);
    if !is_name(source) {
        return Err(ApiError::Query("`source` is no source's name; use 1 to 64 lower-case letters, digits, `-` and `_`".to_owned()));
    }
    let config = presets::beginning(&adapter, &name, source);
    Ok(Json(Beginning { preset: card(&name, &adapter), config, body: presets::body(&name).map(str::to_owned) }))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Json(tried): Json<Tried>,
) -> Result<Json<Would>, ApiError> {
    let name = named(name)?;
    let source = Source::unsigned(&name, adapter(&name)?).map_err(|error| ApiError::Internal(error.to_string()))?;
    would(&app, &source, &tried).await.map(Json)
}

fn named(name: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    name.map(|Path(name)| name).map_err(|_| unknown())
}

fn unknown() -> ApiError {
    ApiError::NotFound("preset with this name".to_owned())
}

/// A preset of a released host can be read: a test reads them all.
fn adapter(name: &str) -> Result<Adapter, ApiError> {
    presets::adapter(name).ok_or_else(unknown)?.map_err(|error| ApiError::Internal(format!("preset `{name}`: {error}")))
}

fn card(name: &str, adapter: &Adapter) -> Preset {
    let about = adapter.about();
    Preset { name: name.to_owned(), system: about.system.clone(), description: about.description.clone() }
}
