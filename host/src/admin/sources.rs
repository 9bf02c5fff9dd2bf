//! `/v1/sources`: what is connected, and what a call would become.
//!
//! It sends nothing, records nothing, and shows no secret.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer;
use crate::app::App;
use crate::error::ApiError;
use crate::source::trial::Trial;

/// A call to try.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// The body: a text as it came, byte for byte, or JSON, whose signature then no longer fits.
    payload: Value,
    /// The headers that came with it.
    #[serde(default)]
    headers: Map<String, Value>,
    /// The query string that came with it.
    #[serde(default)]
    query: Option<String>,
}

/// Every source, without its secrets.
pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    let source = |source: &Arc<crate::source::Source>| {
        let about = source.adapter().about();
        let outbound = source.outbound().map(|way| json!({ "base": way.base, "mode": way.mode, "retry": way.retry }));
        json!({ "name": source.name(), "adapter": about.name, "system": about.system, "answer": source.answer(), "outbound": outbound })
    };
    answer(&json!({ "items": app.sources.values().map(source).collect::<Vec<_>>() }))
}

/// Tries a call: verification, mapping, decision, and the requests that would be sent.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::NotFound("source with this name".to_owned());
    let Path(name) = name.map_err(|_| unknown())?;
    let source = app.sources.get(&name).ok_or_else(unknown)?;
    let tried: Tried = serde_json::from_slice(&body)
        .map_err(|error| ApiError::Query(format!("{error}; send {{\"payload\": TEXT or JSON, \"headers\": {{}}, \"query\": TEXT}}")))?;
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (name, value) in &tried.headers {
        let fault = || ApiError::Query("a header has a name or a value that no call can have".to_owned());
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok()).ok_or_else(fault)?;
        headers.insert(name.parse::<HeaderName>().map_err(|_| fault())?, value);
    }
    let payload = tried.payload.as_str().map_or_else(|| tried.payload.to_string(), str::to_owned);
    let now = app.clock.now();
    let mut trial = Trial::of(source, &headers, tried.query.as_deref(), payload.as_bytes(), now);
    if let Some(event) = trial.event.clone().map(Arc::new) {
        let chain = app.generation().chain_for(&event);
        let decided = app.lane.submit(chain, event, now).await;
        let decision = decided.map_err(|_| ApiError::Internal("the lane ended before the chain did".to_owned()))?;
        trial = trial.decided(source, decision);
    }
    Ok(answer(&json!(trial)))
}
