//! The set-up: chains of steps and which source takes which chain, as an admin writes it and as a generation keeps it.
//!
//! One shape for the config file, the API, the export and the stored generations. Pure data, but for the condition under which a
//! step runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Event, Visibility};
use crate::grant::Grant;
use crate::verdict::{SentimentLabel, SoFar};

/// The chain of every source without a route.
pub const DEFAULT: &str = "default";
/// Most steps of a chain: three times the longest measured.
pub const MAX_STEPS: usize = 150;
/// Faults among the last 20 runs that quarantine a step, unless it says otherwise.
pub const QUARANTINE_AFTER: u32 = 10;

/// Every chain, and which source takes which.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// By name; `default` is the one of every source without a route.
    pub chains: BTreeMap<String, ChainSetup>,
    /// Source name to chain name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, String>,
}

/// One chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainSetup {
    /// In the order they run.
    pub steps: Vec<StepSetup>,
}

/// One plugin in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepSetup {
    /// The step's own name, unique in its chain; the plugin's name unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `name` (its newest version), or `name@version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// SHA-256 of the plugin's bytes, hex: what a generation keeps, so that a newer upload changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Or a file beside the config file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What it may do beyond a pure answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub grants: Vec<Grant>,
    /// "fresh" (the default) or "reuse".
    #[serde(skip_serializing_if = "is_default")]
    pub isolation: Isolation,
    /// "live" (the default), "shadow" or "off".
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// What becomes of an event when the step faults: "skip" (the default) or "hold".
    #[serde(skip_serializing_if = "is_default")]
    pub on_fault: OnFault,
    /// Faults among its last 20 runs that quarantine it; 0 is never. 10 unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine_after: Option<u32>,
    /// The step runs only where this holds.
    #[serde(skip_serializing_if = "is_default")]
    pub when: Condition,
    /// The step does not run where this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Condition>,
    /// Budgets that differ from the host's own.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: StepLimits,
    /// Its config; absent means the defaults of its schema. Last, since TOML wants tables after plain keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether a step's instance serves one event or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A new instance for every event: nothing of one reaches the next.
    #[default]
    Fresh,
    /// One instance for many events, bounded by events, age and memory, dropped on any fault: for large guests.
    Reuse,
}

/// Whether a step has a say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What it proposes is taken.
    #[default]
    Live,
    /// It runs, the trace shows what it would have changed, the decision is made without it.
    Shadow,
    /// It does not run.
    Off,
}

/// What becomes of an event when a step faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFault {
    /// It is decided without the step, and the decision says so.
    #[default]
    Skip,
    /// The chain ends there, and nothing is written back until a person says so.
    Hold,
}

/// What an event, and what is settled about it, must be like. Every key that is given must hold; a list holds when one of its
/// words does. No key at all holds always.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The source it came through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<String>,
    /// "x", "mastodon", ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// "post", "dm", ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Who can read it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visibility: Vec<Visibility>,
    /// BCP 47, settled by a step or else as the source claims it; "de" holds for "de-AT".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub language: Vec<String>,
    /// On the ticket already, or settled by a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<String>,
    /// Settled by a step before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<String>,
    /// Settled by a step before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sentiment: Vec<SentimentLabel>,
    /// Settled by a step before: at least this level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_escalation: Option<u8>,
}

impl Condition {
    /// Whether it holds for an event of which so much is settled.
    pub fn holds(&self, event: &Event, settled: &SoFar) -> bool {
        let any = |words: &[String], word: &str| words.is_empty() || words.iter().any(|known| known == word);
        let language = settled.language.as_deref().or(event.language.as_deref()).unwrap_or_default();
        let spoken = |tag: &String| {
            language.len() >= tag.len()
                && language.is_char_boundary(tag.len())
                && language[..tag.len()].eq_ignore_ascii_case(tag)
                && matches!(language.as_bytes().get(tag.len()), None | Some(b'-' | b'_'))
        };
        let on_ticket = event.ticket.as_ref().map(|ticket| ticket.tags.as_slice()).unwrap_or_default();
        let tagged = |tag: &String| on_ticket.contains(tag) || settled.tags.contains(tag);
        any(&self.source, &event.source)
            && any(&self.network, &event.network)
            && any(&self.kind, &event.kind)
            && (self.visibility.is_empty() || self.visibility.contains(&event.visibility))
            && (self.language.is_empty() || self.language.iter().any(spoken))
            && (self.tag.is_empty() || self.tag.iter().any(tagged))
            && (self.category.is_empty() || settled.category.as_ref().is_some_and(|settled| any(&self.category, &settled.key)))
            && (self.sentiment.is_empty() || settled.sentiment.as_ref().is_some_and(|settled| self.sentiment.contains(&settled.label)))
            && self.min_escalation.is_none_or(|least| settled.escalation.as_ref().is_some_and(|escalation| escalation.level >= least))
    }
}

/// Budgets of one step that differ from the host's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepLimits {
    /// Fuel per call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Wall time per call, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// Bytes that one call may hand over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<usize>,
    /// Calls into the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u32>,
    /// Log lines kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_lines: Option<u32>,
    /// Log bytes kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u32>,
}

impl StepSetup {
    /// What the admin calls it.
    pub fn label(&self) -> String {
        let of_plugin = || self.plugin.as_deref().map(|plugin| plugin.split('@').next().unwrap_or(plugin).to_owned());
        let of_file = || self.file.as_ref().map(|file| file.display().to_string());
        self.name.clone().or_else(of_plugin).or_else(of_file).unwrap_or_else(|| "step".to_owned())
    }
}

/// One thing that is wrong with a set-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// JSON Pointer into the set-up.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Setup {
    /// A set-up of one chain.
    pub fn of(steps: Vec<StepSetup>) -> Self {
        Self { chains: BTreeMap::from([(DEFAULT.to_owned(), ChainSetup { steps })]), routes: BTreeMap::new() }
    }

    /// Reads a set-up as it is written in TOML.
    ///
    /// # Errors
    /// A sentence with the line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(String::new(), |span| format!("line {}: ", text[..span.start].matches('\n').count() + 1));
            format!("{line}{}", error.message().replace('\n', ", "))
        })
    }

    /// Writes it as TOML.
    ///
    /// # Errors
    /// When a config holds what TOML cannot say, such as null.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The chain of a source.
    pub fn chain_of(&self, source: &str) -> &str {
        self.routes.get(source).map_or(DEFAULT, String::as_str)
    }

    /// Every step with its chain and its JSON Pointer.
    pub fn steps(&self) -> impl Iterator<Item = (&str, String, &StepSetup)> {
        self.chains.iter().flat_map(|(name, chain)| {
            let steps = chain.steps.iter().enumerate();
            steps.map(move |(at, step)| (name.as_str(), format!("/chains/{}/steps/{at}", escape(name)), step))
        })
    }

    /// What is wrong with its shape alone, before any plugin is looked at.
    pub fn faults(&self) -> Vec<Problem> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, message: String| faults.push(Problem { pointer, message });
        if !self.chains.contains_key(DEFAULT) {
            fault("/chains".to_owned(), format!("there is no chain `{DEFAULT}`; it is the one of every source without a route"));
        }
        for (name, chain) in &self.chains {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
            let pointer = format!("/chains/{}", escape(name));
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                fault(pointer.clone(), "a chain's name has 1 to 64 lower-case letters, digits, `-` and `_`".to_owned());
            }
            if chain.steps.len() > MAX_STEPS {
                fault(pointer.clone(), format!("{} steps; a chain has at most {MAX_STEPS}", chain.steps.len()));
            }
            let mut seen = BTreeMap::new();
            for (at, step) in chain.steps.iter().enumerate() {
                let pointer = format!("{pointer}/steps/{at}");
                if step.plugin.is_none() && step.digest.is_none() && step.file.is_none() {
                    fault(pointer.clone(), "a step says neither `plugin` nor `file`; name a plugin or a component file".to_owned());
                }
                if let Some(name) = &step.name
                    && seen.insert(name.clone(), at).is_some()
                {
                    fault(format!("{pointer}/name"), format!("two steps are named `{name}`; a name is for one"));
                }
                if let Some(budget) = zero(&step.limits) {
                    fault(format!("{pointer}/limits/{budget}"), format!("`{budget}` is 0; a budget can be changed, not switched off"));
                }
            }
        }
        for (source, chain) in &self.routes {
            if !self.chains.contains_key(chain) {
                fault(format!("/routes/{}", escape(source)), format!("there is no chain `{chain}`"));
            }
        }
        faults
    }
}

/// A budget that somebody tried to switch off.
fn zero(limits: &StepLimits) -> Option<String> {
    let limits = serde_json::to_value(limits).unwrap_or_default();
    limits.as_object()?.iter().find(|(_, value)| value.as_u64() == Some(0)).map(|(key, _)| key.clone())
}

/// A key as a part of a JSON Pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(condition: Value, event: Value, settled: Value) -> bool {
        let condition: Condition = serde_json::from_value(condition).unwrap();
        let event = Event::from_json(event.to_string().as_bytes()).unwrap().event;
        condition.holds(&event, &serde_json::from_value(settled).unwrap())
    }

    #[test]
    fn a_condition_holds_when_every_key_does() {
        let event = json!({"id": "1", "text": "t", "network": "x", "kind": "dm", "language": "de-AT", "visibility": "private",
            "ticket": {"id": "7", "tags": ["vip"]}});
        for (condition, expected) in [
            (json!({}), true),
            (json!({"network": ["mastodon", "x"]}), true),
            (json!({"network": ["mastodon"]}), false),
            (json!({"network": ["x"], "kind": ["post"]}), false),
            (json!({"language": ["de"]}), true),
            (json!({"language": ["d", "den"]}), false),
            (json!({"visibility": ["private"]}), true),
            (json!({"tag": ["vip"]}), true),
            (json!({"tag": ["staff"]}), false),
            (json!({"category": ["outage"]}), false),
        ] {
            assert_eq!(holds(condition.clone(), event.clone(), json!({})), expected, "{condition}");
        }
    }

    #[test]
    fn a_condition_reads_what_is_settled() {
        let event = json!({"id": "1", "text": "t", "language": "en"});
        let settled = json!({"category": {"key": "outage"}, "sentiment": {"label": "negative", "score": -0.5}, "language": "fi",
            "escalation": {"level": 2}, "tags": ["spike"]});
        for (condition, expected) in [
            (json!({"category": ["outage"]}), true),
            (json!({"sentiment": ["negative", "very_negative"]}), true),
            (json!({"sentiment": ["positive"]}), false),
            (json!({"min_escalation": 2}), true),
            (json!({"min_escalation": 3}), false),
            (json!({"language": ["fi"]}), true),
            (json!({"language": ["en"]}), false),
            (json!({"tag": ["spike"]}), true),
        ] {
            assert_eq!(holds(condition.clone(), event.clone(), settled.clone()), expected, "{condition}");
        }
    }

    #[test]
    fn faults_have_pointers() {
        let setup: Setup = serde_json::from_value(json!({
            "chains": {"A b": {"steps": [{}, {"plugin": "x", "name": "n", "limits": {"fuel": 0}}, {"plugin": "x", "name": "n"}]}},
            "routes": {"desk": "nope"},
        }))
        .unwrap();
        let pointers: Vec<String> = setup.faults().into_iter().map(|fault| fault.pointer).collect();
        let expected = [
            "/chains",
            "/chains/A b",
            "/chains/A b/steps/0",
            "/chains/A b/steps/1/limits/fuel",
            "/chains/A b/steps/2/name",
            "/routes/desk",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn it_survives_toml() {
        let setup: Setup = serde_json::from_value(json!({
            "chains": {"default": {"steps": [{"plugin": "categorize@0.1.0", "digest": "ab", "grants": ["lower"], "mode": "shadow",
                "when": {"network": ["x"]}, "limits": {"fuel": 5}, "config": {"a": {"b": [1, 2.5, "x"]}}}]}},
            "routes": {"desk": "default"},
        }))
        .unwrap();
        assert!(setup.faults().is_empty());
        let text = toml::to_string(&setup).unwrap();
        assert_eq!(toml::from_str::<Setup>(&text).unwrap(), setup, "{text}");
    }
}
