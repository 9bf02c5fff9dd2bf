//! A decision as people like to read it: what was settled, then who said so and why.

use std::fmt::Write as _;

use serde_json::Value;

use crate::decision::{Decision, TraceEntry};
use crate::event::Event;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const WARN: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";
/// Characters of the text that are shown.
const EXCERPT: usize = 160;

/// Renders one decision.
pub(super) fn card(event: &Event, decision: &Decision) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{BOLD}{}{RESET}  {DIM}{} {} via {}{RESET}", printable(&event.id), event.network, event.kind, source(event));
    let _ = writeln!(text, "  “{}”\n", printable(&excerpt(&event.text)));
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {DIM}{name:<12}{RESET}{}", printable(&value));
        }
    };
    row("category", format!("{}{}", decision.category.key, sure(decision, "category")));
    if let Some(sentiment) = &decision.sentiment {
        let signals = if sentiment.signals.is_empty() { String::new() } else { format!(", {}", sentiment.signals.join(", ")) };
        row("sentiment", format!("{} {:+.2}{}{signals}", word(&sentiment.label), sentiment.score, sure(decision, "sentiment")));
    }
    row("intent", decision.intent.clone().unwrap_or_default());
    let levels = [("priority", decision.priority), ("urgency", decision.urgency), ("impact", decision.impact)];
    row(
        "priority",
        levels.iter().filter_map(|(name, level)| level.map(|level| format!("{name} {}", word(&level)))).collect::<Vec<_>>().join(", "),
    );
    if let Some(route) = &decision.assignment {
        let parts = [("", &route.queue), ("assignee ", &route.assignee), ("skill ", &route.skill), ("on call ", &route.on_call)];
        row(
            "route",
            parts.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}{value}"))).collect::<Vec<_>>().join(", "),
        );
    }
    if decision.escalation.level > 0 {
        row("escalation", format!("level {} to {}", decision.escalation.level, decision.escalation.audience.join(", ")));
    }
    if decision.crisis != crate::verdict::Crisis::None {
        row("crisis", word(&decision.crisis));
    }
    row("tags", decision.tags.add.join(", "));
    row("marks", decision.marks.join(", "));
    row("alerts", decision.alerts.iter().map(|alert| format!("{}: {}", alert.audience, alert.text)).collect::<Vec<_>>().join("; "));
    row("replies", decision.replies.iter().map(|reply| reply.body.clone()).collect::<Vec<_>>().join(" | "));
    text.push('\n');
    for entry in &decision.trace {
        step(&mut text, entry);
    }
    if decision.degraded {
        let _ = writeln!(text, "\n  {WARN}degraded: a step misbehaved, and the event was decided without it{RESET}");
    }
    text.push('\n');
    text
}

fn step(text: &mut String, entry: &TraceEntry) {
    let cost = format!("{} us, {}k fuel, {} KiB", entry.micros, entry.fuel.div_ceil(1_000), entry.memory_bytes >> 10);
    let outcome = if entry.outcome.is_fault() { format!("{WARN}{}{RESET}", word(&entry.outcome)) } else { word(&entry.outcome) };
    let detail = entry.detail.as_deref().map(|detail| format!(": {}", printable(detail))).unwrap_or_default();
    let _ = writeln!(text, "  {}. {BOLD}{}{RESET} {} {outcome}{detail}  {DIM}{cost}{RESET}", entry.step, entry.plugin, entry.version);
    for change in &entry.set {
        let field = change.field.trim_start_matches('/');
        let _ = writeln!(
            text,
            "     {field} = {}  {DIM}{:.2}{RESET}  {}",
            printable(&short(&change.to)),
            change.confidence,
            printable(&change.reason)
        );
    }
    for dropped in &entry.dropped {
        let _ = writeln!(text, "     {WARN}not taken{RESET} {}: {}", dropped.effect, printable(&dropped.reason));
    }
    for line in &entry.log {
        let _ = writeln!(text, "     {DIM}log {}: {}{RESET}", line.severity, printable(&line.message));
    }
}

/// The part of a value that people look for.
fn short(value: &Value) -> String {
    let part = ["key", "label", "queue", "level", "action", "audience", "body"].iter().find_map(|key| value.get(key));
    let text = match part.unwrap_or(value) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(60).collect()
}

fn sure(decision: &Decision, key: &str) -> String {
    decision.confidence.get(key).map(|confidence| format!(" ({:.0} %)", confidence * 100.0)).unwrap_or_default()
}

fn source(event: &Event) -> &str {
    if event.source.is_empty() { "a file" } else { &event.source }
}

fn excerpt(text: &str) -> String {
    let head: String = text.chars().take(EXCERPT).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}

/// A unit enum as its JSON word, underscores as spaces.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(|word| word.replace('_', " "))).unwrap_or_default()
}

/// Foreign text, safe for a terminal: no control characters, no direction tricks, one line.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => '\u{fffd}',
            c => c,
        })
        .collect()
}
