//! What a plugin says of itself, checked: the host's own form of the contract's `description`.
//!
//! Made in the activation child, read everywhere. Hostile names and texts end here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bindings;
use super::door::{Check, Refusal, refuse};
use crate::decision::EffectSet;
use crate::grant::Grant;

/// Longest summary, reason or other sentence, characters.
const MAX_SENTENCE: usize = 500;
/// Most examples, and most grants asked for.
const MAX_EXAMPLES: usize = 32;

/// A plugin's own words about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// Lower-case letters, digits and `-`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// An SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Kinds of event it judges; empty is all.
    pub event_kinds: Vec<String>,
    /// Effects it may propose.
    pub effects: Vec<String>,
    /// Grants it asks for.
    pub requests: Vec<Request>,
    /// JSON Schema of its config.
    pub config_schema: Value,
    /// Its own test cases.
    pub examples: Vec<Example>,
}

/// One grant a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// As an admin would type it.
    pub grant: String,
    /// Why, in words the admin reads.
    pub reason: String,
}

/// One case that documents the rule and tests it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// A canonical event.
    pub event: Value,
    /// The config, if not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Recorded host answers; `settled` is what earlier steps had settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Value>,
    /// What the verdict must contain.
    pub expect: Value,
}

impl Description {
    /// Its name and version, as people say them.
    pub(super) fn about(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The effects as a set.
    pub fn effect_set(&self) -> EffectSet {
        // The names were checked when the description was made.
        EffectSet::from_names(self.effects.iter().map(String::as_str)).unwrap_or_default()
    }

    pub(super) fn check(raw: bindings::Description) -> Result<Self, Refusal> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if raw.name.is_empty() || raw.name.len() > 64 || !raw.name.chars().all(plain) {
            return Err(describe("`name` must be 1 to 64 lower-case letters, digits and `-`"));
        }
        if !is_semver(&raw.version) {
            return Err(describe("`version` must be a semantic version such as 1.4.2"));
        }
        sentence("summary", &raw.summary)?;
        for (name, text) in [("homepage", &raw.homepage), ("license", &raw.license)] {
            text.as_deref().map_or(Ok(()), |text| sentence(name, text))?;
        }
        if let Err(unknown) = EffectSet::from_names(raw.effects.iter().map(String::as_str)) {
            return Err(describe(format!("`effects` names `{}`, which is no effect of the contract", show(&unknown))));
        }
        if raw.event_kinds.len() > 64 || raw.event_kinds.iter().any(|kind| kind.len() > 64) {
            return Err(describe("`event-kinds` holds too much; list at most 64 kinds of 64 letters"));
        }
        if raw.requests.len() > MAX_EXAMPLES || raw.examples.len() > MAX_EXAMPLES {
            return Err(describe(format!("more than {MAX_EXAMPLES} requests or examples")));
        }
        let requests = raw.requests.into_iter().map(|request| {
            sentence("requests", &request.reason)?;
            request.grant.parse::<Grant>().map_err(|error| describe(format!("`requests`: {error}")))?;
            Ok(Request { grant: request.grant, reason: request.reason })
        });
        let requests = requests.collect::<Result<_, Refusal>>()?;
        let config_schema = json("config-schema", &raw.config_schema)?;
        jsonschema::validator_for(&config_schema).map_err(|error| describe(format!("`config-schema` is no JSON Schema: {error}")))?;
        let examples = raw.examples.into_iter().map(|example| {
            sentence("examples.name", &example.name)?;
            Ok(Example {
                event: json("examples.event", &example.event)?,
                config: example.config.map(|text| json("examples.config", &text)).transpose()?,
                services: example.services.map(|text| json("examples.services", &text)).transpose()?,
                expect: json("examples.expect", &example.expect)?,
                name: example.name,
            })
        });
        let examples = examples.collect::<Result<_, Refusal>>()?;
        Ok(Self {
            name: raw.name,
            version: raw.version,
            summary: raw.summary,
            homepage: raw.homepage,
            license: raw.license,
            event_kinds: raw.event_kinds,
            effects: raw.effects,
            requests,
            config_schema,
            examples,
        })
    }

    /// The config that the schema's own defaults make.
    pub fn default_config(&self) -> Value {
        let properties = self.config_schema.get("properties").and_then(Value::as_object);
        let defaults = properties.into_iter().flatten().filter_map(|(key, schema)| Some((key.clone(), schema.get("default")?.clone())));
        Value::Object(defaults.collect())
    }
}

fn describe(message: impl Into<String>) -> Refusal {
    refuse(Check::Describe, format!("`describe`: {}", message.into()))
}

fn sentence(field: &str, text: &str) -> Result<(), Refusal> {
    if text.chars().count() > MAX_SENTENCE {
        return Err(describe(format!("`{field}` has more than {MAX_SENTENCE} characters")));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return Err(describe(format!("`{field}` holds control or direction characters")));
    }
    Ok(())
}

fn json(field: &str, text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|error| describe(format!("`{field}` is not JSON: {error}")))
}

fn is_semver(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.len() <= 9 && part.chars().all(|c| c.is_ascii_digit());
    version.len() <= 64
        && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        && core.split('.').count() == 3
        && core.split('.').all(number)
}

fn show(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
