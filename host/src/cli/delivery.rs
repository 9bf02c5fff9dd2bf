//! `signalbox delivery`: the calls that carry decisions out of a running host, and sending one again by hand.

use http::Method;
use serde_json::Value;

use super::client::{Client, Reach, Reason, part};
use super::listing::{Listing, Read};
use super::table::{cell, table};
use super::{Done, out};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Calls, the latest first
    List(List),
    /// One call: what was sent, and what was answered
    Show {
        /// Its id
        id: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Send calls again that were set aside: parked or dead
    Send {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// Every place that gets calls, and how it fares
    Targets(Read),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only in this state: waiting, sending, delivered, shadow, parked or dead
    #[arg(long)]
    state: Option<String>,
    /// Only for events of this source
    #[arg(long)]
    source: Option<String>,
    /// Only to this target, as `delivery targets` shows it
    #[arg(long)]
    target: Option<String>,
    /// Only of this decision, by its id
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(super) fn delivery(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::List(args) => return list(args),
        Command::Show { id, reach } => out(&format!("{:#}\n", Client::new(reach)?.get(&path(id, ""), &[])?)),
        Command::Send { ids, reason, reach } => {
            let client = Client::changing(reach, reason)?;
            for id in ids {
                let sent = client.send(Method::POST, &path(id, "/replay"), None)?;
                out(&format!("{id} is {}\n", cell(&sent["state"])));
            }
        }
        Command::Targets(read) => targets(read)?,
    }
    Ok(Done::Well)
}

fn list(List { state, source, target, decision, listing }: &List) -> anyhow::Result<Done> {
    let query = [("state", state), ("source", source), ("target", target), ("decision", decision)];
    let row = |one: &Value| {
        let call = &one["call"];
        let what = format!("{} {} {}", cell(&call["name"]), cell(&call["method"]), cell(&call["path"]));
        let [id, target, state, attempts, next, answer] =
            ["id", "target", "state", "attempts", "next_at", "answer"].map(|key| cell(&one[key]));
        [id, target, state, attempts, next, what, answer]
    };
    listing.print("/v1/deliveries", &query, ["id", "target", "state", "attempts", "next", "call", "answer"], row)
}

fn targets(read: &Read) -> anyhow::Result<()> {
    let targets = read.client()?.get("/v1/targets", &[])?;
    if read.prints(&targets) {
        return Ok(());
    }
    let row = |(name, target): (&String, &Value)| {
        let health = match (&target["health"]["failures"], target["health"]["paused_until"].as_str()) {
            (Value::Null, _) => "not in the config any more".to_owned(),
            (failures, Some(until)) => format!("{failures} failures in a row, left alone until {until}"),
            (failures, None) if failures == 0 => "well".to_owned(),
            (failures, None) => format!("{failures} failures in a row"),
        };
        let count = |state: &str| target["deliveries"][state].as_u64().unwrap_or(0).to_string();
        [name.clone(), cell(&target["mode"]), health, count("waiting"), count("delivered"), count("parked"), count("dead")]
    };
    let head = ["target", "mode", "health", "waiting", "delivered", "parked", "dead"];
    out(&table(head, targets.as_object().into_iter().flatten().map(row)));
    Ok(())
}

fn path(id: &str, verb: &str) -> String {
    format!("/v1/deliveries/{}{verb}", part(id))
}
