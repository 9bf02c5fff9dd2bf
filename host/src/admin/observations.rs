//! `/v1/observations`: what desks did afterwards.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{Observation, ObservationQuery, Page};

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Filter(query): Filter<ObservationQuery>,
) -> Result<Json<Page<Observation>>, ApiError> {
    Ok(Json(app.store.observations(&query).await?))
}
