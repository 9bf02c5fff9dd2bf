//! Runs one event through the steps of a chain, in the order the admin sees. Cannot fail: it returns what happened.
//!
//! Called by the webhook and by the offline `run`. Every step sees what the steps before it settled; a step that misbehaves is
//! an outcome in the trace, and the event is decided without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ask::Asked;
use crate::breaker::Breaker;
use crate::decision::{Applied, Decision, Draft, Head, Held, Outcome, Terms, TraceEntry};
use crate::event::{Event, Timestamp};
use crate::grant::Grant;
use crate::journey;
use crate::plugin::{Backing, Plugin, Seat, Subject};
use crate::setup::{Condition, Mode, OnFault, QUARANTINE_AFTER};
use crate::state::Written;
use crate::verdict::Proposal;

/// A plugin in use.
pub struct Step {
    /// Unique in its chain.
    pub name: String,
    /// The plugin with its config.
    pub plugin: Arc<Plugin>,
    /// On which terms its proposals are taken.
    pub terms: Terms,
    /// Whether it has a say.
    pub mode: Mode,
    /// What becomes of an event when it faults.
    pub on_fault: OnFault,
    /// It runs only where this holds.
    pub when: Condition,
    /// It does not run where this holds.
    pub unless: Option<Condition>,
    /// Leaves it out when it keeps faulting. Shared with the same step of other generations.
    pub breaker: Arc<Breaker>,
}

/// A run longer than this is not quick, microseconds: twenty times a usual chain, a fiftieth of what a caller notices.
const QUICK_US: u64 = 1_000;
/// Runs without fault or overrun after which a chain counts as quick, at first and again.
const PROBATION: u32 = 16;

/// Steps in order. Immutable but for its probation and its steps' breakers: a change makes another chain.
pub struct Chain {
    /// The chain's name.
    pub name: String,
    /// Changes whenever a plugin, a config, a grant or the order changes.
    pub generation: String,
    /// In the order they run.
    pub steps: Vec<Step>,
    /// Well-behaved runs still wanted before the chain may run where requests are.
    probation: AtomicU32,
    /// A step of it may have to wait, for its turn at its state or for the disk.
    waits: bool,
    /// A step of it reads what the steps before have proposed.
    reads_history: bool,
}

/// What came of one run.
#[derive(Debug)]
pub struct Ran {
    /// The decision, trace included.
    pub decision: Decision,
    /// What its steps asked the host and were told, for a replay.
    pub asked: Vec<Asked>,
    /// What its steps remembered: taken back when this is dropped before it is kept.
    pub written: Written,
}

/// A run under way.
struct Running<'a> {
    subject: Arc<Subject>,
    backing: &'a Backing,
    now: Timestamp,
    run: Run,
    draft: Draft,
    stopped_by: Option<String>,
    history: Vec<(String, Proposal)>,
    asked: Vec<Asked>,
    written: Written,
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    /// A decision that counts: breakers and probation learn from it.
    Live,
    /// A look at what would be decided: nothing learns from it, shadow steps and breakers stay out of it.
    Replay,
}

impl Chain {
    /// A chain on probation.
    pub fn new(name: String, generation: String, steps: Vec<Step>) -> Self {
        let waits = steps.iter().any(|step| step.plugin.reach().waits());
        let reads_history = steps.iter().any(|step| step.plugin.reach().history);
        Self { name, generation, steps, probation: AtomicU32::new(PROBATION), waits, reads_history }
    }

    /// Whether it has lately been quick and without fault, so that it may run on a thread that serves requests. A chain that may have to
    /// wait never is; rows of tables are in memory, and looking them up is no reason to wait.
    pub fn is_quick(&self) -> bool {
        !self.waits && self.probation.load(Ordering::Relaxed) == 0
    }

    /// Whether it is new, or has lately faulted or overrun.
    pub fn is_on_probation(&self) -> bool {
        self.probation.load(Ordering::Relaxed) > 0
    }

    fn watch(&self, trace: &[TraceEntry]) {
        let micros: u64 = trace.iter().map(|entry| entry.micros).sum();
        let fault = |entry: &TraceEntry| entry.outcome.is_fault() && entry.outcome != Outcome::Quarantined;
        // A lost update between two threads only makes the probation one run longer or shorter.
        if micros > QUICK_US || trace.iter().any(fault) {
            self.probation.store(PROBATION, Ordering::Relaxed);
        } else if let left @ 1.. = self.probation.load(Ordering::Relaxed) {
            self.probation.store(left - 1, Ordering::Relaxed);
        }
    }

    /// Decides one event as of `now`.
    pub fn run(&self, event: &Arc<Event>, now: Timestamp, backing: &Backing) -> Ran {
        let ran = journey::chain(&self.name).in_scope(|| self.decide(event, now, Run::Live, backing));
        self.watch(&ran.decision.trace);
        ran
    }

    /// What the chain would decide, with nothing learnt from it: the same answer every time.
    pub fn replay(&self, event: &Arc<Event>, now: Timestamp, backing: &Backing) -> Ran {
        self.decide(event, now, Run::Replay, backing)
    }

    fn decide(&self, event: &Arc<Event>, now: Timestamp, run: Run, backing: &Backing) -> Ran {
        let mut running = Running {
            subject: Subject::new(event.clone(), now),
            backing,
            now,
            run,
            draft: Draft::of(event),
            stopped_by: None,
            history: Vec::new(),
            asked: Vec::new(),
            written: Written::default(),
        };
        let mut trace = Vec::with_capacity(self.steps.len());
        let mut held: Option<Held> = None;
        for (step, place) in self.steps.iter().zip(1..) {
            let out = if held.is_some() {
                Some("an earlier step faulted, and the event is held")
            } else if running.stopped_by.is_some() {
                Some("an earlier step stopped the chain")
            } else {
                step.passes(event, &running.draft, run)
            };
            if let Some(why) = out {
                trace.push(TraceEntry { outcome: Outcome::Skipped, detail: Some(why.to_owned()), ..step.entry(place) });
                continue;
            }
            let span = journey::step(&step.name, run == Run::Live);
            let entry = span.in_scope(|| step.run(self, &mut running, place));
            journey::ran(&span, &entry);
            if entry.outcome.is_fault() && step.on_fault == OnFault::Hold && step.mode == Mode::Live {
                held = Some(Held { step: step.name.clone(), outcome: entry.outcome });
            }
            trace.push(entry);
        }
        let degraded = trace.iter().any(|entry| entry.outcome.is_fault() && !entry.shadow);
        let Running { draft, stopped_by, asked, written, .. } = running;
        let decision = Decision { held, ..draft.finish(self.head(event, now), degraded, stopped_by, trace) };
        Ran { decision, asked, written }
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
    /// A live step with the usual settings, for plugins that run without a set-up.
    pub fn plain(plugin: Plugin) -> Self {
        let description = plugin.description();
        // Nothing real stands behind these here; the others would change what is decided.
        let asked = description.requests.iter().filter_map(|request| request.grant.parse().ok());
        let grants = asked.filter(|grant| matches!(grant, Grant::State | Grant::Lookup(_))).collect();
        Self {
            name: description.name.clone(),
            terms: Terms { effects: description.effect_set(), grants },
            plugin: Arc::new(plugin),
            mode: Mode::Live,
            on_fault: OnFault::Skip,
            when: Condition::default(),
            unless: None,
            breaker: Arc::new(Breaker::new(QUARANTINE_AFTER)),
        }
    }

    /// Why it passes this event over, if it does.
    fn passes(&self, event: &Event, draft: &Draft, run: Run) -> Option<&'static str> {
        let kinds = &self.plugin.description().event_kinds;
        if self.mode == Mode::Off {
            Some("it is switched off")
        } else if self.mode == Mode::Shadow && run == Run::Replay {
            Some("it is in shadow")
        } else if !kinds.is_empty() && !kinds.contains(&event.kind) {
            Some("it does not judge events of this kind")
        } else if !self.when.holds(event, draft.settled()) {
            Some("its condition does not hold")
        } else if self.unless.as_ref().is_some_and(|unless| unless.holds(event, draft.settled())) {
            Some("its exception holds")
        } else {
            None
        }
    }

    /// Runs it and takes what it proposes; a shadow's proposals go to a copy that nobody reads. What a shadow remembers is kept: it is
    /// nobody's but its own.
    fn run(&self, chain: &Chain, running: &mut Running<'_>, place: u32) -> TraceEntry {
        let shadow = self.mode == Mode::Shadow;
        let live = running.run == Run::Live;
        if live && !self.breaker.admit(running.now) {
            let detail = Some("it kept faulting, and is left out for a while".to_owned());
            return TraceEntry { outcome: Outcome::Quarantined, detail, shadow, ..self.entry(place) };
        }
        let mut answer = self.plugin.judge(&running.subject, running.draft.settled(), self.seat(chain, running));
        if live && let Some(out_ms) = self.breaker.report(answer.outcome.is_fault(), running.now) {
            let detail = answer.detail.get_or_insert_default();
            detail.push_str(&format!("; it keeps faulting, and is left out for {} s", out_ms / 1_000));
        }
        if let Some(seat) = answer.seat {
            let (asked, wrote) = seat.leave(answer.outcome == Outcome::Ran);
            running.asked.push(asked);
            running.written.add(wrote);
        }
        if chain.reads_history && !shadow {
            running.history.extend(answer.verdict.proposals.iter().map(|proposal| (self.name.clone(), proposal.clone())));
        }
        let draft = &mut running.draft;
        let Applied { set, dropped, stop } =
            if shadow { draft.clone().apply(answer.verdict, &self.terms) } else { draft.apply(answer.verdict, &self.terms) };
        if stop && !shadow {
            running.stopped_by = Some(self.plugin.description().name.clone());
        }
        TraceEntry {
            outcome: answer.outcome,
            detail: answer.detail,
            shadow,
            set,
            dropped,
            log: answer.log,
            log_dropped: answer.log_dropped,
            micros: answer.micros,
            fuel: answer.fuel,
            memory_bytes: answer.memory_bytes,
            ..self.entry(place)
        }
    }

    /// Its place during the run, if it asks anything.
    fn seat(&self, chain: &Chain, running: &Running<'_>) -> Option<Seat> {
        let reach = self.plugin.reach();
        let history = || if reach.history { Arc::new(running.history.clone()) } else { Arc::default() };
        reach.any().then(|| Seat::new(&chain.name, &self.name, &self.terms.grants, running.backing, history(), running.now))
    }

    fn entry(&self, step: u32) -> TraceEntry {
        let description = self.plugin.description();
        TraceEntry {
            step,
            name: (self.name != description.name).then(|| self.name.clone()),
            plugin: description.name.clone(),
            version: description.version.clone(),
            digest: self.plugin.digest().to_owned(),
            outcome: Outcome::Ran,
            detail: None,
            shadow: false,
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
