//! `/v1/chains`: the live chains, step by step, and how each step fares.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body::{Filter, Json};
use super::change::Change;
use crate::app::App;
use crate::breaker::Health;
use crate::chain::Chain;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::gate;
use crate::replay::shadow::of_step;
use crate::replay::{self, Report, in_the_background};
use crate::setup::{Isolation, Mode, OnFault};

/// Every chain.
#[derive(Serialize, JsonSchema)]
pub(super) struct Chains {
    /// Changes whenever anything in it changes.
    generation: String,
    items: Vec<Live>,
}

/// The steps that events take now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Chain")]
pub(super) struct Live {
    /// Its name.
    name: String,
    /// Changes whenever anything in it changes.
    generation: String,
    /// Sources that take it; the default chain has those without a route too.
    sources: Vec<String>,
    steps: Vec<Step>,
}

/// One step of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Step {
    /// Unique in its chain.
    name: String,
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
    /// Whether it has a say.
    mode: Mode,
    /// What becomes of an event when it faults.
    on_fault: OnFault,
    /// Whether its instance serves one event or several.
    isolation: Isolation,
    /// What an instance begins as.
    starts_from: String,
    /// How it fares.
    health: Health,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Chains> {
    let generation = app.generation();
    let items = generation.chains().values().map(|chain| live(&app, chain)).collect();
    Json(Chains { generation: generation.id.clone(), items })
}

pub(super) async fn show(State(app): State<Arc<App>>, name: Result<Path<String>, PathRejection>) -> Result<Json<Live>, ApiError> {
    let unknown = || ApiError::NotFound("chain with this name".to_owned());
    let Path(name) = name.map_err(|_| unknown())?;
    let generation = app.generation();
    generation.chains().get(&name).map(|chain| Json(live(&app, chain))).ok_or_else(unknown)
}

/// Lets a quarantined step back in by hand.
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    change: Change,
) -> Result<Json<Health>, ApiError> {
    let unknown = || ApiError::NotFound("step with this name in this chain".to_owned());
    let Path((chain, step)) = path.map_err(|_| unknown())?;
    let generation = app.generation();
    let steps = &generation.chains().get(&chain).ok_or_else(unknown)?.steps;
    let found = steps.iter().find(|known| known.name == step).ok_or_else(unknown)?;
    app.store.audit(change.entry("step.reset", &format!("{chain}/{step}"))).await?;
    found.breaker.reset();
    Ok(Json(found.breaker.health()))
}

/// Over which recorded events a step in shadow is looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ShadowQuery {
    /// The newest so many, of all chains: 1,000 if absent, at most 20,000.
    #[schemars(range(min = 1, max = 20_000))]
    last: Option<u32>,
    /// Of those decided at this time or later.
    since: Option<Timestamp>,
    /// Of those decided before this time.
    until: Option<Timestamp>,
}

/// What a step in shadow would have changed, had it had a say.
pub(super) async fn shadow(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    Filter(query): Filter<ShadowQuery>,
) -> Result<Json<Report>, ApiError> {
    let unknown = || ApiError::NotFound("step with this name in this chain".to_owned());
    let Path((chain, step)) = path.map_err(|_| unknown())?;
    let generation = app.generation();
    let found = generation.chains().get(&chain).ok_or_else(unknown)?.clone();
    if found.steps.iter().find(|known| known.name == step).ok_or_else(unknown)?.mode != Mode::Shadow {
        return Err(ApiError::Conflict(format!("step `{step}` is not in shadow; what it changes is in the decisions themselves")));
    }
    let last = replay::last(query.last).map_err(|problem| ApiError::Query(format!("`last` {problem}")))?;
    let recorded = app.store.recorded(query.since, query.until, last).await?;
    let work = move || of_step(&chain, &step, &found.generation, recorded);
    let done = in_the_background(work).map_err(|error| ApiError::Internal(format!("no thread for the report: {error}")))?;
    done.await.map(Json).map_err(|_| ApiError::Internal("the report ended without an answer".to_owned()))
}

fn live(app: &App, chain: &Chain) -> Live {
    let generation = app.generation();
    let routed = app.sources.keys().filter(|source| generation.setup.chain_of(source) == chain.name).cloned();
    let step = |step: &crate::chain::Step| {
        let report = step.plugin.report();
        Step {
            name: step.name.clone(),
            plugin: report.description.name.clone(),
            version: report.description.version.clone(),
            digest: step.plugin.digest().to_owned(),
            summary: report.description.summary.clone(),
            config: report.config.clone(),
            grants: step.terms.grants.iter().map(ToString::to_string).collect(),
            mode: step.mode,
            on_fault: step.on_fault,
            isolation: step.plugin.isolation(),
            starts_from: gate::starts_from(&report.start),
            health: step.breaker.health(),
        }
    };
    Live {
        name: chain.name.clone(),
        generation: chain.generation.clone(),
        sources: routed.collect(),
        steps: chain.steps.iter().map(step).collect(),
    }
}
