//! The bundled rule that sees what belongs together: links a message to open incidents, recent changes and the state of its
//! service, notices when many write at once, and groups what says the same.
//!
//! Not in the default chain; it belongs behind `categorize`. It reads tables that the admin keeps, and remembers messages of the
//! last hours. A table that is not there, or not granted, is left out: the rest still works.

mod config;
mod decide;
mod examples;
mod memory;
mod moment;
mod sketch;

use signalbox_sdk::lookup::{LookupError, Row};
use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Permission, Rule, RuleError, SoFar, Verdict, clock, lookup};

use crate::config::Config;
use crate::decide::{Input, Records, decide};

/// Rows that are read of one table.
const MOST_ROWS: u32 = 300;

/// The rule.
pub struct Outage {
    config: Config,
}

impl Rule for Outage {
    fn describe() -> Description {
        let permission = |grant: &str, reason: &str| Permission { grant: grant.to_owned(), reason: reason.to_owned() };
        Description {
            name: "outage".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Links a message to open incidents, changes and service status; notices spikes; groups duplicates.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["relate", "note", "tag", "set-impact", "set-crisis", "raise-alert"].map(str::to_owned).to_vec(),
            requests: vec![
                permission("lookup:incidents", "to link a message to the open incident that it speaks of"),
                permission("lookup:changes", "to name the change that may be the cause"),
                permission("lookup:services", "to know whether its service is down"),
                permission("state", "to count messages of the last minutes, and to find those that say the same"),
            ],
            config_schema: include_str!("schema.json").to_owned(),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Config::read(config).map(|config| Self { config })
    }

    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
        let mut proposals = Vec::new();
        if self.config.concerns(settled) {
            let normal = normal_text(event);
            let conversation = event.thread_id.as_deref().unwrap_or(&event.id);
            let input = Input { text: &normal, title: event.title.as_deref(), conversation, now: clock::now(), settled };
            let records = self.records(&input);
            let known = decide(&input, &self.config, &records, &mut proposals);
            memory::remember(&input, &self.config, known, &mut proposals)?;
            point_at_raw(&mut proposals, event, &normal);
        }
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

impl Outage {
    /// What the admin's tables say.
    fn records(&self, input: &Input<'_>) -> Records {
        let rows = |table: &str| if table.is_empty() { Vec::new() } else { there(lookup::rows(table, MOST_ROWS)) };
        let status = |service: &str| match self.config.services.as_str() {
            "" => None,
            table => lookup::row(table, service).ok().flatten().map(|row| (service.to_owned(), row)),
        };
        Records {
            incidents: rows(&self.config.incidents),
            changes: rows(&self.config.changes),
            services: input.services().filter_map(status).collect(),
        }
    }
}

/// A table that is not there has no rows.
fn there(rows: Result<Vec<(String, Row)>, LookupError>) -> Vec<(String, Row)> {
    rows.unwrap_or_default()
}

signalbox_sdk::plugin!(Outage);
