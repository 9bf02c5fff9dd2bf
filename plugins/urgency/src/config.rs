//! What the admin can set, and the words that it is compiled into.
//!
//! Read once by `configure`; a problem is named by its JSON Pointer. Nothing here looks at an event.

use serde::Deserialize;
use signalbox_sdk::config::{problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;
use signalbox_sdk::{ConfigProblem, Level};

pub(crate) const WORDS: &str = include_str!("words.json");

/// The config as the admin writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    extra: Words,
    matrix: Option<Vec<Vec<Step>>>,
    at: At,
}

/// Phrases by what they say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Words {
    safety: Vec<String>,
    security: Vec<String>,
    high: Vec<String>,
    calm: Vec<String>,
    over: Vec<String>,
    plain: Vec<String>,
    wide: Vec<String>,
    narrow: Vec<String>,
}

/// From which probability of urgency each level is proposed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct At {
    pub(crate) normal: f32,
    pub(crate) high: f32,
    pub(crate) critical: f32,
}

impl Default for At {
    fn default() -> Self {
        Self { normal: 0.15, high: 0.5, critical: 0.98 }
    }
}

/// The contract's level as a config names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Low,
    Normal,
    High,
    Critical,
}

impl Step {
    pub(crate) fn name(self) -> &'static str {
        ["low", "normal", "high", "critical"][self as usize]
    }

    pub(crate) fn level(self) -> Level {
        [Level::Low, Level::Normal, Level::High, Level::Critical][self as usize]
    }
}

/// What a phrase says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Safety,
    Security,
    High,
    Calm,
    Over,
    /// It contains a sign and does not mean it.
    Plain,
    Wide,
    Narrow,
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) lexicon: Lexicon<Says>,
    /// Rows are impact, columns urgency.
    pub(crate) matrix: [[Step; 4]; 4],
    pub(crate) at: At,
}

impl Tables {
    /// Reads and compiles a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let mut problems = Vec::new();
        let mut lexicon = Lexicon::default();
        for (words, path) in [(&config.extra, "/extra"), (&read_default::<Words>(WORDS)?, "")] {
            let lists = [
                ("safety", &words.safety, Says::Safety),
                ("security", &words.security, Says::Security),
                ("high", &words.high, Says::High),
                ("calm", &words.calm, Says::Calm),
                ("over", &words.over, Says::Over),
                ("plain", &words.plain, Says::Plain),
                ("wide", &words.wide, Says::Wide),
                ("narrow", &words.narrow, Says::Narrow),
            ];
            for (name, list, says) in lists {
                for (at, phrase) in list.iter().enumerate() {
                    if let Err(message) = lexicon.add(phrase, says) {
                        problems.push(problem(&format!("{path}/{name}/{at}"), message));
                    }
                }
            }
        }
        let at = config.at;
        let rising = 0.0 <= at.normal && at.normal < at.high && at.high < at.critical && at.critical <= 1.0;
        if !rising {
            problems.push(problem("/at", "`normal`, `high` and `critical` must rise, from 0 to 1"));
        }
        let matrix = matrix(config.matrix.as_deref(), &mut problems);
        if problems.is_empty() { Ok(Self { lexicon, matrix, at }) } else { Err(problems) }
    }
}

fn matrix(given: Option<&[Vec<Step>]>, problems: &mut Vec<ConfigProblem>) -> [[Step; 4]; 4] {
    use Step::{Critical, High, Low, Normal};
    let mut matrix =
        [[Low, Low, Normal, High], [Low, Normal, High, High], [Normal, Normal, High, Critical], [Normal, High, Critical, Critical]];
    if let Some(rows) = given {
        if rows.len() != 4 || rows.iter().any(|row| row.len() != 4) {
            problems.push(problem("/matrix", "four rows of four levels: impact down, urgency across, each from low to critical"));
            return matrix;
        }
        for (row, given) in matrix.iter_mut().zip(rows) {
            row.copy_from_slice(given);
        }
    }
    matrix
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
        assert_eq!(paths(r#"{"extra": {"high": ["ok", ".."]}}"#), ["/extra/high/1"]);
        assert_eq!(paths(r#"{"at": {"high": 0.99}}"#), ["/at"]);
        assert_eq!(paths(r#"{"matrix": [["low"]]}"#), ["/matrix"]);
        assert_eq!(paths(r#"{"words": {}}"#), ["/words"]);
    }
}
