//! `/v1/decisions`: what was decided, with the bytes that were recorded.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::body::{Filter, Json};
use crate::app::App;
use crate::decision::Decision;
use crate::error::ApiError;
use crate::event::Event;
use crate::store::{Page, Query, Stored};

/// An event and its decision, not rendered a second time.
#[derive(Serialize, JsonSchema)]
pub(super) struct Decided {
    #[schemars(with = "Event")]
    event: Box<RawValue>,
    #[schemars(with = "Decision")]
    decision: Box<RawValue>,
}

impl TryFrom<Stored> for Decided {
    type Error = ApiError;

    fn try_from(stored: Stored) -> Result<Self, ApiError> {
        let raw = |json| RawValue::from_string(json).map_err(|error| ApiError::Internal(format!("a record is not JSON: {error}")));
        Ok(Self { event: raw(stored.event)?, decision: raw(stored.decision)? })
    }
}

pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<Query>) -> Result<Json<Page<Decided>>, ApiError> {
    let page = app.store.decisions(&query).await?;
    let items = page.items.into_iter().map(Decided::try_from).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: page.next }))
}

pub(super) async fn show(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Json<Decided>, ApiError> {
    let unknown = || ApiError::NotFound("decision with this id".to_owned());
    let Path(id) = id.map_err(|_| unknown())?;
    app.store.decision(&id).await?.ok_or_else(unknown)?.try_into().map(Json)
}
