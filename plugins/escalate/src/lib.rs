//! The bundled rule that routes an event: queue, urgency, impact, priority, escalation, alerts, crisis.
//!
//! Last step of the default chain: it reads what `categorize` and `sentiment` settled, the facts about the author, and a few
//! words of the text, and has a model judge whether a person would escalate it. It asks the host for the normal text, the author,
//! and how far the message has spread.

mod config;
mod decide;
mod examples;
mod flags;
mod learned;
mod names;
mod table;
mod weigh;

use signalbox_sdk::raw::{normal_text, point_at_raw};
use signalbox_sdk::{AttributeValue, Author, ConfigProblem, Description, Event, Flow, Rule, RuleError, SoFar, Verdict, facts};

use crate::config::Tables;
use crate::decide::{Input, decide};

/// The rule.
pub struct Escalate {
    tables: Tables,
}

impl Rule for Escalate {
    fn describe() -> Description {
        let effects = [
            "set-urgency",
            "set-impact",
            "set-priority",
            "set-crisis",
            "tag",
            "assign",
            "escalate",
            "set-sla",
            "draft-reply",
            "moderate",
            "raise-alert",
            "note",
            "mark",
        ];
        Description {
            name: "escalate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Routes an event by your table: queue, priority, escalation, alerts, crisis; red flags apply on top.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: effects.map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: signalbox_sdk::config::schema_with_defaults(include_str!("schema.json"), &config::DEFAULTS),
            examples: signalbox_sdk::examples(&examples::EXAMPLES),
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Tables::read(config).map(|tables| Self { tables })
    }

    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
        let normal = normal_text(event);
        let author = facts::author();
        let text = |key| match facts::attribute(key) {
            Some(AttributeValue::Text(text)) => Some(text),
            _ => None,
        };
        let trigger = text("trigger").filter(|trigger| trigger.starts_with("sla-"));
        let clock = trigger.as_ref().and_then(|_| text("sla-clock"));
        let mut input = input(event, settled, author.as_ref(), &normal);
        input.overdue = trigger.as_deref().map(|trigger| (trigger, clock.as_deref().unwrap_or("service level")));
        let mut proposals = decide(&input, &self.tables);
        point_at_raw(&mut proposals, event, &normal);
        Ok(Verdict { proposals, flow: Flow::Next })
    }
}

fn input<'a>(event: &'a Event, settled: &'a SoFar, author: Option<&Author>, normal: &'a str) -> Input<'a> {
    let counted = ["likes", "shares", "replies"].into_iter().filter_map(|key| match facts::attribute(key) {
        Some(AttributeValue::Integer(n)) => Some(n.max(0)),
        _ => None,
    });
    Input {
        text: normal,
        title: event.title.as_deref(),
        id: &event.id,
        thread: event.thread_id.as_deref(),
        network: &event.network,
        kind: &event.kind,
        visibility: event.visibility.into(),
        language: event.language.as_deref(),
        followers: author.and_then(|a| a.followers),
        verified: author.and_then(|a| a.verified),
        vip: author.and_then(|a| a.vip),
        staff: author.and_then(|a| a.staff),
        bot: author.and_then(|a| a.bot),
        spread: counted.reduce(i64::saturating_add),
        overdue: None,
        settled,
    }
}

signalbox_sdk::plugin!(Escalate);
