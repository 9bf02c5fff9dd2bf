//! `signalbox alert`: what was raised on a running host, and who was told.

use serde_json::Value;

use super::Done;
use super::listing::Listing;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List alerts, the latest first
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only for this audience
    #[arg(long)]
    audience: Option<String>,
    /// Only with this key
    #[arg(long)]
    key: Option<String>,
    /// Only through this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this ticket
    #[arg(long)]
    ticket: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) fn alert(command: &Command) -> anyhow::Result<Done> {
    let Command::List(List { audience, key, source, ticket, listing }) = command;
    let query = [("audience", audience), ("key", key), ("source", source), ("ticket", ticket)];
    let row = |alert: &Value| {
        let text = |key: &str| alert[key].as_str().unwrap_or("-").to_owned();
        let sinks = alert["sinks"].as_array().into_iter().flatten();
        let told = sinks.map(|one| format!("{} {}", one["sink"].as_str().unwrap_or("-"), one["state"].as_str().unwrap_or("-")));
        let told = told.collect::<Vec<_>>().join(", ");
        let at = text("at");
        let at = at.get(..19).map_or_else(|| at.clone(), |second| format!("{}Z", second.replace('T', " ")));
        let told = if told.is_empty() { "nobody".to_owned() } else { told };
        [at, text("audience"), text("level"), text("key"), alert["repeats"].to_string(), told]
    };
    listing.print("/v1/alerts", &query, ["raised", "audience", "level", "key", "repeats", "told"], row)
}
