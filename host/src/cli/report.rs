//! `signalbox report`: what happened on a running host over a stretch of time.

use anyhow::Context as _;
use serde_json::Value;

use super::client::{Client, Reach};
use super::table::lines;
use super::{Done, complain, out};
use crate::sheet;

/// What there is to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// Messages by category, network, sentiment, priority or source, over time
    Volume,
    /// Responses and resolutions against their targets, over time
    ServiceLevels,
    /// Escalations by level and audience, over time
    Escalations,
    /// Hours with more than usual
    Spikes,
    /// What each step did and cost
    Rules,
    /// The rules that spoke most often
    Reasons,
    /// How often the desk's people agreed with each rule
    Agreement,
    /// What the desk's people made of what was decided
    Corrections,
}

impl Name {
    const fn path(self) -> &'static str {
        match self {
            Self::Volume => "/v1/reports/volume",
            Self::ServiceLevels => "/v1/reports/service-levels",
            Self::Escalations => "/v1/reports/escalations",
            Self::Spikes => "/v1/reports/spikes",
            Self::Rules => "/v1/reports/rules",
            Self::Reasons => "/v1/reports/reasons",
            Self::Agreement => "/v1/reports/agreement",
            Self::Corrections => "/v1/reports/corrections",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The report
    #[arg(value_enum)]
    name: Name,
    /// From this time on, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    from: Option<String>,
    /// Up to this time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How many days up to then [default: 7]
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Of volume: by category, network, sentiment, priority or source
    #[arg(long, value_name = "WHAT")]
    by: Option<String>,
    /// Of what is told over time: by the hour or by the day
    #[arg(long, value_name = "hour|day")]
    bucket: Option<String>,
    /// Whose days, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Only through this source
    #[arg(long)]
    source: Option<String>,
    /// Of a list: most rows
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn report(args: &Args) -> anyhow::Result<Done> {
    let Args { from, to, days, by, bucket, zone, source, limit, .. } = args;
    let number = |number: &Option<u32>| number.map(|number| number.to_string());
    let query = [
        ("from", from.clone()),
        ("to", to.clone()),
        ("days", number(days)),
        ("by", by.clone()),
        ("bucket", bucket.clone()),
        ("zone", zone.clone()),
        ("source", source.clone()),
        ("limit", number(limit)),
    ];
    let report = Client::new(&args.reach)?.get(args.name.path(), &query)?;
    if args.json {
        out(&format!("{report:#}\n"));
        return Ok(Done::Well);
    }
    let another = "the host answered with another kind of report; is it another version?";
    let columns: Vec<String> = serde_json::from_value(report["columns"].clone()).context(another)?;
    let rows = report["rows"].as_array().context(another)?;
    if let Some(behind) = report["behind"].as_u64().filter(|behind| *behind > 0) {
        complain(&format!("{behind} decisions are not counted yet; the host is at it"));
    }
    if args.csv {
        out(&sheet::csv(&columns, rows));
    } else {
        out(&format!("{} up to {}\n", cell(&report["from"]), cell(&report["to"])));
        let head = columns.iter().map(|name| name.replace('_', " ")).collect();
        out(&lines(head, rows.iter().map(|row| columns.iter().map(|column| cell(&row[column])).collect())));
    }
    Ok(Done::Well)
}

/// A value for people: a time to the minute, a dash where there is nothing.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) if text.len() == 24 && text.ends_with(":00.000Z") => format!("{}Z", text[..16].replace('T', " ")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
