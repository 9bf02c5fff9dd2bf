//! The upload gate's report: everything an admin wants to know before a plugin is used, pass or fail, in words.
//!
//! Used by the registry for uploads and by `signalbox plugin check` and `inspect`. It decides nothing about chains.

use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::config::{Isolation, Limits};
pub use crate::plugin::TRACKS;
use crate::plugin::{Check, ExampleResult, Failure, Plugin, Rehearsal, Request, Sandbox, Section, Shape, Start};

/// Runs that a plugin's cost is measured over: enough for a median, a moment to wait.
const RUNS: usize = 200;
/// Longest that the measuring takes, ms: a slow plugin is measured over fewer runs.
const MEASURE_MS: u128 = 1_000;
/// The checks in their order, and what each looks at.
const CHECKS: [(Check, &str); 7] = [
    (Check::Shape, "the bytes are a component of bearable size"),
    (Check::World, "it imports what it may and exports what it must"),
    (Check::Child, "the activation child did its work"),
    (Check::Compile, "it compiles within the budget"),
    (Check::Describe, "what it says of itself is valid"),
    (Check::Configure, "the config fits its schema and its `configure`"),
    (Check::Examples, "it does what its own examples say"),
];

/// What the gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReport {
    /// Whether the plugin may be used.
    pub passed: bool,
    /// SHA-256 of the uploaded bytes, hex.
    pub digest: String,
    /// Size of the uploaded bytes.
    pub bytes: u64,
    /// Every check up to the first that failed, in order.
    pub checks: Vec<Checked>,
    /// What was found out about a plugin that got as far as describing itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<About>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// "shape", "world", "child", "compile", "describe", "configure" or "examples".
    #[schemars(with = "String")]
    pub check: Check,
    /// Whether it passed.
    pub passed: bool,
    /// What it looks at, or what is wrong and what to do.
    pub message: String,
}

/// What the gate knows of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its own one sentence.
    pub summary: String,
    /// The contract it was built for.
    pub track: String,
    /// The shape it came in, in words.
    pub door: String,
    /// What it can reach, each a sentence.
    pub permissions: Vec<String>,
    /// Grants it asks for, with its reasons. Given per step, never here.
    #[schemars(with = "Vec<Value>")]
    pub requests: Vec<Request>,
    /// Effects it may propose.
    pub effects: Vec<String>,
    /// Kinds of event it judges; empty is all.
    pub event_kinds: Vec<String>,
    /// JSON Schema of its config.
    pub config_schema: Value,
    /// Its own examples, each run under the full budgets.
    #[schemars(with = "Vec<Value>")]
    pub examples: Vec<ExampleResult>,
    /// How an event's instance comes to the configured state.
    pub starts_from: String,
    /// Core functions.
    pub functions: u32,
    /// Sizes of its sections, largest first.
    #[schemars(with = "Vec<Value>")]
    pub sections: Vec<Section>,
    /// Linear memory when configured, bytes.
    pub memory_bytes: u64,
    /// Size of the compiled code, bytes.
    pub artefact_bytes: u64,
    /// What its examples used at most, beside the limit.
    pub peak: Peak,
    /// Milliseconds of bringing it in; absent when it was known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_ms: Option<u64>,
    /// What an event costs, measured over its examples; absent without examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// The most that an example used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Peak {
    /// Fuel.
    pub fuel: u64,
    /// The budget of it.
    pub fuel_limit: u64,
    /// Linear memory, bytes.
    pub memory_bytes: u64,
    /// The budget of it.
    pub memory_limit: u64,
}

/// What one event costs, medians.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Microseconds on a new instance.
    pub fresh_micros: u64,
    /// Microseconds on a kept one.
    pub reused_micros: u64,
    /// Fuel.
    pub fuel: u64,
    /// Runs measured.
    pub runs: usize,
}

/// Takes a plugin through the gate with a config (absent: the defaults of its schema).
pub fn inspect(sandbox: &Sandbox, wasm: &[u8], config: Option<&Value>, limits: &Limits) -> GateReport {
    let digest = hex::encode(Sha256::digest(wasm));
    let bytes = wasm.len() as u64;
    // The second load finds the first one's artefact.
    let both = sandbox
        .load(wasm, config, limits, Isolation::Fresh)
        .and_then(|fresh| Ok((fresh, sandbox.load(wasm, config, limits, Isolation::Reuse)?)));
    match both {
        Ok((fresh, reused)) => {
            let failed = fresh.report().examples.iter().filter_map(|example| Some((&example.name, example.fault.as_ref()?)));
            let failed: Vec<String> = failed.map(|(name, fault)| format!("example `{name}`: {fault}")).collect();
            let checks = checks((!failed.is_empty()).then(|| (Check::Examples, failed.join("; "))));
            GateReport { passed: failed.is_empty(), digest, bytes, checks, plugin: Some(About::of(&fresh, &reused, limits)) }
        }
        Err(failure) => {
            let check = match &failure {
                Failure::Refused(refusal) => refusal.check,
                Failure::Config(_) => Check::Configure,
            };
            GateReport { passed: false, digest, bytes, checks: checks(Some((check, failure.to_string()))), plugin: None }
        }
    }
}

fn checks(failed: Option<(Check, String)>) -> Vec<Checked> {
    let mut checks = Vec::with_capacity(CHECKS.len());
    for (check, looks_at) in CHECKS {
        match &failed {
            Some((failed, message)) if *failed == check => {
                checks.push(Checked { check, passed: false, message: message.clone() });
                break;
            }
            _ => checks.push(Checked { check, passed: true, message: looks_at.to_owned() }),
        }
    }
    checks
}

impl GateReport {
    /// The first failure, as a sentence.
    pub fn refusal(&self) -> Option<&str> {
        self.checks.iter().find(|check| !check.passed).map(|check| check.message.as_str())
    }
}

impl About {
    fn of(fresh: &Plugin, reused: &Plugin, limits: &Limits) -> Self {
        let report = fresh.report();
        let description = fresh.description().clone();
        let mut reach: Vec<String> = report.outline.imports.iter().filter_map(|import| permission(import)).map(str::to_owned).collect();
        if report.outline.shape.is_command() {
            reach.push("know all of the event, who wrote it and its ticket included".to_owned());
            reach.push("write bounded log lines (stderr) into the decision's trace".to_owned());
        }
        Self {
            name: description.name,
            version: description.version,
            summary: description.summary,
            track: TRACKS[0].to_owned(),
            door: door(report.outline.shape).to_owned(),
            permissions: if reach.is_empty() { vec!["see the event, and nothing else".to_owned()] } else { reach },
            requests: description.requests,
            effects: description.effects,
            event_kinds: description.event_kinds,
            config_schema: description.config_schema,
            starts_from: starts_from(&report.start),
            functions: report.outline.functions,
            sections: report.outline.sections.clone(),
            memory_bytes: report.memory_bytes,
            artefact_bytes: report.artefact_bytes,
            peak: Peak {
                fuel: report.examples.iter().map(|example| example.fuel).max().unwrap_or(0),
                fuel_limit: limits.fuel,
                memory_bytes: report.examples.iter().map(|example| example.memory_bytes).max().unwrap_or(report.memory_bytes),
                memory_limit: limits.memory_bytes as u64,
            },
            examples: report.examples.clone(),
            activation_ms: fresh.took.map(|took| took.as_millis() as u64),
            cost: cost(fresh, reused),
        }
    }
}

/// How an event's instance comes to the configured state, in words.
pub fn starts_from(start: &Start) -> String {
    match start {
        Start::Snapshot => "snapshot".to_owned(),
        Start::Configure { why } => format!("configure in every instance: {why}"),
    }
}

/// The shape a plugin came in.
fn door(shape: Shape) -> &'static str {
    match shape {
        Shape::Component => "a component of the contract's world",
        Shape::Module => "a core module, made a component here; what it has of WASI leads nowhere",
        Shape::Command => "a WASI preview1 command: JSON in, JSON out",
        Shape::CommandComponent => "a `wasi:cli/run` component: JSON in, JSON out",
    }
}

/// An import as the permission it is.
fn permission(import: &str) -> Option<&'static str> {
    let name = import.strip_prefix("signalbox:rules/")?.split('@').next()?;
    match name {
        "logging" => Some("write bounded log lines into the decision's trace"),
        "facts" => Some("know who wrote it, the ticket, attachments and other facts of the event"),
        "normal" => Some("read the event's text with tricks removed"),
        "clock" => Some("read the host's clock, once per event"),
        "state" => Some("remember between events, within its own keys (grant `state`)"),
        "lookup" => Some("read tables that the admin grants one by one (grant `lookup:TABLE`)"),
        _ => None,
    }
}

fn cost(fresh: &Plugin, reused: &Plugin) -> Option<Cost> {
    let description = fresh.description();
    let examples: Vec<_> = description.examples.iter().filter_map(|example| Rehearsal::of(description, example).ok()).collect();
    let measure = |plugin: &Plugin| {
        let (mut micros, mut fuel) = (Vec::with_capacity(RUNS), Vec::with_capacity(RUNS));
        let begin = Instant::now();
        for example in examples.iter().cycle().take(RUNS) {
            let seat = plugin.reach().any().then(|| example.seat());
            let start = Instant::now();
            fuel.push(plugin.judge(&example.subject, &example.settled, seat).fuel);
            micros.push(start.elapsed().as_micros() as u64);
            if begin.elapsed().as_millis() > MEASURE_MS {
                break;
            }
        }
        micros.sort_unstable();
        fuel.sort_unstable();
        Some((*micros.get(micros.len() / 2)?, *fuel.get(fuel.len() / 2)?, micros.len()))
    };
    let (fresh_micros, fuel, runs) = measure(fresh)?;
    let (reused_micros, ..) = measure(reused)?;
    Some(Cost { fresh_micros, reused_micros, fuel, runs })
}
