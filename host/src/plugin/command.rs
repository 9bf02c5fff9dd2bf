//! Commands: plugins that are started anew for every question, read one JSON document on stdin and write one on stdout.
//!
//! The way in for every language that can be built for WASI, without bindings. The room of a command is empty: no files, no
//! environment, no sockets; its clock stands at the event's moment, its random numbers follow from the event's id, and what it
//! writes is bounded. `command/preview1.rs` and `command/preview2.rs` are that room for modules and for components; this file is
//! the protocol, and the only place that runs a command.

mod preview1;
mod preview2;

use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Store};

use super::bindings;
use super::call::{Answer, frames, name, store};
use super::description::{Example, Request};
use super::door::Shape;
use super::services::{Room, Subject};
use crate::config::Limits;
use crate::decision::Outcome;
use crate::event::Event;
use crate::verdict::{Flow, Proposal, SoFar, Verdict};

/// What a command reads and writes, in its room.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
    output_cap: usize,
    /// The part of stderr that is not a whole line yet.
    line: Vec<u8>,
    random: u64,
    /// Questions for the time: each moves the clock by a microsecond, so that a loop that waits comes to an end.
    ticks: u64,
}

/// A command ended itself. Not an error when the code is 0.
#[derive(Debug, thiserror::Error)]
#[error("exited with code {0}; end with code 0, and say in the answer's `error` why there is no verdict")]
pub(super) struct Exit(pub i32);

/// A command wrote more than its budget.
#[derive(Debug, thiserror::Error)]
#[error("wrote more than {} KiB on stdout; write one verdict, and what is for people on stderr", .0 >> 10)]
pub(super) struct TooMuchOutput(pub usize);

/// Longest line of stderr that is kept as one, bytes.
const LINE: usize = 1_024;

impl Pipes {
    /// The next bytes of stdin, at most `most`; none at its end.
    fn take(&mut self, most: usize) -> &[u8] {
        let start = self.read;
        self.read = self.input.len().min(start.saturating_add(most));
        &self.input[start..self.read]
    }

    fn random(&mut self) -> u64 {
        // xorshift64*: numbers for hash tables, not for keys.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

impl Room {
    /// Writes to stdout, or a line of stderr into the log.
    fn write(&mut self, to_stderr: bool, bytes: &[u8]) -> wasmtime::Result<()> {
        let pipes = &mut self.pipes;
        if !to_stderr {
            if pipes.output.len() + bytes.len() > pipes.output_cap {
                return Err(TooMuchOutput(pipes.output_cap).into());
            }
            pipes.output.extend_from_slice(bytes);
            return Ok(());
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE.saturating_sub(self.pipes.line.len());
            self.pipes.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
        Ok(())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.pipes.line);
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            self.say(line.trim_end());
        }
    }

    /// Nanoseconds since 1970, as the run sees them.
    fn nanos(&mut self) -> u64 {
        self.pipes.ticks += 1;
        self.moment().saturating_mul(1_000_000).saturating_add(self.pipes.ticks * 1_000)
    }
}

/// A compiled command with its room linked in.
pub(super) enum Program {
    Module(wasmtime::InstancePre<Room>),
    Component(wasmtime::component::InstancePre<Room>),
}

/// What a command is asked.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Question<'a> {
    /// What it is.
    Describe,
    /// Whether a config is right.
    Configure { config: &'a Value },
    /// What it makes of an event.
    Evaluate { config: &'a Value, event: &'a Event, settled: &'a SoFar },
}

/// What it says of itself; what it leaves out is empty.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    name: String,
    version: String,
    summary: String,
    homepage: Option<String>,
    license: Option<String>,
    #[serde(default)]
    event_kinds: Vec<String>,
    #[serde(default)]
    effects: Vec<String>,
    #[serde(default)]
    requests: Vec<Request>,
    #[serde(default)]
    config_schema: Value,
    #[serde(default)]
    examples: Vec<Example>,
}

/// What it finds wrong with a config; `{}` is nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Problems {
    #[serde(default)]
    pub problems: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    pub path: String,
    pub message: String,
}

/// A verdict, or why there is none.
#[derive(Debug, Deserialize)]
pub(super) struct Judged {
    pub error: Option<Fault>,
    #[serde(default)]
    pub proposals: Vec<Proposal>,
    #[serde(default)]
    pub flow: Flow,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub(super) enum Fault {
    NotApplicable(String),
    Transient(String),
    Failed(String),
}

impl From<Said> for bindings::Description {
    fn from(said: Said) -> Self {
        use bindings::{Example, Permission};
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        Self {
            name: said.name,
            version: said.version,
            summary: said.summary,
            homepage: said.homepage,
            license: said.license,
            event_kinds: said.event_kinds,
            // In JSON people write the effect as they write it in a verdict.
            effects: said.effects.into_iter().map(|effect| effect.replace('_', "-")).collect(),
            requests: said.requests.into_iter().map(|request| Permission { grant: request.grant, reason: request.reason }).collect(),
            config_schema: if said.config_schema.is_null() { "{}".to_owned() } else { said.config_schema.to_string() },
            examples: said
                .examples
                .into_iter()
                .map(|example| Example {
                    name: example.name,
                    event: example.event.to_string(),
                    config: text(example.config),
                    services: text(example.services),
                    expect: example.expect.to_string(),
                })
                .collect(),
        }
    }
}

/// How one question went.
pub(super) struct Asked<T> {
    /// The answer, or the outcome and what to say about it.
    pub answer: Result<T, (Outcome, String)>,
    pub fuel: u64,
    pub room: Room,
    /// Where in the command it ended.
    pub frames: Vec<String>,
}

impl Program {
    /// Compiled code of a command, with its room.
    ///
    /// # Errors
    /// When it wants what the room has not.
    pub fn of_module(module: &Module) -> wasmtime::Result<Self> {
        preview1::linker(module)?.instantiate_pre(module).map(Self::Module)
    }

    /// The same for a component.
    ///
    /// # Errors
    /// When it wants what the room has not.
    pub fn of_component(component: &Component) -> wasmtime::Result<Self> {
        preview2::linker(component)?.instantiate_pre(component).map(Self::Component)
    }

    /// Compiles it, for the activation child.
    ///
    /// # Errors
    /// When it does not compile, or wants what the room has not.
    pub fn compile(engine: &Engine, bytes: &[u8], shape: Shape) -> wasmtime::Result<Self> {
        match shape {
            Shape::CommandComponent => Self::of_component(&Component::new(engine, bytes)?),
            _ => Self::of_module(&Module::new(engine, bytes)?),
        }
    }

    fn engine(&self) -> &Engine {
        match self {
            Self::Module(pre) => pre.module().engine(),
            Self::Component(pre) => pre.engine(),
        }
    }

    /// Starts it with one question.
    pub fn ask<T: DeserializeOwned>(
        &self,
        question: &Question<'_>,
        limits: &Limits,
        fuel: u64,
        subject: Option<&Arc<Subject>>,
    ) -> Asked<T> {
        let mut store = match store(self.engine(), limits, fuel, limits.wall_ms, subject.cloned()) {
            Ok(store) => store,
            Err(error) => {
                return Asked {
                    answer: Err((Outcome::Trapped, format!("{error:#}"))),
                    fuel: 0,
                    room: Room::new(limits, None),
                    frames: Vec::new(),
                };
            }
        };
        let mut input = serde_json::to_vec(question).unwrap_or_default();
        input.push(b'\n');
        // Never 0: xorshift would stay there.
        let random = subject.map_or(1, |subject| subject.seed()) | 1;
        store.data_mut().pipes = Pipes { input, output_cap: limits.output_bytes, random, ..Pipes::default() };
        let result = self.run(&mut store);
        let left = store.get_fuel().unwrap_or(0);
        let mut room = store.into_data();
        room.end_line();
        let frames = result.as_ref().err().map(frames).unwrap_or_default();
        let answer = match result {
            Err(error) if error.downcast_ref::<Exit>().is_none_or(|exit| exit.0 != 0) => {
                Err(name(&error, room.budget.refused, &Limits { fuel, ..limits.clone() }))
            }
            Ok(()) | Err(_) => read(&room.pipes.output).map_err(|fault| (Outcome::Malformed, fault)),
        };
        room.pipes = Pipes::default();
        Asked { answer, fuel: fuel.saturating_sub(left), room, frames }
    }

    fn run(&self, store: &mut Store<Room>) -> wasmtime::Result<()> {
        match self {
            Self::Module(pre) => pre.instantiate(&mut *store)?.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ()),
            Self::Component(pre) => preview2::run(pre, store),
        }
    }

    /// Judges one event. Cannot fail: whatever the command does is an outcome.
    pub fn evaluate(&self, config: &Value, limits: &Limits, subject: &Arc<Subject>, settled: &SoFar) -> Answer {
        let start = Instant::now();
        let question = Question::Evaluate { config, event: subject.whole(), settled };
        let asked = self.ask::<Judged>(&question, limits, limits.fuel, Some(subject));
        let (outcome, detail, verdict) = match asked.answer {
            Ok(Judged { error: None, proposals, flow }) => (Outcome::Ran, None, Verdict { proposals, flow }),
            Ok(Judged { error: Some(Fault::NotApplicable(why)), .. }) => (Outcome::NotApplicable, Some(why), Verdict::default()),
            Ok(Judged { error: Some(Fault::Transient(why) | Fault::Failed(why)), .. }) => (Outcome::Failed, Some(why), Verdict::default()),
            Err((outcome, detail)) => (outcome, Some(detail), Verdict::default()),
        };
        Answer { frames: asked.frames, ..Answer::of(outcome, detail, verdict, asked.fuel, &start, asked.room) }
    }
}

/// One JSON document, or what is wrong with it.
fn read<T: DeserializeOwned>(output: &[u8]) -> Result<T, String> {
    let remedy = "write one JSON document in UTF-8 and end with code 0";
    match output {
        _ if output.trim_ascii().is_empty() => return Err(format!("wrote nothing on stdout; {remedy}")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => return Err(format!("wrote UTF-16 on stdout; {remedy}")),
        [0xef, 0xbb, 0xbf, ..] => return Err(format!("wrote a byte-order mark on stdout; {remedy}")),
        _ => {}
    }
    let text = std::str::from_utf8(output).map_err(|_| format!("wrote what is not UTF-8 on stdout; {remedy}"))?;
    let mut documents = serde_json::Deserializer::from_str(text);
    let value = Value::deserialize(&mut documents).map_err(|error| format!("wrote what is not JSON on stdout: {error}; {remedy}"))?;
    documents.end().map_err(|_| format!("wrote more than one JSON document on stdout; {remedy}"))?;
    if !value.is_object() {
        return Err(format!("wrote JSON of another form on stdout: no object; {remedy}"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        // The words may be the guest's own: one line, and not a long one.
        let place = format!("at `{}`, {}", error.path(), error.inner());
        let place: String = place.chars().take(300).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("wrote JSON of another form on stdout: {place}; the contract's JSON is in `wit/rules.wit`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_writes_is_read_or_named() {
        let judged: Judged =
            read(b"{\"proposals\":[{\"effect\":{\"type\":\"tag\",\"value\":\"x\"},\"reason\":\"r\",\"confidence\":0.5}]}\n").unwrap();
        assert_eq!((judged.proposals.len(), judged.error.is_none()), (1, true));
        let judged: Judged = read(br#"{"error":{"type":"not_applicable","value":"no text"}}"#).unwrap();
        assert!(matches!(judged.error, Some(Fault::NotApplicable(why)) if why == "no text"));
        for (output, word) in [
            (&b" \n"[..], "nothing"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"{\0}\0", "UTF-16"),
            (b"\xef\xbb\xbf{}", "byte-order mark"),
            (b"\x80", "not UTF-8"),
            (b"panic: x", "not JSON"),
            (b"{} {}", "more than one"),
            (b"{\"proposals\":[{\"effect\":{\"type\":\"dance\"}}]}", "proposals[0].effect"),
            (b"[]", "another form"),
        ] {
            let fault = read::<Judged>(output).unwrap_err();
            assert!(fault.contains(word), "{output:?}: {fault}");
        }
    }
}
