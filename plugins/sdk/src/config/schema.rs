//! A config type that yields its JSON Schema, so that what the admin's form shows is what the rule reads.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use schemars::JsonSchema;

use super::read_config;
use crate::{ConfigProblem, Level};

/// A plugin's config: what the admin writes, checked by the schema that comes of the type itself.
///
/// Derive `serde::Deserialize` and [`JsonSchema`], both with `#[serde(default)]`, so that a config may leave out what it does not
/// change; doc comments become the form's words, `#[schemars(length(..), range(..), regex(..))]` its bounds.
pub trait Config: DeserializeOwned + JsonSchema + 'static {
    /// What the schema cannot say: checks the config, and builds what events need from it (keep that in a field with
    /// `#[serde(skip)]`). Runs once; the host takes a snapshot after it.
    fn prepare(&mut self) -> Vec<ConfigProblem> {
        Vec::new()
    }
}

/// The JSON Schema of a config, in one piece: JSON Schema 2020-12 without references.
pub fn schema<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().as_value().to_string()
}

/// Reads a config, and prepares it.
///
/// # Errors
/// Every problem with its place: what does not read, or what `prepare` says.
pub fn prepared<T: Config>(config: &str) -> Result<T, Vec<ConfigProblem>> {
    let mut config: T = read_config(config)?;
    let problems = config.prepare();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// The levels, as the contract's JSON has them.
const LEVELS: [(&str, Level); 4] = [("low", Level::Low), ("normal", Level::Normal), ("high", Level::High), ("critical", Level::Critical)];

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        let found = LEVELS.iter().find(|(name, _)| *name == word).map(|(_, level)| *level);
        found.ok_or_else(|| serde::de::Error::custom(format!("`{word}` is no level: low, normal, high or critical")))
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(LEVELS.iter().find(|(_, level)| level == self).map_or("normal", |(name, _)| name))
    }
}

impl JsonSchema for Level {
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": LEVELS.map(|(name, _)| name) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::problem;

    #[derive(Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        /// How urgent they are
        urgency: Level,
        /// What to look for
        #[schemars(length(min = 1, max = 3))]
        words: Vec<String>,
        #[serde(skip)]
        longest: usize,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self { urgency: Level::High, words: vec!["down".to_owned()], longest: 0 }
        }
    }

    impl Config for Sample {
        fn prepare(&mut self) -> Vec<ConfigProblem> {
            self.longest = self.words.iter().map(String::len).max().unwrap_or(0);
            let empty = self.words.iter().position(String::is_empty);
            empty.map(|at| problem(&format!("/words/{at}"), "an empty word")).into_iter().collect()
        }
    }

    #[test]
    fn the_type_is_the_schema() {
        let schema: Value = serde_json::from_str(&schema::<Sample>()).unwrap();
        assert_eq!(schema["properties"]["urgency"]["enum"], json!(["low", "normal", "high", "critical"]));
        assert_eq!((&schema["properties"]["urgency"]["default"], &schema["additionalProperties"]), (&json!("high"), &json!(false)));
        let words = &schema["properties"]["words"];
        assert_eq!((&words["minItems"], &words["maxItems"], &words["default"]), (&json!(1), &json!(3), &json!(["down"])));
        assert_eq!((&words["description"], &schema["properties"]["longest"]), (&json!("What to look for"), &Value::Null));
        assert!(schema.get("$defs").is_none() && schema.get("required").is_none(), "{schema}");
    }

    #[test]
    fn a_config_is_prepared_or_told_where_it_is_wrong() {
        let sample: Sample = prepared(r#"{"words": ["offline", "down"], "urgency": "critical"}"#).unwrap();
        assert_eq!((sample.longest, sample.urgency), (7, Level::Critical));
        let paths = |config: &str| prepared::<Sample>(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(
            (paths(r#"{"words": ["a", ""]}"#), paths(r#"{"urgency": "dire"}"#)),
            (vec!["/words/1".to_owned()], vec!["/urgency".to_owned()])
        );
    }
}
