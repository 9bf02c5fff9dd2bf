//! The bundled rule that sorts an event into a category of the admin's taxonomy, names its intent, and tags the services and
//! products it speaks of, and fills fields with the numbers it names.
//!
//! First step of the default chain. It reads the text and the rating, and asks the host for the normal text only.

mod config;
mod decide;
mod entities;
mod examples;
mod learned;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Categorize {
    tables: Tables,
}

impl Rule for Categorize {
    fn describe() -> Description {
        Description {
            name: "categorize".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Sorts an event into a category of your taxonomy, names its intent, and tags the services and products it speaks of."
                .to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["categorize", "set-intent", "tag", "set-field"].map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: signalbox_sdk::config::schema_with_defaults(include_str!("schema.json"), &config::DEFAULTS),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, _settled: &SoFar) -> Result<Verdict, RuleError> {
        let normal = normal_text(event);
        let input = Input { text: &normal, title: event.title.as_deref(), rating: event.rating };
        let mut proposals = decide(&input, &self.tables);
        if self.tables.entities {
            proposals.extend(entities::fields(&normal));
        }
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Categorize);
