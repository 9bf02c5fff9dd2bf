//! What the admin can set, and the words that it is compiled into.
//!
//! Read once by `configure`; a problem is named by its JSON Pointer. Nothing here looks at an event.

use serde::Deserialize;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;

pub(crate) const WORDS: &str = include_str!("words.json");

/// The config as the admin writes it.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    extra: Words,
    abuse_at: f32,
    spam_at: f32,
    hide: bool,
    personal_data: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { extra: Words::default(), abuse_at: 0.5, spam_at: 0.5, hide: true, personal_data: true }
    }
}

/// Phrases by what they say.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Words {
    abuse: Vec<String>,
    spam: Vec<String>,
    plain: Vec<String>,
}

/// What a phrase says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Abuse,
    Spam,
    /// It contains a sign and does not mean it.
    Plain,
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) lexicon: Lexicon<(Says, bool)>,
    /// From which probability the tag is proposed.
    pub(crate) abuse_at: f32,
    pub(crate) spam_at: f32,
    /// Whether hiding is proposed beside the tag.
    pub(crate) hide: bool,
    pub(crate) personal_data: bool,
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
        for (words, own, path) in [(&config.extra, true, "/extra"), (&read_default::<Words>(WORDS)?, false, "")] {
            let lists = [("abuse", &words.abuse, Says::Abuse), ("spam", &words.spam, Says::Spam), ("plain", &words.plain, Says::Plain)];
            for (name, list, says) in lists {
                for (at, phrase) in list.iter().enumerate() {
                    if let Err(message) = lexicon.add(phrase, (says, own)) {
                        problems.push(problem(&format!("{path}/{name}/{at}"), message));
                    }
                }
            }
        }
        for (path, value) in [("/abuse_at", config.abuse_at), ("/spam_at", config.spam_at)] {
            if !(0.0..=1.0).contains(&value) {
                problems.push(problem(path, format!("{value} is outside 0 to 1")));
            }
        }
        let Config { abuse_at, spam_at, hide, personal_data, .. } = config;
        if problems.is_empty() { Ok(Self { lexicon, abuse_at, spam_at, hide, personal_data }) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_place() {
        let paths = |config: &str| Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(Tables::read("{}").map(|_| ()), Ok(()));
        assert_eq!(paths(r#"{"extra": {"spam": [".."]}, "abuse_at": 2}"#), ["/extra/spam/0", "/abuse_at"]);
        assert_eq!(paths(r#"{"hide": 1}"#), ["/hide"]);
    }
}
