//! The admin API under `/v1`: a table of routes, and one file per resource.
//!
//! - `routes.rs`: the table. A route is added there, in one line; role check, 405 and the OpenAPI document follow from it.
//! - `openapi.rs`: the document, `GET /openapi.json`.
//! - `guard.rs`: who calls, and whether it may.
//! - `change.rs`: who changes something and why, for the audit log.
//! - `metrics.rs`: `GET /metrics`, for a Prometheus.
//! - `body.rs`: bodies and queries, read into types.
//! - every other file: one resource.
//!
//! Nothing here decides an event, and no handler checks a role: the table has done so before it is called.

mod about;
mod alerts;
mod approvals;
mod audit;
mod body;
mod calendars;
mod chain;
mod change;
mod clocks;
mod decisions;
mod deliveries;
mod erase;
mod guard;
pub mod metrics;
mod observations;
pub mod openapi;
mod plugins;
mod presets;
mod replays;
mod reports;
pub mod routes;
mod setup;
mod sources;
mod stream;
mod tables;
mod tokens;
mod volume;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;

use crate::app::App;
use crate::error::ApiError;
use routes::ROUTES;

/// Largest JSON body, bytes: a change is a few lines. A route that takes files brings a limit of its own.
const MAX_BODY_BYTES: usize = 256 << 10;

/// Every route of the table: one path with all its methods, each behind the role that it needs.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let mut router = Router::new();
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    paths.dedup();
    for path in paths {
        let here: Vec<_> = ROUTES.iter().filter(|route| route.path == path).collect();
        let allowed = here.iter().map(|route| route.verb.word()).collect::<Vec<_>>().join(", ");
        let methods = here.iter().map(|route| guard::behind_role(route, app)).reduce(|one, other| one.merge(other));
        let other = async move || ApiError::Method(allowed.clone());
        router = router.route(path, methods.unwrap_or_default().fallback(other));
    }
    router
        .fallback(async || ApiError::NoRoute)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), guard::authenticate))
}
