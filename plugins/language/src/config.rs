//! What the admin can set: the languages that are served, and how sure the rule must be. Read once by `configure`.

use serde::Deserialize;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{problem, read_config};

use crate::decide::LANGUAGES;

/// The config.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tables {
    pub(crate) languages: Vec<String>,
    pub(crate) sure: f32,
    pub(crate) sure_short: f32,
    pub(crate) least_words: usize,
    pub(crate) trust_source: bool,
    pub(crate) tag_unknown: bool,
}

impl Default for Tables {
    fn default() -> Self {
        let languages = LANGUAGES.iter().map(|(code, _)| (*code).to_owned()).collect();
        Self { languages, sure: 0.6, sure_short: 0.85, least_words: 4, trust_source: true, tag_unknown: true }
    }
}

impl Tables {
    /// Reads and checks a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let tables: Self = read_config(config)?;
        let mut problems = Vec::new();
        for (at, language) in tables.languages.iter().enumerate() {
            if !LANGUAGES.iter().any(|(code, _)| code == language) {
                let known: Vec<&str> = LANGUAGES.iter().map(|(code, _)| *code).collect();
                problems
                    .push(problem(&format!("/languages/{at}"), format!("`{language}` is none that the model knows: {}", known.join(", "))));
            }
        }
        if tables.languages.is_empty() {
            problems.push(problem("/languages", "name at least one language"));
        }
        for (path, share) in [("/sure", tables.sure), ("/sure_short", tables.sure_short)] {
            if !(0.0..=1.0).contains(&share) {
                problems.push(problem(path, "0 to 1"));
            }
        }
        if problems.is_empty() { Ok(tables) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_place() {
        let paths = |config: &str| Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert!(Tables::read("{}").is_ok());
        assert_eq!(paths(r#"{"languages": ["en", "xx"], "sure": 2}"#), ["/languages/1", "/sure"]);
        assert_eq!(paths(r#"{"languages": []}"#), ["/languages"]);
        assert_eq!(paths(r#"{"sur": 1}"#), ["/sur"]);
    }
}
