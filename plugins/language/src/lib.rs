//! The bundled rule that names the language of a message, or leaves it open where its words do not tell it.
//!
//! Not in the default chain; it belongs at its head. It reads the text and the source's claim, and asks the host for the normal text.

mod config;
mod decide;
mod examples;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Language {
    tables: Tables,
}

impl Rule for Language {
    fn describe() -> Description {
        Description {
            name: "language".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Names the language of a message, or leaves it open where its words do not tell it.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["set-language", "tag"].map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: include_str!("schema.json").to_owned(),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, _settled: &SoFar) -> Result<Verdict, RuleError> {
        let normal = normal_text(event);
        let mut proposals = decide(&Input { text: &normal, claimed: event.language.as_deref() }, &self.tables);
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Language);
