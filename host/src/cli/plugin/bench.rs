//! `signalbox plugin bench`: what an event costs a plugin, on new and on kept instances, beside the limits and an earlier run.
//!
//! Fuel and memory are the same on every machine, so they are what a comparison judges; time is shown, because it is what a desk
//! notices, and judged by nobody.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::project::{Target, cases};
use super::trial::Trial;
use crate::cli::progress::Progress;
use crate::cli::run::tempdir;
use crate::cli::table::table;
use crate::cli::{Done, complain, out};
use crate::config::{Isolation, Limits};
use crate::event::Event;
use crate::plugin::{Plugin, Rehearsal, Sandbox};

/// Runs before anything is measured: the first ones fault the instance's pages in.
const WARM_UP: usize = 20;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin, or the folder of its project
    file: PathBuf,
    /// Files of cases to run over [default: the project's, else the plugin's own examples]
    cases: Vec<PathBuf>,
    /// Run over these events instead: one JSON event a line
    #[arg(long, value_name = "FILE", conflicts_with = "cases")]
    events: Option<PathBuf>,
    /// Config to bring it in with (JSON) [default: the defaults of its schema]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Runs to measure, for each kind of instance
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// Longest to measure each kind of instance, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Write the results here, to compare with later
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compare with results that were saved: ends with 1 when fuel or memory rose
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// How far fuel or memory may rise
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, requires = "compare")]
    tolerance: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Keep compiled plugins here between runs [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
struct Results {
    /// Name and version.
    plugin: String,
    /// SHA-256 of its bytes, hex.
    digest: String,
    /// The host that measured.
    host: String,
    /// Size of its bytes.
    bytes: usize,
    /// Different events.
    events: usize,
    /// Bringing it in, ms; absent when it was kept from before.
    activation_ms: Option<u64>,
    /// A new instance for every event.
    fresh: Cost,
    /// One instance for many events; absent for a command, which starts anew for every question.
    reused: Option<Cost>,
    /// The budgets of one event: fuel, memory in bytes, wall time in ms.
    limits: Budgets,
}

/// What an event costs.
#[derive(Debug, Serialize, Deserialize)]
struct Cost {
    runs: usize,
    faults: usize,
    p50_us: u64,
    p99_us: u64,
    fuel_p50: u64,
    fuel_max: u64,
    memory_max_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Budgets {
    fuel: u64,
    memory_bytes: u64,
    wall_ms: u64,
}

pub(super) fn bench(args: &Args) -> anyhow::Result<Done> {
    let baseline = args.compare.as_deref().map(read::<Results>).transpose()?;
    let config = args.config.as_deref().map(read::<Value>).transpose()?;
    let target = Target::find(&args.file, &args.cases)?;
    let wasm = target.bytes()?;
    let (limits, scratch) = (Limits::default(), tempdir()?);
    let cache = args.data.as_ref().map_or_else(|| scratch.0.clone(), |data| data.join("artefacts"));
    let sandbox = Sandbox::start(&limits, std::env::current_exe()?, cache)?;
    let at = || target.wasm.display().to_string();
    let fresh = sandbox.load(&wasm, config.as_ref(), &limits, Isolation::Fresh).with_context(at)?;
    let subjects = match &args.events {
        Some(file) => lines(file)?,
        None => {
            let cases = Trial::new(&sandbox, &wasm, &limits).cases(cases(&target.cases)?).with_context(at)?;
            let requests = &fresh.description().requests;
            let rehearsals = cases.into_iter().map(|case| Rehearsal::new(requests, case.event, case.services));
            rehearsals.collect::<Result<_, _>>().map_err(anyhow::Error::msg).with_context(at)?
        }
    };
    let is_command = fresh.report().outline.shape.is_command();
    let reused = if is_command { None } else { Some(sandbox.load(&wasm, config.as_ref(), &limits, Isolation::Reuse).with_context(at)?) };
    let mut progress = Progress::start(args.runs as usize * (1 + usize::from(reused.is_some())), "runs");
    let mut measure = |plugin: &Plugin| measure(plugin, &subjects, args, &mut progress);
    let results = Results {
        plugin: format!("{} {}", fresh.description().name, fresh.description().version),
        digest: fresh.digest().to_owned(),
        host: format!("signalbox {}", env!("CARGO_PKG_VERSION")),
        bytes: wasm.len(),
        events: subjects.len(),
        activation_ms: fresh.took.map(|took| took.as_millis() as u64),
        fresh: measure(&fresh),
        reused: reused.as_ref().map(measure),
        limits: Budgets { fuel: limits.fuel, memory_bytes: limits.memory_bytes as u64, wall_ms: limits.wall_ms },
    };
    drop(progress);
    let json = format!("{}\n", serde_json::to_string_pretty(&results)?);
    if let Some(file) = &args.save {
        std::fs::write(file, &json).with_context(|| file.display().to_string())?;
    }
    let (compared, rose) = baseline.map(|was| compare(&was, &results, args.tolerance)).unwrap_or_default();
    if args.json {
        out(&json);
        if !compared.is_empty() {
            complain(&compared);
        }
    } else {
        out(&format!("{}{compared}", results.page()));
    }
    Ok(if rose { Done::Refused } else { Done::Well })
}

/// Every subject in turn, until there are enough runs or the time is up.
fn measure(plugin: &Plugin, subjects: &[Rehearsal], args: &Args, progress: &mut Progress) -> Cost {
    let seat = |subject: &Rehearsal| plugin.reach().any().then(|| subject.seat());
    for subject in subjects.iter().cycle().take(WARM_UP) {
        plugin.judge(&subject.subject, &subject.settled, seat(subject));
    }
    let (mut micros, mut fuel) = (Vec::new(), Vec::new());
    let (mut faults, mut memory_max_bytes) = (0, 0);
    let begin = Instant::now();
    for subject in subjects.iter().cycle().take(args.runs as usize) {
        let seat = seat(subject);
        let start = Instant::now();
        let answer = plugin.judge(&subject.subject, &subject.settled, seat);
        micros.push(start.elapsed().as_micros() as u64);
        fuel.push(answer.fuel);
        faults += usize::from(answer.outcome.is_fault());
        memory_max_bytes = answer.memory_bytes.max(memory_max_bytes);
        progress.step();
        if begin.elapsed() > Duration::from_secs(u64::from(args.seconds)) {
            break;
        }
    }
    micros.sort_unstable();
    fuel.sort_unstable();
    Cost {
        runs: micros.len(),
        faults,
        p50_us: rank(&micros, 0.50),
        p99_us: rank(&micros, 0.99),
        fuel_p50: rank(&fuel, 0.50),
        fuel_max: fuel.last().copied().unwrap_or(0),
        memory_max_bytes,
    }
}

/// The value that this share of the sorted values does not pass.
fn rank(sorted: &[u64], share: f64) -> u64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0)
}

impl Results {
    fn costs(&self) -> impl Iterator<Item = (&'static str, &Cost)> {
        [Some(("fresh", &self.fresh)), self.reused.as_ref().map(|cost| ("reused", cost))].into_iter().flatten()
    }

    fn page(&self) -> String {
        let activation = self.activation_ms.map(|ms| format!(", brought in in {ms} ms")).unwrap_or_default();
        let mut page = format!("{}  {:.1} KiB{activation}, over {} events\n", self.plugin, self.bytes as f64 / 1024.0, self.events);
        let row = |(name, cost): (&str, &Cost)| {
            let cells = [cost.runs as u64, cost.p50_us, cost.p99_us, cost.fuel_p50, cost.fuel_max, cost.memory_max_bytes >> 10];
            let [runs, p50, p99, fuel, most, memory] = cells.map(|cell| cell.to_string());
            [name.to_owned(), runs, p50, p99, fuel, most, memory]
        };
        let Budgets { fuel, memory_bytes, wall_ms } = &self.limits;
        let limit = ["limit", "", "", &(wall_ms * 1_000).to_string(), "", &fuel.to_string(), &(memory_bytes >> 10).to_string()];
        let rows = self.costs().map(row).chain([limit.map(str::to_owned)]);
        page.push_str(&table(["instance", "runs", "p50 us", "p99 us", "fuel p50", "fuel most", "memory KiB"], rows));
        for (name, cost) in self.costs().filter(|(_, cost)| cost.faults > 0) {
            let _ = writeln!(page, "{} of {} {name} runs faulted; `signalbox plugin test` says how", cost.faults, cost.runs);
        }
        page
    }
}

/// What an earlier run says beside this one, and whether fuel or memory rose too far.
fn compare(was: &Results, is: &Results, tolerance: f64) -> (String, bool) {
    let mut page = String::new();
    if was.host != is.host || was.events != is.events {
        let _ = writeln!(page, "note: the baseline is {} over {} events; what differs may be that", was.host, was.events);
    }
    let mut rose = false;
    for ((name, was), (_, is)) in was.costs().zip(is.costs()) {
        let pairs = [
            ("p50 us", was.p50_us, is.p50_us, false),
            ("p99 us", was.p99_us, is.p99_us, false),
            ("fuel p50", was.fuel_p50, is.fuel_p50, true),
            ("fuel most", was.fuel_max, is.fuel_max, true),
            ("memory bytes", was.memory_max_bytes, is.memory_max_bytes, true),
        ];
        for (what, was, is, judged) in pairs {
            let share = is as f64 / was.max(1) as f64 - 1.0;
            let rises = judged && share > tolerance;
            rose |= rises;
            let word = if rises { "  ROSE" } else { "" };
            let _ = writeln!(page, "{name:<7} {what:<13} {was:>12} -> {is:>12}  {:>+7.1} %{word}", share * 100.0);
        }
    }
    (page, rose)
}

/// Events of a file, one a line.
fn lines(file: &Path) -> anyhow::Result<Vec<Rehearsal>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let event = |(at, line): (usize, &str)| {
        let parsed = Event::from_json(line.as_bytes()).with_context(|| format!("{}, line {}", file.display(), at + 1))?;
        Ok(Rehearsal::of_event(parsed.event))
    };
    let subjects = lines.map(event).collect::<anyhow::Result<Vec<_>>>()?;
    anyhow::ensure!(!subjects.is_empty(), "{}: no events in it", file.display());
    Ok(subjects)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what it should be", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(p50_us: u64, fuel: u64, memory: u64) -> Results {
        let cost = Cost { runs: 9, faults: 0, p50_us, p99_us: p50_us, fuel_p50: fuel, fuel_max: fuel, memory_max_bytes: memory };
        let limits = Budgets { fuel: 100, memory_bytes: 100, wall_ms: 1 };
        let (plugin, digest, host) = ("p 1".to_owned(), String::new(), "signalbox".to_owned());
        Results { plugin, digest, host, bytes: 1, events: 1, activation_ms: None, fresh: cost, reused: None, limits }
    }

    #[test]
    fn a_rank_is_a_value_that_was_measured() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!((rank(&sorted, 0.5), rank(&sorted, 0.99), rank(&[7], 0.99), rank(&[], 0.5)), (50, 99, 7, 0));
    }

    #[test]
    fn fuel_and_memory_are_judged_and_time_is_not() {
        let was = results(10, 1_000, 1_000);
        assert!(!compare(&was, &results(90, 1_040, 1_000), 0.05).1, "time, and a rise within the tolerance");
        let (page, rose) = compare(&was, &results(10, 1_060, 900), 0.05);
        assert!(rose && page.matches("ROSE").count() == 2, "{page}");
        assert!(compare(&was, &results(10, 1_000, 2_000), 0.05).1);
        assert!(compare(&Results { events: 2, ..was }, &results(10, 1_000, 1_000), 0.05).0.starts_with("note: "));
    }
}
