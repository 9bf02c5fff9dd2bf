//! Runs cases through a plugin in the real sandbox, and says what of them does not hold: for `test`, `bench` and `dev`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::card::printable;
use crate::case::{Case, of_examples};
use crate::chain::{Chain, Step};
use crate::config::{Isolation, Limits};
use crate::decision::{Decision, word};
use crate::expect::{Difference, differences, missing};
use crate::plugin::{Failure, Refusal, Rehearsal, Sandbox};

/// The chain of the plugin alone.
const ALONE: &str = "alone";
const GOOD: &str = "\x1b[32m";
const BAD: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// A plugin that is tried.
pub(super) struct Trial<'a> {
    sandbox: &'a Sandbox,
    wasm: &'a [u8],
    limits: &'a Limits,
    /// A chain of the plugin alone, by the config that it was brought in with.
    chains: BTreeMap<String, Arc<Chain>>,
}

/// How one case went.
pub(super) struct Tried {
    /// The case.
    pub name: String,
    /// Where it was not what was expected.
    pub differences: Vec<Difference>,
    /// How it ended, when it did not end well: the plugin, its version, the function, and what happened.
    pub ended: Option<String>,
    /// Where in the guest it ended, innermost first.
    pub frames: Vec<String>,
    /// What the merge law did not take, and why.
    pub dropped: Vec<String>,
    /// What the plugin alone decides; absent when it could not be configured.
    pub decision: Option<Decision>,
    /// Wall time, microseconds.
    pub micros: u64,
    /// Fuel.
    pub fuel: u64,
}

impl<'a> Trial<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, wasm: &'a [u8], limits: &'a Limits) -> Self {
        Self { sandbox, wasm, limits, chains: BTreeMap::new() }
    }

    /// The plugin with this config, as a chain of one step.
    ///
    /// # Errors
    /// What the gate says of it.
    pub(super) fn chain(&mut self, config: Option<&Value>) -> Result<Arc<Chain>, Failure> {
        let key = config.map(Value::to_string).unwrap_or_default();
        if let Some(chain) = self.chains.get(&key) {
            return Ok(chain.clone());
        }
        let plugin = self.sandbox.load(self.wasm, config, self.limits, Isolation::Fresh)?;
        let chain = Arc::new(Chain::new(ALONE.to_owned(), String::new(), vec![Step::plain(plugin)]));
        self.chains.insert(key, chain.clone());
        Ok(chain)
    }

    /// The cases that were given, else the plugin's own examples.
    ///
    /// # Errors
    /// When the plugin does not come in with its default config, or an example is none.
    pub(super) fn cases(&mut self, given: Vec<Case>) -> anyhow::Result<Vec<Case>> {
        if !given.is_empty() {
            return Ok(given);
        }
        let chain = self.chain(None).map_err(|failure| {
            let (ended, frames) = told(&failure);
            anyhow::anyhow!("{ended}{}", frames.iter().map(|frame| format!("\n  {}", printable(frame))).collect::<String>())
        })?;
        let [step] = chain.steps.as_slice() else { anyhow::bail!("a trial has one step") };
        let description = step.plugin.description();
        let own = of_examples(&description.examples).map_err(anyhow::Error::msg)?;
        anyhow::ensure!(!own.is_empty(), "{} has no examples of its own; name a file of cases", description.name);
        Ok(own)
    }

    /// Runs one case.
    pub(super) fn run(&mut self, case: &Case) -> Tried {
        let mut tried = Tried {
            name: case.name.clone(),
            differences: Vec::new(),
            ended: None,
            frames: Vec::new(),
            dropped: Vec::new(),
            decision: None,
            micros: 0,
            fuel: 0,
        };
        let chain = match self.chain(case.config.as_ref()) {
            Ok(chain) => chain,
            Err(failure) => {
                let (ended, frames) = told(&failure);
                (tried.ended, tried.frames) = (Some(ended), frames);
                return tried;
            }
        };
        let [step] = chain.steps.as_slice() else { return tried };
        let rehearsal = match Rehearsal::new(&step.plugin.description().requests, case.event.clone(), case.services.clone()) {
            Ok(rehearsal) => rehearsal,
            Err(fault) => {
                tried.ended = Some(fault);
                return tried;
            }
        };
        let subject = &rehearsal.subject;
        let answer = step.plugin.judge(subject, &rehearsal.settled, Some(rehearsal.seat()));
        (tried.micros, tried.fuel) = (answer.micros, answer.fuel);
        let decision = chain.replay(&Arc::new(case.event.clone()), subject.moment(), &rehearsal.backing(ALONE, &step.name)).decision;
        let dropped = decision.trace.iter().flat_map(|entry| &entry.dropped);
        tried.dropped = dropped.map(|dropped| format!("`{}` is dropped: {}", dropped.effect, dropped.reason)).collect();

        let expect = &case.expect;
        let outcome = word(answer.outcome);
        if expect["outcome"].as_str().map_or(answer.outcome.is_fault(), |wanted| wanted != outcome) {
            let description = step.plugin.description();
            let detail = answer.detail.as_deref().unwrap_or("no more is known");
            if answer.outcome.is_fault() {
                tried.ended = Some(format!("{} {}: `evaluate` ended as {outcome}: {detail}", description.name, description.version));
                tried.frames = answer.frames;
            }
            let expected = expect.get("outcome").cloned().unwrap_or_else(|| json!("ran"));
            tried.differences.push(Difference { path: "outcome".to_owned(), expected, got: Some(json!(outcome)) });
        } else {
            tried.differences = differences(&answer.verdict, expect);
            if let Some(wanted) = expect.get("decision") {
                let came = serde_json::to_value(&decision).unwrap_or_default();
                tried.differences.extend(missing("decision", wanted, &came));
            }
        }
        tried.decision = Some(decision);
        tried
    }
}

/// Why a plugin did not come in, with its name when that is known, and where in it that was.
fn told(failure: &Failure) -> (String, Vec<String>) {
    match failure {
        Failure::Refused(Refusal { message, fault: Some(fault), .. }) => {
            let plugin = fault.plugin.as_ref().map(|plugin| format!("{plugin}: ")).unwrap_or_default();
            (format!("{plugin}{message}"), fault.frames.clone())
        }
        other => (other.to_string(), Vec::new()),
    }
}

impl Tried {
    /// Whether it was what was expected.
    pub(super) fn holds(&self) -> bool {
        self.differences.is_empty() && self.ended.is_none()
    }

    /// What was wrong, without colour: for files.
    pub(super) fn faults(&self) -> String {
        let mut text = String::new();
        if let Some(ended) = &self.ended {
            let _ = writeln!(text, "{ended}");
            for frame in &self.frames {
                let _ = writeln!(text, "  {frame}");
            }
        }
        for Difference { path, expected, got } in &self.differences {
            let got = got.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
            let _ = writeln!(text, "{path}\n  expected  {expected}\n  got       {got}");
        }
        text
    }

    /// Its lines for a person; the colours are taken out where nobody sees them.
    pub(super) fn card(&self) -> String {
        let mut text = if self.holds() {
            format!("  {GOOD}ok{RESET}    {}  {DIM}{} us, {} fuel{RESET}\n", printable(&self.name), self.micros, self.fuel)
        } else {
            format!("  {BAD}FAIL{RESET}  {}\n", printable(&self.name))
        };
        for line in self.faults().lines() {
            // A plugin's words are foreign: nothing of them reaches the terminal but letters.
            let line = printable(line);
            let coloured = match line.trim_start().split_once("  ") {
                Some(("expected", rest)) => format!("  {GOOD}expected{RESET}  {}", rest.trim_start()),
                Some(("got", rest)) => format!("  {BAD}got{RESET}       {}", rest.trim_start()),
                _ => line,
            };
            let _ = writeln!(text, "          {coloured}");
        }
        for note in &self.dropped {
            let _ = writeln!(text, "          {DIM}note: {}{RESET}", printable(note));
        }
        text
    }
}
