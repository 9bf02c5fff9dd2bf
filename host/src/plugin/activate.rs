//! Bringing a plugin in: describe, configure, warm up, snapshot, compile. Runs in the activation child only.
//!
//! Everything here touches bytes that nobody vouches for, so the parent never calls it: `child.rs` does, in a process that has shut
//! itself in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wizer::{WasmtimeWizerComponent, Wizer};

use super::bindings::{RuleError, RulePlugin, RulePluginPre};
use super::call::{frames, name, store};
use super::child::{Files, Request};
use super::command::{Problems, Program, Question, Said};
use super::description::{Description, Example};
use super::door::{Check, GuestFault, Outline, Refusal, Shape, component, look, refuse};
use super::engine::{compiling, rehearsing};
use super::misfit::{unfit, unfit_instance, unread};
use super::rehearsal::Rehearsal;
use super::services::{Room, Subject, link};
use crate::config::Limits;
use crate::decision::Outcome;
use crate::event::{Event, MAX_TEXT_CHARS};
use crate::expect::compare;

/// Most config problems that are told.
const MAX_PROBLEMS: usize = 50;

/// How a plugin's instances come to their configured state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "path", rename_all = "snake_case")]
pub enum Start {
    /// From a snapshot taken after `configure`: the cheap way.
    Snapshot,
    /// By calling `configure` in every fresh instance, because the component cannot be snapshotted.
    Configure {
        /// Why not.
        why: String,
    },
}

/// How one of the plugin's own examples went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleResult {
    /// The example's name.
    pub name: String,
    /// What was wrong; absent when it passed.
    pub fault: Option<String>,
    /// Fuel of its `evaluate`.
    pub fuel: u64,
    /// Memory at its end, bytes.
    pub memory_bytes: u64,
}

/// What the child found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the bytes hold.
    pub outline: Outline,
    /// What the plugin says of itself.
    pub description: Description,
    /// The config it was configured with.
    pub config: Value,
    /// How its instances start.
    pub start: Start,
    /// Its examples, each on a fresh instance under the full budgets.
    pub examples: Vec<ExampleResult>,
    /// Linear memory of the configured instance, bytes.
    pub memory_bytes: u64,
    /// Bytes of the compiled artefact.
    pub artefact_bytes: u64,
}

/// One place of a config that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigProblem {
    /// JSON Pointer into the config.
    pub pointer: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Why a plugin, or its config, is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The plugin is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plugin is fine, the config is not.
    #[error("{}", problems(.0))]
    Config(Vec<ConfigProblem>),
}

impl Failure {
    /// A set-up that names bytes which are not there.
    pub fn missing(digest: &str) -> Self {
        refuse(Check::Shape, format!("the bytes of the plugin {digest} are not here; upload it again")).into()
    }
}

fn problems(problems: &[ConfigProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("config{}: {}", problem.pointer, problem.message)).collect();
    lines.join("; ")
}

/// A command is asked what it is and whether its config is right, runs its examples, and is compiled. It starts anew for every
/// event, so there is nothing to snapshot.
fn command(wasm: &[u8], outline: Outline, request: &Request, files: &Files) -> Result<Report, Failure> {
    let limits = &request.limits;
    let compile = |error: wasmtime::Error| refuse(Check::Compile, format!("does not compile: {}", first_line(&error)));
    let functions = files.functions.clone();
    let engine = rehearsing(functions.clone()).map_err(compile)?;
    let program = Program::compile(&engine, wasm, outline.shape).map_err(compile)?;
    let ended = |check, op: &str, (outcome, detail): (Outcome, String), plugin: Option<String>, frames| {
        let message = format!("`{op}` ended as {}: {detail}", word(outcome));
        Refusal { fault: Some(GuestFault { plugin, frames }), ..refuse(check, message) }
    };

    let asked = program.ask::<Said>(&Question::Describe, limits, limits.activation_fuel, None);
    let memory_bytes = asked.room.budget.memory_used();
    let said = asked.answer.map_err(|end| ended(Check::Describe, "describe", end, None, asked.frames))?;
    let description = Description::check(said.into())?;
    let config = request.config.clone().unwrap_or_else(|| description.default_config());
    fits_schema(&description, &config)?;
    let configure = |config: &Value| {
        let asked = program.ask::<Problems>(&Question::Configure { config }, limits, limits.activation_fuel, None);
        let about = || Some(description.about());
        let found = asked.answer.map_err(|end| ended(Check::Configure, "configure", end, about(), asked.frames))?.problems;
        let found: Vec<_> =
            found.into_iter().take(MAX_PROBLEMS).map(|problem| ConfigProblem { pointer: problem.path, message: problem.message }).collect();
        if found.is_empty() { Ok(()) } else { Err(Failure::Config(found)) }
    };
    configure(&config)?;
    let examples = description.examples.iter().map(|example| {
        let mut result = ExampleResult { name: example.name.clone(), fault: None, fuel: 0, memory_bytes: 0 };
        let rehearsal = match Rehearsal::of(&description, example) {
            Ok(rehearsal) => rehearsal,
            Err(fault) => {
                result.fault = Some(fault);
                return result;
            }
        };
        let config = example.config.as_ref().unwrap_or(&config);
        if let Some(Err(failure)) = example.config.as_ref().map(configure) {
            result.fault = Some(failure.to_string());
            return result;
        }
        let answer = program.evaluate(config, limits, &rehearsal.subject, &rehearsal.settled);
        (result.fuel, result.memory_bytes) = (answer.fuel, answer.memory_bytes);
        let comparable = example.config.is_some() || request.config.is_none();
        result.fault = match answer.outcome {
            Outcome::Ran if comparable => compare(&answer.verdict, &example.expect).err(),
            outcome if outcome.is_fault() => Some(answer.detail.unwrap_or_else(|| word(outcome))),
            _ => None,
        };
        result
    });
    let examples = examples.collect();
    let compiling = compiling(functions.clone()).map_err(compile)?;
    let artefact = match outline.shape {
        Shape::CommandComponent => compiling.precompile_component(wasm),
        _ => compiling.precompile_module(wasm),
    };
    let artefact = artefact.map_err(compile)?;
    functions.close();
    files.keep(&artefact)?;
    let start = Start::Configure { why: "a command starts anew for every event".to_owned() };
    Ok(Report { outline, description, config, start, examples, memory_bytes, artefact_bytes: artefact.len() as u64 })
}

/// An outcome as its word.
fn word(outcome: Outcome) -> String {
    serde_json::to_value(outcome).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Brings one plugin in with one config.
///
/// # Errors
/// Why it is not taken.
pub(super) fn activate(wasm: &[u8], request: &Request, files: &Files) -> Result<Report, Failure> {
    let limits = &request.limits;
    let outline = look(wasm, limits)?;
    if outline.shape.is_command() {
        return command(wasm, outline, request, files);
    }
    let wasm = &*component(wasm, &outline)?;
    // What was made of a module must be what would have been taken as a component.
    look(wasm, limits)?;
    let compile = |error: wasmtime::Error| refuse(Check::Compile, format!("does not compile: {}", first_line(&error)));
    let functions = files.functions.clone();
    let engine = rehearsing(functions.clone()).map_err(compile)?;
    // A component that cannot be instrumented is rehearsed as it is, and will call `configure` in every instance.
    let wizer = Wizer::new();
    let (instrumented, why) = match wizer.instrument_component(wasm) {
        Ok((context, bytes)) => (Some((context, bytes)), String::new()),
        Err(error) => (None, first_line(&error)),
    };
    let component = Component::new(&engine, instrumented.as_ref().map_or(wasm, |(_, bytes)| bytes)).map_err(compile)?;
    let stage = Stage::new(&engine, component, limits)?;

    let description = stage.describe().map_err(|refusal| unread(refusal, wasm))?;
    let config = request.config.clone().unwrap_or_else(|| description.default_config());
    fits_schema(&description, &config)?;
    let examples = description
        .examples
        .iter()
        .map(|example| stage.example(&description, example, &config, request.config.is_none()))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut ready = stage.configured(&description, &config)?;
    if !stage.warm_up(&mut ready, &description) {
        ready = stage.configured(&description, &config)?;
    }
    let memory_bytes = ready.store.data().budget.memory_used();
    let (bytes, start) = match instrumented {
        Some((context, _)) => match snapshot(&wizer, &context, ready) {
            Ok(bytes) => (bytes, Start::Snapshot),
            Err(error) => (wasm.to_vec(), Start::Configure { why: first_line(&error) }),
        },
        None => (wasm.to_vec(), Start::Configure { why }),
    };
    drop(stage);
    let artefact = compiling(functions.clone()).and_then(|engine| engine.precompile_component(&bytes)).map_err(compile)?;
    functions.close();
    files.keep(&artefact)?;
    Ok(Report { outline, description, config, start, examples, memory_bytes, artefact_bytes: artefact.len() as u64 })
}

fn snapshot(wizer: &Wizer, context: &wasmtime_wizer::ComponentContext<'_>, ready: Ready) -> wasmtime::Result<Vec<u8>> {
    let Ready { mut store, instance, .. } = ready;
    store.set_fuel(u64::MAX)?;
    store.set_hostcall_fuel(usize::MAX);
    // wizer's own export needs a page to put its answer into, also when the guest has filled its budget.
    store.data_mut().budget.lift();
    // wizer reads the memory through async calls that never wait.
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(wasmtime::Error::new)?;
    runtime.block_on(wizer.snapshot_component(context, &mut WasmtimeWizerComponent { store: &mut store, instance }))
}

/// A configured instance that waits for events.
struct Ready {
    store: Store<Room>,
    instance: wasmtime::component::Instance,
    plugin: RulePlugin,
}

/// Where a plugin is tried before it goes live.
struct Stage<'a> {
    engine: &'a Engine,
    limits: &'a Limits,
    /// With the services that events have.
    live: wasmtime::component::InstancePre<Room>,
    /// With nothing: every import traps.
    bare: RulePluginPre<Room>,
}

impl<'a> Stage<'a> {
    fn new(engine: &'a Engine, component: Component, limits: &'a Limits) -> Result<Self, Refusal> {
        let world = |error: wasmtime::Error| unfit(&error);
        let mut linker = Linker::new(engine);
        link(&mut linker).map_err(world)?;
        let live = linker.instantiate_pre(&component).map_err(world)?;
        RulePluginPre::new(live.clone()).map_err(world)?;
        let mut linker = Linker::new(engine);
        linker.define_unknown_imports_as_traps(&component).map_err(world)?;
        let bare = linker.instantiate_pre(&component).and_then(RulePluginPre::new).map_err(world)?;
        Ok(Self { engine, limits, live, bare })
    }

    fn describe(&self) -> Result<Description, Refusal> {
        let mut store = self.store(None, Check::Describe)?;
        let fault = |error: wasmtime::Error, store: &Store<Room>| self.fault(Check::Describe, "describe", &error, store, None);
        let instance = self.bare.instance_pre().instantiate(&mut store).map_err(|error| fault(error, &store))?;
        let plugin = RulePlugin::new(&mut store, &instance).map_err(|error| unfit_instance(&mut store, &instance, &error))?;
        let raw = plugin.signalbox_rules_metadata().call_describe(&mut store).map_err(|error| fault(error, &store))?;
        Description::check(raw)
    }

    fn configured(&self, description: &Description, config: &Value) -> Result<Ready, Failure> {
        // Events are not at hand while configuring: whatever asks about one is denied by the empty room.
        let mut store = self.store(None, Check::Configure)?;
        let fault = |error: wasmtime::Error, store: &Store<Room>| {
            self.fault(Check::Configure, "configure", &error, store, Some(description.about()))
        };
        let instance = self.live.instantiate(&mut store).map_err(|error| fault(error, &store))?;
        let plugin = RulePlugin::new(&mut store, &instance).map_err(|error| fault(error, &store))?;
        match plugin.signalbox_rules_rule().call_configure(&mut store, &config.to_string()) {
            Ok(Ok(())) => Ok(Ready { store, instance, plugin }),
            Ok(Err(found)) => {
                let problems = found.into_iter().take(MAX_PROBLEMS);
                Err(Failure::Config(problems.map(|problem| ConfigProblem { pointer: problem.path, message: problem.message }).collect()))
            }
            Err(error) => Err(fault(error, &store).into()),
        }
    }

    /// Lets the configured instance judge the examples and one long text, so that the memory an event needs is in place before
    /// the snapshot: a `memory.grow` on the event path would be a process-wide `mprotect` for every event. False when the
    /// instance is spoilt by it.
    fn warm_up(&self, ready: &mut Ready, description: &Description) -> bool {
        let examples: Vec<Rehearsal> = description.examples.iter().filter_map(|example| Rehearsal::of(description, example).ok()).collect();
        let words: String = examples.iter().flat_map(|example| [example.subject.wire.text.as_str(), " "]).collect();
        let words = if words.trim().is_empty() { "one long text without a point " } else { &words };
        let long = Event::from_json(br#"{"id":"warm-up","text":""}"#)
            .map(|parsed| Event { text: words.chars().cycle().take(MAX_TEXT_CHARS).collect(), ..parsed.event });
        let long = long.ok().map(Rehearsal::of_event);
        let spoilt = !examples.iter().chain(&long).all(|rehearsal| {
            ready.store.data_mut().begin(self.limits, &rehearsal.subject);
            ready.store.data_mut().seat = Some(rehearsal.seat());
            let settled = (&rehearsal.settled).into();
            ready.plugin.signalbox_rules_rule().call_evaluate(&mut ready.store, &rehearsal.subject.wire, &settled).is_ok()
        });
        ready.store.data_mut().seat = None;
        !spoilt
    }

    fn example(&self, description: &Description, example: &Example, config: &Value, is_default: bool) -> Result<ExampleResult, Failure> {
        let result = |fault: Option<String>, fuel, memory_bytes| ExampleResult { name: example.name.clone(), fault, fuel, memory_bytes };
        let rehearsal = match Rehearsal::of(description, example) {
            Ok(rehearsal) => rehearsal,
            Err(fault) => return Ok(result(Some(fault), 0, 0)),
        };
        let mut ready = match self.configured(description, example.config.as_ref().unwrap_or(config)) {
            Ok(ready) => ready,
            // The step's own config is told by its own name; an example's is the example's fault.
            Err(failure) if example.config.is_none() => return Err(failure),
            Err(failure) => return Ok(result(Some(failure.to_string()), 0, 0)),
        };
        // An example under another config than its own may rightly come out otherwise: it is run, not compared.
        let comparable = example.config.is_some() || is_default;
        let subject = &rehearsal.subject;
        ready.store.data_mut().begin(self.limits, subject);
        ready.store.data_mut().seat = Some(rehearsal.seat());
        let fault = |error: wasmtime::Error| refuse(Check::Examples, error.to_string());
        ready.store.set_fuel(self.limits.fuel).map_err(fault)?;
        let answer = ready.plugin.signalbox_rules_rule().call_evaluate(&mut ready.store, &subject.wire, &(&rehearsal.settled).into());
        let fuel = self.limits.fuel - ready.store.get_fuel().unwrap_or(0);
        let fault = match answer {
            Ok(Ok(verdict)) if comparable => compare(&verdict.into(), &example.expect).err(),
            Ok(Ok(_)) => None,
            Ok(Err(RuleError::NotApplicable(_))) => None,
            Ok(Err(RuleError::Transient(why) | RuleError::Failed(why))) => Some(format!("failed: {why}")),
            Err(error) => Some(name(&error, ready.store.data().budget.refused, self.limits).1),
        };
        Ok(result(fault, fuel, ready.store.data().budget.memory_used()))
    }

    fn store(&self, subject: Option<Arc<Subject>>, check: Check) -> Result<Store<Room>, Refusal> {
        store(self.engine, self.limits, self.limits.activation_fuel, self.limits.wall_ms, subject)
            .map_err(|error| refuse(check, format!("no store could be made: {error:#}")))
    }

    fn fault(&self, check: Check, function: &str, error: &wasmtime::Error, store: &Store<Room>, plugin: Option<String>) -> Refusal {
        let limits = Limits { fuel: self.limits.activation_fuel, ..self.limits.clone() };
        let (outcome, detail) = name(error, store.data().budget.refused, &limits);
        let fault = GuestFault { plugin, frames: frames(error) };
        Refusal { fault: Some(fault), ..refuse(check, format!("`{function}` ended as {}: {detail}", word(outcome))) }
    }
}

fn fits_schema(description: &Description, config: &Value) -> Result<(), Failure> {
    let validator = jsonschema::validator_for(&description.config_schema)
        .map_err(|error| refuse(Check::Describe, format!("`describe`: `config-schema` is no JSON Schema: {error}")))?;
    let found: Vec<ConfigProblem> = validator
        .iter_errors(config)
        .take(MAX_PROBLEMS)
        .map(|error| ConfigProblem { pointer: error.instance_path().to_string(), message: error.to_string() })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(Failure::Config(found)) }
}

/// The reason of a wasmtime error without its chain of contexts and dumps.
fn first_line(error: &wasmtime::Error) -> String {
    error.root_cause().to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}
