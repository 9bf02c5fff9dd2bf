//! `signalbox explain`: why an event was decided as it was, from the record of a running host.

use anyhow::Context as _;
use serde_json::Value;

use super::card::card;
use super::client::{Client, Reach, part};
use super::{Done, out};
use crate::decision::Decision;
use crate::event::Event;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The event's id, or a decision's
    id: String,
    /// Only through this source
    #[arg(long)]
    source: Option<String>,
    /// Print JSON: {"event", "decision"}, one object a line, the newest first
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn explain(args: &Args) -> anyhow::Result<Done> {
    let client = Client::new(&args.reach)?;
    let of_event = [("event_id", Some(args.id.clone())), ("source", args.source.clone())];
    let mut decided = client.list("/v1/decisions", &of_event, usize::MAX)?;
    if decided.is_empty() {
        decided.push(
            client
                .get(&format!("/v1/decisions/{}", part(&args.id)), &[])
                .with_context(|| format!("nothing is recorded of `{}`", args.id))?,
        );
    }
    for one in &decided {
        out(&if args.json { format!("{one}\n") } else { page(one)? });
    }
    Ok(Done::Well)
}

fn page(decided: &Value) -> anyhow::Result<String> {
    let of_another = "the host has decisions of another version; --json shows this one as it is";
    let event: Event = serde_json::from_value(decided["event"].clone()).context(of_another)?;
    let decision: Decision = serde_json::from_value(decided["decision"].clone()).context(of_another)?;
    Ok(card(&event, &decision))
}
