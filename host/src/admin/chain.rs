//! `/v1/chain`: the live chain.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::body::Json;
use crate::app::App;
use crate::gate;

/// The steps that events take now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Chain")]
pub(super) struct Live {
    /// Changes whenever anything in it changes.
    generation: String,
    steps: Vec<Step>,
}

/// One step of it.
#[derive(Serialize, JsonSchema)]
struct Step {
    plugin: String,
    version: String,
    /// Of its bytes.
    digest: String,
    /// What it says it does.
    summary: String,
    /// What it runs with.
    config: Value,
    /// What it may do beyond a pure answer.
    grants: Vec<String>,
    /// What an instance begins as.
    starts_from: String,
}

pub(super) async fn chain(State(app): State<Arc<App>>) -> Json<Live> {
    let generation = app.generation();
    let step = |step: &crate::chain::Step| {
        let report = step.plugin.report();
        Step {
            plugin: report.description.name.clone(),
            version: report.description.version.clone(),
            digest: step.plugin.digest().to_owned(),
            summary: report.description.summary.clone(),
            config: serde_json::json!(report.config),
            grants: step.terms.grants.iter().map(ToString::to_string).collect(),
            starts_from: gate::starts_from(&report.start),
        }
    };
    Json(Live { generation: generation.id.clone(), steps: generation.steps().iter().map(step).collect() })
}
