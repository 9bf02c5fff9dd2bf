//! The bundled rule that judges how urgent an event is, how many it concerns, and what priority the two make.
//!
//! Not in the default chain, where `escalate` has its table: it suits a desk that wants a learned urgency, before `escalate` or
//! instead of it. It reads the text and the tag `resolved`, and asks the host for the normal text only.

mod config;
mod decide;
mod examples;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Urgency {
    tables: Tables,
}

impl Rule for Urgency {
    fn describe() -> Description {
        Description {
            name: "urgency".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Judges how urgent an event is and how many it concerns, sets the priority, and tags matters of safety and security."
                .to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["set-urgency", "set-impact", "set-priority", "tag"].map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: include_str!("schema.json").to_owned(),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
        let normal = normal_text(event);
        let resolved = settled.tags.iter().any(|tag| tag == "resolved");
        let input = Input { text: &normal, title: event.title.as_deref(), resolved };
        let mut proposals = decide(&input, &self.tables);
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Urgency);
