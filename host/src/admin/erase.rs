//! `DELETE /v1/events/{source}/{event_id}` and `DELETE /v1/authors/{author}`: what a person has the right to have forgotten.
//!
//! The audit log says that something was erased, by whom and why, and never of whom: it is kept for ever.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::body::Json;
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::store;

/// What was erased.
#[derive(Serialize, JsonSchema)]
pub(super) struct Erased {
    /// Events, each with its decision, its deliveries and all by which it was known.
    events: usize,
}

pub(super) async fn event(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    change: Change,
) -> Result<Json<Erased>, ApiError> {
    let Path((source, event_id)) = path.map_err(|_| unknown())?;
    // The source is a name of the config, if there is such an event at all; nothing is written when there is none.
    let entry = change.entry("event.erase", &source);
    let erased = app.store.erase_event(source, event_id, entry).await?;
    app.relearn().await?;
    told(erased)
}

pub(super) async fn author(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    change: Change,
) -> Result<Json<Erased>, ApiError> {
    let Path(author) = path.map_err(|_| unknown())?;
    let erased = app.store.erase_author(author, change.entry("author.erase", "events of one author")).await?;
    app.relearn().await?;
    told(erased)
}

fn told(erased: store::Erased) -> Result<Json<Erased>, ApiError> {
    match erased {
        store::Erased::Events(0) => Err(unknown()),
        store::Erased::Events(events) => Ok(Json(Erased { events })),
        store::Erased::Undecided => {
            Err(ApiError::Conflict("one of these events is being decided; nothing was erased, send it again in a minute".to_owned()))
        }
    }
}

fn unknown() -> ApiError {
    ApiError::NotFound("such event in the journal".to_owned())
}
