//! What a step in shadow would have changed: its entries in recorded traces, as the same report that a replay gives.
//!
//! A step in shadow runs on live traffic at its place in the chain, so that what it is compared with is what the steps before it had
//! settled there. Pure; called by `admin/chain.rs`.

use std::collections::BTreeMap;

use super::{Changed, Difference, EXCERPT, Report, SHOWN, StepCost};
use crate::decision::{Decision, Outcome, TraceEntry};
use crate::event::Event;
use crate::store::RecordedRun;

/// What this step would have changed in these decisions. Only runs of one generation of its chain count: a config that was live
/// before says nothing of the one that is live.
pub fn of_step(chain: &str, step: &str, generation: &str, recorded: Vec<RecordedRun>) -> Report {
    let mut report = Report { generation: generation.to_owned(), ..Report::default() };
    let mut cost = StepCost { chain: chain.to_owned(), step: step.to_owned(), ..StepCost::default() };
    let mut fuel = Vec::new();
    for RecordedRun { stored, .. } in recorded {
        // A record of another version of the host is of another generation too.
        let Ok(decision) = serde_json::from_str::<Decision>(&stored.decision) else { continue };
        let ours = |entry: &&TraceEntry| entry.shadow && entry.name.as_ref().unwrap_or(&entry.plugin) == step;
        let Some(entry) =
            decision.trace.iter().find(ours).filter(|_| decision.head.chain == chain && decision.head.generation == generation)
        else {
            continue;
        };
        cost.plugin = format!("{} {}", entry.plugin, entry.version);
        report.events += 1;
        if entry.outcome == Outcome::Skipped {
            continue;
        }
        cost.runs += 1;
        cost.faults += usize::from(entry.outcome.is_fault());
        fuel.push(entry.fuel);
        report.compared += usize::from(!entry.outcome.is_fault());
        let fields = differences(entry);
        if fields.is_empty() {
            continue;
        }
        report.changed += 1;
        for difference in &fields {
            *report.fields.entry(difference.field.clone()).or_default() += 1;
        }
        if let (Ok(event), true) = (serde_json::from_str::<Event>(&stored.event), report.changes.len() < SHOWN) {
            let text = event.text.chars().take(EXCERPT).collect();
            report.changes.push(Changed { event_id: event.id, source: event.source, decision_id: Some(decision.head.id), text, fields });
        }
    }
    cost.spent(fuel);
    report.steps.extend((report.events > 0).then_some(cost));
    report
}

/// Where the step would have left another value than it found: what it changed twice is told once, from first to last.
fn differences(entry: &TraceEntry) -> Vec<Difference> {
    let mut found: BTreeMap<&str, Difference> = BTreeMap::new();
    for change in &entry.set {
        let new = || Difference { field: change.field.clone(), from: change.from.clone(), to: None };
        found.entry(&change.field).or_insert_with(new).to = Some(change.to.clone());
    }
    found.into_values().filter(|difference| difference.from != difference.to).collect()
}
