//! The only face of wasm that the rest of the host sees: a sandbox that takes plugins in, and plugins that judge events.
//!
//! Called by the chain for every event, and by whoever brings plugins in. wasmtime's types and the generated bindings stay
//! below this file.

mod activate;
mod asking;
mod bindings;
mod budget;
mod cage;
mod call;
mod child;
mod command;
mod compiler;
mod description;
mod door;
mod engine;
mod functions;
mod misfit;
mod reach;
mod rehearsal;
mod remembering;
mod seat;
mod services;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use wasmtime::Module;
use wasmtime::component::{Component, Linker};

pub use activate::{ConfigProblem, ExampleResult, Failure, Report, Start};
pub use call::Answer;
pub use child::child;
pub use compiler::Compiler;
pub use description::{Description, Example, Request};
pub use door::{Check, GuestFault, Outline, Refusal, Section, Shape, TRACKS, look};
pub use reach::Reach;
pub use rehearsal::{Rehearsal, Services};
pub use seat::{Backing, History, Seat};
pub use services::Subject;

use crate::config::{Isolation, Limits};
use crate::verdict::SoFar;
use bindings::RulePluginPre;
use call::{Callee, Kept};
use command::Program;
use compiler::Activated;
use engine::Serving;
use services::Room;

/// The engine, what is linked into it, the compiler that feeds it, and what is loaded: one per process.
pub struct Sandbox {
    limits: Limits,
    compiler: Compiler,
    /// The engine that plugins are loaded into. A larger snapshot than it was made for brings a new one; what is loaded keeps
    /// its own.
    current: Mutex<Arc<Current>>,
    /// By the key of plugin + config + limits: one memory image, however many chains use it.
    loaded: Mutex<HashMap<String, Weak<Loaded>>>,
}

struct Current {
    serving: Arc<Serving>,
    linker: Linker<Room>,
}

impl Current {
    fn start(limits: &Limits, largest: usize) -> anyhow::Result<Arc<Self>> {
        let serving = Arc::new(Serving::start(limits, largest)?);
        let mut linker = Linker::new(&serving.engine);
        services::link(&mut linker)?;
        Ok(Arc::new(Self { serving, linker }))
    }

    #[expect(unsafe_code, reason = "the file was made by our own child for this very engine, and its digest was checked a moment ago")]
    fn entry(&self, artefact: &Path, shape: Shape) -> wasmtime::Result<(Entry, Reach)> {
        let engine = &self.serving.engine;
        if shape == Shape::Command {
            let module = unsafe { Module::deserialize_file(engine, artefact) }?;
            return Ok((Entry::Command(Program::of_module(&module)?), Reach::default()));
        }
        let component = unsafe { Component::deserialize_file(engine, artefact) }?;
        match shape {
            Shape::CommandComponent => Ok((Entry::Command(Program::of_component(&component)?), Reach::default())),
            _ => {
                let pre = self.linker.instantiate_pre(&component).and_then(RulePluginPre::new)?;
                Ok((Entry::Rule(pre), Reach::of(&component, engine)))
            }
        }
    }
}

/// A plugin with its config in memory.
struct Loaded {
    serving: Arc<Serving>,
    report: Report,
    digest: String,
    reach: Reach,
    entry: Entry,
}

/// How a plugin is called.
enum Entry {
    /// With the contract's types.
    Rule(RulePluginPre<Room>),
    /// With JSON, anew for every question.
    Command(Program),
}

/// A plugin with its config, ready to judge events.
pub struct Plugin {
    /// How long its activation took; none when the artefact was kept from before.
    pub took: Option<Duration>,
    loaded: Arc<Loaded>,
    limits: Limits,
    /// The config, for a plugin whose instances must call `configure` themselves.
    configure: Option<String>,
    /// Where instances are kept, for `isolation = "reuse"`.
    kept: Option<Kept>,
}

impl Sandbox {
    /// Starts the engine. `program` is the binary that the activation child runs, `cache` where artefacts are kept.
    ///
    /// # Errors
    /// When the cache cannot be made or the engine not be started.
    pub fn start(limits: &Limits, program: PathBuf, cache: PathBuf) -> anyhow::Result<Self> {
        let compiler = Compiler::new(program, cache.clone())
            .map_err(|error| anyhow::anyhow!("cannot keep artefacts in {}: {error}", cache.display()))?;
        let current = Mutex::new(Current::start(limits, 0)?);
        Ok(Self { limits: limits.clone(), compiler, current, loaded: Mutex::default() })
    }

    /// How instances get their memory, in words for the log.
    pub fn allocation(&self) -> &'static str {
        lock(&self.current).serving.allocation.describe()
    }

    /// Guest memory per slot that stays resident between two events, bytes: what the largest snapshot so far needs.
    pub fn resident(&self) -> usize {
        lock(&self.current).serving.resident
    }

    /// Takes a plugin in with a config; absent means the defaults of its schema. Slow: never called on the event path.
    ///
    /// # Errors
    /// [`Failure`] with the sentence for the admin.
    pub fn load(&self, wasm: &[u8], config: Option<&Value>, limits: &Limits, isolation: Isolation) -> Result<Plugin, Failure> {
        let engine = lock(&self.current).serving.engine.clone();
        let activated = self.compiler.activate(&engine, wasm, config, limits)?;
        let took = activated.took;
        let known = lock(&self.loaded).get(&activated.key).and_then(Weak::upgrade);
        let loaded = match known {
            Some(loaded) => loaded,
            None => {
                let key = activated.key.clone();
                let loaded = Arc::new(self.bring_in(activated)?);
                let mut all = lock(&self.loaded);
                all.retain(|_, loaded| loaded.strong_count() > 0);
                all.insert(key, Arc::downgrade(&loaded));
                loaded
            }
        };
        let configure = match loaded.report.start {
            Start::Snapshot => None,
            Start::Configure { .. } => Some(loaded.report.config.to_string()),
        };
        let kept = (isolation == Isolation::Reuse).then(|| Kept::new(loaded.serving.clone()));
        Ok(Plugin { took, loaded, limits: limits.clone(), configure, kept })
    }

    fn bring_in(&self, activated: Activated) -> Result<Loaded, Failure> {
        let unloadable = |error: wasmtime::Error| door::refuse(Check::Child, format!("its artefact does not load: {error:#}"));
        let current = self.fit(activated.report.memory_bytes as usize).map_err(wasmtime::Error::from_anyhow).map_err(unloadable)?;
        let (entry, reach) = current.entry(&activated.artefact, activated.report.outline.shape).map_err(unloadable)?;
        Ok(Loaded { serving: current.serving.clone(), report: activated.report, digest: activated.digest, reach, entry })
    }

    /// The engine for a snapshot of so many bytes: the current one, or a new one that keeps so much resident.
    fn fit(&self, bytes: usize) -> anyhow::Result<Arc<Current>> {
        let mut current = lock(&self.current);
        if bytes.min(self.limits.memory_bytes) > current.serving.resident {
            *current = Current::start(&self.limits, bytes)?;
        }
        Ok(current.clone())
    }
}

/// Nothing of ours panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plugin {
    /// Judges one event. Cannot fail: whatever the guest does is an outcome.
    pub fn evaluate(&self, subject: &Arc<Subject>, settled: &SoFar) -> Answer {
        self.judge(subject, settled, None)
    }

    /// The same, for a step that asks the host: its place comes back with the answer.
    pub fn judge(&self, subject: &Arc<Subject>, settled: &SoFar, seat: Option<Seat>) -> Answer {
        let Loaded { serving, entry, report, .. } = &*self.loaded;
        match entry {
            Entry::Command(program) => {
                let _place = serving.places.enter();
                program.evaluate(&report.config, &self.limits, subject, settled)
            }
            Entry::Rule(pre) => {
                let callee = Callee { serving, pre, limits: &self.limits, configure: self.configure.as_deref(), kept: self.kept.as_ref() };
                callee.evaluate(subject, settled, seat)
            }
        }
    }

    /// The same plugin with `configure` called in every new instance, as if it could not be snapshotted: what the snapshot saves.
    #[must_use]
    pub fn configuring_every_instance(self) -> Self {
        Self { configure: Some(self.report().config.to_string()), ..self }
    }

    /// What the activation found out.
    pub fn report(&self) -> &Report {
        &self.loaded.report
    }

    /// SHA-256 of the uploaded bytes, hex.
    pub fn digest(&self) -> &str {
        &self.loaded.digest
    }

    /// Which of the host's questions it can ask at all.
    pub fn reach(&self) -> Reach {
        self.loaded.reach
    }

    /// Whether its instances serve one event or several.
    pub fn isolation(&self) -> Isolation {
        if self.kept.is_some() { Isolation::Reuse } else { Isolation::Fresh }
    }

    /// Whether another use of the same plugin + config shares this one's memory image.
    pub fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.loaded, &other.loaded)
    }

    /// What the plugin says of itself.
    pub fn description(&self) -> &Description {
        &self.report().description
    }
}
