//! A host for unit tests: what a rule asks is answered from what the test has put in, and what it writes can be read again.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::{event, run, set_services, settled};
#[cfg(not(target_arch = "wasm32"))]
use crate::services::logging::Severity;
use crate::{Rule, RuleError, Verdict};

thread_local! {
    static LINES: RefCell<Vec<String>> = RefCell::default();
}

/// Keeps a line of the log.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn keep_line(severity: Severity, message: &str) {
    LINES.with_borrow_mut(|lines| lines.push(format!("{}: {message}", word(severity))));
}

#[cfg(not(target_arch = "wasm32"))]
fn word(severity: Severity) -> &'static str {
    ["trace", "debug", "info", "warn", "error"][severity as usize]
}

/// What the last event on this thread wrote into the log, as `severity: message`.
pub fn logged() -> Vec<String> {
    LINES.with_borrow(Clone::clone)
}

/// A host with nothing in it: no table, no thread, no calendar, the first moment of 2026, the defaults of the rule's config.
///
/// ```
/// use serde_json::json;
/// use signalbox_sdk::testing::MockHost;
/// use signalbox_sdk::{ConfigProblem, Description, Effect, Event, Rule, RuleError, SoFar, Verdict, lookup, proposal, state};
///
/// struct MyRule;
///
/// impl Rule for MyRule {
/// #     fn describe() -> Description {
/// #         let [name, version, summary, config_schema] = ["my-rule", "0.1.0", "Notes what is down.", "{}"].map(str::to_owned);
/// #         let effects = vec!["note".to_owned()];
/// #         let (event_kinds, requests, examples) = (Vec::new(), Vec::new(), Vec::new());
/// #         Description { name, version, summary, homepage: None, license: None, event_kinds, effects, requests, config_schema, examples }
/// #     }
/// #     fn configure(_: &str) -> Result<Self, Vec<ConfigProblem>> { Ok(Self) }
///     fn evaluate(&self, event: &Event, _: &SoFar) -> Result<Verdict, RuleError> {
///         let row = lookup::row("services", &event.text)?.unwrap_or_default();
///         let count = state::increment("seen", 1, None)?;
///         let note = row.text("status").map(|status| format!("{status}, asked {count} times"));
///         Ok(note.map(|note| proposal(Effect::Note(note), "the table says so", 1.0)).into_iter().collect::<Vec<_>>().into())
///     }
/// }
///
/// let host = MockHost::new().row("services", "vpn", json!({"status": "down"})).remembers("seen", json!(41));
/// let verdict = host.judge::<MyRule>(json!({"text": "vpn"})).unwrap();
/// assert_eq!(verdict.proposals[0].effect, Effect::Note("down, asked 42 times".to_owned()));
/// ```
#[derive(Clone, Debug)]
pub struct MockHost {
    config: Value,
    services: Value,
}

impl Default for MockHost {
    fn default() -> Self {
        Self::new()
    }
}

impl MockHost {
    /// A host with nothing in it.
    pub fn new() -> Self {
        Self { config: json!({}), services: json!({}) }
    }

    /// The config that the rule is brought in with.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// The moment of the run: `2026-01-02T09:00:00Z`.
    #[must_use]
    pub fn clock(mut self, moment: &str) -> Self {
        self.services["clock"] = json!(moment);
        self
    }

    /// What the steps before have settled, in canonical JSON.
    #[must_use]
    pub fn settled(mut self, settled: Value) -> Self {
        self.services["settled"] = settled;
        self
    }

    /// A row of a table of the admin's.
    #[must_use]
    pub fn row(mut self, table: &str, key: &str, columns: Value) -> Self {
        self.services["lookup"]["tables"][table][key] = columns;
        self
    }

    /// A table that is there, and has no row.
    #[must_use]
    pub fn table(mut self, table: &str) -> Self {
        self.services["lookup"]["tables"][table] = json!({});
        self
    }

    /// What the step remembers: a text, or a whole number that is a count.
    #[must_use]
    pub fn remembers(mut self, key: &str, value: Value) -> Self {
        self.services["state"][key] = value;
        self
    }

    /// Earlier messages of the thread, the latest first.
    #[must_use]
    pub fn thread(mut self, messages: Value) -> Self {
        self.services["lookup"]["thread"] = messages;
        self
    }

    /// A calendar: whether it is open, and when the time that is asked for is up.
    #[must_use]
    pub fn calendar(mut self, name: &str, open: bool, due: &str) -> Self {
        self.services["lookup"]["calendars"][name] = json!({ "open": open, "due": due });
        self
    }

    /// Judges one event of canonical JSON on a freshly configured rule. What the rule wrote is afterwards in [`crate::state`] and
    /// [`logged`].
    ///
    /// # Errors
    /// What the rule says instead of a verdict; `failed` when it does not take the config.
    pub fn judge<R: Rule>(&self, json: Value) -> Result<Verdict, RuleError> {
        let rule = R::configure(&self.config.to_string()).map_err(|problems| RuleError::Failed(format!("config: {problems:?}")))?;
        LINES.set(Vec::new());
        let event = event(&json);
        set_services(&self.services);
        rule.evaluate(&event, &settled(&self.services["settled"]))
    }
}

/// Runs every example of a rule, as the upload gate does on wasm.
///
/// # Errors
/// The first that does not hold, with what came instead.
pub fn examples_hold<R: Rule>() -> Result<(), String> {
    let description = R::describe();
    serde_json::from_str::<Value>(&description.config_schema).map_err(|error| format!("the config's schema is not JSON: {error}"))?;
    description.examples.iter().try_for_each(run::<R>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConfigProblem, Description, Effect, Event, SoFar, lookup, proposal, state};

    /// Tags what a table says, and counts.
    struct Asks;

    impl Rule for Asks {
        fn describe() -> Description {
            Description {
                name: "asks".to_owned(),
                version: "0.1.0".to_owned(),
                summary: String::new(),
                homepage: None,
                license: None,
                event_kinds: Vec::new(),
                effects: vec!["tag".to_owned()],
                requests: Vec::new(),
                config_schema: "{}".to_owned(),
                examples: crate::examples(&[crate::Case {
                    name: "nothing known",
                    event: r#"{"text": "x"}"#,
                    services: r#"{"lookup": {"tables": {"services": {}}}}"#,
                    expect: r#"{"absent": ["note"], "proposals": [{"effect": {"type": "tag", "value": "1"}}]}"#,
                    ..crate::Case::EMPTY
                }]),
            }
        }

        fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>> {
            if config.contains("bad") { Err(vec![crate::config::problem("/bad", "no")]) } else { Ok(Self) }
        }

        fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError> {
            let row = lookup::row("services", &event.text)?.unwrap_or_default();
            crate::log::info(&format!("{} columns", row.0.len()));
            let count = state::increment("seen", 1, None)?;
            let note = row.text("status").map(|status| proposal(Effect::Note(status.to_owned()), "the table says so", 1.0));
            let tag = proposal(Effect::Tag(settled.intent.clone().unwrap_or_else(|| count.to_string())), "counted", 1.0);
            Ok(note.into_iter().chain([tag]).collect::<Vec<_>>().into())
        }
    }

    #[test]
    fn a_rule_is_told_what_the_test_put_in_and_nothing_else() {
        let host = MockHost::new().row("services", "vpn", json!({"status": "down"})).remembers("seen", json!(41));
        let verdict = host.judge::<Asks>(json!({"text": "vpn"})).unwrap();
        assert_eq!(verdict.proposals[0].effect, Effect::Note("down".to_owned()));
        assert_eq!(verdict.proposals[1].effect, Effect::Tag("42".to_owned()));
        assert_eq!((logged(), state::text("seen").unwrap().as_deref()), (vec!["info: 1 columns".to_owned()], Some("42")));
        let empty = MockHost::new().table("services").settled(json!({"intent": "question"})).judge::<Asks>(json!({"text": "vpn"})).unwrap();
        assert_eq!((empty.proposals.len(), &empty.proposals[0].effect), (1, &Effect::Tag("question".to_owned())));
        assert!(
            matches!(MockHost::new().judge::<Asks>(json!({"text": "vpn"})), Err(RuleError::Transient(why)) if why.contains("`services`"))
        );
        assert!(
            matches!(MockHost::new().config(json!({"bad": 1})).judge::<Asks>(json!({})), Err(RuleError::Failed(why)) if why.contains("/bad"))
        );
    }

    #[test]
    fn examples_hold_or_the_first_that_does_not_is_told() {
        examples_hold::<Asks>().unwrap();
        struct Wrong;
        impl Rule for Wrong {
            fn describe() -> Description {
                Description { examples: Asks::describe().examples, ..Asks::describe() }
            }
            fn configure(_: &str) -> Result<Self, Vec<ConfigProblem>> {
                Ok(Self)
            }
            fn evaluate(&self, _: &Event, _: &SoFar) -> Result<Verdict, RuleError> {
                Ok(Vec::new().into())
            }
        }
        assert!(examples_hold::<Wrong>().unwrap_err().contains("nothing known"));
    }
}
