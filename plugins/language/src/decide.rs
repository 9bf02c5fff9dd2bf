//! The pure core: which language the words are of, how sure that is, and when not to guess.

use signalbox_model::{Bag, File, Shape, Words, softmax};
use signalbox_sdk::text::{Kind, Text};
use signalbox_sdk::{Effect, Evidence, Proposal, Span, proposal};

use crate::config::Tables;

static MODEL: &[u8] = include_bytes!("model.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (2, 4), skips: false, tone: false };
/// The columns of the model; behind them stands any other language.
pub(crate) const LANGUAGES: [(&str, &str); 7] =
    [("de", "German"), ("en", "English"), ("es", "Spanish"), ("fi", "Finnish"), ("fr", "French"), ("it", "Italian"), ("pt", "Portuguese")];
const COLUMNS: usize = LANGUAGES.len() + 1;
/// What the source's claim adds to a language's score: it settles what the words leave open, and no more.
const CLAIM: f32 = 1.0;
const MAX_EVIDENCE: usize = 5;

/// What the core looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    /// As the source claims.
    pub(crate) claimed: Option<&'a str>,
}

/// Judges one event: a language, or that none can be told.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let text = Text::read(input.text);
    let words = text.tokens.iter().filter(|token| token.kind == Kind::Word && is_word(text.word(token))).count();
    let claimed = input.claimed.map(primary).filter(|claimed| tables.languages.contains(claimed));
    if let Some(found) = judge(input, tables, &text, words, claimed.as_deref()) {
        return vec![found];
    }
    if let Some(claimed) = claimed.filter(|_| tables.trust_source) {
        let why = Evidence { field: "language".to_owned(), span: None, text: claimed.clone(), weight: 1.0 };
        let reason = format!("the words do not tell it; the source says {}", name(&claimed));
        return vec![said(Effect::SetLanguage(claimed), reason, 0.5, "source", vec![why])];
    }
    if words >= tables.least_words && tables.tag_unknown {
        let reason = "its words are of no language that is served, or of several".to_owned();
        return vec![said(Effect::Tag("language:unknown".to_owned()), reason, 0.6, "unknown", whole(input, &text))];
    }
    Vec::new()
}

/// The language of the words, if it is one that is served and the model is sure.
fn judge(input: &Input<'_>, tables: &Tables, text: &Text, words: usize, claimed: Option<&str>) -> Option<Proposal> {
    if words == 0 {
        return None;
    }
    let head = File::over(MODEL)?.head::<COLUMNS>(0)?;
    let bag = Bag::of(text, &Words::NONE, SHAPE);
    let mut parts = Vec::new();
    let mut scores = head.explain(&bag, &mut parts);
    if let Some(at) = claimed.and_then(|claimed| LANGUAGES.iter().position(|(code, _)| *code == claimed)) {
        scores[at] += CLAIM;
    }
    let chances = softmax(scores);
    let best = (0..COLUMNS).fold(0, |best, at| if chances[at] > chances[best] { at } else { best });
    let (code, spoken) = LANGUAGES.get(best).filter(|(code, _)| tables.languages.iter().any(|served| served == code))?;
    let least = if words < tables.least_words { tables.sure_short } else { tables.sure };
    if chances[best] < least {
        return None;
    }
    let others = |part: &[f32; COLUMNS]| part[best] - (part.iter().sum::<f32>() - part[best]) / (COLUMNS - 1) as f32;
    let mut spoke: Vec<(f32, Span)> = text
        .tokens
        .iter()
        .zip(&parts)
        .filter(|(token, _)| token.kind == Kind::Word)
        .map(|(token, part)| (others(part), Span { start: token.start, end: token.end }))
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    spoke.sort_by(|a, b| b.0.total_cmp(&a.0));
    spoke.truncate(MAX_EVIDENCE);
    let total: f32 = spoke.iter().map(|(weight, _)| weight).sum();
    let evidence = |(weight, span): &(f32, Span)| Evidence {
        field: "text".to_owned(),
        span: Some(*span),
        text: cut(input.text, *span).to_owned(),
        weight: weight / total.max(f32::EPSILON),
    };
    let quoted: Vec<String> = spoke.iter().take(3).map(|(_, span)| format!("“{}”", cut(input.text, *span))).collect();
    let quoted = if quoted.is_empty() { "the whole of it".to_owned() } else { quoted.join(", ") };
    let reason = format!("reads like {spoken}: {quoted}");
    Some(said(
        Effect::SetLanguage((*code).to_owned()),
        reason,
        chances[best].clamp(0.02, 0.99),
        "model",
        spoke.iter().map(evidence).collect(),
    ))
}

/// The language of a tag: "de" of "de-AT".
fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

fn name(code: &str) -> &str {
    LANGUAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

fn is_word(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().all(char::is_alphabetic)
}

fn cut(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// The first words, for all of them.
fn whole(input: &Input<'_>, text: &Text) -> Vec<Evidence> {
    let first = text.tokens.iter().filter(|token| token.kind == Kind::Word).take(3);
    let one = |token: &signalbox_sdk::text::Token| {
        let span = Span { start: token.start, end: token.end };
        Evidence { field: "text".to_owned(), span: Some(span), text: cut(input.text, span).to_owned(), weight: 0.3 }
    };
    first.map(one).collect()
}

fn said(effect: Effect, reason: String, confidence: f32, rule: &str, evidence: Vec<Evidence>) -> Proposal {
    Proposal { rule_id: Some(rule.to_owned()), evidence, ..proposal(effect, reason, confidence) }
}

#[cfg(test)]
mod tests;
