//! Runs one event through the steps of a chain, in the order the admin sees. Cannot fail: it returns what happened.
//!
//! Called by the webhook and by the offline `run`. Every step sees what the steps before it settled; a step that misbehaves is
//! an outcome in the trace, and the event is decided without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::decision::{Decision, Draft, Head, Outcome, Terms, TraceEntry};
use crate::event::{Event, Timestamp};
use crate::plugin::{Plugin, Subject};

/// A plugin in use.
pub struct Step {
    /// The plugin with its config.
    pub plugin: Arc<Plugin>,
    /// On which terms its proposals are taken.
    pub terms: Terms,
}

/// A run longer than this is not quick, microseconds: twenty times a usual chain, a fiftieth of what a caller notices.
const QUICK_US: u64 = 1_000;
/// Runs without fault or overrun after which a chain counts as quick, at first and again.
const PROBATION: u32 = 16;

/// Steps in order. Immutable but for its probation: a change makes another chain.
pub struct Chain {
    /// The chain's name.
    pub name: String,
    /// Changes whenever a plugin, a config, a grant or the order changes.
    pub generation: String,
    /// In the order they run.
    pub steps: Vec<Step>,
    /// Well-behaved runs still wanted before the chain may run where requests are.
    probation: AtomicU32,
}

impl Chain {
    /// A chain on probation.
    pub fn new(name: String, generation: String, steps: Vec<Step>) -> Self {
        Self { name, generation, steps, probation: AtomicU32::new(PROBATION) }
    }

    /// Whether it has lately been quick and without fault, so that it may run on a thread that serves requests.
    pub fn is_quick(&self) -> bool {
        self.probation.load(Ordering::Relaxed) == 0
    }

    fn watch(&self, trace: &[TraceEntry]) {
        let micros: u64 = trace.iter().map(|entry| entry.micros).sum();
        // A lost update between two threads only makes the probation one run longer or shorter.
        if micros > QUICK_US || trace.iter().any(|entry| entry.outcome.is_fault()) {
            self.probation.store(PROBATION, Ordering::Relaxed);
        } else if let left @ 1.. = self.probation.load(Ordering::Relaxed) {
            self.probation.store(left - 1, Ordering::Relaxed);
        }
    }

    /// Decides one event as of `now`.
    pub fn run(&self, event: &Arc<Event>, now: Timestamp) -> Decision {
        let subject = Subject::new(event.clone(), now);
        let mut draft = Draft::default();
        let mut trace = Vec::with_capacity(self.steps.len());
        let mut stopped_by: Option<String> = None;
        for (step, place) in self.steps.iter().zip(1..) {
            if stopped_by.is_some() {
                trace.push(step.skipped(place, "an earlier step stopped the chain"));
                continue;
            }
            if !step.judges(&event.kind) {
                trace.push(step.skipped(place, "it does not judge events of this kind"));
                continue;
            }
            let answer = step.plugin.evaluate(&subject, draft.settled());
            let applied = draft.apply(answer.verdict, &step.terms);
            if applied.stop {
                stopped_by = Some(step.plugin.description().name.clone());
            }
            trace.push(TraceEntry {
                outcome: answer.outcome,
                detail: answer.detail,
                set: applied.set,
                dropped: applied.dropped,
                log: answer.log,
                log_dropped: answer.log_dropped,
                micros: answer.micros,
                fuel: answer.fuel,
                memory_bytes: answer.memory_bytes,
                ..step.entry(place)
            });
        }
        self.watch(&trace);
        let degraded = trace.iter().any(|entry| entry.outcome.is_fault());
        draft.finish(self.head(event, now), degraded, stopped_by, trace)
    }

    fn head(&self, event: &Event, now: Timestamp) -> Head {
        Head {
            id: uuid::Uuid::now_v7().to_string(),
            event_id: event.id.clone(),
            revision: event.revision,
            source: event.source.clone(),
            chain: self.name.clone(),
            generation: self.generation.clone(),
            decided: now,
        }
    }
}

impl Step {
    fn judges(&self, kind: &str) -> bool {
        let kinds = &self.plugin.description().event_kinds;
        kinds.is_empty() || kinds.iter().any(|known| known == kind)
    }

    fn skipped(&self, place: u32, why: &str) -> TraceEntry {
        TraceEntry { outcome: Outcome::Skipped, detail: Some(why.to_owned()), ..self.entry(place) }
    }

    fn entry(&self, step: u32) -> TraceEntry {
        let description = self.plugin.description();
        TraceEntry {
            step,
            plugin: description.name.clone(),
            version: description.version.clone(),
            digest: self.plugin.digest().to_owned(),
            outcome: Outcome::Ran,
            detail: None,
            set: Vec::new(),
            dropped: Vec::new(),
            log: Vec::new(),
            log_dropped: 0,
            micros: 0,
            fuel: 0,
            memory_bytes: 0,
        }
    }
}
