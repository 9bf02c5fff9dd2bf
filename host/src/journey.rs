//! The spans of an event's journey: their names and attributes, in one place.
//!
//! Made by the webhook, the lane, the chain and the delivery worker; sent by `telemetry/traces.rs` where the config names a collector.
//! Without one they cost a comparison each. No attribute holds a word of an event: a collector is another machine.

use tracing::Span;
use tracing::field::Empty;

use crate::decision::{Decision, TraceEntry, word};
use crate::outgoing::Outgoing;

/// What the spans of this file are known by: the host's log passes them over unless it is told `trace`.
pub const TARGET: &str = "signalbox::journey";

/// One verified call, from its body to its answer and what is done after it.
pub fn event(source: &str) -> Span {
    tracing::trace_span!(
        target: TARGET, "event", otel.kind = "server", signalbox.source = source, signalbox.event = Empty, signalbox.decision = Empty,
        signalbox.chain = Empty, signalbox.generation = Empty, signalbox.degraded = Empty, signalbox.category = Empty
    )
}

/// What was decided, on the span around.
pub fn decided(decision: &Decision) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    let head = &decision.head;
    span.record("signalbox.event", &head.event_id).record("signalbox.decision", &head.id).record("signalbox.chain", &head.chain);
    span.record("signalbox.generation", &head.generation).record("signalbox.degraded", decision.degraded);
    span.record("signalbox.category", &decision.category.key);
}

/// The adapter makes an event of the body.
pub fn map() -> Span {
    tracing::trace_span!(target: TARGET, "map")
}

/// Whose event it is; the time is that of waiting for another copy.
pub fn claim() -> Span {
    tracing::trace_span!(target: TARGET, "claim")
}

/// A chain runs.
pub fn chain(name: &str) -> Span {
    tracing::trace_span!(target: TARGET, "chain", signalbox.chain = name)
}

/// One step of it; of a run that only looks, such as a replay's, nobody hears.
pub fn step(name: &str, live: bool) -> Span {
    if !live {
        return Span::none();
    }
    tracing::trace_span!(
        target: TARGET, "step", signalbox.step = name, signalbox.plugin = Empty, signalbox.outcome = Empty, signalbox.fuel = Empty,
        signalbox.shadow = Empty, otel.status_code = Empty
    )
}

/// What came of the step that this span is of.
pub fn ran(span: &Span, entry: &TraceEntry) {
    if span.is_disabled() {
        return;
    }
    span.record("signalbox.plugin", format!("{}@{}", entry.plugin, entry.version)).record("signalbox.outcome", word(entry.outcome));
    span.record("signalbox.fuel", entry.fuel).record("signalbox.shadow", entry.shadow);
    if entry.outcome.is_fault() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The decision enters the journal.
pub fn record() -> Span {
    tracing::trace_span!(target: TARGET, "record")
}

/// One attempt at a call to a desk. Of no event's span: it may be made days later.
pub fn delivery(target: &str, id: &str, call: &Outgoing) -> Span {
    tracing::trace_span!(
        target: TARGET, parent: None, "delivery", otel.kind = "client", signalbox.target = target, signalbox.delivery = id,
        signalbox.call = call.name, http.request.method = call.method, http.response.status_code = Empty, signalbox.state = Empty
    )
}

/// What came of the attempt that the span around is of.
pub fn attempted(status: Option<u16>, state: &str) {
    let span = Span::current();
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    span.record("signalbox.state", state);
}
