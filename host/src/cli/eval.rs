//! `signalbox eval`: how good a plugin or a chain is, on a labelled table, through the real host.
//!
//! One row after the other on one thread, so that the time per event is the time of an event and of nothing else.

mod field;
mod labels;

mod report;
mod table;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

use super::progress::Progress;
use super::run::tempdir;
use super::{Done, complain, out};
use crate::app::Clock;
use crate::config::{Config, Overrides};
use crate::eval::{Answer, Row};
use crate::event::Event;
use crate::generation::Generation;
use crate::plugin::{Backing, Sandbox};
use crate::setup::StepSetup;
use field::Field;
use labels::{Labels, Pairs, pairs};
use report::Measured;
use table::Table;

/// Characters of an example that a category learns from: a post, not a thread.
const EXAMPLE_CHARS: usize = 500;
/// The step whose model, categories and examples are set.
const CATEGORIZE: &str = "categorize";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Labelled table: tab-separated, a header row, no quoting; may be gzipped
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What is measured
    #[arg(long, value_enum)]
    field: Field,
    /// Column of the text
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text: String,
    /// Column of the label
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// Which label a decision's value stands for; `none` is no value
    #[arg(long, value_name = "VALUE=LABEL,...", value_parser = pairs)]
    map: Option<Pairs>,
    /// Rename labels before anything else; `*` is every other label
    #[arg(long, value_name = "LABEL=LABEL,...", value_parser = pairs)]
    fold: Option<Pairs>,
    /// Leave out the rows with these labels
    #[arg(long, value_name = "LABEL,...", value_delimiter = ',')]
    skip: Vec<String>,
    /// Also measure the rows of each value of this column, and take the mean
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Run this plugin alone: a bundled one by name, or a component file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "config")]
    plugin: Option<String>,
    /// That plugin's config
    #[arg(long, value_name = "JSON", requires = "plugin")]
    plugin_config: Option<String>,
    /// Config file with the chain to run; without one, the bundled chain
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The model that the categorize step is to use, such as `tickets`
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Labelled table whose classes become the categories, with rows of it as their examples
    #[arg(long, value_name = "FILE")]
    examples: Option<PathBuf>,
    /// Examples per category: the first of the file
    #[arg(long, value_name = "N", default_value_t = 10, requires = "examples")]
    shots: usize,
    /// Keep compiled plugins here between runs [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// An earlier run's JSON: print the differences, and fail when a measure fell
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// How far a measure may fall
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, requires = "compare")]
    tolerance: f64,
}

pub(super) fn eval(args: &Args) -> anyhow::Result<Done> {
    let baseline = args.compare.as_deref().map(baseline).transpose()?;
    let table = Table::read(&args.file)?;
    let at = args.file.display().to_string();
    let (text, label) =
        (table.column(&args.text, "--text").context(at.clone())?, table.column(&args.label, "--label").context(at.clone())?);
    let by = args.by.as_deref().map(|by| table.column(by, "--by").context(at.clone())).transpose()?;
    let full = table.rows.iter().filter(|row| !row[label].trim().is_empty()).count();
    if full < table.rows.len() {
        complain(&format!("note: {} rows have no label and are left out", table.rows.len() - full));
    }
    let labelled: Vec<&Vec<String>> = table.rows.iter().filter(|row| counts(&row[label], &args.skip)).collect();
    ensure!(!labelled.is_empty(), "{at}: no row that counts has a label in column `{}`", args.label);
    let column: Vec<&str> = labelled.iter().map(|row| row[label].as_str()).collect();
    let others: Vec<&str> =
        (0..table.columns.len()).filter(|at| ![text, label].contains(at)).map(|at| table.columns[at].as_str()).collect();
    let (map, fold) = (args.map.clone().unwrap_or_default(), args.fold.clone().unwrap_or_default());
    let labels = Labels::read(args.field, &args.label, &others, &column, &map, &fold).context(at.clone())?;
    for note in &labels.notes {
        complain(&format!("note: {note}"));
    }
    let run = run(args, &labels, labelled.iter().map(|row| (row[text].as_str(), row[label].as_str())))?;
    if run.rows.iter().all(|row| row.answer == Answer::None) {
        let steps = run.steps.keys().cloned().collect::<Vec<_>>().join(", ");
        bail!("{at}: no step said anything of {}; the chain is {steps}, and --plugin or --config runs another", args.field.name());
    }
    if labels.is_open() && !run.rows.iter().any(|row| matches!(row.answer, Answer::Class(_))) {
        let came: Vec<&str> = run.strangers().into_iter().map(|(value, _)| value).collect();
        let distinct: Vec<&str> = labels.classes.iter().map(String::as_str).collect();
        let came = if came.is_empty() { "none".to_owned() } else { came[..came.len().min(8)].join(", ") };
        bail!("{at}: {}", labels.mismatch(&args.label, &others, &distinct, &came));
    }
    let groups = by.map(|by| labelled.iter().map(|row| row[by].as_str()).collect::<Vec<_>>());
    let printed = report::json(args, &at, &labels, &run, groups.as_deref());
    let compared = baseline.map(|baseline| report::compare(&baseline, &printed, args.tolerance));
    if args.json {
        out(&format!("{}\n", serde_json::to_string_pretty(&printed)?));
    } else {
        out(&report::text(&printed, &labels, &run));
    }
    let Some(compared) = compared else { return Ok(Done::Well) };
    if args.json {
        complain(&compared.text)
    } else {
        out(&compared.text)
    }
    Ok(if compared.fell { Done::Refused } else { Done::Well })
}

/// Whether a row with this label is measured.
fn counts(label: &str, skip: &[String]) -> bool {
    !label.trim().is_empty() && !skip.iter().any(|skipped| skipped.trim() == label.trim())
}

/// Decides every row.
fn run<'a>(args: &Args, labels: &Labels, rows: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> anyhow::Result<Measured> {
    let config = chain(args)?;
    let scratch = tempdir()?;
    let cache = args.data.as_ref().map_or_else(|| scratch.0.clone(), |data| data.join("artefacts"));
    let sandbox = Sandbox::start(&config.limits, std::env::current_exe()?, cache)?;
    // A config of examples is long, and a refusal may quote all of it.
    let generation = Generation::offline(&sandbox, &config).map_err(|error| anyhow::anyhow!("{}", short(&format!("{error:#}"))))?;
    let now = Clock::System.now();
    let mut run = Measured::default();
    let mut progress = Progress::start(rows.len(), "rows");
    let backing = Backing::none();
    for (n, (text, label)) in rows.enumerate() {
        let event = Event::from_json(json!({ "id": format!("row-{}", n + 1), "kind": "post", "text": text }).to_string().as_bytes());
        let event = Arc::new(event.with_context(|| format!("row {}", n + 1))?.event);
        let chain = generation.chain_for(&event);
        if n == 0 {
            // Once unmeasured, as the host warms a chain before it takes traffic.
            drop(chain.replay(&event, now, &backing));
        }
        let start = Instant::now();
        let decision = chain.replay(&event, now, &backing).decision;
        run.micros.push(start.elapsed().as_secs_f64() * 1e6);
        for step in &decision.trace {
            run.steps.entry(step.plugin.clone()).or_default().push(step.micros as f64);
            if step.outcome.is_fault() {
                *run.faults.entry(format!("{}: {}", step.plugin, step.detail.as_deref().unwrap_or("no detail"))).or_default() += 1;
            }
        }
        let said = args.field.said(&decision);
        let row: Row = labels.judge(labels.truth(label), &said);
        if row.answer == Answer::Else {
            *run.strangers.entry(said.value.unwrap_or_default()).or_default() += 1;
        }
        run.rows.push(row);
        progress.step();
    }
    Ok(run)
}

fn short(text: &str) -> String {
    let (head, tail) = (text.chars().take(400).collect::<String>(), text.chars().rev().take(200).collect::<String>());
    if text.chars().count() <= 600 { text.to_owned() } else { format!("{head} ... {}", tail.chars().rev().collect::<String>()) }
}

/// The chain that is measured, with what the command line sets in it.
fn chain(args: &Args) -> anyhow::Result<Config> {
    let overrides = Overrides { data: args.data.clone(), ..Overrides::default() };
    let own =
        args.plugin_config.as_deref().map(|text| serde_json::from_str::<Value>(text).context("--plugin-config: not JSON")).transpose()?;
    let mut config = match &args.plugin {
        None if args.config.is_none() => {
            let step = |name: &&str| StepSetup { plugin: Some((*name).to_owned()), ..StepSetup::default() };
            Config::of_steps(args.field.rules().iter().map(step), &overrides)?
        }
        None => Config::load(args.config.as_deref(), &overrides)?,
        Some(plugin) => {
            let is_file = plugin.ends_with(".wasm") || Path::new(plugin).exists();
            let file = is_file.then(|| std::path::absolute(plugin)).transpose()?;
            let name = if is_file { None } else { Some(plugin.clone()) };
            Config::of_steps([StepSetup { plugin: name, file, config: own, ..StepSetup::default() }], &overrides)?
        }
    };
    let mut set = Map::new();
    if let Some(model) = &args.model {
        set.insert("model".to_owned(), json!(model));
    }
    if let Some(file) = &args.examples {
        let table = Table::read(file)?;
        let at = || file.display().to_string();
        let (text, label) = (table.column(&args.text, "--text").with_context(at)?, table.column(&args.label, "--label").with_context(at)?);
        let fold = args.fold.clone().unwrap_or_default();
        let counted = table.rows.iter().filter(|row| counts(&row[label], &args.skip));
        let rows = counted.map(|row| (row[text].as_str(), row[label].as_str()));
        set.insert("categories".to_owned(), categories(rows, args.shots, &fold));
    }
    if set.is_empty() {
        return Ok(config);
    }
    let mut steps: Vec<_> = config.setup.chains.values_mut().flat_map(|chain| &mut chain.steps).collect();
    let alone = steps.len() == 1;
    let step = steps.iter_mut().find(|step| alone || step.label() == CATEGORIZE);
    let step = step.context("the chain has no step `categorize` to set --model or --examples in; name the plugin with --plugin")?;
    let own = step.config.get_or_insert_with(|| json!({}));
    own.as_object_mut().context("the config of the step is not a JSON object")?.extend(set);
    Ok(config)
}

/// Categories in the form of the categorize plugin's config: each class of a table, with its first rows as examples.
fn categories<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>, shots: usize, fold: &Pairs) -> Value {
    let mut classes: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for (text, label) in rows.filter(|(text, label)| !text.trim().is_empty() && !label.trim().is_empty()) {
        let named =
            fold.iter().find(|(from, _)| words::key(from) == words::key(label)).or_else(|| fold.iter().find(|(from, _)| from == "*"));
        let label = named.map_or(label, |(_, to)| to.as_str());
        let (_, examples) = classes.entry(words::key(label)).or_insert_with(|| (label.to_owned(), Vec::new()));
        if examples.len() < shots {
            examples.push(text.chars().take(EXAMPLE_CHARS).collect());
        }
    }
    classes.into_iter().map(|(key, (label, examples))| json!({ "key": key, "label": label, "examples": examples })).collect()
}

fn baseline(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}: not the JSON of an earlier `eval --json`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_become_categories_with_the_first_rows_of_each_class() {
        let rows = [
            ("where is my card", "card_arrival"),
            ("top up failed", "Top up?"),
            ("still no card", "card_arrival"),
            ("third", "card_arrival"),
        ];
        assert_eq!(
            categories(rows.into_iter(), 2, &Pairs::new()),
            json!([
                { "key": "card-arrival", "label": "card_arrival", "examples": ["where is my card", "still no card"] },
                { "key": "top-up", "label": "Top up?", "examples": ["top up failed"] },
            ])
        );
    }
}
