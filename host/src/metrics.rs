//! What the host counts, and the text that a Prometheus reads it in.
//!
//! Counted by the webhook (calls) and by `app.rs` (decided events), written out by `admin/metrics.rs`. Counters are atomics that are
//! found by one look-up and made once, so that an event costs a few additions. A label's value comes from the config, the set-up or a closed
//! list: it must never come from an event, since whoever writes events would then fill the memory of two machines.

mod page;
mod workflow;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

pub use page::Page;
pub use workflow::Workflow;

use crate::decision::{Decision, Outcome, TraceEntry};

/// Upper ends of a step's times, microseconds: a rule takes 5 to 50, the default budget ends at a second.
const STEP_US: &[u64] = &[10, 25, 50, 100, 250, 500, 1_000, 5_000, 25_000, 100_000, 500_000, 1_000_000];
/// Upper ends of a call's times, microseconds: from a decision in memory to the longest that a desk waits.
const CALL_US: &[u64] = &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000];
/// Most chains, steps of a chain, or reasons of a source that are told apart; what comes later is not counted by name. A set-up has dozens.
const MOST: usize = 500;

/// Every outcome, in the order of the enum.
const OUTCOMES: [Outcome; 14] = [
    Outcome::Ran,
    Outcome::NotApplicable,
    Outcome::Skipped,
    Outcome::OutOfFuel,
    Outcome::TimedOut,
    Outcome::Trapped,
    Outcome::StackOverflow,
    Outcome::OutOfMemory,
    Outcome::TooManyCalls,
    Outcome::OutputTooLarge,
    Outcome::Malformed,
    Outcome::Denied,
    Outcome::Failed,
    Outcome::Quarantined,
];

/// Every clock, in the order of the contract's enum.
const CLOCKS: [&str; 3] = ["first_response", "next_response", "resolution"];
/// What happens to a clock, each with its family and what that counts.
const CLOCK_EVENTS: [(&str, &str); 4] = [
    ("signalbox_clocks_started_total", "Clocks of service levels that were started."),
    ("signalbox_clocks_met_total", "Of those, answered in time."),
    ("signalbox_clocks_warned_total", "Warnings given: a share of the target was used up."),
    ("signalbox_clocks_breached_total", "Clocks that ran out before the answer."),
];

/// What became of one call of a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// It got the decision that was made for it.
    Decided,
    /// It got the decision of an earlier copy.
    Repeated,
    /// It got a receipt.
    Receipt,
    /// Not for the chain, for a reason that the adapter names.
    Dropped(String),
    /// Looked at only, for a reason that the adapter names.
    Observed(String),
    /// It filled this table.
    Fed(String),
    /// Refused, with the code of the answer.
    Refused(&'static str),
    /// The caller hung up before there was an answer.
    Gone,
}

impl Called {
    /// The labels `result` and `reason`.
    fn labels(&self) -> (&'static str, &str) {
        match self {
            Self::Decided => ("decided", ""),
            Self::Repeated => ("repeated", ""),
            Self::Receipt => ("receipt", ""),
            Self::Dropped(reason) => ("dropped", reason),
            Self::Observed(reason) => ("observed", reason),
            Self::Fed(table) => ("fed", table),
            Self::Refused(code) => ("refused", code),
            Self::Gone => ("gone", ""),
        }
    }
}

/// Everything that is counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    sources: BTreeMap<String, Arc<SourceMeter>>,
    chains: RwLock<BTreeMap<String, ChainMeter>>,
    unrouted: AtomicU64,
    /// By clock, and by what happened to it.
    clocks: [[AtomicU64; CLOCK_EVENTS.len()]; CLOCKS.len()],
    /// Alerts and approvals.
    pub workflow: Workflow,
}

/// One source's calls.
#[derive(Debug)]
struct SourceMeter {
    answered: [AtomicU64; 3],
    gone: AtomicU64,
    /// By result and reason. Behind a lock: refusals and drops are not the path that has to be quick, and the lock is held for an addition.
    reasons: Mutex<BTreeMap<&'static str, BTreeMap<String, u64>>>,
    times: Histogram,
}

/// One chain's decisions, and its steps by name.
#[derive(Debug, Default)]
struct ChainMeter {
    decided: AtomicU64,
    degraded: AtomicU64,
    held: AtomicU64,
    steps: BTreeMap<String, StepMeter>,
}

#[derive(Debug)]
struct StepMeter {
    outcomes: [AtomicU64; OUTCOMES.len()],
    fuel: AtomicU64,
    times: Histogram,
}

/// Times in fixed buckets.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [u64],
    /// One more than there are bounds: what is longer than all of them.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    fn add(&self, micros: u64) {
        let at = self.bounds.partition_point(|bound| *bound < micros);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }
}

/// A call under way: counted when it is finished, or when its caller is gone.
pub struct Timed {
    meter: Option<Arc<SourceMeter>>,
    started: Instant,
}

impl Timed {
    /// Counts how it ended.
    pub fn finish(mut self, called: &Called) {
        if let Some(meter) = self.meter.take() {
            meter.count(called, self.started);
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if let Some(meter) = self.meter.take() {
            meter.count(&Called::Gone, self.started);
        }
    }
}

impl SourceMeter {
    fn new() -> Self {
        let reasons = Mutex::default();
        Self { answered: Default::default(), gone: AtomicU64::new(0), reasons, times: Histogram::new(CALL_US) }
    }

    fn count(&self, called: &Called, started: Instant) {
        match called {
            Called::Decided => bump(&self.answered[0]),
            Called::Repeated => bump(&self.answered[1]),
            Called::Receipt => bump(&self.answered[2]),
            Called::Gone => bump(&self.gone),
            Called::Dropped(_) | Called::Observed(_) | Called::Fed(_) | Called::Refused(_) => {
                let (result, reason) = called.labels();
                let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
                let reasons = reasons.entry(result).or_default();
                if let Some(count) = reasons.get_mut(reason) {
                    *count += 1;
                } else if reasons.len() < MOST {
                    reasons.insert(reason.to_owned(), 1);
                }
            }
        }
        if !matches!(called, Called::Refused(_) | Called::Gone) {
            self.times.add(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
    }
}

impl StepMeter {
    fn new() -> Self {
        Self { outcomes: Default::default(), fuel: AtomicU64::new(0), times: Histogram::new(STEP_US) }
    }

    fn count(&self, entry: &TraceEntry) {
        if let Some(count) = self.outcomes.get(entry.outcome as usize) {
            bump(count);
        }
        // What was not asked took no time: counted as zeros, such steps would look quick.
        if !matches!(entry.outcome, Outcome::Skipped | Outcome::Quarantined) {
            self.fuel.fetch_add(entry.fuel, Ordering::Relaxed);
            self.times.add(entry.micros);
        }
    }
}

impl Metrics {
    /// Nothing counted yet, for these sources and sinks of alerts.
    pub fn new<'a>(sources: impl Iterator<Item = &'a String>, sinks: impl Iterator<Item = &'a String>) -> Self {
        let sources = sources.map(|name| (name.clone(), Arc::new(SourceMeter::new()))).collect();
        Self { sources, workflow: Workflow::new(sinks), ..Self::default() }
    }

    /// A call of this source begins.
    pub fn begin(&self, source: &str) -> Timed {
        Timed { meter: self.sources.get(source).cloned(), started: Instant::now() }
    }

    /// A call for no configured source. Its name is the caller's word, and so no label.
    pub fn unrouted(&self) {
        bump(&self.unrouted);
    }

    /// An event was decided. The chain's and the steps' names are the set-up's; what one has counted stays when the set-up changes.
    pub fn decided(&self, decision: &Decision) {
        let known = self.chains.read().unwrap_or_else(PoisonError::into_inner);
        if known.get(&decision.head.chain).is_some_and(|chain| chain.count(decision)) {
            return;
        }
        drop(known);
        let mut chains = self.chains.write().unwrap_or_else(PoisonError::into_inner);
        if chains.len() >= MOST && !chains.contains_key(&decision.head.chain) {
            return;
        }
        let chain = chains.entry(decision.head.chain.clone()).or_default();
        for entry in &decision.trace {
            if chain.steps.len() < MOST && !chain.steps.contains_key(label(entry)) {
                chain.steps.insert(label(entry).to_owned(), StepMeter::new());
            }
        }
        chain.count_known(decision);
    }

    /// Something happened to a clock; both are told by their place.
    pub fn clock(&self, clock: usize, what: usize) {
        if let Some(count) = self.clocks.get(clock).and_then(|of| of.get(what)) {
            bump(count);
        }
    }

    /// Writes everything down.
    pub fn write(&self, page: &mut Page) {
        page.family(
            "signalbox_calls_total",
            "counter",
            "Calls of a desk, by what became of them; reason is the adapter's, or the code of the refusal.",
        );
        for (source, meter) in &self.sources {
            let answered = [Called::Decided, Called::Repeated, Called::Receipt].into_iter().zip(&meter.answered);
            for (called, count) in answered.chain([(Called::Gone, &meter.gone)]) {
                let (result, reason) = called.labels();
                page.sample("signalbox_calls_total", &[("source", source), ("result", result), ("reason", reason)], read(count));
            }
            let reasons = meter.reasons.lock().unwrap_or_else(PoisonError::into_inner);
            for (result, reason, count) in
                reasons.iter().flat_map(|(result, of)| of.iter().map(move |(reason, count)| (result, reason, count)))
            {
                page.sample("signalbox_calls_total", &[("source", source), ("result", result), ("reason", reason)], count);
            }
        }
        page.family("signalbox_call_seconds", "histogram", "Time from a call's headers to its answer, refused calls left out.");
        for (source, meter) in &self.sources {
            page.histogram("signalbox_call_seconds", &[("source", source)], &meter.times);
        }
        page.family("signalbox_unrouted_calls_total", "counter", "Calls for a source that is not in the config.");
        page.sample("signalbox_unrouted_calls_total", &[], read(&self.unrouted));
        for (what, (family, help)) in CLOCK_EVENTS.into_iter().enumerate() {
            page.family(family, "counter", help);
            for (clock, counts) in CLOCKS.into_iter().zip(&self.clocks) {
                page.sample(family, &[("clock", clock)], read(&counts[what]));
            }
        }
        self.workflow.write(page);
        let chains = self.chains.read().unwrap_or_else(PoisonError::into_inner);
        page.family("signalbox_decisions_total", "counter", "Events decided by a chain.");
        page.each("signalbox_decisions_total", chains.iter().map(|(name, chain)| (name, read(&chain.decided))));
        page.family("signalbox_degraded_decisions_total", "counter", "Of those, made without a step that misbehaved.");
        page.each("signalbox_degraded_decisions_total", chains.iter().map(|(name, chain)| (name, read(&chain.degraded))));
        page.family("signalbox_held_decisions_total", "counter", "Of those, held for a person.");
        page.each("signalbox_held_decisions_total", chains.iter().map(|(name, chain)| (name, read(&chain.held))));
        let steps = || {
            chains.iter().flat_map(|(chain, meter)| {
                meter.steps.iter().map(move |(step, meter)| ([("chain", chain.as_str()), ("step", step)], meter))
            })
        };
        page.family("signalbox_step_runs_total", "counter", "Runs of a step by outcome; every limit has an outcome of its own.");
        for ([chain, step], meter) in steps() {
            for (outcome, count) in OUTCOMES.into_iter().zip(&meter.outcomes) {
                page.sample("signalbox_step_runs_total", &[chain, step, ("outcome", word(outcome))], read(count));
            }
        }
        page.family("signalbox_step_fuel_total", "counter", "Fuel that a step has used: about one unit per wasm instruction.");
        for (labels, meter) in steps() {
            page.sample("signalbox_step_fuel_total", &labels, read(&meter.fuel));
        }
        page.family("signalbox_step_seconds", "histogram", "Wall time of a step's runs, host calls included.");
        for (labels, meter) in steps() {
            page.histogram("signalbox_step_seconds", &labels, &meter.times);
        }
    }
}

impl ChainMeter {
    /// Counts a decision whose steps are all known; otherwise counts nothing and says so.
    fn count(&self, decision: &Decision) -> bool {
        let known = decision.trace.iter().all(|entry| self.steps.contains_key(label(entry))) || self.steps.len() >= MOST;
        if known {
            self.count_known(decision);
        }
        known
    }

    fn count_known(&self, decision: &Decision) {
        bump(&self.decided);
        if decision.degraded {
            bump(&self.degraded);
        }
        if decision.held.is_some() {
            bump(&self.held);
        }
        for entry in &decision.trace {
            if let Some(step) = self.steps.get(label(entry)) {
                step.count(entry);
            }
        }
    }
}

/// The step's name, as the set-up has it.
fn label(entry: &TraceEntry) -> &str {
    entry.name.as_deref().unwrap_or(&entry.plugin)
}

fn bump(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// An outcome's word, as it is in JSON. A new outcome is added here and to [`OUTCOMES`].
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ran => "ran",
        Outcome::NotApplicable => "not_applicable",
        Outcome::Skipped => "skipped",
        Outcome::OutOfFuel => "out_of_fuel",
        Outcome::TimedOut => "timed_out",
        Outcome::Trapped => "trapped",
        Outcome::StackOverflow => "stack_overflow",
        Outcome::OutOfMemory => "out_of_memory",
        Outcome::TooManyCalls => "too_many_calls",
        Outcome::OutputTooLarge => "output_too_large",
        Outcome::Malformed => "malformed",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
        Outcome::Quarantined => "quarantined",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_place_and_the_word_of_its_json() {
        for (at, outcome) in OUTCOMES.into_iter().enumerate() {
            assert_eq!((outcome as usize, word(outcome).to_owned()), (at, crate::decision::word(outcome)));
        }
    }

    #[test]
    fn a_time_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(&[10, 100]);
        [0, 10, 11, 100, 101].into_iter().for_each(|micros| histogram.add(micros));
        let mut page = Page::default();
        page.histogram("t", &[("step", "a")], &histogram);
        let lines = [
            "t_bucket{step=\"a\",le=\"0.00001\"} 2",
            "t_bucket{step=\"a\",le=\"0.0001\"} 4",
            "t_bucket{step=\"a\",le=\"+Inf\"} 5",
            "t_sum{step=\"a\"} 0.000222",
            "t_count{step=\"a\"} 5",
        ];
        assert_eq!(page.text(), lines.join("\n") + "\n");
    }

    #[test]
    fn a_call_is_counted_once_however_it_ends() {
        let metrics = Metrics::new([&"desk".to_owned()].into_iter(), std::iter::empty());
        metrics.begin("desk").finish(&Called::Decided);
        metrics.begin("desk").finish(&Called::Refused("signature"));
        drop(metrics.begin("desk"));
        metrics.begin("nobody").finish(&Called::Decided);
        let mut page = Page::default();
        metrics.write(&mut page);
        let text = page.text();
        for (result, reason) in [("decided", ""), ("refused", "signature"), ("gone", "")] {
            let line = format!("signalbox_calls_total{{source=\"desk\",result=\"{result}\",reason=\"{reason}\"}} 1\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert!(text.contains("signalbox_call_seconds_count{source=\"desk\"} 1\n") && !text.contains("nobody"), "{text}");
    }
}
