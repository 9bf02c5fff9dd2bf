//! The bundled rule that finds abuse, spam and personal data in public, and proposes what a person may do about it.
//!
//! Not in the default chain. It reads the text and who can see it, and asks the host for the normal text only.

mod config;
mod decide;
mod examples;
mod personal;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Guard {
    tables: Tables,
}

impl Rule for Guard {
    fn describe() -> Description {
        Description {
            name: "guard".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Finds abuse, spam and personal data in public; what hides or marks is only proposed.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["tag", "moderate", "note"].map(str::to_owned).to_vec(),
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
        let mut proposals = decide(&Input { text: &normal, visibility: event.visibility }, &self.tables);
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Guard);
