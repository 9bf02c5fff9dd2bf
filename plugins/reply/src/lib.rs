//! The bundled rule that drafts a reply from a table of articles that the admin keeps: the answer of the article that is nearest to
//! the message, cut to the network's length, in public or as an invitation to write in private.
//!
//! Not in the default chain; it belongs behind `escalate`, whose red flags it reads. Nothing it drafts leaves without a person,
//! unless the admin says so in the config and grants `auto-reply`; and it is silent where security, the law or somebody's safety is at stake.

mod config;
mod decide;
mod examples;
mod similar;
mod voice;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{ConfigProblem, Description, Event, Flow, Permission, Rule, RuleError, SoFar, Verdict, lookup};

use crate::config::Tables;
use crate::decide::{Input, decide, silent};

/// Articles that are read.
const MOST_ROWS: u32 = 300;

/// The rule.
pub struct Reply {
    tables: Tables,
}

impl Rule for Reply {
    fn describe() -> Description {
        let permission = |grant: &str, reason: &str| Permission { grant: grant.to_owned(), reason: reason.to_owned() };
        Description {
            name: "reply".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Drafts a reply from your articles, never where security, the law or safety is at stake; a person sends it."
                .to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["draft-reply", "suggest-article", "note"].map(str::to_owned).to_vec(),
            requests: vec![
                permission("lookup:articles", "to find the article that answers the message"),
                permission(
                    "auto-reply",
                    "to send without a person, if you switch that on in its config; without it everything stays a draft",
                ),
            ],
            config_schema: signalbox_sdk::config::schema_with_defaults(include_str!("schema.json"), &config::DEFAULTS),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
        let normal = normal_text(event);
        let input = Input {
            text: &normal,
            title: event.title.as_deref(),
            network: &event.network,
            visibility: event.visibility,
            language: event.language.as_deref(),
            settled,
        };
        let mut proposals = Vec::new();
        if silent(&input, &self.tables).is_none() {
            // A table that is not there has no articles: the trace names the grant.
            let articles = lookup::rows(&self.tables.articles, MOST_ROWS).unwrap_or_default();
            proposals = decide(&input, &self.tables, &articles);
            point_at_raw(&mut proposals, event, &normal);
        }
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

signalbox_sdk::plugin!(Reply);
