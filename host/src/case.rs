//! Cases: what a plugin is tried on, from its author's files or from its own examples. Pure.
//!
//! Read by `signalbox plugin test`, `bench` and `dev`. A case is an event, a config, what the host answered when it was recorded,
//! and what must come of it. Nothing that a case says is guessed at: an unknown key is refused with its place.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::decision::Outcome;
use crate::event::Event;
use crate::plugin::{Example, Services};

/// Keys of an expectation.
const EXPECTATIONS: [&str; 4] = ["proposals", "absent", "outcome", "decision"];

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// One line: what it shows.
    pub name: String,
    /// The event.
    pub event: Event,
    /// The config; absent is the default of the plugin's schema.
    pub config: Option<Value>,
    /// What the host answers.
    pub services: Services,
    /// What must come of it: `proposals`, `absent`, `outcome`, `decision`.
    pub expect: Value,
}

/// A file of cases.
#[derive(Deserialize)]
struct File {
    /// For every case that has none of its own.
    config: Option<Value>,
    cases: Vec<Written>,
}

/// A case as it is written.
#[derive(Deserialize)]
struct Written {
    name: String,
    event: Value,
    config: Option<Value>,
    #[serde(default)]
    services: Services,
    expect: Value,
}

/// Reads a file of cases: TOML or JSON, told apart by `is_toml`. JSON may be the list alone.
///
/// # Errors
/// One sentence that names the place and the remedy.
pub fn read(text: &str, is_toml: bool) -> Result<Vec<Case>, String> {
    let mut value: Value = if is_toml {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?
    } else {
        serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?
    };
    if value.is_array() {
        value = json!({ "cases": value });
    }
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let reader = serde_path_to_error::Deserializer::new(value, &mut track);
    let file: Result<File, serde_json::Error> = serde_ignored::deserialize(reader, |path| unknown.push(path.to_string()));
    let file = file.map_err(|error| format!("{error}, at `{}`", track.path()))?;
    if let Some(key) = unknown.first() {
        return Err(format!(
            "`{key}` is no key of a case; a case has name, event, config, services (clock, settled, state, lookup) and expect"
        ));
    }
    if file.cases.is_empty() {
        return Err("there is no case in it; write `[[cases]]` with name, event and expect".to_owned());
    }
    let mut names = BTreeSet::new();
    let mut cases = Vec::with_capacity(file.cases.len());
    for written in file.cases {
        let name = written.name.clone();
        if !names.insert(name.clone()) {
            return Err(format!("two cases are called `{name}`; a name tells them apart"));
        }
        cases.push(written.read(file.config.as_ref()).map_err(|fault| format!("case `{name}`: {fault}"))?);
    }
    Ok(cases)
}

impl Written {
    fn read(self, config: Option<&Value>) -> Result<Case, String> {
        let Self { name, mut event, config: own, services, expect } = self;
        // What a case is about is rarely who sent it under which id.
        if let Some(event) = event.as_object_mut() {
            event.entry("id").or_insert_with(|| json!(name));
        }
        let parsed = Event::from_json(event.to_string().as_bytes()).map_err(|error| format!("event: {error}"))?;
        if parsed.unknown_keys > 0 {
            return Err(format!("event: {} keys that no event has; `signalbox schema event` has them all", parsed.unknown_keys));
        }
        let expected = expect.as_object().ok_or("`expect` is no table of proposals, absent, outcome and decision")?;
        if let Some(key) = expected.keys().find(|key| !EXPECTATIONS.contains(&key.as_str())) {
            return Err(format!("`expect.{key}` is no expectation; there are {}", EXPECTATIONS.join(", ")));
        }
        if expected.is_empty() {
            return Err("it expects nothing, so it cannot fail; give proposals, absent, outcome or decision".to_owned());
        }
        for key in ["proposals", "absent"] {
            if expected.get(key).is_some_and(|list| !list.is_array()) {
                return Err(format!("`expect.{key}` is no list"));
            }
        }
        if let Some(outcome) = expected.get("outcome") {
            serde_json::from_value::<Outcome>(outcome.clone()).map_err(|error| format!("`expect.outcome`: {error}"))?;
        }
        if expected.contains_key("decision") && services.settled != crate::verdict::SoFar::default() {
            return Err("a decision is made by the plugin alone, so `services.settled` has no place in it; expect proposals".to_owned());
        }
        Ok(Case { name, event: parsed.event, config: own.or_else(|| config.cloned()), services, expect })
    }
}

/// A plugin's own examples as cases.
///
/// # Errors
/// The example that is none, by name.
pub fn of_examples(examples: &[Example]) -> Result<Vec<Case>, String> {
    let case = |example: &Example| {
        let fault = |what: String| format!("example `{}`: {what}", example.name);
        let event = Event::from_json(example.event.to_string().as_bytes()).map_err(|error| fault(format!("event: {error}")))?.event;
        let services = example.services.clone().filter(|services| !services.is_null());
        let services = services.map_or(Ok(Services::default()), serde_json::from_value);
        let services = services.map_err(|error| fault(format!("services: {error}")))?;
        Ok(Case { name: example.name.clone(), event, config: example.config.clone(), services, expect: example.expect.clone() })
    };
    examples.iter().map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        config = { words = ["down"] }
        [[cases]]
        name = "an outage"
        event = { text = "it is down" }
        expect = { absent = ["note"], outcome = "ran" }
        [[cases]]
        name = "at night"
        event = { id = "7", text = "down" }
        config = { words = [] }
        services = { clock = "2026-03-01T02:00:00Z" }
        [[cases.expect.proposals]]
        effect = { type = "set_urgency", value = "high" }
    "#;

    #[test]
    fn both_forms_are_read() {
        let cases = read(GOOD, true).unwrap();
        assert_eq!((cases[0].event.id.as_str(), cases[1].event.id.as_str()), ("an outage", "7"));
        assert_eq!((&cases[0].config, &cases[1].config), (&Some(json!({ "words": ["down"] })), &Some(json!({ "words": [] }))));
        assert_eq!(cases[1].services.clock.map(|clock| clock.0), Some(1_772_330_400_000));
        let json = json!([{ "name": "a", "event": { "text": "t" }, "expect": { "absent": [] } }]).to_string();
        assert_eq!(read(&json, false).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_case_is_told_with_its_place() {
        let case = |more: &str| format!("[[cases]]\nname = \"a\"\n{more}");
        for (text, words) in [
            (String::new(), "missing field `cases`"),
            ("cases = []".to_owned(), "there is no case"),
            (case("event = { text = \"t\" }"), "missing field `expect`, at `cases[0]`"),
            (case("event = { text = \"t\" }\nexpect = {}"), "it expects nothing"),
            (case("event = { text = \"t\" }\nexpect = { proposal = [] }"), "`expect.proposal` is no expectation"),
            (case("event = { text = \"t\" }\nexpect = { absent = \"note\" }"), "`expect.absent` is no list"),
            (case("event = { text = \"t\" }\nexpect = { outcome = \"fine\" }"), "`expect.outcome`: unknown variant `fine`"),
            (case("event = { txt = \"t\" }\nexpect = { absent = [] }"), "case `a`: event: "),
            (case("event = { text = \"t\", colour = 1 }\nexpect = { absent = [] }"), "1 keys that no event has"),
            (case("event = { text = \"t\" }\nexpct = {}\nexpect = { absent = [] }"), "`cases.0.expct` is no key"),
            (case("event = { text = \"t\" }\nservices = { clok = 1 }\nexpect = { absent = [] }"), "unknown field `clok`"),
            (case("event = { text = \"t\" }\nservices = { clock = \"noon\" }\nexpect = { absent = [] }"), "at `cases[0].services.clock`"),
            (
                case(
                    "event = { text = \"t\" }\nservices = { settled = { crisis = \"none\", intent = \"x\" } }\nexpect = { decision = {} }",
                ),
                "no place in it",
            ),
            (GOOD.replace("at night", "an outage"), "two cases are called"),
            ("cases = [".to_owned(), "TOML parse error"),
        ] {
            let said = read(&text, true).unwrap_err();
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(read("{", false).unwrap_err().contains("not JSON"));
    }
}
