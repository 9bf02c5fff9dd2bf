//! `/v1/volume`: how much was decided of late, for charts.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{Volume, VolumeQuery};

pub(super) async fn count(State(app): State<Arc<App>>, Filter(query): Filter<VolumeQuery>) -> Result<Json<Volume>, ApiError> {
    Ok(Json(app.store.volume(&query, app.clock.now()).await?))
}
