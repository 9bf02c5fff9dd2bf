//! `/v1/clocks`: service levels that were promised, and what became of them.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{ClockQuery, Page, StoredClock};

pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<ClockQuery>) -> Result<Json<Page<StoredClock>>, ApiError> {
    Ok(Json(app.store.clocks(&query).await?))
}
