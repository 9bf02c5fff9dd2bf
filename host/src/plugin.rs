//! The only face of wasm that the rest of the host sees: a sandbox that takes plugins in, and plugins that judge events.
//!
//! Called by the chain for every event, and by whoever brings plugins in. wasmtime's types and the generated bindings stay
//! below this file.

mod activate;
mod bindings;
mod budget;
mod call;
mod command;
mod compiler;
mod description;
mod door;
mod engine;
mod functions;
mod services;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Module};

pub use activate::{ConfigProblem, ExampleResult, Failure, Report, Start, child};
pub use call::Answer;
pub use compiler::Compiler;
pub use description::{Description, Example, Request};
pub use door::{Check, Outline, Refusal, Section, Shape, look};
pub use services::Subject;

use crate::config::{Isolation, Limits};
use crate::verdict::SoFar;
use bindings::RulePluginPre;
use call::{Callee, Kept};
use command::Program;
use engine::Serving;
use services::Room;

/// The engine, what is linked into it, and the compiler that feeds it: one per process.
pub struct Sandbox {
    serving: Serving,
    linker: Linker<Room>,
    compiler: Compiler,
}

/// A plugin with its config, ready to judge events. Shared by every step that uses the same two.
pub struct Plugin {
    /// What the activation found out.
    pub report: Report,
    /// SHA-256 of the uploaded bytes, hex.
    pub digest: String,
    /// How long its activation took; none when the artefact was kept from before.
    pub took: Option<Duration>,
    entry: Entry,
    limits: Limits,
    /// The config, for a plugin whose instances must call `configure` themselves.
    configure: Option<String>,
    /// Where instances are kept, for `isolation = "reuse"`.
    kept: Option<Kept>,
}

/// How a plugin is called.
enum Entry {
    /// With the contract's types.
    Rule(RulePluginPre<Room>),
    /// With JSON, anew for every question.
    Command(Program),
}

impl Sandbox {
    /// Starts the engine. `program` is the binary that the activation child runs, `cache` where artefacts are kept.
    ///
    /// # Errors
    /// When the cache cannot be made or the engine not be started.
    pub fn start(limits: &Limits, program: PathBuf, cache: PathBuf) -> anyhow::Result<Self> {
        let compiler = Compiler::new(program, cache.clone())
            .map_err(|error| anyhow::anyhow!("cannot keep artefacts in {}: {error}", cache.display()))?;
        let serving = Serving::start(limits, engine::DEFAULT_RESIDENT)?;
        let mut linker = Linker::new(&serving.engine);
        services::link(&mut linker)?;
        Ok(Self { serving, linker, compiler })
    }

    /// How instances get their memory, in words for the log.
    pub fn allocation(&self) -> &'static str {
        self.serving.allocation.describe()
    }

    /// Takes a plugin in with a config; absent means the defaults of its schema. Slow: never called on the event path.
    ///
    /// # Errors
    /// [`Failure`] with the sentence for the admin.
    pub fn load(&self, wasm: &[u8], config: Option<&Value>, limits: &Limits, isolation: Isolation) -> Result<Plugin, Failure> {
        let engine = &self.serving.engine;
        let activated = self.compiler.activate(engine, wasm, config, limits)?;
        let refused = |error: wasmtime::Error| door::refuse(Check::Child, format!("its artefact does not load: {error:#}"));
        let entry = self.entry(engine, &activated.artefact, activated.report.outline.shape).map_err(refused)?;
        let configure = match activated.report.start {
            Start::Snapshot => None,
            Start::Configure { .. } => Some(activated.report.config.to_string()),
        };
        let kept = (isolation == Isolation::Reuse).then(Kept::default);
        Ok(Plugin {
            report: activated.report,
            digest: activated.digest,
            took: activated.took,
            entry,
            limits: limits.clone(),
            configure,
            kept,
        })
    }

    #[expect(unsafe_code, reason = "the file was made by our own child for this very engine, and its digest was checked a moment ago")]
    fn entry(&self, engine: &Engine, artefact: &Path, shape: Shape) -> wasmtime::Result<Entry> {
        if shape == Shape::Command {
            let module = unsafe { Module::deserialize_file(engine, artefact) }?;
            return Program::of_module(&module).map(Entry::Command);
        }
        let component = unsafe { Component::deserialize_file(engine, artefact) }?;
        match shape {
            Shape::CommandComponent => Program::of_component(&component).map(Entry::Command),
            _ => self.linker.instantiate_pre(&component).and_then(RulePluginPre::new).map(Entry::Rule),
        }
    }
}

impl Plugin {
    /// Judges one event. Cannot fail: whatever the guest does is an outcome.
    pub fn evaluate(&self, subject: &Arc<Subject>, settled: &SoFar) -> Answer {
        match &self.entry {
            Entry::Command(program) => program.evaluate(&self.report.config, &self.limits, subject, settled),
            Entry::Rule(pre) => {
                let callee = Callee { pre, limits: &self.limits, configure: self.configure.as_deref(), kept: self.kept.as_ref() };
                callee.evaluate(subject, settled)
            }
        }
    }

    /// The same plugin with `configure` called in every new instance, as if it could not be snapshotted: what the snapshot saves.
    #[must_use]
    pub fn configuring_every_instance(self) -> Self {
        Self { configure: Some(self.report.config.to_string()), ..self }
    }

    /// What the plugin says of itself.
    pub fn description(&self) -> &Description {
        &self.report.description
    }
}
