//! `signalbox clock`: the clocks of service levels on a running host.

use serde_json::Value;

use super::Done;
use super::listing::Listing;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List clocks, the latest first
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only in this state: running, paused, met, breached or closed
    #[arg(long)]
    state: Option<String>,
    /// Only of this kind: `first_response`, `next_response` or `resolution`
    #[arg(long)]
    clock: Option<String>,
    /// Only through this source
    #[arg(long)]
    source: Option<String>,
    /// Only of this ticket
    #[arg(long)]
    ticket: Option<String>,
    /// Only due before this time, such as 2026-11-01T09:00:00Z
    #[arg(long, value_name = "TIME")]
    due_before: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) fn clock(command: &Command) -> anyhow::Result<Done> {
    let Command::List(List { state, clock, source, ticket, due_before, listing }) = command;
    let query = [("state", state), ("clock", clock), ("source", source), ("ticket", ticket), ("due_before", due_before)];
    let columns = ["subject", "clock", "state", "calendar", "started", "due", "warned", "breached", "ended"];
    listing.print("/v1/clocks", &query, columns, |clock| columns.map(|key| cell(&clock[key])))
}

/// A text; a time to the second; a dash where there is nothing.
fn cell(value: &Value) -> String {
    let text = value.as_str().unwrap_or("-");
    if text.len() == 24 && text.ends_with('Z') { format!("{}Z", text[..19].replace('T', " ")) } else { text.to_owned() }
}
