//! `signalbox plugin`: a plugin before it is uploaded anywhere, and those of a running host.
//!
//! `new` begins a project, `dev` is the loop of writing one, `test` and `bench` run cases through it, `inspect` and `check` show
//! and judge it as the gate does; `remote` talks to a host.

mod bench;
mod dev;
mod local;
mod new;
mod project;
mod remote;
mod sdk;
mod test;
mod trial;
mod watch;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::run::tempdir;
use super::{Done, complain, out};
use crate::config::Limits;
use crate::gate::{self, Cost, GateReport};
use crate::plugin::Sandbox;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Start a plugin: a project that builds, with the same small rule in every language
    New(new::Args),
    /// What a plugin is: size by section, imports as permissions, what it says of itself, what it costs per event
    Inspect(Args),
    /// The whole gate: compile, describe, configure, its own examples
    Check(Args),
    /// Run cases through a plugin, and show what differs from what they expect
    Test(test::Args),
    /// What an event costs: time, fuel and memory, against the limits and against an earlier run
    Bench(bench::Args),
    /// Watch a project: build, check, test, put it live on a host of its own, show what it decides otherwise
    Dev(dev::Args),
    /// Upload a plugin to a running host, through its gate
    Push(remote::Push),
    /// The plugins of a running host
    List(remote::List),
    /// The gate's report of a plugin of a running host
    Show(remote::Show),
    /// Take a plugin away that no live step uses
    Remove(remote::Remove),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plugin: a component, a core module, or a WASI command
    file: PathBuf,
    /// Config to bring it in with (JSON) [default: the defaults of its schema]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Says something of a plugin that went through the gate.
type Say = fn(&Path, &GateReport) -> String;

pub(super) fn plugin(command: &Command) -> anyhow::Result<Done> {
    let (args, say): (_, Say) = match command {
        Command::New(args) => return new::new(args),
        Command::Test(args) => return test::test(args),
        Command::Bench(args) => return bench::bench(args),
        Command::Dev(args) => return dev::dev(args),
        Command::Push(args) => return remote::push(args),
        Command::List(args) => return remote::list(args),
        Command::Show(args) => return remote::show(args),
        Command::Remove(args) => return remote::remove(args),
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
    let report = gate::inspect(&sandbox, &wasm, config.as_ref(), &limits);
    match (&report.plugin, report.refusal()) {
        (None, refusal) => {
            complain(&format!("{}: {}", args.file.display(), refusal.unwrap_or("refused")));
            Ok(Done::Refused)
        }
        (Some(_), refusal) => {
            out(&say(&args.file, &report));
            // To inspect is to look: only a check judges.
            let judged = matches!(command, Command::Check(_)) && refusal.is_some();
            Ok(if judged { Done::Refused } else { Done::Well })
        }
    }
}

fn check(file: &Path, report: &GateReport) -> String {
    let mut text = String::new();
    let Some(about) = &report.plugin else { return text };
    for example in &about.examples {
        let _ = match &example.fault {
            None => writeln!(text, "  ok    {}", example.name),
            Some(fault) => writeln!(text, "  FAIL  {}: {fault}", example.name),
        };
    }
    let passed = about.examples.iter().filter(|example| example.fault.is_none()).count();
    let word = if report.passed { "passes" } else { "fails" };
    let (name, version, all) = (&about.name, &about.version, about.examples.len());
    let _ = writeln!(text, "{}: {name} {version} {word} the gate; {passed} of {all} examples", file.display());
    text
}

fn inspect(file: &Path, report: &GateReport) -> String {
    let mut text = format!("{}\n", file.display());
    let Some(about) = &report.plugin else { return text };
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    row("plugin", &format!("{} {}", about.name, about.version));
    row("summary", &about.summary);
    row("digest", &report.digest);
    row("size", &format!("{} in {} functions", kib(report.bytes), about.functions));
    for section in about.sections.iter().take(6) {
        row("", &format!("{:>10}  {}", kib(section.bytes as u64), section.name));
    }
    row("door", &about.door);
    row("effects", &about.effects.join(", "));
    for (at, permission) in about.permissions.iter().enumerate() {
        row(if at == 0 { "may" } else { "" }, permission);
    }
    for request in &about.requests {
        row("asks for", &format!("{}: {}", request.grant, request.reason));
    }
    row("compiled", &format!("{} in {} ms", kib(about.artefact_bytes), about.activation_ms.unwrap_or(0)));
    row("memory", &kib(about.memory_bytes));
    row(
        "limits",
        &format!(
            "{} of {} fuel, {} of {} at most in its examples",
            about.peak.fuel,
            about.peak.fuel_limit,
            kib(about.peak.memory_bytes),
            kib(about.peak.memory_limit)
        ),
    );
    match about.starts_from.split_once(": ") {
        None => row("isolation", "fresh for every event, from a snapshot of the configured state"),
        Some((_, why)) => {
            row("isolation", &format!("fresh for every event, configured each time, because it cannot be snapshotted: {why}"))
        }
    }
    if let Some(Cost { fresh_micros, reused_micros, fuel, runs }) = &about.cost {
        row(
            "per event",
            &format!("{fresh_micros} us fresh, {reused_micros} us reused, {fuel} fuel (medians of {runs} runs over its examples)"),
        );
    }
    text
}

fn kib(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}
