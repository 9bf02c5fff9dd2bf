//! Short ways to write a proposal, its evidence, and the examples.

use crate::{Effect, Evidence, Example, Proposal, Span};

/// A proposal without evidence: one effect, the sentence that explains it, and a confidence in 0.0 ..= 1.0.
pub fn proposal(effect: Effect, reason: impl Into<String>, confidence: f32) -> Proposal {
    Proposal { effect, reason: reason.into(), confidence, rule_id: None, evidence: Vec::new() }
}

/// A piece of the event's text that spoke for an effect: `text[start..end]` in bytes of the raw text.
pub fn evidence(text: &str, start: usize, end: usize, weight: f32) -> Evidence {
    Evidence {
        field: "text".to_owned(),
        span: Some(Span { start: start as u32, end: end as u32 }),
        text: text.get(start..end).unwrap_or_default().to_owned(),
        weight,
    }
}

/// An [`Example`] as a plugin writes it down, in canonical JSON; an empty text is absent.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// One line: what it shows.
    pub name: &'static str,
    /// The event.
    pub event: &'static str,
    /// The config, if not the default.
    pub config: &'static str,
    /// What the host answers, with `settled` for what earlier steps settled.
    pub services: &'static str,
    /// What the verdict must contain.
    pub expect: &'static str,
}

impl Case {
    /// To fill in: `Case { name: "...", ..Case::EMPTY }`.
    pub const EMPTY: Self = Self { name: "", event: "", config: "", services: "", expect: "" };
}

/// The examples that `describe` gives.
pub fn examples(cases: &[Case]) -> Vec<Example> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    cases
        .iter()
        .map(|case| Example {
            name: case.name.to_owned(),
            event: case.event.to_owned(),
            config: given(case.config),
            services: given(case.services),
            expect: case.expect.to_owned(),
        })
        .collect()
}
