//! The bundled rule that judges how the author feels, in five steps with a score, and names the signals that need care.
//!
//! Second step of the default chain. It reads the text and the rating, and asks the host for the normal text only.

mod config;
mod decide;
mod examples;
mod learned;
mod sarcasm;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Feeling {
    tables: Tables,
}

impl Rule for Feeling {
    fn describe() -> Description {
        Description {
            name: "sentiment".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary:
                "Judges how the author feels, from very negative to very positive, and names signals such as churn, threat and sarcasm."
                    .to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: vec!["flag-sentiment".to_owned()],
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
        let input = Input { text: &normal, title: event.title.as_deref(), rating: event.rating };
        let mut proposals = decide(&input, &self.tables);
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Feeling);
