//! `signalbox source`: the sources there are, how to begin with one, and what it would make of a payload.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use http::HeaderMap;
use serde_json::Value;

use super::run::{headers, headers_of, named, tempdir};
use super::{Done, card, out};
use crate::app::Clock;
use crate::config::{Config, Overrides};
use crate::generation::Generation;
use crate::plugin::{Backing, Sandbox};
use crate::source::presets;
use crate::source::sample::Sample;
use crate::source::trial::{Shown, Trial};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the configured sources and the presets
    List {
        /// Config file with the sources
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print a preset's adapter, to read or to copy
    Show {
        /// The preset
        preset: String,
        /// Print the body to paste into the desk instead
        #[arg(long)]
        body: bool,
    },
    /// Print the beginning of a source: what to write into the config, and what to click in the desk
    New {
        /// The preset to begin with
        #[arg(long)]
        preset: String,
        /// The source's name [default: the preset's]
        #[arg(long)]
        name: Option<String>,
    },
    /// Show what a payload would become and what would be sent back, and send nothing
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// A configured source, or a preset
    name: String,
    /// The body, as the desk sends it; without one, every saved sample of the source is tried
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// JSON object of the headers that came with it
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// The query string that came with it
    #[arg(long)]
    query: Option<String>,
    /// Config file with the source and the chain; without one, presets and the bundled chain
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep compiled plugins here between runs [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep the call and what it became under this name: the adapter must go on understanding it
    #[arg(long, value_name = "SAMPLE", requires = "payload")]
    save: Option<String>,
    /// Print JSON: verification, event or dropped or observation or fed, decision, outbound
    #[arg(long)]
    json: bool,
}

pub(super) fn source(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::List { config } => list(config.as_deref()),
        Command::Show { preset, body } => show(preset, *body),
        Command::New { preset, name } => new(preset, name.as_deref().unwrap_or(preset)),
        Command::Test(args) => test(args),
    }
}

fn list(config: Option<&Path>) -> anyhow::Result<Done> {
    let mut text = String::new();
    if config.is_some() {
        let config = Config::load(config, &Overrides::default())?;
        for (name, source) in &config.sources {
            let source = &source.source;
            let back = source
                .outbound()
                .map_or("nothing is written back".to_owned(), |way| format!("writes back to {}, {}", way.base, mode(way.mode)));
            let _ = writeln!(text, "{name:<18}{:<12}source: POST /hooks/{name}; {back}", source.adapter().about().system);
        }
    }
    for name in presets::names() {
        let about = presets::adapter(name).context("a preset that is listed is there")??;
        let _ = writeln!(text, "{name:<18}{:<12}preset", about.about().system);
    }
    out(&text);
    Ok(Done::Well)
}

fn mode(mode: crate::outgoing::Mode) -> String {
    serde_json::to_value(mode).ok().and_then(|mode| mode.as_str().map(str::to_owned)).unwrap_or_default()
}

fn known(preset: &str) -> anyhow::Result<&'static str> {
    presets::toml(preset)
        .with_context(|| format!("there is no preset `{preset}`; there are {}", presets::names().collect::<Vec<_>>().join(", ")))
}

fn show(preset: &str, body: bool) -> anyhow::Result<Done> {
    let adapter = known(preset)?;
    let text = if body {
        presets::body(preset).with_context(|| format!("the desk of `{preset}` takes no body of your own; it sends what it sends"))?
    } else {
        adapter
    };
    out(text);
    Ok(Done::Well)
}

fn new(preset: &str, name: &str) -> anyhow::Result<Done> {
    known(preset)?;
    let adapter = presets::adapter(preset).context("a preset that is known is there")??;
    out(&presets::beginning(&adapter, preset, name));
    Ok(Done::Well)
}

fn test(args: &Test) -> anyhow::Result<Done> {
    let config = Config::load(args.config.as_deref(), &Overrides { data: args.data.clone(), ..Overrides::default() })?;
    let Some(payload) = &args.payload else { return samples(&args.name, &config) };
    let source = named(&args.name, &config)?;
    let mut headers = headers(args.headers.as_deref())?;
    let body = std::fs::read(payload).with_context(|| payload.display().to_string())?;
    let body = uncaptured(body, &mut headers)?;
    if let Some(name) = &args.save {
        let sample = Sample::of(&source, &headers, args.query.as_deref(), &body).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        save(&sample, name, &args.name, &config)?;
    }
    let now = Clock::System.now();
    let mut trial = Trial::of(&source, &headers, args.query.as_deref(), &body, now);
    if let Some(event) = trial.event.clone() {
        let scratch = tempdir()?;
        let cache = args.data.as_ref().map_or_else(|| scratch.0.clone(), |data| data.join("artefacts"));
        let sandbox = Sandbox::start(&config.limits, std::env::current_exe()?, cache)?;
        let generation = Generation::offline(&sandbox, &config)?;
        let event = Arc::new(event);
        trial = trial.decided(&source, generation.chain_for(&event).run(&event, now, &Backing::none()).decision);
    }
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&trial)?) } else { told(&trial) };
    out(&text);
    Ok(if trial.taken() { Done::Well } else { Done::Refused })
}

/// Writes a sample to where its source keeps them.
fn save(sample: &Sample, name: &str, source: &str, config: &Config) -> anyhow::Result<()> {
    let dir = config.sources.get(source).and_then(|source| source.samples.as_ref()).with_context(|| {
        format!(
            "source `{source}` has no place for samples; write `samples = \"DIR\"` under [sources.{source}] of the file that --config names"
        )
    })?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    anyhow::ensure!(
        !name.is_empty() && name.chars().all(plain),
        "`{}` is no sample's name; use letters, digits, `-` and `_`",
        name.escape_debug()
    );
    let file = dir.join(format!("{name}.json"));
    let written = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&file, format!("{}\n", serde_json::to_string_pretty(sample)?)));
    written.with_context(|| format!("the sample cannot be written to {}", file.display()))
}

/// Every saved sample of a source, held against its adapter.
fn samples(name: &str, config: &Config) -> anyhow::Result<Done> {
    let source =
        config.sources.get(name).with_context(|| format!("there is no source `{name}` with samples; give a call with --payload FILE"))?;
    let held = source.samples().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(
        !held.is_empty(),
        "source `{name}` has no saved samples; give a call with --payload FILE, and keep it with --save SAMPLE"
    );
    let mut done = Done::Well;
    for (sample, held) in held {
        out(&match held {
            Ok(()) => format!("{sample:<32}as it was\n"),
            Err(differences) => {
                done = Done::Refused;
                differences.iter().map(|difference| format!("{sample:<32}{}\n", card::printable(difference))).collect()
            }
        });
    }
    Ok(done)
}

/// The call inside of a capture, `{"headers": {...}, "params": {...}}`: test data of desks often comes like that.
fn uncaptured(body: Vec<u8>, headers: &mut HeaderMap) -> anyhow::Result<Vec<u8>> {
    let Ok(Value::Object(capture)) = serde_json::from_slice::<Value>(&body) else { return Ok(body) };
    let inner = ["params", "body", "payload"].iter().find_map(|key| capture.get(*key));
    match (capture.len(), capture.get("headers"), inner) {
        (2, Some(Value::Object(came)), Some(inner)) => {
            headers_of(came, headers)?;
            Ok(inner.as_str().map_or_else(|| inner.to_string(), str::to_owned).into_bytes())
        }
        _ => Ok(body),
    }
}

/// For people.
fn told(trial: &Trial) -> String {
    let mut text =
        format!("verification  {}, {}\n", trial.verification.result.replace('_', " "), card::printable(&trial.verification.detail));
    if let Some(fault) = &trial.error {
        let _ = writeln!(text, "refused       {}", card::printable(&fault.detail));
    }
    if let Some(reason) = &trial.dropped {
        let _ = writeln!(text, "dropped       {}", card::printable(reason));
    }
    if let Some(observation) = &trial.observation {
        let ticket = observation.ticket.as_deref().unwrap_or("unknown");
        let _ = writeln!(text, "observation   {} (ticket {})", card::printable(&observation.reason), card::printable(ticket));
    }
    for (fed, key, row) in trial.fed.iter().flat_map(|fed| fed.rows.iter().map(move |(key, row)| (fed, key, row))) {
        let says = row.as_ref().map_or_else(|| "is taken away".to_owned(), |row| Value::from(row.clone()).to_string());
        let _ = writeln!(text, "table         {}/{} {}", fed.table, card::printable(key), card::printable(&says));
    }
    for note in &trial.left_out {
        let _ = writeln!(text, "left out      {}", card::printable(note));
    }
    let (Some(event), Some(decision)) = (&trial.event, &trial.decision) else { return text };
    let _ = write!(text, "event\n\n{}", card::card(event, decision));
    match trial.mode {
        None => text.push_str("outbound      the source has no way back\n"),
        Some(mode) => {
            let _ = writeln!(text, "outbound      mode {}, {} requests, none sent", self::mode(mode), trial.outbound.len());
        }
    }
    for Shown { name, method, url, body, .. } in &trial.outbound {
        let _ = writeln!(text, "\n  {name}: {method} {url}\n  {}", card::printable(&body.to_string()));
    }
    text
}
