//! Short ways to write a proposal, its evidence, and the examples.

use crate::{Effect, Evidence, Example, Proposal, Span};

/// A proposal without evidence: one effect, the sentence that explains it, and a confidence in 0.0 ..= 1.0.
pub fn proposal(effect: Effect, reason: impl Into<String>, confidence: f32) -> Proposal {
    Proposal { effect, reason: reason.into(), confidence, rule_id: None, evidence: Vec::new() }
}

/// Pieces of evidence that the host keeps per proposal.
const MOST: usize = 16;

impl Proposal {
    /// The same with what spoke for it, strongest first; the host keeps sixteen.
    #[must_use]
    pub fn with_evidence(mut self, evidence: &[Evidence]) -> Self {
        self.evidence = evidence[..evidence.len().min(MOST)].to_vec();
        self
    }

    /// The same with the rule, row or model that spoke, by the name that the admin knows.
    #[must_use]
    pub fn by(mut self, rule_id: impl Into<String>) -> Self {
        self.rule_id = Some(rule_id.into());
        self
    }
}

/// A fact that spoke for an effect: `fact("author.vip", "yes", 1.0)`.
pub fn fact(name: &str, value: impl Into<String>, weight: f32) -> Evidence {
    Evidence { field: name.to_owned(), span: None, text: value.into(), weight }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_says_what_spoke_for_it_in_bounds() {
        let found: Vec<Evidence> = (0..40).map(|at| evidence("down", 0, 4, at as f32)).collect();
        let proposal = proposal(Effect::Tag("x".to_owned()), "why", 0.5).with_evidence(&found).by("table:outages");
        assert_eq!((proposal.evidence.len(), proposal.rule_id.as_deref()), (16, Some("table:outages")));
        assert_eq!((proposal.evidence[0].text.as_str(), proposal.evidence[0].span), ("down", Some(Span { start: 0, end: 4 })));
        assert_eq!((fact("author.vip", "yes", 1.0).span, evidence("ä", 1, 2, 1.0).text), (None, String::new()));
    }
}
