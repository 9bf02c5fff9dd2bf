//! `signalbox chain`: the set-up of a running host, as a file in and out, forth and back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http::Method;
use serde_json::Value;

use super::card::printable;
use super::client::{Client, Reach, Reason, part};
use super::listing::Read;
use super::replay::show;
use super::table::table;
use super::{Done, complain, out};
use crate::replay::EVENTS;
use crate::setup::{DEFAULT, Setup, StepSetup};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The live chains, step by step, and how each step fares
    List(Read),
    /// One live chain, with the config of every step
    Show(Show),
    /// The whole set-up as one TOML file: chains, steps, routes, every plugin pinned
    Export(Read),
    /// Put a set-up live: built and validated first, then swapped in at once
    Apply(Apply),
    /// Put a generation live that was live before; twice in a row goes forth again
    Rollback(Rollback),
    /// What was live when, by whom and why, the newest first
    History(Read),
    /// Let a quarantined step back in
    Reset(Reset),
    /// What a step in shadow would have changed in what was decided
    Shadow(Shadow),
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The chain
    #[arg(default_value = DEFAULT)]
    chain: String,
    #[command(flatten)]
    read: Read,
}

#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// The set-up (TOML); `file = "x.wasm"` of a step is uploaded first, through the gate, also for a dry run
    file: PathBuf,
    /// Build and validate it and show what would change; what is live stays
    #[arg(long)]
    dry_run: bool,
    /// Refuse if the set-up is not at this revision any more [default: the one it is at now]
    #[arg(long, value_name = "N")]
    if_revision: Option<i64>,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rollback {
    /// The generation, as `chain history` shows it [default: the one before the live one]
    generation: Option<String>,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
pub(super) struct Reset {
    /// The chain
    chain: String,
    /// The step
    step: String,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
pub(super) struct Shadow {
    /// The chain
    chain: String,
    /// The step
    step: String,
    /// Over the newest so many recorded events
    #[arg(long, value_name = "N", default_value_t = EVENTS.0)]
    last: u32,
    /// Of those decided at this time or later, such as 2026-11-01T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Of those decided before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Print the whole report as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print one line per field that differs, as CSV
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn chain(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::List(args) => list(args),
        Command::Show(args) => show_one(args),
        Command::Export(args) => export(args),
        Command::Apply(args) => apply(args),
        Command::Rollback(args) => rollback(args),
        Command::History(args) => history(args),
        Command::Reset(args) => reset(args),
        Command::Shadow(args) => shadow(args),
    }
}

fn list(args: &Read) -> anyhow::Result<Done> {
    let chains = args.client()?.get("/v1/chains", &[])?;
    if args.prints(&chains) {
        return Ok(Done::Well);
    }
    let mut page: String = chains["items"].as_array().into_iter().flatten().map(steps).collect();
    let _ = writeln!(page, "generation {}", text(&chains, "generation"));
    out(&page);
    Ok(Done::Well)
}

fn show_one(args: &Show) -> anyhow::Result<Done> {
    let chain = args.read.client()?.get(&format!("/v1/chains/{}", part(&args.chain)), &[])?;
    if args.read.prints(&chain) {
        return Ok(Done::Well);
    }
    let mut page = steps(&chain);
    for step in chain["steps"].as_array().into_iter().flatten() {
        let _ = write!(
            page,
            "\n{}: {}\n  starts from {}, instances {}, on fault {}\n  config ",
            text(step, "name"),
            text(step, "summary"),
            text(step, "starts_from"),
            text(step, "isolation"),
            text(step, "on_fault")
        );
        let config = format!("{:#}", step["config"]);
        let _ = writeln!(page, "{}", config.replace('\n', "\n  "));
    }
    // What a plugin says of itself is foreign text.
    out(&page.lines().map(|line| printable(line) + "\n").collect::<String>());
    Ok(Done::Well)
}

/// A chain's steps as a table, and how each fares.
fn steps(chain: &Value) -> String {
    let sources: Vec<&str> = chain["sources"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |step: &Value| {
        let health = match step["health"]["state"].as_str() {
            Some("quarantined") => format!("QUARANTINED until {}", text(&step["health"], "until")),
            _ => format!("well, {} faults of late", step["health"]["recent_faults"]),
        };
        let grants: Vec<&str> = step["grants"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let plugin = format!("{}@{}", text(step, "plugin"), text(step, "version"));
        [text(step, "name"), plugin, text(step, "mode"), grants.join(" "), health]
    };
    let rows = table(["step", "plugin", "mode", "grants", "health"], chain["steps"].as_array().into_iter().flatten().map(row));
    format!("chain {}  (sources: {})\n{rows}", text(chain, "name"), sources.join(", "))
}

fn export(args: &Read) -> anyhow::Result<Done> {
    let live = args.client()?.get("/v1/setup", &[])?;
    if !args.prints(&live["setup"]) {
        let setup: Setup = serde_json::from_value(live["setup"].clone()).context("the host has a set-up of another version")?;
        out(&format!("# generation {}, revision {}\n{}", text(&live, "generation"), live["revision"], setup.to_toml()?));
    }
    Ok(Done::Well)
}

fn apply(args: &Apply) -> anyhow::Result<Done> {
    let client = Client::changing(&args.reach, &args.reason)?;
    let setup = read(&args.file, &client)?;
    let before = client.get("/v1/setup", &[])?;
    let revision = args.if_revision.or(before["revision"].as_i64()).unwrap_or_default();
    let body = serde_json::to_vec(&setup)?;
    let path = if args.dry_run { "/v1/setup?dry_run=true" } else { "/v1/setup" };
    let made = client.change(Method::PUT, path, Some(("application/json", body)), revision)?;
    let (was, is): (Setup, Setup) = (serde_json::from_value(before["setup"].clone())?, serde_json::from_value(made["setup"].clone())?);
    let changes = changes(&was, &is);
    out(&if changes.is_empty() { "nothing differs from what is live\n".to_owned() } else { changes });
    for warning in made["warnings"].as_array().into_iter().flatten() {
        complain(&format!("warning: {}: {}", text(warning, "pointer"), text(warning, "message")));
    }
    let generation = text(&made, "generation");
    if args.dry_run {
        out(&format!("generation {generation} can be built; nothing was changed\n"));
    } else {
        out(&format!("generation {generation} is live, revision {}\n", made["revision"]));
    }
    Ok(Done::Well)
}

fn rollback(args: &Rollback) -> anyhow::Result<Done> {
    let client = Client::changing(&args.reach, &args.reason)?;
    let history = client.get("/v1/generations", &[])?;
    let newest = &history["items"][0];
    let generation = match (&args.generation, newest["before"].as_str()) {
        (Some(generation), _) => generation.clone(),
        (None, Some(before)) => before.to_owned(),
        (None, None) => anyhow::bail!("nothing was live before this; `signalbox chain history` shows what was"),
    };
    let revision = newest["revision"].as_i64().unwrap_or_default();
    let made = client.change(Method::POST, &format!("/v1/generations/{}/rollback", part(&generation)), None, revision)?;
    out(&format!("generation {} is live again, revision {}\n", text(&made, "generation"), made["revision"]));
    Ok(Done::Well)
}

fn history(args: &Read) -> anyhow::Result<Done> {
    let changes = args.client()?.list("/v1/generations", &[], 200)?;
    let row = |change: &Value| {
        let cell = |key: &str| change[key].as_str().unwrap_or("-").to_owned();
        [change["revision"].to_string(), cell("at"), cell("by"), cell("action"), cell("generation"), cell("change"), cell("why")]
    };
    Ok(args.list(changes, ["revision", "when", "who", "action", "generation", "ticket", "why"], row))
}

fn reset(args: &Reset) -> anyhow::Result<Done> {
    let path = format!("/v1/chains/{}/steps/{}/reset", part(&args.chain), part(&args.step));
    Client::changing(&args.reach, &args.reason)?.send(Method::POST, &path, None)?;
    out(&format!("step {} of chain {} runs again\n", args.step, args.chain));
    Ok(Done::Well)
}

fn shadow(args: &Shadow) -> anyhow::Result<Done> {
    let path = format!("/v1/chains/{}/steps/{}/shadow", part(&args.chain), part(&args.step));
    let query = [("last", Some(args.last.to_string())), ("since", args.since.clone()), ("until", args.until.clone())];
    let report =
        serde_json::from_value(Client::new(&args.reach)?.get(&path, &query)?).context("the host has a report of another version")?;
    show(&report, args.json, args.csv)?;
    Ok(Done::Well)
}

/// Reads a set-up; the files that its steps name are uploaded and pinned.
pub(super) fn read(file: &Path, client: &Client) -> anyhow::Result<Setup> {
    let at = || file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(at)?;
    let mut setup = Setup::from_toml(&text).map_err(|problem| anyhow::anyhow!("{}: {problem}", at()))?;
    for step in setup.chains.values_mut().flat_map(|chain| &mut chain.steps) {
        if let Some(wasm) = step.file.take() {
            let wasm = file.parent().map_or_else(|| wasm.clone(), |dir| dir.join(&wasm));
            let bytes = std::fs::read(&wasm).with_context(|| wasm.display().to_string())?;
            let report = client.send(Method::POST, "/v1/plugins", Some(("application/wasm", bytes)))?;
            complain(&format!("{} is {} {}", wasm.display(), text_of(&report["plugin"]["name"]), text_of(&report["plugin"]["version"])));
            step.digest = Some(text_of(&report["digest"]));
        }
    }
    Ok(setup)
}

/// What differs, a line per step.
fn changes(was: &Setup, is: &Setup) -> String {
    let all = |setup: &Setup| -> Vec<(String, StepSetup)> {
        setup.steps().map(|(chain, _, step)| (format!("{chain}/{}", step.label()), step.clone())).collect()
    };
    let (was_steps, is_steps) = (all(was), all(is));
    let mut page = String::new();
    for (place, step) in &was_steps {
        if !is_steps.iter().any(|(other, _)| other == place) {
            let _ = writeln!(page, "- {place}  {}", step.plugin.as_deref().unwrap_or_default());
        }
    }
    for (place, step) in &is_steps {
        match was_steps.iter().find(|(other, _)| other == place) {
            None => {
                let _ = writeln!(page, "+ {place}  {}", step.plugin.as_deref().unwrap_or_default());
            }
            Some((_, before)) if before != step => {
                let keys = differing(before, step);
                let _ = writeln!(page, "~ {place}  {}", keys.join(", "));
            }
            Some(_) => {}
        }
    }
    let order = |steps: &[(String, StepSetup)]| steps.iter().map(|(place, _)| place.clone()).collect::<Vec<_>>();
    if page.is_empty() && order(&was_steps) != order(&is_steps) {
        page.push_str("~ the order of the steps\n");
    }
    if was.routes != is.routes {
        page.push_str("~ routes\n");
    }
    page
}

fn differing(was: &StepSetup, is: &StepSetup) -> Vec<String> {
    let (was, is) = (serde_json::to_value(was).unwrap_or_default(), serde_json::to_value(is).unwrap_or_default());
    let keys: std::collections::BTreeSet<&String> = was.as_object().into_iter().chain(is.as_object()).flat_map(|map| map.keys()).collect();
    keys.into_iter().filter(|key| was[key.as_str()] != is[key.as_str()]).cloned().collect()
}

fn text(value: &Value, key: &str) -> String {
    text_of(&value[key])
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_by_step() {
        let setup = |text: &str| Setup::from_toml(text).unwrap();
        let step = |name: &str, more: &str| format!("[[chains.default.steps]]\nplugin = \"{name}@1.0.0\"\n{more}\n");
        let was = setup(&[step("a", ""), step("b", "mode = \"shadow\""), step("gone", "")].concat());
        let is = setup(&[step("a", "grants = [\"lower\"]"), step("b", "mode = \"shadow\""), step("new", "")].concat());
        assert_eq!(changes(&was, &is), "- default/gone  gone@1.0.0\n~ default/a  grants\n+ default/new  new@1.0.0\n");
        assert_eq!(changes(&is, &is), "");
    }
}
