//! The bundled rule that sets the targets of service levels: by category, priority, network and what else is settled, on calendars.
//!
//! Not in the default chain; it belongs behind what settles the priority. It reads the event and what earlier steps settled, asks
//! the host for the author alone, and escalates nothing: what a clock that runs out does is `escalate`'s table.

mod config;
mod decide;
mod examples;

use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict, facts};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Sla {
    tables: Tables,
}

impl Rule for Sla {
    fn describe() -> Description {
        Description {
            name: "sla".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Sets service level targets by your table: category, priority, network, calendar.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: vec!["set-sla".to_owned()],
            requests: Vec::new(),
            config_schema: signalbox_sdk::config::schema_with_defaults(include_str!("schema.json"), &config::DEFAULTS),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
        let vip = if self.tables.asks_author { facts::author().and_then(|author| author.vip) } else { None };
        let input = Input { network: &event.network, kind: &event.kind, visibility: event.visibility, vip, settled };
        Ok(Verdict { proposals: decide(&input, &self.tables), flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Sla);
