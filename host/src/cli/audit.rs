//! `signalbox audit`: what was changed on a running host.

use serde_json::Value;

use super::Done;
use super::listing::Listing;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only by this token: its id or its name
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only of this kind, such as token.create
    #[arg(long)]
    action: Option<String>,
    /// Only about this name or id
    #[arg(long, value_name = "WHAT")]
    subject: Option<String>,
    /// Only with this change ticket
    #[arg(long, value_name = "TICKET")]
    change: Option<String>,
    /// Only at this time or later, such as 2026-11-01T09:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) fn audit(args: &Args) -> anyhow::Result<Done> {
    let Args { actor, action, subject, change, since, until, listing } = args;
    let query = [("actor", actor), ("action", action), ("subject", subject), ("change", change), ("since", since), ("until", until)];
    let row = |entry: &Value| ["at", "name", "role", "action", "subject", "change", "why"].map(|key| cell(entry, key));
    listing.print("/v1/audit", &query, ["when", "who", "role", "action", "subject", "ticket", "why"], row)
}

fn cell(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or("-").to_owned()
}
