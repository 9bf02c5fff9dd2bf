//! Outage words raise urgency: the example rule, in Rust.
//!
//! `configure` runs once and the host snapshots what it leaves in memory; `evaluate` runs once per event and must not remember.

use std::cell::RefCell;

use exports::signalbox::rules::metadata::{Description, Example, Guest as Metadata};
use exports::signalbox::rules::rule::{ConfigProblem, Guest as Rule};
use serde::Deserialize;
use signalbox::rules::types::{
    Category, Effect, Event, Evidence, Flow, Level, Proposal, RuleError, Sentiment, SentimentLabel, SoFar, Span, Verdict,
};

wit_bindgen::generate!({ path: "../../../wit", world: "pure-rule" });

const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "category": {"type": "string", "minLength": 1, "default": "outage"},
    "urgency": {"enum": ["low", "normal", "high", "critical"], "default": "high"},
    "words": {"type": "array", "minItems": 1, "maxItems": 500, "items": {"type": "string"}, "default": ["down", "offline", "outage", "unreachable"]}
  }
}"#;
/// Name, event, what the verdict must contain.
const EXAMPLES: [[&str; 3]; 2] = [
    [
        "an outage",
        r#"{"id": "1", "text": "The VPN is DOWN again. Total outage!"}"#,
        r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"text": "DOWN", "span": {"start": 11, "end": 15}}]},
            {"effect": {"type": "set_urgency", "value": "high"}}
        ]}"#,
    ],
    ["nothing to say", r#"{"id": "2", "text": "Thanks, all good."}"#, r#"{"absent": ["set_urgency"]}"#],
];

/// The config as the admin writes it.
#[derive(Deserialize)]
#[serde(default)]
struct Config {
    category: String,
    urgency: String,
    words: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let words = ["down", "offline", "outage", "unreachable"].map(str::to_owned).to_vec();
        Self { category: "outage".to_owned(), urgency: "high".to_owned(), words }
    }
}

thread_local! {
    static CONFIG: RefCell<Config> = RefCell::default();
}

struct OutageWords;
export!(OutageWords);

impl Metadata for OutageWords {
    fn describe() -> Description {
        let example = |[name, event, expect]: [&str; 3]| Example {
            name: name.to_owned(),
            event: event.to_owned(),
            config: None,
            services: None,
            expect: expect.to_owned(),
        };
        Description {
            name: "outage-words-rust".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Outage words raise urgency.".to_owned(),
            homepage: None,
            license: Some("Apache-2.0".to_owned()),
            event_kinds: Vec::new(),
            effects: ["categorize", "flag-sentiment", "set-urgency"].map(str::to_owned).to_vec(),
            requests: Vec::new(),
            config_schema: SCHEMA.to_owned(),
            examples: EXAMPLES.map(example).to_vec(),
        }
    }
}

impl Rule for OutageWords {
    fn configure(config: String) -> Result<(), Vec<ConfigProblem>> {
        let config: Config =
            serde_json::from_str(&config).map_err(|error| vec![ConfigProblem { path: String::new(), message: error.to_string() }])?;
        let bad = |word: &str| word.is_empty() || !word.bytes().all(inside);
        let problems: Vec<_> = config
            .words
            .iter()
            .enumerate()
            .filter(|(_, word)| bad(word))
            .map(|(at, word)| ConfigProblem { path: format!("/words/{at}"), message: format!("`{word}` is not one word: letters and digits only") })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        CONFIG.set(config);
        Ok(())
    }

    fn evaluate(event: Event, _settled: SoFar) -> Result<Verdict, RuleError> {
        Ok(Verdict { proposals: CONFIG.with_borrow(|config| judge(&event.text, config)), flow: Flow::Next })
    }
}

/// The rule itself, without the host: test it natively.
fn judge(text: &str, config: &Config) -> Vec<Proposal> {
    let mut evidence = Vec::new();
    let mut start = 0;
    // Words end at ASCII, so every cut is between two characters.
    for word in text.split(|c: char| c.is_ascii() && !inside(c as u8)) {
        if config.words.iter().any(|listed| listed.eq_ignore_ascii_case(word)) {
            let span = Some(Span { start: start as u32, end: (start + word.len()) as u32 });
            evidence.push(Evidence { field: "text".to_owned(), span, text: word.to_owned(), weight: 1.0 });
        }
        start += word.len() + 1;
    }
    let Some(first) = evidence.first() else { return Vec::new() };
    let reason = format!("the text says “{}”", first.text);
    let count = evidence.len().min(4) as i32;
    let label = if count > 2 { SentimentLabel::VeryNegative } else { SentimentLabel::Negative };
    let urgency = match config.urgency.as_str() {
        "low" => Level::Low,
        "normal" => Level::Normal,
        "critical" => Level::Critical,
        _ => Level::High,
    };
    let effects = [
        Effect::Categorize(Category { key: config.category.clone(), path: Vec::new() }),
        Effect::FlagSentiment(Sentiment { label, score: (f64::from(-2 * count) / 10.0) as f32, signals: Vec::new() }),
        Effect::SetUrgency(urgency),
    ];
    evidence.truncate(16);
    let confidence = (f64::from(50 + 10 * count) / 100.0) as f32;
    let proposal = |effect| Proposal { effect, reason: reason.clone(), confidence, rule_id: None, evidence: evidence.clone() };
    effects.map(proposal).into()
}

/// A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples.
fn inside(c: u8) -> bool {
    c >= 0x80 || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_bytes() {
        let proposals = judge("Größe: VPN DOWN", &Config::default());
        assert_eq!(proposals.len(), 3);
        assert_eq!(proposals[0].evidence[0].span.map(|span| (span.start, span.end)), Some((13, 17)));
        assert!(judge("all good", &Config::default()).is_empty());
    }
}
