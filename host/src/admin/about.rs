//! `/v1/about`: what this host is. `/v1/whoami`: who asks.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::body::Json;
use super::change::Change;
use crate::app::App;
use crate::event::Timestamp;
use crate::gate::TRACKS;
use crate::token::Role;

/// What a host is and runs.
#[derive(Serialize, JsonSchema)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
    /// The contracts that its plugins may be built for.
    tracks: Vec<&'static str>,
    /// The live generation.
    generation: String,
    /// How plugin instances get their memory.
    instances: &'static str,
    /// The names of its sources.
    sources: Vec<String>,
}

pub(super) async fn about(State(app): State<Arc<App>>) -> Json<About> {
    Json(About {
        name: "signalbox",
        version: env!("CARGO_PKG_VERSION"),
        tracks: TRACKS.to_vec(),
        generation: app.generation().id.clone(),
        instances: app.registry.allocation(),
        sources: app.sources.keys().cloned().collect(),
    })
}

/// A token's owner.
#[derive(Serialize, JsonSchema)]
pub(super) struct Whoami {
    /// The token's id; `boot` for the one in the data directory.
    id: String,
    /// What it is called.
    name: String,
    /// What it may do.
    role: Role,
    /// From when on it is refused.
    expires: Option<Timestamp>,
}

pub(super) async fn whoami(change: Change) -> Json<Whoami> {
    let caller = change.caller().clone();
    Json(Whoami { id: caller.id, name: caller.name, role: caller.role, expires: caller.expires })
}
