//! `GET /metrics` on the admin listener: what the host counts, for a Prometheus.
//!
//! It needs a token of any role. The listener is loopback by default, but a proxy may stand before it, and the names of sources, chains and
//! desks, with how busy each is, are nobody else's business; Prometheus sends a token from a file (`authorization: credentials_file`).
//! What changes by itself (places, queues, breakers) is read now; it must answer while the journal cannot.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::CONTENT_TYPE;

use super::guard;
use crate::app::App;
use crate::breaker::Health;
use crate::error::ApiError;
use crate::metrics::Page;

/// The route, behind a token.
pub fn route(app: &Arc<App>) -> MethodRouter<Arc<App>> {
    get(metrics)
        .layer(middleware::from_fn_with_state(app.clone(), guard::authenticate))
        .fallback(async || ApiError::Method("GET".to_owned()))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut page = Page::default();
    app.metrics.write(&mut page);
    live(&app, &mut page);
    deliveries(&app, &mut page).await;
    clocks(&app, &mut page).await;
    waiting(&app, &mut page).await;
    host(&app, &mut page);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text()).into_response()
}

/// What is live, and how its steps fare.
fn live(app: &App, page: &mut Page) {
    let (generation, revision) = app.registry.now();
    page.family("signalbox_generation_info", "gauge", "The live generation.");
    page.sample("signalbox_generation_info", &[("generation", &generation.id), ("revision", &revision.to_string())], 1);
    page.single("signalbox_setup_revision", "gauge", "How often the set-up has changed.", revision);
    let steps = || generation.chains().values().flat_map(|chain| chain.steps.iter().map(|step| (chain.name.as_str(), step)));
    page.family("signalbox_step_quarantined", "gauge", "1 while a step is left out because it kept faulting.");
    for (chain, step) in steps() {
        let out = matches!(step.breaker.health(), Health::Quarantined { .. });
        page.sample("signalbox_step_quarantined", &[("chain", chain), ("step", &step.name)], u8::from(out));
    }
    page.family("signalbox_step_info", "gauge", "The live steps and the plugins that they run.");
    for (chain, step) in steps() {
        let plugin = step.plugin.description();
        let labels = [("chain", chain), ("step", &step.name), ("plugin", &plugin.name), ("version", &plugin.version)];
        page.sample("signalbox_step_info", &labels, 1);
    }
}

/// Clocks that have not ended. Left out while the journal cannot be read.
async fn clocks(app: &App, page: &mut Page) {
    let Ok(open) = app.store.open_clocks().await else { return };
    page.family("signalbox_clocks_open", "gauge", "Clocks of service levels that still wait for an answer, by where they stand.");
    for (clock, state, count) in open {
        page.sample("signalbox_clocks_open", &[("clock", clock.word()), ("state", state.word())], count);
    }
}

/// What waits for a person, and what sinks of alerts were spared so far. Left out while the journal cannot be read.
async fn waiting(app: &App, page: &mut Page) {
    if let Ok(waiting) = app.store.waiting_approvals().await {
        page.family("signalbox_approvals_waiting", "gauge", "What waits for a person, by what it is.");
        for (kind, count) in waiting {
            page.sample("signalbox_approvals_waiting", &[("kind", kind)], count);
        }
    }
    if let Ok(held) = app.store.held_alerts().await {
        page.family("signalbox_alerts_held", "gauge", "Alerts held back from a sink that no summary tells of yet.");
        for (sink, count) in held {
            page.sample("signalbox_alerts_held", &[("sink", &sink)], count);
        }
    }
}

/// What desks still have to get. Left out while the journal cannot be read: a zero would be a lie.
async fn deliveries(app: &App, page: &mut Page) {
    let targets = app.delivery.targets().into_keys().map(str::to_owned).collect();
    let Ok(backlogs) = app.store.backlog(targets).await else { return };
    page.family("signalbox_deliveries", "gauge", "Deliveries that wait, are being sent, or were set aside.");
    for backlog in &backlogs {
        for (state, count) in &backlog.counts {
            page.sample("signalbox_deliveries", &[("target", &backlog.target), ("state", state.word())], count);
        }
    }
    page.family("signalbox_delivery_oldest_seconds", "gauge", "Age of the oldest delivery that waits; 0 when none does.");
    let now = app.clock.now();
    for backlog in &backlogs {
        let age_ms = backlog.oldest.map_or(0, |made| now.0.saturating_sub(made.0));
        page.sample("signalbox_delivery_oldest_seconds", &[("target", &backlog.target)], age_ms / 1_000);
    }
}

/// The house itself.
fn host(app: &App, page: &mut Page) {
    let (failing, faults) = app.store.faults();
    page.single("signalbox_places", "gauge", "Requests that may be in work at once.", app.places);
    page.single("signalbox_places_free", "gauge", "Of those, free now.", app.permits.available_permits());
    page.single("signalbox_lane_waiting", "gauge", "Runs that wait for a thread of the slow lane.", app.lane.waiting());
    page.single("signalbox_journal_failing", "gauge", "1 while the last commit of the journal failed.", u8::from(failing));
    page.single("signalbox_journal_faults_total", "counter", "Commits of the journal that failed.", faults);
    if let Some(bytes) = app.resident() {
        page.single("process_resident_memory_bytes", "gauge", "Resident memory.", bytes);
    }
    page.single("process_start_time_seconds", "gauge", "When the host was started, unix time.", app.started.seconds());
}
