//! `/v1/sources`: what is connected, and what a call would become.
//!
//! It sends nothing, records nothing, and shows no secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::Json;
use crate::app::App;
use crate::error::ApiError;
use crate::source::trial::Trial;
use crate::source::{Answer, Source};

/// A call to try.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TriedCall")]
#[serde(deny_unknown_fields)]
pub(super) struct Tried {
    /// The body: a text as it came, byte for byte, or JSON, whose signature then no longer fits.
    payload: Value,
    /// The headers that came with it.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }))]
    headers: BTreeMap<String, String>,
    /// The query string that came with it.
    #[serde(default)]
    query: Option<String>,
}

/// Every source.
#[derive(Serialize, JsonSchema)]
pub(super) struct Sources {
    items: Vec<Connected>,
}

/// One source, without its secrets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Source")]
struct Connected {
    name: String,
    /// The name of its adapter.
    adapter: String,
    /// The desk's kind.
    system: String,
    /// What a call is answered with.
    answer: Answer,
    /// The chain that its events take.
    chain: String,
    /// Where decisions are written back, if anywhere.
    outbound: Option<Value>,
}

/// What a call would become: verification, event or drop reason or observation, decision, and the requests that would be sent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Trial")]
pub(super) struct Would(#[schemars(with = "BTreeMap<String, Value>")] Trial);

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Sources> {
    let generation = app.generation();
    let source = |source: &Arc<Source>| {
        let about = source.adapter().about();
        Connected {
            name: source.name().to_owned(),
            adapter: about.name.clone(),
            system: about.system.clone(),
            answer: source.answer(),
            chain: generation.setup.chain_of(source.name()).to_owned(),
            outbound: source.outbound().map(|way| json!({ "base": way.base, "mode": way.mode, "retry": way.retry })),
        }
    };
    Json(Sources { items: app.sources.values().map(source).collect() })
}

pub(super) async fn test(State(app): State<Arc<App>>, Path(name): Path<String>, Json(tried): Json<Tried>) -> Result<Json<Would>, ApiError> {
    let source = app.sources.get(&name).ok_or_else(|| ApiError::NotFound("source with this name".to_owned()))?;
    would(&app, source, &tried).await.map(Json)
}

/// What a call would become through a source, which need not be configured.
pub(super) async fn would(app: &App, source: &Source, tried: &Tried) -> Result<Would, ApiError> {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (name, value) in &tried.headers {
        let fault = |what: &str| ApiError::Body { pointer: format!("/headers/{}", crate::setup::escape(name)), problem: what.to_owned() };
        let value = HeaderValue::from_str(value).map_err(|_| fault("has a value that no call can have"))?;
        headers.insert(name.parse::<HeaderName>().map_err(|_| fault("is a name that no header can have"))?, value);
    }
    let payload = tried.payload.as_str().map_or_else(|| tried.payload.to_string(), str::to_owned);
    let now = app.clock.now();
    let mut trial = Trial::of(source, &headers, tried.query.as_deref(), payload.as_bytes(), now);
    if let Some(event) = trial.event.clone().map(Arc::new) {
        let chain = app.generation().chain_for(&event);
        // Tried, not run: nothing learns from it, and it keeps no event waiting.
        let backing = app.backing().scratch();
        let decided = tokio::task::spawn_blocking(move || chain.replay(&event, now, &backing).decision).await;
        let decision = decided.map_err(|error| ApiError::Internal(format!("the chain did not end well: {error}")))?;
        trial = trial.decided(source, decision);
    }
    Ok(Would(trial))
}
