//! `signalbox tail`: decisions as they happen.

use std::time::Duration;

use serde_json::Value;

use super::card::printable;
use super::client::{Client, Reach};
use super::{Done, out};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Decisions of one look, at most; what is older than these is passed over.
const PAGE: usize = 200;
/// Characters of the text that are shown.
const EXCERPT: usize = 80;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only through this source
    #[arg(long)]
    source: Option<String>,
    /// Begin with so many that were decided already
    #[arg(long, value_name = "N", default_value_t = 10)]
    last: usize,
    /// Print these and end, instead of waiting for more
    #[arg(long)]
    once: bool,
    /// Print one JSON object a line: {"event", "decision"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn tail(args: &Args) -> anyhow::Result<Done> {
    let client = Client::new(&args.reach)?;
    let mut seen: Option<String> = None;
    loop {
        let most = if seen.is_none() { args.last.max(1) } else { PAGE };
        let mut fresh: Vec<Value> = Vec::new();
        for decided in client.list("/v1/decisions", &[("source", args.source.clone())], most)? {
            let id = decided["decision"]["id"].as_str().unwrap_or_default().to_owned();
            if Some(&id) == seen.as_ref() {
                break;
            }
            fresh.push(decided);
        }
        if let Some(newest) = fresh.first() {
            seen = newest["decision"]["id"].as_str().map(str::to_owned);
        }
        if args.last > 0 || seen.is_some() {
            for decided in fresh.iter().rev() {
                out(&if args.json { format!("{decided}\n") } else { line(decided) });
            }
        }
        if args.once {
            return Ok(Done::Well);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// One decision on one line.
fn line(decided: &Value) -> String {
    let (event, decision) = (&decided["event"], &decided["decision"]);
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let text: String = event["text"].as_str().unwrap_or_default().chars().take(EXCERPT).collect();
    let time: String = word(&decision["decided"]).chars().take(19).collect();
    let mut marks = String::new();
    if decision["escalation"]["level"].as_u64().unwrap_or(0) > 0 {
        marks.push_str(&format!("  level {}", decision["escalation"]["level"]));
    }
    if decision["degraded"] == true {
        marks.push_str("  DEGRADED");
    }
    if decision["held"].is_object() {
        marks.push_str("  HELD");
    }
    let row = format!(
        "{time}  {:<12} {:<22} {:<14}{marks}  {}",
        word(&decision["source"]),
        word(&decision["category"]["key"]),
        word(&decision["sentiment"]["label"]),
        text.replace('\n', " ")
    );
    format!("{}\n", printable(&row))
}
