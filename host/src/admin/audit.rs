//! `/v1/audit`: who changed what, and why. It is only read here; entries are written with the change they tell of.

use std::sync::Arc;

use axum::extract::State;

use super::body::{Filter, Json};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{AuditQuery, Audited, Page};

pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<AuditQuery>) -> Result<Json<Page<Audited>>, ApiError> {
    Ok(Json(app.store.audited(&query).await?))
}
