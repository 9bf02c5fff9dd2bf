//! `signalbox plugin dev`: the loop of writing a plugin. Whenever the project changes it is built, checked, tried on its cases and
//! put live, and what it decides otherwise than before is shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::local::Host;
use super::project::{Project, cases};
use super::trial::Trial;
use super::watch::Snapshot;
use crate::cli::client::Reach;
use crate::cli::run::tempdir;
use crate::cli::{Done, out};
use crate::config::Limits;
use crate::decision::Decision;
use crate::gate;
use crate::plugin::Sandbox;
use crate::replay::{Difference, differences};

/// Between two looks at the project: at once for a person, nothing for a machine.
const LOOK: Duration = Duration::from_millis(250);
/// Lines of a failed build that are shown: its end has the reason.
const BUILD_LINES: usize = 60;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The project's folder, with a `plugin.toml`
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Put it live on the host at `SIGNALBOX_URL` or --url, instead of on one of its own
    #[arg(long)]
    remote: bool,
    #[command(flatten)]
    reach: Reach,
}

/// A version that went live.
struct Version {
    wasm: Vec<u8>,
    /// What it decided, by case.
    decisions: BTreeMap<String, Decision>,
}

pub(super) fn dev(args: &Args) -> anyhow::Result<Done> {
    Project::open(&args.dir)?;
    let (limits, scratch) = (Limits::default(), tempdir()?);
    let stop = stopping()?;
    let host = if args.remote { Host::at(&args.reach)? } else { Host::start(&scratch.0)? };
    // The host's own folder of artefacts: what is compiled for the cases is what goes live.
    let sandbox = Sandbox::start(&limits, std::env::current_exe()?, scratch.0.join("data/artefacts"))?;
    if let Some(hook) = &host.hook {
        out(&format!("a host of its own takes events at {hook}, with this plugin as the chain\n"));
    }
    let mut before: Option<Version> = None;
    while !stop.load(Ordering::Relaxed) {
        let sources = Snapshot::of(&args.dir);
        let mut quiet = false;
        match round(&args.dir, &sandbox, &limits, &host, before.as_ref()) {
            Ok(Some(version)) => before = Some(version),
            Ok(None) => quiet = true,
            Err(error) => out(&format!("  {error:#}\n")),
        }
        let after = Snapshot::of(&args.dir);
        // A build that rewrites its own files and makes the same plugin of them would go round for ever.
        let seen = if quiet { after } else { sources.with_new_of(&after) };
        out("watching; Ctrl-C ends\n");
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            let changed = Snapshot::of(&args.dir).changed(&seen);
            if let Some(file) = changed.first() {
                let file = file.strip_prefix(&args.dir).unwrap_or(file).display();
                let more = if changed.len() > 1 { format!(" and {} more", changed.len() - 1) } else { String::new() };
                out(&format!("\n{file}{more} changed\n"));
                break;
            }
        }
    }
    Ok(Done::Well)
}

/// Build, check, try, put live, compare. None when what was built and tried is what was there before.
fn round(dir: &Path, sandbox: &Sandbox, limits: &Limits, host: &Host, before: Option<&Version>) -> anyhow::Result<Option<Version>> {
    let project = Project::open(dir)?;
    build(dir, &project.build)?;
    let wasm = std::fs::read(&project.wasm).with_context(|| format!("the build left no {}", project.wasm.display()))?;
    let is_new = before.is_none_or(|before| before.wasm != wasm);
    if is_new {
        let report = gate::inspect(sandbox, &wasm, None, limits);
        let about = report.plugin.as_ref().map(|about| format!("{} {}", about.name, about.version)).unwrap_or_default();
        match report.refusal() {
            // Its examples are cases too: what is wrong with them is told below, in full.
            // The report has no frames, a trial has.
            Some(_) if report.plugin.is_none() => {
                Trial::new(sandbox, &wasm, limits).cases(Vec::new()).map(drop).map_err(|error| anyhow::anyhow!("check   {error:#}"))?;
                anyhow::bail!("check   it came in the second time only");
            }
            Some(_) => out(&format!("  check   {about} does not do what its own examples say\n")),
            None => out(&format!("  check   {about} passes the gate\n")),
        }
    }
    let mut trial = Trial::new(sandbox, &wasm, limits);
    let cases = trial.cases(cases(&project.cases)?)?;
    let mut decisions = BTreeMap::new();
    let mut failed = 0;
    for case in &cases {
        let tried = trial.run(case);
        if !tried.holds() {
            failed += 1;
            out(&tried.card());
        }
        decisions.extend(tried.decision.map(|decision| (tried.name, decision)));
    }
    out(&format!("  test    {} passed, {failed} failed\n", cases.len() - failed));
    if !is_new {
        out("  live    the same plugin as before\n");
        return Ok(None);
    }
    let generation = host.swap(&wasm).context("live    not put live")?;
    out(&format!("  live    generation {generation}\n"));
    if let Some(before) = before {
        out(&told(&before.decisions, &decisions));
    }
    Ok(Some(Version { wasm, decisions }))
}

/// Runs the project's own command.
fn build(dir: &Path, command: &str) -> anyhow::Result<()> {
    out(&format!("  build   {command} ...\n"));
    let start = Instant::now();
    let built = Command::new("sh").args(["-c", command]).current_dir(dir).stdin(Stdio::null()).output().context("build   no shell")?;
    if built.status.success() {
        out(&format!("  build   done in {:.1} s\n", start.elapsed().as_secs_f64()));
        return Ok(());
    }
    let said = format!("{}{}", String::from_utf8_lossy(&built.stdout), String::from_utf8_lossy(&built.stderr));
    let lines: Vec<&str> = said.lines().collect();
    out(&format!("{}\n", lines[lines.len().saturating_sub(BUILD_LINES)..].join("\n")));
    anyhow::bail!("build   failed ({}); the version before stays live", built.status)
}

/// What is decided otherwise than by the version before.
fn told(was: &BTreeMap<String, Decision>, is: &BTreeMap<String, Decision>) -> String {
    let mut page = String::new();
    for (name, is) in is {
        let Some(was) = was.get(name) else { continue };
        for Difference { field, from, to } in differences(was, is) {
            let value = |value: Option<serde_json::Value>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            page.push_str(&format!("  differs {name}: {field}: {} -> {}\n", value(from), value(to)));
        }
    }
    if page.is_empty() { "  differs nothing: every case is decided as before\n".to_owned() } else { page }
}

/// A flag that Ctrl-C and SIGTERM set, so that the host of our own and its folder go with us.
fn stopping() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (flag, runtime) = (stop.clone(), tokio::runtime::Builder::new_current_thread().enable_all().build()?);
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        });
        flag.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}
