//! `signalbox approval`: what waits for a person on a running host.

use serde_json::{Value, json};

use super::client::{Client, Reach};
use super::table::table;
use super::{Done, out};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What waits, the latest first
    List {
        /// In this state: waiting, approved, rejected or expired
        #[arg(long, default_value = "waiting")]
        state: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
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
        Command::List { state, json, reach } => {
            let approvals = Client::new(reach)?.list("/v1/approvals", &[("state", Some(state.clone()))], usize::MAX)?;
            if *json {
                out(&format!("{:#}\n", Value::Array(approvals)));
                return Ok(Done::Well);
            }
            let row = |one: &Value| ["id", "kind", "needs", "source", "ticket", "expires", "text"].map(|key| cell(&one[key]));
            out(&table(["id", "kind", "needs", "source", "ticket", "expires", "text"], approvals.iter().map(row)));
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
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    Client::new(reach)?.post(&format!("/v1/approvals/{id}/{verb}"), &json!({ "why": why }))
}

/// One line of at most sixty characters; a dash where there is nothing.
fn cell(value: &Value) -> String {
    let text = value.as_str().unwrap_or("-");
    let cut: String = text.chars().take(60).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}
