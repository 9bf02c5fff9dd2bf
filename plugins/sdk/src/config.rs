//! Reads a config into a plugin's own struct and says where it is wrong; [`Config`] is a type that is its own JSON Schema.

#[cfg(feature = "schema")]
mod schema;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

#[cfg(feature = "schema")]
pub use schema::{Config, JsonSchema, prepared, schema};

use crate::ConfigProblem;

/// Reads a config whose keys all have defaults; an empty text is an empty object.
///
/// # Errors
/// One problem for every part that does not read, with the JSON Pointer of the smallest part to blame.
pub fn read_config<T: DeserializeOwned>(config: &str) -> Result<T, Vec<ConfigProblem>> {
    let config = if config.trim().is_empty() { "{}" } else { config };
    let value: Value = serde_json::from_str(config).map_err(|e| vec![problem("", format!("not JSON: {e}"))])?;
    let whole = match T::deserialize(&value) {
        Ok(read) => return Ok(read),
        Err(e) => e.to_string(),
    };
    let mut problems = Vec::new();
    for (key, part) in value.as_object().unwrap_or(&Map::new()) {
        if let Err(e) = T::deserialize(&only(key, part.clone())) {
            let before = problems.len();
            let mut blame = |inner: &str, alone: Value| {
                if let Err(e) = T::deserialize(&only(key, alone)) {
                    problems.push(problem(&format!("/{}/{}", escape(key), escape(inner)), e.to_string()));
                }
            };
            match part {
                Value::Array(items) => {
                    items.iter().enumerate().for_each(|(at, item)| blame(&at.to_string(), Value::Array(vec![item.clone()])))
                }
                Value::Object(fields) => fields.iter().for_each(|(inner, field)| blame(inner, only(inner, field.clone()))),
                _ => {}
            }
            if problems.len() == before {
                problems.push(problem(&format!("/{}", escape(key)), e.to_string()));
            }
        }
    }
    if problems.is_empty() {
        problems.push(problem("", whole));
    }
    Err(problems)
}

fn only(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

/// A problem of one place of a config.
pub fn problem(path: &str, message: impl Into<String>) -> ConfigProblem {
    ConfigProblem { path: path.to_owned(), message: message.into() }
}

/// Reads a default that is kept as JSON beside the rule.
///
/// # Errors
/// A problem of the whole config: the plugin was built with a bad default.
pub fn read_default<T: DeserializeOwned>(json: &str) -> Result<T, Vec<ConfigProblem>> {
    let value: Value = serde_json::from_str(json).map_err(|e| vec![problem("", format!("built-in default: {e}"))])?;
    T::deserialize(&value).map_err(|e| vec![problem("", format!("built-in default: {e}"))])
}

/// A config schema whose defaults live beside it: every `"@key"` becomes the JSON that `defaults` has for `key`.
///
/// So the admin's form shows what the rule really uses, and the order of the schema's own keys stays as written.
pub fn schema_with_defaults(schema: &str, defaults: &[(&str, &str)]) -> String {
    defaults.iter().fold(schema.to_owned(), |schema, (key, json)| schema.replace(&format!("\"@{key}\""), json.trim_end()))
}

/// A plain decimal such as `-1.5`: `str::parse` brings 16 kB of tables for the numbers that nobody writes in a config.
pub fn decimal(text: &str) -> Option<f32> {
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u16>().ok() };
    if whole.is_empty() && part.is_empty() || part.len() > 4 {
        return None;
    }
    Some(sign * (f32::from(number(whole)?) + f32::from(number(part)?) / [1.0, 10.0, 100.0, 1000.0, 10000.0][part.len()]))
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        size: u8,
        rows: Vec<Row>,
    }

    #[derive(serde::Deserialize)]
    struct Row {
        name: String,
    }

    #[test]
    fn the_smallest_part_is_blamed() {
        let paths = |config: &str| read_config::<Sample>(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(paths(r#"{"size": "big", "rows": [{"name": "a"}, {}], "x/y": 1}"#), ["/rows/1", "/size", "/x~1y"]);
        assert_eq!(paths("{"), [""]);
    }

    #[test]
    fn decimals_are_plain() {
        assert_eq!(["1", "-1.5", ".25", "2."].map(decimal), [Some(1.0), Some(-1.5), Some(0.25), Some(2.0)]);
        assert_eq!(["", "-", ".", "1e3", "1.2.3", "x", "0.12345"].map(decimal), [None; 7]);
    }

    #[test]
    fn nothing_is_the_default() {
        let sample = read_config::<Sample>("").unwrap();
        assert_eq!((sample.size, sample.rows.first().map(|r| r.name.as_str())), (0, None));
    }
}
