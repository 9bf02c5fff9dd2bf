//! A plugin that misbehaves on request: the first word of the event's text says how.
//!
//! `spin` loops, `recurse` recurses, `grow` takes memory until it is refused, `hoard` takes it and insists, `trap` panics,
//! `divide` divides by zero, `chatter` floods the log, `ask` calls the host without end, `amplify` answers with megabytes,
//! `undeclared`, `odd-scores`, `stop` and `reach-out` propose what they must not, `fail`, `transient` and `pass` give the three
//! errors, `remember` tells whether it saw an event before, `clock`, `normal` and `who` tell what the
//! host told. Anything else is an honest tag.
//! The config key `configure` takes `spin`, `trap`, `grow` and `refuse` likewise, and `table` builds a table of that many rows.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use signalbox_sdk::services::{clock, facts, logging, normal};
use signalbox_sdk::{
    Approval, Category, ConfigProblem, Description, Effect, Event, Example, Flow, Level, Moderation, Proposal, Reply, Rule, RuleError,
    Sentiment, SentimentLabel, SoFar, Verdict, Visibility, proposal,
};

static SEEN: AtomicU32 = AtomicU32::new(0);

struct Misbehave {
    table: BTreeMap<String, u32>,
}

impl Rule for Misbehave {
    fn describe() -> Description {
        Description {
            name: "misbehave".to_owned(),
            version: "1.2.3".to_owned(),
            summary: "Misbehaves on request".to_owned(),
            homepage: None,
            license: None,
            event_kinds: Vec::new(),
            effects: ["tag", "note", "flag-sentiment", "draft-reply", "moderate", "set-urgency"].map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: r#"{"type": "object", "properties": {"configure": {"type": "string"}, "table": {"type": "integer"}}}"#
                .to_owned(),
            examples: vec![Example {
                name: "a promise it does not keep".to_owned(),
                event: r#"{"id": "1", "text": "honest"}"#.to_owned(),
                config: None,
                services: None,
                expect: r#"{"absent": ["tag"]}"#.to_owned(),
            }],
        }
    }

    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
        match config["configure"].as_str() {
            Some("refuse") => {
                return Err(vec![ConfigProblem { path: "/configure".to_owned(), message: "refuses because it was told to".to_owned() }]);
            }
            Some(how) => misbehave(how),
            None => {}
        }
        let rows = u32::try_from(config["table"].as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
        Ok(Self { table: (0..rows).map(|row| (format!("row {row}"), row)).collect() })
    }

    fn evaluate(&self, event: &Event, _settled: &SoFar) -> Result<Verdict, RuleError> {
        let word = event.text.split_whitespace().next().unwrap_or_default();
        let one = |effect| Verdict { proposals: vec![proposal(effect, "told to", 0.5)], flow: Flow::Next };
        Ok(match word {
            "undeclared" => one(Effect::Categorize(Category { key: "sneaky".to_owned(), path: Vec::new() })),
            "odd-scores" => {
                let sentiment = Sentiment { label: SentimentLabel::Neutral, score: f32::NAN, signals: Vec::new() };
                let mut verdict = one(Effect::FlagSentiment(sentiment));
                verdict.proposals.push(Proposal { confidence: 7.0, ..proposal(Effect::Tag("sure".to_owned()), "too sure", 0.0) });
                verdict
            }
            "stop" => Verdict { flow: Flow::Stop, ..one(Effect::Tag("last".to_owned())) },
            "reach-out" => {
                let reply = Reply {
                    body: "hello".to_owned(),
                    visibility: Visibility::Public,
                    language: None,
                    article: None,
                    auto: true,
                    approval: Approval::None,
                };
                let mut verdict = one(Effect::DraftReply(reply));
                verdict.proposals.push(proposal(Effect::Moderate(Moderation::Delete), "told to", 0.5));
                verdict
            }
            "amplify" => one(Effect::Note("x".repeat(4 << 20))),
            "many" => Verdict { proposals: vec![proposal(Effect::SetUrgency(Level::Low), "again", 0.5); 10_000], flow: Flow::Next },
            "fail" => return Err(RuleError::Failed("told to fail".to_owned())),
            "transient" => return Err(RuleError::Transient("told to wait".to_owned())),
            "pass" => return Err(RuleError::NotApplicable("told to pass".to_owned())),
            "remember" => one(Effect::Tag(format!("seen-{}", SEEN.fetch_add(1, Ordering::Relaxed)))),
            "normal" => one(Effect::Note(normal::text())),
            "who" => {
                let author = facts::get_author().and_then(|author| author.handle).unwrap_or_default();
                let ticket = facts::get_ticket().map(|ticket| ticket.id).unwrap_or_default();
                let media =
                    facts::get_attachments().into_iter().filter_map(|attachment| attachment.media_type).collect::<Vec<_>>().join(" ");
                let keys = facts::get_attributes().into_iter().map(|attribute| attribute.key).collect::<Vec<_>>().join(" ");
                let likes = facts::get_attribute("likes");
                one(Effect::Note(format!(
                    "{author}|{ticket}|{media}|{keys}|{likes:?}|{:?}|{:?}",
                    facts::get_permalink(),
                    facts::get_parent_id()
                )))
            }
            "clock" => one(Effect::Tag(format!("now-{}", clock::now()))),
            "log" => {
                logging::log(logging::Severity::Info, "an honest line", &[]);
                one(Effect::Tag("logged".to_owned()))
            }
            "lookup" => one(Effect::Tag(format!("row-{}", self.table.get("row 4999").copied().unwrap_or(0)))),
            word => {
                misbehave(word);
                one(Effect::Tag("honest".to_owned()))
            }
        })
    }
}

fn misbehave(how: &str) {
    match how {
        "spin" => loop {
            black_box(0);
        },
        "recurse" => {
            recurse(black_box(0));
        }
        "grow" => {
            // Polite: stops at the first refusal.
            let mut kept: Vec<Vec<u8>> = Vec::new();
            loop {
                let mut more = Vec::new();
                if more.try_reserve_exact(1 << 20).is_err() {
                    break;
                }
                kept.push(more);
            }
            black_box(&kept);
        }
        "hoard" => {
            let mut kept: Vec<Vec<u8>> = Vec::new();
            loop {
                kept.push(black_box(vec![1; 1 << 20]));
            }
        }
        "trap" => panic!("told to trap"),
        "divide" => {
            black_box(1 / black_box(0));
        }
        "chatter" => {
            for _ in 0..500 {
                logging::log(logging::Severity::Warn, &"noise ".repeat(50), &[]);
            }
        }
        "ask" => loop {
            black_box(clock::now());
        },
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "told to recurse")]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1)) + 1)
}

signalbox_sdk::plugin!(Misbehave);
