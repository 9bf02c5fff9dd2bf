//! `signalbox approval`: what waits for a person on a running host.

use serde_json::{Value, json};

use super::client::{Client, Reach, part};
use super::listing::Read;
use super::table::cell;
use super::{Done, out};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What waits, the latest first
    List {
        /// In this state: waiting, approved, rejected or expired
        #[arg(long, default_value = "waiting")]
        state: String,
        #[command(flatten)]
        read: Read,
    },
    /// Say yes: it is sent
    Approve {
        /// Its id
        id: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
        #[command(flatten)]
        reach: Reach,
    },
    /// Say no: it is never sent
    Reject {
        /// Its id
        id: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(super) fn approval(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::List { state, read } => {
            let approvals = read.client()?.list("/v1/approvals", &[("state", Some(state.clone()))], usize::MAX)?;
            let columns = ["id", "kind", "needs", "source", "ticket", "expires", "text"];
            return Ok(read.list(approvals, columns, |one| columns.map(|key| cell(&one[key]))));
        }
        Command::Approve { id, why, reach } => {
            rule(id, "approve", why.as_deref(), reach)?;
            out(&format!("{id} is approved\n"));
        }
        Command::Reject { id, why, reach } => {
            rule(id, "reject", Some(why), reach)?;
            out(&format!("{id} is rejected\n"));
        }
    }
    Ok(Done::Well)
}

fn rule(id: &str, verb: &str, why: Option<&str>, reach: &Reach) -> anyhow::Result<Value> {
    Client::new(reach)?.post(&format!("/v1/approvals/{}/{verb}", part(id)), &json!({ "why": why }))
}
