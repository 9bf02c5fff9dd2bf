//! One call into a guest: a store with every budget, a fresh instance, the answer or the name of what went wrong.
//!
//! The only way to make a store. A guest's fault is an outcome, never an error; the store is thrown away after every call, so
//! that nothing of one event, and nothing of one fault, reaches the next.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::{Engine, Store, Trap, WasmBacktrace};

use super::bindings::{RuleError, RulePlugin, RulePluginPre};
use super::budget::Scarce;
use super::command::{Exit, TooMuchOutput};
use super::engine::{Serving, ticks};
use super::seat::Seat;
use super::services::{Denied, Room, Subject, TooManyCalls};
use crate::config::Limits;
use crate::decision::{LogLine, Outcome};
use crate::verdict::{SoFar, Verdict};

/// Events that a kept instance serves at most: what leaks per event stays bounded (measured: 64 bytes a call in Python).
const MAX_REUSES: u32 = 10_000;
/// Age at which a kept instance is let go.
const MAX_AGE: Duration = Duration::from_secs(600);

/// What one step gave for one event.
pub struct Answer {
    /// What happened.
    pub outcome: Outcome,
    /// Why, when it is not `ran`.
    pub detail: Option<String>,
    /// The proposals; empty unless the outcome is `ran`.
    pub verdict: Verdict,
    /// Wall time, microseconds.
    pub micros: u64,
    /// Fuel used.
    pub fuel: u64,
    /// Linear memory at the end, bytes.
    pub memory_bytes: u64,
    /// Log lines kept.
    pub log: Vec<LogLine>,
    /// Log lines past the budget.
    pub log_dropped: u32,
    /// Where in the guest it ended, innermost first, for whoever wrote it. No record and no answer of the host has it.
    pub frames: Vec<String>,
    /// The step's place, with what it asked and wrote.
    pub seat: Option<Seat>,
}

/// A store with every budget set: there is no other way to get one.
pub(super) fn store(
    engine: &Engine,
    limits: &Limits,
    fuel: u64,
    wall_ms: u64,
    subject: Option<Arc<Subject>>,
) -> wasmtime::Result<Store<Room>> {
    let mut store = Store::new(engine, Room::new(limits, subject));
    store.limiter(|room| &mut room.budget);
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(ticks(wall_ms));
    store.set_hostcall_fuel(limits.output_bytes);
    Ok(store)
}

/// A configured instance with its store.
pub(super) struct Live {
    store: Store<Room>,
    plugin: RulePlugin,
    events: u32,
    born: Instant,
}

/// Instances of one plugin that are kept between events, for steps with `isolation = "reuse"`. Each holds a place of the pool;
/// without a free one an instance is dropped after its event, as if it were fresh.
pub(super) struct Kept {
    live: Mutex<Vec<Live>>,
    serving: Arc<Serving>,
}

impl Kept {
    pub(super) fn new(serving: Arc<Serving>) -> Self {
        Self { live: Mutex::default(), serving }
    }

    fn take(&self) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).pop();
        live.inspect(|_| self.serving.places.let_go())
    }

    fn keep(&self, live: Live, limits: &Limits) {
        let full = live.store.data().budget.memory_used() > limits.memory_bytes as u64 / 2;
        if live.events < MAX_REUSES && live.born.elapsed() < MAX_AGE && !full && self.serving.places.keep() {
            self.live.lock().unwrap_or_else(PoisonError::into_inner).push(live);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        while self.take().is_some() {}
    }
}

/// What a call runs.
pub(super) struct Callee<'a> {
    pub serving: &'a Serving,
    pub pre: &'a RulePluginPre<Room>,
    pub limits: &'a Limits,
    /// The config, for a plugin that cannot be snapshotted: every new instance calls `configure`. It has passed before, so a
    /// problem is a fault.
    pub configure: Option<&'a str>,
    /// Where instances are kept, when the step allows it.
    pub kept: Option<&'a Kept>,
}

impl Callee<'_> {
    /// Runs `evaluate`, on a fresh instance unless the step allows a kept one.
    pub(super) fn evaluate(&self, subject: &Arc<Subject>, settled: &SoFar, seat: Option<Seat>) -> Answer {
        let start = Instant::now();
        let limits = self.limits;
        let _place = self.serving.places.enter();
        let mut live = match self.kept.and_then(Kept::take).map_or_else(|| self.instantiate(subject), |live| self.again(live, subject)) {
            Ok(live) => live,
            Err(failed) => {
                let (error, room) = *failed;
                let (outcome, detail) = name(&error, room.budget.refused, limits);
                let answer = Answer::of(outcome, Some(detail), Verdict::default(), 0, &start, room);
                return Answer { frames: frames(&error), ..answer };
            }
        };
        live.events += 1;
        live.store.data_mut().seat = seat;
        let result = live.plugin.signalbox_rules_rule().call_evaluate(&mut live.store, &subject.wire, &settled.into());
        let fuel = limits.fuel - live.store.get_fuel().unwrap_or(0);
        let mut places = Vec::new();
        let (outcome, detail, verdict) = match result {
            Ok(Ok(verdict)) => (Outcome::Ran, None, verdict.into()),
            Ok(Err(RuleError::NotApplicable(why))) => (Outcome::NotApplicable, Some(why), Verdict::default()),
            Ok(Err(RuleError::Transient(why) | RuleError::Failed(why))) => (Outcome::Failed, Some(why), Verdict::default()),
            Err(error) => {
                let (outcome, detail) = name(&error, live.store.data().budget.refused, limits);
                places = frames(&error);
                (outcome, Some(detail), Verdict::default())
            }
        };
        match self.kept {
            // An instance that was anything but well is never entered again.
            Some(kept) if !outcome.is_fault() => {
                let room = live.store.data_mut();
                let answer = Answer::of(outcome, detail, verdict, fuel, &start, room.take());
                kept.keep(live, limits);
                answer
            }
            _ => Answer { frames: places, ..Answer::of(outcome, detail, verdict, fuel, &start, live.store.into_data()) },
        }
    }

    fn instantiate(&self, subject: &Arc<Subject>) -> Result<Live, Box<(wasmtime::Error, Room)>> {
        let limits = self.limits;
        let engine = self.pre.engine();
        let mut store = store(engine, limits, limits.fuel, limits.wall_ms, Some(subject.clone()))
            .map_err(|error| Box::new((error, Room::new(limits, None))))?;
        let ready = self.pre.instantiate(&mut store).and_then(|plugin| {
            match self.configure.map(|config| plugin.signalbox_rules_rule().call_configure(&mut store, config)).transpose()? {
                Some(Err(problems)) => {
                    Err(wasmtime::format_err!("`configure` refused a config that it took before: {} problems", problems.len()))
                }
                Some(Ok(())) | None => Ok(plugin),
            }
        });
        match ready {
            Ok(plugin) => Ok(Live { store, plugin, events: 0, born: Instant::now() }),
            Err(error) => Err(Box::new((error, store.into_data()))),
        }
    }

    fn again(&self, mut live: Live, subject: &Arc<Subject>) -> Result<Live, Box<(wasmtime::Error, Room)>> {
        live.store.data_mut().begin(self.limits, subject);
        live.store.set_epoch_deadline(ticks(self.limits.wall_ms));
        match live.store.set_fuel(self.limits.fuel) {
            Ok(()) => Ok(live),
            Err(error) => Err(Box::new((error, live.store.into_data()))),
        }
    }
}

impl Answer {
    pub(super) fn of(outcome: Outcome, detail: Option<String>, verdict: Verdict, fuel: u64, start: &Instant, room: Room) -> Self {
        Self {
            outcome,
            detail,
            verdict,
            micros: start.elapsed().as_micros() as u64,
            fuel,
            memory_bytes: room.budget.memory_used(),
            log: room.log,
            log_dropped: room.log_dropped,
            frames: Vec::new(),
            seat: room.seat,
        }
    }
}

/// The guest's functions that were running, as its name section calls them.
pub(super) fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    // wasmtime demangles in what it prints, and nowhere else. The first line says that this is a backtrace.
    trace.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

/// Names what ended a call. Where a budget was hit first, the trap that followed is named after the budget.
pub(super) fn name(error: &wasmtime::Error, refused: Option<Scarce>, limits: &Limits) -> (Outcome, String) {
    if let Some(too_many) = error.downcast_ref::<TooManyCalls>() {
        return (Outcome::TooManyCalls, too_many.to_string());
    }
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return (Outcome::Denied, denied.to_string());
    }
    if let Some(exit) = error.downcast_ref::<Exit>() {
        return (Outcome::Failed, exit.to_string());
    }
    if let Some(too_much) = error.downcast_ref::<TooMuchOutput>() {
        return (Outcome::OutputTooLarge, too_much.to_string());
    }
    let root = error.root_cause().to_string();
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => (Outcome::OutOfFuel, format!("used its {} units of fuel", limits.fuel)),
        Some(Trap::Interrupt) => (Outcome::TimedOut, format!("ran past {} ms", limits.wall_ms)),
        _ if refused == Some(Scarce::Memory) => {
            (Outcome::OutOfMemory, format!("asked for more than its {} MiB of memory", limits.memory_bytes >> 20))
        }
        _ if refused == Some(Scarce::Table) => {
            (Outcome::OutOfMemory, format!("asked for a table of more than its {} elements", limits.table_elements))
        }
        Some(Trap::StackOverflow) => (Outcome::StackOverflow, "recursed past its stack".to_owned()),
        Some(Trap::CannotLeaveComponent) => (Outcome::Denied, "called the host from where it must not".to_owned()),
        Some(
            trap @ (Trap::InvalidChar
            | Trap::StringOutOfBounds
            | Trap::ListOutOfBounds
            | Trap::InvalidDiscriminant
            | Trap::UnalignedPointer),
        ) => (Outcome::Malformed, trap.to_string()),
        Some(trap) => (Outcome::Trapped, trap.to_string()),
        // wasmtime has no type for this one; the test `too_much_output_is_named` holds the words.
        None if root.contains("fuel allocated for hostcalls") => {
            (Outcome::OutputTooLarge, format!("handed over more than {} KiB", limits.output_bytes >> 10))
        }
        // Counted by the store, which has no type for it either.
        None if root.starts_with("resource limit exceeded") => {
            let most = (limits.instances, limits.memories, limits.tables);
            (Outcome::OutOfMemory, format!("{root}; limits: `instances` {}, `memories` {}, `tables` {}", most.0, most.1, most.2))
        }
        None => (Outcome::Malformed, root),
    }
}
