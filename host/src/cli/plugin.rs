//! `signalbox plugin new`, `plugin inspect` and `plugin check`: a plugin before it is uploaded anywhere.

mod new;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use super::run::tempdir;
use super::{Done, complain, out};
use crate::app::Clock;
use crate::config::{Isolation, Limits};
use crate::event::Event;
use crate::plugin::{Plugin, Sandbox, Shape, Start, Subject};
use crate::verdict::SoFar;

/// Runs that a plugin's cost is measured over: enough for a median, a moment to wait.
const RUNS: usize = 200;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Start a plugin: a project that builds, with the same small rule in every language
    New(new::Args),
    /// What a plugin is: size by section, imports as permissions, what it says of itself, what it costs per event
    Inspect(Args),
    /// The whole gate: compile, describe, configure, its own examples
    Check(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plugin: a component, a core module, or a WASI command
    file: PathBuf,
    /// Config to bring it in with (JSON) [default: the defaults of its schema]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Says something of a plugin, given fresh and reused.
type Report = fn(&Path, &Plugin, &Plugin) -> (String, Done);

pub(super) fn plugin(command: &Command) -> anyhow::Result<Done> {
    let (args, report): (_, Report) = match command {
        Command::New(args) => return new::new(args),
        Command::Inspect(args) => (args, inspect),
        Command::Check(args) => (args, check),
    };
    let wasm = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let config: Option<Value> = match &args.config {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            Some(serde_json::from_str(&text).with_context(|| format!("{}: not JSON", file.display()))?)
        }
    };
    let limits = Limits::default();
    let scratch = tempdir()?;
    let sandbox = Sandbox::start(&limits, std::env::current_exe()?, scratch.0.clone())?;
    // The second load finds the first one's artefact.
    let both = sandbox
        .load(&wasm, config.as_ref(), &limits, Isolation::Fresh)
        .and_then(|fresh| Ok((fresh, sandbox.load(&wasm, config.as_ref(), &limits, Isolation::Reuse)?)));
    match both {
        Ok((fresh, reused)) => {
            let (text, done) = report(&args.file, &fresh, &reused);
            out(&text);
            Ok(done)
        }
        Err(failure) => {
            complain(&format!("{}: {failure}", args.file.display()));
            Ok(Done::Refused)
        }
    }
}

fn check(file: &Path, plugin: &Plugin, _reused: &Plugin) -> (String, Done) {
    let report = &plugin.report;
    let mut text = String::new();
    for example in &report.examples {
        let _ = match &example.fault {
            None => writeln!(text, "  ok    {}", example.name),
            Some(fault) => writeln!(text, "  FAIL  {}: {fault}", example.name),
        };
    }
    let failed = report.examples.iter().filter(|example| example.fault.is_some()).count();
    let (word, done) = if failed == 0 { ("passes", Done::Well) } else { ("fails", Done::Refused) };
    let description = &report.description;
    let _ = writeln!(
        text,
        "{}: {} {} {word} the gate; {} of {} examples",
        file.display(),
        description.name,
        description.version,
        report.examples.len() - failed,
        report.examples.len()
    );
    (text, done)
}

fn inspect(file: &Path, plugin: &Plugin, reused: &Plugin) -> (String, Done) {
    let report = &plugin.report;
    let description = &report.description;
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    row("plugin", &format!("{} {}", description.name, description.version));
    row("summary", &description.summary);
    row("digest", &plugin.digest);
    let bytes: usize = report.outline.sections.iter().map(|section| section.bytes).sum();
    row("size", &format!("{} in {} functions", kib(bytes as u64), report.outline.functions));
    for section in report.outline.sections.iter().take(6) {
        row("", &format!("{:>10}  {}", kib(section.bytes as u64), section.name));
    }
    row("door", door(report.outline.shape));
    row("effects", &description.effects.join(", "));
    let mut services = report.outline.imports.iter().filter_map(|import| permission(import)).collect::<Vec<_>>();
    if report.outline.shape.is_command() {
        services.push("know all of the event, who wrote it and its ticket included");
        services.push("write bounded log lines (stderr) into the decision's trace");
    }
    row("may", services.first().unwrap_or(&"see the event, and nothing else"));
    for service in services.iter().skip(1) {
        row("", service);
    }
    for request in &description.requests {
        row("asks for", &format!("{}: {}", request.grant, request.reason));
    }
    row("compiled", &format!("{} in {} ms", kib(report.artefact_bytes), plugin.took.map_or(0, |took| took.as_millis())));
    row("memory", &kib(report.memory_bytes));
    match &report.start {
        Start::Snapshot => row("isolation", "fresh for every event, from a snapshot of the configured state"),
        Start::Configure { why } => {
            row("isolation", &format!("fresh for every event, configured each time, because it cannot be snapshotted: {why}"))
        }
    }
    if let (Some((fresh, fuel)), Some((kept, _))) = (cost(plugin), cost(reused)) {
        row("per event", &format!("{fresh} us fresh, {kept} us reused, {fuel} fuel (medians of {RUNS} runs over its examples)"));
    }
    (format!("{}\n{text}", file.display()), Done::Well)
}

/// How the file came in.
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
        _ => None,
    }
}

/// The median cost of one event, over the plugin's own examples.
fn cost(plugin: &Plugin) -> Option<(u64, u64)> {
    let events = plugin.description().examples.iter().filter_map(|example| Event::from_json(example.event.to_string().as_bytes()).ok());
    let subjects: Vec<_> = events.map(|parsed| Subject::new(Arc::new(parsed.event), Clock::System.now())).collect();
    if subjects.is_empty() {
        return None;
    }
    let mut micros = Vec::with_capacity(RUNS);
    let mut fuel = Vec::with_capacity(RUNS);
    for subject in subjects.iter().cycle().take(RUNS) {
        let start = Instant::now();
        fuel.push(plugin.evaluate(subject, &SoFar::default()).fuel);
        micros.push(start.elapsed().as_micros() as u64);
    }
    micros.sort_unstable();
    fuel.sort_unstable();
    Some((micros[RUNS / 2], fuel[RUNS / 2]))
}

fn kib(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}
