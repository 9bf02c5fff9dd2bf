//! What the admin can set, and the word tables that it is compiled into.
//!
//! The built-in words are in `lexicon.txt` and `signals.json`; the admin's own words come first and win over them. Nothing here
//! looks at an event.

use std::collections::BTreeMap;

use serde::Deserialize;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{decimal, problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;

const WORDS: &str = include_str!("lexicon.txt");
const SIGNALS: &str = include_str!("signals.json");
/// What an admin's own signal weighs.
const OWN_SIGNAL: f32 = -1.0;

/// The config as the admin writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    words: BTreeMap<String, f32>,
    signals: BTreeMap<String, Vec<String>>,
    mute_signals: Vec<String>,
    thresholds: Thresholds,
    domain: Domain,
}

/// Whose posts they are: domains disagree on what is neutral.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Domain {
    /// Posts in public: who reports a failure is unhappy.
    #[default]
    Social,
    /// Tickets: who reports a failure may just report it.
    Ticket,
    /// No model: the words alone.
    Words,
}

/// Where the five steps begin.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Thresholds {
    /// Very negative at or below.
    pub(crate) very_negative: f32,
    /// Negative at or below.
    pub(crate) negative: f32,
    /// Positive at or above.
    pub(crate) positive: f32,
    /// Very positive at or above.
    pub(crate) very_positive: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { very_negative: -0.68, negative: -0.17, positive: 0.25, very_positive: 0.72 }
    }
}

/// What a word says of a feeling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Plain,
    /// The admin's own word: it silences what the model says of it.
    Own,
    /// A failure of a service: beside borrowed praise it makes sarcasm.
    Failure,
    /// Praise that sarcasm likes to borrow.
    Cheer,
    /// The end of a trouble.
    Over,
}

/// A word or phrase of the lexicon.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    Feels {
        valence: f32,
        role: Role,
    },
    /// A factor for the word that follows.
    Factor(f32),
    /// A signal, by its place in [`Tables::signals`].
    Signal(u16),
}

/// A signal: its name, what its phrases weigh, and whether a doubtful case still counts.
#[derive(Debug, Deserialize)]
pub(crate) struct Signal {
    pub(crate) key: String,
    pub(crate) valence: f32,
    /// Counts even when denied or supposed: better a needless look than a missed one.
    #[serde(default)]
    pub(crate) cautious: bool,
    phrases: Vec<String>,
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) words: Lexicon<Says>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) thresholds: Thresholds,
    pub(crate) domain: Domain,
}

impl Tables {
    /// Reads and compiles a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let mut problems = thresholds(config.thresholds);
        let mut words = Lexicon::default();
        for (word, valence) in &config.words {
            let path = format!("/words/{}", word.replace('~', "~0").replace('/', "~1"));
            if !(-4.0..=4.0).contains(valence) {
                problems.push(problem(&path, format!("{valence} is outside -4 to 4")));
            }
            if let Err(message) = words.add(word, Says::Feels { valence: *valence, role: Role::Own }) {
                problems.push(problem(&path, message));
            }
        }
        built_in(&mut words).map_err(|message| vec![problem("", message)])?;
        let signals = signals(&config, &mut words, &mut problems)?;
        if problems.is_empty() { Ok(Self { words, signals, thresholds: config.thresholds, domain: config.domain }) } else { Err(problems) }
    }
}

fn thresholds(t: Thresholds) -> Vec<ConfigProblem> {
    let steps =
        [("very_negative", t.very_negative), ("negative", t.negative), ("positive", t.positive), ("very_positive", t.very_positive)];
    let mut problems = Vec::new();
    for (at, (name, value)) in steps.iter().enumerate() {
        let path = format!("/thresholds/{name}");
        if !(-1.0..=1.0).contains(value) {
            problems.push(problem(&path, format!("{value} is outside -1 to 1")));
        } else if at > 0 && *value <= steps[at - 1].1 {
            problems.push(problem(&path, format!("{value} must be above {} ({})", steps[at - 1].0, steps[at - 1].1)));
        }
    }
    problems
}

/// One line of `lexicon.txt`: a valence with an optional role, or a factor; then words.
fn built_in(words: &mut Lexicon<Says>) -> Result<(), String> {
    for line in WORDS.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (head, list) = line.split_once(" : ").ok_or_else(|| format!("lexicon: `{line}` has no ` : `"))?;
        let (first, second) = head.split_once(' ').unwrap_or((head, ""));
        let number = |text: &str| decimal(text).ok_or_else(|| format!("lexicon: `{text}` is not a number"));
        let says = match (first, second) {
            ("boost" | "damp", factor) => Says::Factor(number(factor)?),
            (valence, role) => {
                let role = match role {
                    "fail" => Role::Failure,
                    "cheer" => Role::Cheer,
                    "over" => Role::Over,
                    _ => Role::Plain,
                };
                Says::Feels { valence: number(valence)?, role }
            }
        };
        for word in list.split(", ") {
            words.add(word.trim(), says)?;
        }
    }
    Ok(())
}

fn signals(config: &Config, words: &mut Lexicon<Says>, problems: &mut Vec<ConfigProblem>) -> Result<Vec<Signal>, Vec<ConfigProblem>> {
    let mut signals: Vec<Signal> = read_default(SIGNALS)?;
    for (row, key) in config.mute_signals.iter().enumerate() {
        if !signals.iter().any(|s| s.key == *key) {
            problems.push(problem(&format!("/mute_signals/{row}"), format!("there is no signal `{key}`")));
        }
    }
    signals.retain(|signal| !config.mute_signals.contains(&signal.key));
    for (at, signal) in signals.iter().enumerate() {
        for phrase in &signal.phrases {
            words.add(phrase, Says::Signal(at as u16)).map_err(|message| vec![problem("", message)])?;
        }
    }
    for (key, own) in &config.signals {
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            problems.push(problem(
                &format!("/signals/{}", key.replace('~', "~0").replace('/', "~1")),
                "a signal's key is lower-case letters, digits and `-`",
            ));
            continue;
        }
        let at = signals.iter().position(|s| s.key == *key).unwrap_or_else(|| {
            signals.push(Signal { key: key.clone(), valence: OWN_SIGNAL, cautious: false, phrases: Vec::new() });
            signals.len() - 1
        });
        for (row, phrase) in own.iter().enumerate() {
            if let Err(message) = words.add(phrase, Says::Signal(at as u16)) {
                problems.push(problem(&format!("/signals/{key}/{row}"), message));
            }
        }
    }
    Ok(signals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(config: &str) -> Vec<String> {
        Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect()
    }

    #[test]
    fn the_default_reads() {
        assert_eq!(Tables::read("{}").map(|_| ()), Ok(()));
    }

    #[test]
    fn problems_name_their_place() {
        assert_eq!(paths(r#"{"words": {"meh": -5, "a/b*": 1}}"#), ["/words/meh"]);
        assert_eq!(paths(r#"{"words": {"..": 1, "x": "bad"}}"#), ["/words/x"]);
        assert_eq!(paths(r#"{"words": {"..": 1}}"#), ["/words/.."]);
        assert_eq!(paths(r#"{"thresholds": {"negative": 0.5}}"#), ["/thresholds/positive"]);
        assert_eq!(paths(r#"{"thresholds": {"very_negative": -2}}"#), ["/thresholds/very_negative"]);
        assert_eq!(
            paths(r#"{"signals": {"churn": ["ok", ""], "Bad Key": ["x"]}, "mute_signals": ["nope"]}"#),
            ["/mute_signals/0", "/signals/Bad Key", "/signals/churn/1"]
        );
        assert_eq!(paths(r#"{"wordz": {}}"#), ["/wordz"]);
    }
}
