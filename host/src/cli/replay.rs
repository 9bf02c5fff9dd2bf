//! `signalbox replay`: what a change would do to events that were decided already, before it is live.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use http::Method;
use serde_json::{Value, json};

use super::chain::read;
use super::client::{Client, Reach};
use super::table::table;
use super::{Done, complain, out};
use crate::replay::{Against, Report, Request};

/// Between two looks at a replay that runs.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Changed decisions that the table shows; `--json` and `--csv` have all.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The candidate: a set-up (TOML)
    #[arg(long, value_name = "FILE", conflicts_with = "generation")]
    setup: Option<PathBuf>,
    /// Or a generation, as `chain history` shows it [default: what is live]
    #[arg(long, value_name = "ID")]
    generation: Option<String>,
    /// Over the newest so many recorded events
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    last: u32,
    /// Of those decided at this time or later, such as 2026-11-01T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Of those decided before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Or over the events of a file, one JSON object a line, compared with what is live
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Compare with what the live generation would decide now, instead of what was recorded
    #[arg(long)]
    against_live: bool,
    /// Print the whole report as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print one line per field that differs, as CSV
    #[arg(long)]
    csv: bool,
    /// Exit 1 when a decision would change
    #[arg(long)]
    fail_on_change: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn replay(args: &Args) -> anyhow::Result<Done> {
    let client = Client::new(&args.reach)?;
    let setup = args.setup.as_ref().map(|file| read(file, &client)).transpose()?;
    let time = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_value(json!(text)).with_context(|| format!("`{text}`"))).transpose()
    };
    let events = match &args.events {
        None => Vec::new(),
        Some(file) => {
            let at = || file.display().to_string();
            let text = std::fs::read_to_string(file).with_context(at)?;
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let event = |(at_line, line): (usize, &str)| {
                serde_json::from_str::<Value>(line).with_context(|| format!("{}, line {}", at(), at_line + 1))
            };
            lines.map(event).collect::<anyhow::Result<_>>()?
        }
    };
    let against = if args.against_live { Against::Live } else { Against::Recorded };
    let (since, until) = (time(&args.since)?, time(&args.until)?);
    let request = Request { setup, generation: args.generation.clone(), last: Some(args.last), since, until, events, against };
    let started = client.send(Method::POST, "/v1/replays", Some(("application/json", serde_json::to_vec(&request)?)))?;
    let path = format!("/v1/replays/{}", started["id"].as_str().unwrap_or_default());
    let mut waited = 0;
    let report = loop {
        let shown = client.get(&path, &[])?;
        match shown["state"].as_str() {
            Some("done") => break shown["report"].clone(),
            Some("failed") => anyhow::bail!("the replay failed: {}", shown["failure"].as_str().unwrap_or_default()),
            _ => {
                waited += 1;
                if waited % 25 == 0 {
                    complain(&format!("still replaying, {} s so far", waited / 5));
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
    };
    let report: Report = serde_json::from_value(report).context("the host has a report of another version")?;
    show(&report, args.json, args.csv)?;
    Ok(if args.fail_on_change && report.changed > 0 { Done::Refused } else { Done::Well })
}

/// Prints a report, as it was asked for.
pub(super) fn show(report: &Report, as_json: bool, as_csv: bool) -> anyhow::Result<()> {
    if as_json {
        out(&format!("{}\n", serde_json::to_string_pretty(report)?));
    } else if as_csv {
        out(&report.csv());
    } else {
        out(&page(report));
    }
    Ok(())
}

/// The report as people read it.
fn page(report: &Report) -> String {
    let Report { generation, events, compared, changed, not_comparable, fields, changes, steps } = report;
    let mut page = format!("generation {generation}: {changed} of {compared} decisions would change");
    if compared < events {
        page.push_str(&format!("; {} of {events} events cannot be compared", not_comparable.len()));
    }
    page.push('\n');
    if !fields.is_empty() {
        page.push('\n');
        page.push_str(&table(["field", "decisions"], fields.iter().map(|(field, count)| [field.clone(), count.to_string()])));
        page.push('\n');
        let value = |value: &Option<Value>| {
            value.as_ref().map_or("-".to_owned(), |value| value.as_str().map_or_else(|| short(&value.to_string(), 60), str::to_owned))
        };
        let rows = changes.iter().take(SHOWN).flat_map(|change| {
            change.fields.iter().map(move |field| {
                [change.event_id.clone(), field.field.clone(), value(&field.from), value(&field.to), short(&change.text, 60)]
            })
        });
        page.push_str(&table(["event", "field", "was", "would be", "text"], rows));
        if changes.len() > SHOWN {
            page.push_str(&format!("and {} more; --json or --csv has all\n", changes.len() - SHOWN));
        }
    }
    page.push('\n');
    let row = |step: &crate::replay::StepCost| {
        [
            format!("{}/{}", step.chain, step.step),
            step.plugin.clone(),
            step.runs.to_string(),
            step.faults.to_string(),
            step.fuel_median.to_string(),
            step.fuel_most.to_string(),
        ]
    };
    page.push_str(&table(["step", "plugin", "runs", "faults", "fuel, median", "fuel, most"], steps.iter().map(row)));
    page
}

fn short(text: &str, chars: usize) -> String {
    if text.chars().count() > chars { format!("{}…", text.chars().take(chars).collect::<String>()) } else { text.to_owned() }
}
