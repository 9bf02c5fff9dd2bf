//! `/v1/alerts`: what was raised, who was told, and what came again.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{AlertQuery, Page, StoredAlert};

pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<AlertQuery>) -> Result<Json<Page<StoredAlert>>, ApiError> {
    Ok(Json(app.store.alerts(&query).await?))
}
