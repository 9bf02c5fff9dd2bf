//! `/v1/deliveries` and `/v1/targets`: what is on its way out, what is set aside, and sending it again by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::body::{Filter, Json};
use super::change::Change;
use crate::app::App;
use crate::error::ApiError;
use crate::store::{Deliveries, DeliveryQuery, Replay, StoredDelivery};

/// `GET /v1/deliveries`: newest first.
pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<DeliveryQuery>) -> Result<Json<Deliveries>, ApiError> {
    Ok(Json(app.store.deliveries(&query).await?))
}

/// `GET /v1/deliveries/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<StoredDelivery>, ApiError> {
    Ok(Json(app.store.delivery(&id).await?.ok_or_else(unknown)?))
}

/// `POST /v1/deliveries/{id}/replay`: a delivery that was set aside is sent again.
pub(super) async fn replay(State(app): State<Arc<App>>, Path(id): Path<String>, change: Change) -> Result<Json<StoredDelivery>, ApiError> {
    match app.store.replay(&id, app.clock.now()).await? {
        None => Err(unknown()),
        Some(Replay::Not(state)) => {
            let state = serde_json::to_string(&state).unwrap_or_default();
            Err(ApiError::Conflict(format!("this delivery is {state}; only \"parked\" and \"dead\" ones are sent again by hand")))
        }
        Some(Replay::Waiting) => {
            app.store.audit(change.entry("delivery.replay", &id)).await?;
            let delivery = app.store.delivery(&id).await?.ok_or_else(unknown)?;
            app.delivery.try_now(&delivery.target);
            Ok(Json(delivery))
        }
    }
}

/// `GET /v1/targets`: every place that gets calls, how it fares, and how many calls are in each state.
pub(super) async fn targets(State(app): State<Arc<App>>) -> Result<Json<BTreeMap<String, Value>>, ApiError> {
    let mut counts = app.store.delivery_counts().await?;
    let mut targets = BTreeMap::new();
    for (name, mut target) in app.delivery.targets() {
        target["deliveries"] = json!(counts.remove(name).unwrap_or_default());
        targets.insert(name.to_owned(), target);
    }
    // What is left belongs to places that the config has no more: their calls wait until it has them again.
    for (name, counts) in counts {
        targets.insert(name, json!({ "deliveries": counts }));
    }
    Ok(Json(targets))
}

fn unknown() -> ApiError {
    ApiError::NotFound("delivery with this id".to_owned())
}
