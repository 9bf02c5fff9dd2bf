//! What the admin can set: which messages, which tables, and from when on many are a spike. Read once by `configure`.

use serde::Deserialize;
use signalbox_sdk::config::{problem, read_config};
use signalbox_sdk::{ConfigProblem, SoFar};

/// The config.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) categories: Vec<String>,
    /// Names of tables; empty asks none.
    pub(crate) incidents: String,
    pub(crate) changes: String,
    pub(crate) services: String,
    /// What is linked scores at least this.
    pub(crate) link_at: f32,
    pub(crate) change_hours: u32,
    pub(crate) spike: Spike,
    pub(crate) duplicates: Duplicates,
}

/// When many are a spike.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Spike {
    pub(crate) count: u32,
    pub(crate) likely: u32,
    pub(crate) window_seconds: u32,
    pub(crate) audience: String,
}

/// When two say the same.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Duplicates {
    pub(crate) at: f32,
    pub(crate) keep: usize,
    pub(crate) seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            categories: ["outage", "technical-fault"].map(str::to_owned).to_vec(),
            incidents: "incidents".to_owned(),
            changes: "changes".to_owned(),
            services: "services".to_owned(),
            link_at: 0.5,
            change_hours: 24,
            spike: Spike::default(),
            duplicates: Duplicates::default(),
        }
    }
}

impl Default for Spike {
    fn default() -> Self {
        Self { count: 5, likely: 15, window_seconds: 900, audience: "on-call".to_owned() }
    }
}

impl Default for Duplicates {
    fn default() -> Self {
        Self { at: 0.6, keep: 64, seconds: 86_400 }
    }
}

impl Config {
    /// Reads and checks a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Self = read_config(config)?;
        let mut problems = Vec::new();
        for (path, share) in [("/link_at", config.link_at), ("/duplicates/at", config.duplicates.at)] {
            if !(0.0..=1.0).contains(&share) {
                problems.push(problem(path, "0 to 1"));
            }
        }
        if config.spike.likely < config.spike.count {
            problems.push(problem("/spike/likely", "must not be below `count`"));
        }
        if config.spike.count > 0 && (config.spike.window_seconds == 0 || config.spike.audience.is_empty()) {
            problems.push(problem("/spike", "a spike needs a window and an audience; `count` 0 switches it off"));
        }
        if config.duplicates.keep > 500 {
            problems.push(problem("/duplicates/keep", "500 are the most"));
        }
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Whether the message is one to look at.
    pub(crate) fn concerns(&self, settled: &SoFar) -> bool {
        settled.category.as_ref().is_some_and(|category| self.categories.contains(&category.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_place() {
        let paths = |config: &str| Config::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert!(Config::read("{}").is_ok() && Config::read(r#"{"spike": {"count": 0}}"#).is_ok());
        assert_eq!(
            paths(r#"{"link_at": 2, "spike": {"count": 9, "likely": 3, "window_seconds": 0}, "duplicates": {"keep": 501, "at": -1}}"#),
            ["/link_at", "/duplicates/at", "/spike/likely", "/spike", "/duplicates/keep"]
        );
        assert_eq!(paths(r#"{"incident": "x"}"#), ["/incident"]);
    }
}
