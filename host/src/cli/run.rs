//! `signalbox run`: decides events from files with no server and no journal, exactly as the webhook would.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Done, card, complain, out};
use crate::app::Clock;
use crate::chain::Ran;
use crate::config::{Config, Overrides};
use crate::decision::Decision;
use crate::event::{Event, Timestamp};
use crate::generation::Generation;
use crate::plugin::{Backing, Sandbox};
use crate::source::{Mapped, Source, presets};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files with one event each; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read the files as this source's raw payloads; a preset's name works without a config
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// JSON object of the headers that came with the payload
    #[arg(long, value_name = "FILE", requires = "source")]
    headers: Option<PathBuf>,
    /// Config file with the chain and sources to use; without one, the bundled chain
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep compiled plugins here between runs [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON: {"event", "decision"}, an array for several files
    #[arg(long)]
    json: bool,
}

/// What became of one file.
enum Read {
    Event(Box<Event>),
    NotRun(Value),
}

/// What `--json` prints for one file: written straight from the types, so that its bytes are those of the webhook's answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Printed {
    Decided { event: Arc<Event>, decision: Box<Decision> },
    Other(Value),
}

pub(super) fn run(args: &Args) -> anyhow::Result<Done> {
    let config = Config::load(args.config.as_deref(), &Overrides { data: args.data.clone(), ..Overrides::default() })?;
    let source = args.source.as_deref().map(|name| named(name, &config)).transpose()?;
    let headers = headers(args.headers.as_deref())?;
    let now = Clock::System.now();
    // Every file is read before the slow part: a bad one is told at once.
    let read: Vec<anyhow::Result<Read>> = args
        .files
        .iter()
        .map(|file| self::read(file, source.as_ref(), &headers, now).with_context(|| file.display().to_string()))
        .collect();
    if read.iter().all(Result::is_err) {
        read.into_iter().filter_map(Result::err).for_each(|error| complain(&format!("{error:#}")));
        return Ok(Done::Refused);
    }

    let scratch = tempdir()?;
    let cache = args.data.as_ref().map_or_else(|| scratch.0.clone(), |data| data.join("artefacts"));
    let sandbox = Sandbox::start(&config.limits, std::env::current_exe()?, cache)?;
    let generation = Generation::offline(&sandbox, &config)?;
    // What one file leaves behind the next one finds, as events of a host do; tables are a running host's.
    let backing = Backing::none();
    let (mut results, mut done) = (Vec::new(), Done::Well);
    for one in read {
        let (result, text) = match one {
            Ok(Read::Event(event)) => {
                let event = Arc::<Event>::from(event);
                let Ran { decision, written, .. } = generation.chain_for(&event).run(&event, now, &backing);
                written.keep();
                let text = card::card(&event, &decision);
                (Printed::Decided { event, decision: Box::new(decision) }, text)
            }
            Ok(Read::NotRun(why)) => (Printed::Other(why.clone()), format!("not run: {why}\n")),
            Err(error) => {
                complain(&format!("{error:#}"));
                done = Done::Refused;
                (Printed::Other(json!({ "error": format!("{error:#}") })), String::new())
            }
        };
        if args.json { results.push(result) } else { out(&text) }
    }
    if args.json {
        let text = match results.as_slice() {
            [one] => serde_json::to_string_pretty(one)?,
            several => serde_json::to_string_pretty(several)?,
        };
        out(&format!("{text}\n"));
    }
    Ok(done)
}

/// A configured source, or a preset by its name.
pub(super) fn named(name: &str, config: &Config) -> anyhow::Result<Source> {
    if let Some(source) = config.sources.get(name) {
        return Ok(source.source.clone());
    }
    let adapter = presets::adapter(name).with_context(|| {
        let configured: Vec<&str> = config.sources.keys().map(String::as_str).collect();
        format!(
            "there is no source `{name}`; configured are {}, presets are {}",
            configured.join(", "),
            presets::names().collect::<Vec<_>>().join(", ")
        )
    })??;
    Ok(Source::unsigned(name, adapter)?)
}

pub(super) fn headers(file: Option<&Path>) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let Some(file) = file else { return Ok(headers) };
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let written: Value = serde_json::from_str(&text).unwrap_or_default();
    let written = written.as_object().with_context(|| format!("{}: not a JSON object of header names and values", file.display()))?;
    headers_of(written, &mut headers)?;
    Ok(headers)
}

/// Takes headers over from a JSON object.
pub(super) fn headers_of(written: &serde_json::Map<String, Value>, headers: &mut HeaderMap) -> anyhow::Result<()> {
    for (name, value) in written {
        let value = value.as_str().with_context(|| format!("the header {name} is no text"))?;
        headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    Ok(())
}

fn read(file: &Path, source: Option<&Source>, headers: &HeaderMap, now: Timestamp) -> anyhow::Result<Read> {
    let mut body = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut body)?;
    } else {
        body = std::fs::read(file)?;
    }
    let Some(source) = source else {
        let mut event = Event::from_json(&body)?.event;
        // A fixture may say when it was taken in; a live event never does.
        if event.received == Timestamp(0) {
            event.received = now;
        }
        return Ok(Read::Event(Box::new(event)));
    };
    Ok(match source.map(headers, None, &body, now)?.mapped {
        Mapped::Event(event) => Read::Event(event),
        Mapped::Dropped { reason } => Read::NotRun(json!({ "dropped": reason })),
        Mapped::Fed(fed) => Read::NotRun(json!({ "fed": fed })),
        Mapped::Observation { reason, ticket } => Read::NotRun(json!({ "observation": reason, "ticket": ticket })),
    })
}

/// A directory that is gone when the command is.
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is a few files in the system's temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn tempdir() -> anyhow::Result<Scratch> {
    let path = std::env::temp_dir().join(format!("signalbox-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&path)?;
    Ok(Scratch(path))
}
