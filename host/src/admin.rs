//! The admin API under `/v1`: every route needs the token, and answers JSON.
//!
//! Reads the journal, the sources and the live generation. What it tries out it neither sends nor records.

mod sources;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use crate::app::App;
use crate::error::ApiError;
use crate::plugin::Start;
use crate::store::{Query, Stored};

/// Every route of the API.
pub fn routes(app: Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/about", get(about).fallback(only_get))
        .route("/chain", get(chain).fallback(only_get))
        .route("/decisions", get(decisions).fallback(only_get))
        .route("/decisions/{id}", get(decision).fallback(only_get))
        .route("/sources", get(sources::list).fallback(only_get))
        .route("/sources/{name}/test", post(sources::test).fallback(|| async { ApiError::Method("POST") }))
        .fallback(|| async { ApiError::NoRoute })
        .layer(middleware::from_fn_with_state(app, authenticate))
}

async fn only_get() -> ApiError {
    ApiError::Method("GET")
}

/// Lets nobody past without the token, whatever the path.
async fn authenticate(State(app): State<Arc<App>>, request: Request<Body>, next: Next) -> Response {
    let mut presented = request.headers().get_all(AUTHORIZATION).iter();
    let token = match (presented.next(), presented.next()) {
        (Some(one), None) => one.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")),
        _ => None,
    };
    match token {
        Some(token) if app.token.matches(token.trim()) => next.run(request).await,
        _ => ApiError::Token.into_response(),
    }
}

async fn about(State(app): State<Arc<App>>) -> Response {
    answer(&json!({
        "name": "signalbox",
        "version": env!("CARGO_PKG_VERSION"),
        "tracks": ["signalbox:rules@0.1"],
        "generation": app.generation().id,
        "instances": app.allocation,
        "sources": app.sources.keys().collect::<Vec<_>>(),
    }))
}

async fn chain(State(app): State<Arc<App>>) -> Response {
    let generation = app.generation();
    let steps: Vec<_> = generation
        .steps()
        .iter()
        .map(|step| {
            let report = &step.plugin.report;
            json!({
                "plugin": report.description.name,
                "version": report.description.version,
                "digest": step.plugin.digest,
                "summary": report.description.summary,
                "config": report.config,
                "grants": step.terms.grants.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "starts_from": match &report.start {
                    Start::Snapshot => "snapshot".to_owned(),
                    Start::Configure { why } => format!("configure in every instance: {why}"),
                },
            })
        })
        .collect();
    answer(&json!({ "generation": generation.id, "steps": steps }))
}

async fn decision(State(app): State<Arc<App>>, id: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let unknown = || ApiError::NotFound("decision with this id".to_owned());
    let Path(id) = id.map_err(|_| unknown())?;
    let stored = app.store.decision(&id).await?.ok_or_else(unknown)?;
    Ok(raw(whole(&stored)))
}

async fn decisions(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let query: Query = serde_urlencoded::from_str(query.as_deref().unwrap_or_default())
        .map_err(|error| ApiError::Query(format!("{error}; the filters are source, category, sentiment, priority, min_escalation, degraded, event_id, ticket_id, since, until, limit, cursor")))?;
    let page = app.store.decisions(&query).await?;
    let items: Vec<String> = page.items.iter().map(whole).collect();
    let next = page.next.map_or("null".to_owned(), |next| json!(next).to_string());
    Ok(raw(format!(r#"{{"items":[{}],"next":{next}}}"#, items.join(","))))
}

/// Event and decision with their recorded bytes, not a second rendering.
fn whole(stored: &Stored) -> String {
    format!(r#"{{"event":{},"decision":{}}}"#, stored.event, stored.decision)
}

fn answer(value: &serde_json::Value) -> Response {
    raw(value.to_string())
}

fn raw(json: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}
