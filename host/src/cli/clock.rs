//! `signalbox clock`: the clocks of service levels on a running host.

use serde_json::Value;

use super::client::{Client, Reach};
use super::table::table;
use super::{Done, out};

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
    /// Most clocks to show
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn clock(command: &Command) -> anyhow::Result<Done> {
    let Command::List(args) = command;
    let List { state, clock, source, ticket, due_before, limit, .. } = args;
    let query = [("state", state), ("clock", clock), ("source", source), ("ticket", ticket), ("due_before", due_before)];
    let clocks = Client::new(&args.reach)?.list("/v1/clocks", &query.map(|(name, value)| (name, value.clone())), (*limit).max(1))?;
    if args.json {
        out(&format!("{:#}\n", Value::Array(clocks)));
        return Ok(Done::Well);
    }
    let row = |clock: &Value| {
        ["subject", "clock", "state", "calendar", "started", "due", "warned", "breached", "ended"].map(|key| cell(&clock[key]))
    };
    out(&table(["subject", "clock", "state", "calendar", "started", "due", "warned", "breached", "ended"], clocks.iter().map(row)));
    Ok(Done::Well)
}

/// A text; a time to the second; a dash where there is nothing.
fn cell(value: &Value) -> String {
    let text = value.as_str().unwrap_or("-");
    if text.len() == 24 && text.ends_with('Z') { format!("{}Z", text[..19].replace('T', " ")) } else { text.to_owned() }
}
