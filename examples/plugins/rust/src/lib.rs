//! Outage words raise urgency: the example rule, in Rust.
//!
//! `judge` is the rule, `Settings` what an admin can change of it; the rest of what the host wants to know is in `Cargo.toml`.

use serde::Deserialize;
use signalbox_sdk::config::{Config, JsonSchema, problem};
use signalbox_sdk::{
    Case, Category, ConfigProblem, Effect, Event, Level, Sentiment, SentimentLabel, SoFar, Verdict, evidence, proposal,
};

signalbox_sdk::rule! {
    pub struct OutageWords;
    judge: judge,
    config: Settings,
    effects: ["categorize", "flag-sentiment", "set-urgency"],
    examples: EXAMPLES,
}

const EXAMPLES: [Case; 2] = [
    Case {
        name: "an outage",
        event: r#"{"id": "1", "text": "The VPN is DOWN again. Total outage!"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"text": "DOWN", "span": {"start": 11, "end": 15}}]},
            {"effect": {"type": "set_urgency", "value": "high"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "nothing to say",
        event: r#"{"id": "2", "text": "Thanks, all good."}"#,
        expect: r#"{"absent": ["set_urgency"]}"#,
        ..Case::EMPTY
    },
];

/// The config as the admin writes it. Its JSON Schema, and so the admin's form, comes of this type.
#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(crate = "signalbox_sdk::schemars")]
struct Settings {
    /// The category of such events
    #[schemars(length(min = 1))]
    category: String,
    /// How urgent they are
    urgency: Level,
    /// What to look for: one word each, of letters and digits
    #[schemars(length(min = 1, max = 500))]
    words: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let words = ["down", "offline", "outage", "unreachable"].map(str::to_owned).to_vec();
        Self { category: "outage".to_owned(), urgency: Level::High, words }
    }
}

impl Config for Settings {
    // What the schema cannot say. The host snapshots what this leaves in memory: every event starts from it.
    fn prepare(&mut self) -> Vec<ConfigProblem> {
        let bad = |word: &str| word.is_empty() || !word.bytes().all(inside);
        let found = self.words.iter().enumerate().filter(|(_, word)| bad(word));
        found.map(|(at, word)| problem(&format!("/words/{at}"), format!("`{word}` is not one word: letters and digits only"))).collect()
    }
}

/// The rule: an event, what the steps before have settled, and the config.
fn judge(event: &Event, _settled: &SoFar, config: &Settings) -> Verdict {
    let text = &event.text;
    let mut found = Vec::new();
    let mut start = 0;
    // Words end at ASCII, so every cut is between two characters.
    for word in text.split(|c: char| c.is_ascii() && !inside(c as u8)) {
        if config.words.iter().any(|listed| listed.eq_ignore_ascii_case(word)) {
            found.push(evidence(text, start, start + word.len(), 1.0));
        }
        start += word.len() + 1;
    }
    let Some(first) = found.first() else { return Vec::new().into() };
    let reason = format!("the text says “{}”", first.text);
    let count = found.len().min(4) as f32;
    let label = if count > 2.0 { SentimentLabel::VeryNegative } else { SentimentLabel::Negative };
    let effects = [
        Effect::Categorize(Category { key: config.category.clone(), path: Vec::new() }),
        Effect::FlagSentiment(Sentiment { label, score: -2.0 * count / 10.0, signals: Vec::new() }),
        Effect::SetUrgency(config.urgency),
    ];
    effects.map(|effect| proposal(effect, &reason, (50.0 + 10.0 * count) / 100.0).with_evidence(&found)).to_vec().into()
}

/// A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples.
fn inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use signalbox_sdk::testing::{MockHost, examples_hold};

    use super::*;

    #[test]
    fn the_examples_hold() {
        examples_hold::<OutageWords>().unwrap();
    }

    #[test]
    fn an_admins_own_words_count() {
        let host = MockHost::new().config(json!({"words": ["kaputt"], "urgency": "critical"}));
        let verdict = host.judge::<OutageWords>(json!({"text": "Der Drucker ist kaputt, not down."})).unwrap();
        assert_eq!(verdict.proposals[2].effect, Effect::SetUrgency(Level::Critical));
        assert_eq!(verdict.proposals[0].evidence.len(), 1);
    }

    #[test]
    fn two_words_in_one_are_refused() {
        let host = MockHost::new().config(json!({"words": ["down", "not up"]}));
        assert!(format!("{:?}", host.judge::<OutageWords>(json!({"text": ""}))).contains("/words/1"));
    }
}
