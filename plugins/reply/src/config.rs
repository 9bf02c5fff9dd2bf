//! What the admin can set: the table of articles, lengths, phrases, and where the rule keeps silent. Read once by `configure`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;

/// What each table is without a config, as JSON.
pub(crate) const DEFAULTS: [(&str, &str); 3] = [
    ("silent_words", include_str!("default/silent.json")),
    ("phrases", include_str!("default/phrases.json")),
    ("lengths", include_str!("default/lengths.json")),
];

/// The config as the admin writes it.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    articles: String,
    suggest_at: f32,
    draft_at: f32,
    categories: Vec<String>,
    lengths: Option<BTreeMap<String, usize>>,
    length: usize,
    phrases: Option<BTreeMap<String, Phrases>>,
    silent_words: Option<Vec<String>>,
    silent_level: u8,
    never_say: Vec<String>,
    auto: Auto,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            articles: "articles".to_owned(),
            suggest_at: 0.25,
            draft_at: 0.4,
            categories: ["how-to", "technical-fault", "outage", "billing", "product-complaint", "idea", "other"]
                .map(str::to_owned)
                .to_vec(),
            lengths: None,
            length: 2_000,
            phrases: None,
            silent_words: None,
            silent_level: 2,
            never_say: Vec::new(),
            auto: Auto::default(),
        }
    }
}

/// The sentences that a draft may begin with, or be, in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Phrases {
    pub(crate) sorry: String,
    pub(crate) private: String,
}

/// When a reply asks to leave without a person.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auto {
    pub(crate) on: bool,
    pub(crate) at: f32,
    pub(crate) categories: Vec<String>,
}

impl Default for Auto {
    fn default() -> Self {
        Self { on: false, at: 0.7, categories: vec!["how-to".to_owned()] }
    }
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) articles: String,
    pub(crate) suggest_at: f32,
    pub(crate) draft_at: f32,
    pub(crate) categories: Vec<String>,
    lengths: BTreeMap<String, usize>,
    length: usize,
    pub(crate) phrases: BTreeMap<String, Phrases>,
    pub(crate) silent: Lexicon<()>,
    pub(crate) silent_level: u8,
    pub(crate) never_say: Lexicon<()>,
    pub(crate) auto: Auto,
}

impl Tables {
    /// Reads and compiles a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let mut problems = Vec::new();
        let silent_words: Vec<String> = or_default(config.silent_words, 0)?;
        let phrases: BTreeMap<String, Phrases> = or_default(config.phrases, 1)?;
        let lengths: BTreeMap<String, usize> = or_default(config.lengths, 2)?;
        let mut compile = |path: &str, words: &[String]| {
            let mut lexicon = Lexicon::default();
            for (at, phrase) in words.iter().enumerate() {
                if let Err(message) = lexicon.add(phrase, ()) {
                    problems.push(problem(&format!("{path}/{at}"), message));
                }
            }
            lexicon
        };
        let (silent, never_say) = (compile("/silent_words", &silent_words), compile("/never_say", &config.never_say));
        for (path, share) in [("/suggest_at", config.suggest_at), ("/draft_at", config.draft_at), ("/auto/at", config.auto.at)] {
            if !(0.0..=1.0).contains(&share) {
                problems.push(problem(path, "0 to 1"));
            }
        }
        if config.auto.on && config.auto.at < config.draft_at {
            problems
                .push(problem("/auto/at", "must not be below `draft_at`: what is not sure enough for a draft is not sure enough to leave"));
        }
        if !phrases.contains_key("en") {
            problems.push(problem("/phrases", "`en` is missing: it stands in for languages that have none"));
        }
        for (network, length) in lengths.iter().chain([(&String::new(), &config.length)]) {
            if *length < 40 {
                let path = if network.is_empty() { "/length".to_owned() } else { format!("/lengths/{network}") };
                problems.push(problem(&path, "at least 40 characters"));
            }
        }
        let Config { articles, suggest_at, draft_at, categories, length, silent_level, auto, .. } = config;
        if problems.is_empty() {
            Ok(Self { articles, suggest_at, draft_at, categories, lengths, length, phrases, silent, silent_level, never_say, auto })
        } else {
            Err(problems)
        }
    }

    /// Characters that a reply on a network may have.
    pub(crate) fn length_on(&self, network: &str) -> usize {
        self.lengths.get(network).copied().unwrap_or(self.length)
    }
}

fn or_default<T: DeserializeOwned>(given: Option<T>, at: usize) -> Result<T, Vec<ConfigProblem>> {
    given.map_or_else(|| read_default(DEFAULTS[at].1), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_place() {
        let paths = |config: &str| Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(Tables::read("{}").map(|t| (t.length_on("x"), t.length_on("email"))), Ok((280, 2_000)));
        assert_eq!(
            paths(
                r#"{"silent_words": [".."], "never_say": ["*"], "suggest_at": 2, "auto": {"on": true, "at": 0.1}, "phrases": {}, "lengths": {"x": 9}}"#
            ),
            ["/silent_words/0", "/never_say/0", "/suggest_at", "/auto/at", "/phrases", "/lengths/x"]
        );
        assert_eq!(paths(r#"{"auto": {"always": true}}"#), ["/auto/always"]);
    }
}
