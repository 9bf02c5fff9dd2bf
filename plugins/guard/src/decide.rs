//! The pure core: abuse from a model and words, spam from words and form, personal data from its form. It only proposes.
//!
//! A text that gives orders to machines ("ignore previous instructions") is text like any other: nothing here obeys it.

use signalbox_model::{Bag, File, Shape, WORD_TABLE, Words};
use signalbox_sdk::text::{Kind, NEGATED, QUOTED, Text};
use signalbox_sdk::{Effect, Evidence, Moderation, Proposal, Span, Visibility, proposal};

use crate::config::{Says, Tables};
use crate::personal;

static MODEL: &[u8] = include_bytes!("model.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (3, 5), skips: true, tone: true };
/// What a word of abuse moves the logit by: the model knows most of them, our own it does not.
const OWN: f32 = 3.0;
const LISTED: f32 = 0.3;
/// Spam starts so far below even, and each kind of sign lifts it.
const NO_SPAM: f32 = -3.0;
const SPAM_WORD: f32 = 2.2;
const SPAM_LINK: f32 = 1.2;
const SPAM_SHOUT: f32 = 0.5;
const MAX_EVIDENCE: usize = 6;
const MAX_HITS: usize = 64;
/// A part that moves less is not worth a word.
const LEAST: f32 = 0.05;

/// What the core looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) visibility: Visibility,
}

/// Words that spoke.
#[derive(Clone, Copy)]
struct Hit {
    says: Says,
    start: u32,
    end: u32,
    weight: f32,
}

/// Judges one event. Nothing found is nothing proposed.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let text = Text::read(input.text);
    let hits = listen(&text, tables);
    let mut out = Vec::new();
    abuse(input, tables, &text, &hits, &mut out);
    spam(input, tables, &text, &hits, &mut out);
    if tables.personal_data && matches!(input.visibility, Visibility::Public | Visibility::Followers | Visibility::Unknown) {
        personal_data(input, &mut out);
    }
    out
}

fn listen(text: &Text, tables: &Tables) -> Vec<Hit> {
    let (mut hits, mut covered) = (Vec::new(), 0);
    for (at, token) in text.tokens.iter().enumerate() {
        if at < covered || !matches!(token.kind, Kind::Word | Kind::Emoji) || hits.len() >= MAX_HITS {
            continue;
        }
        let Some((end, (says, own))) = tables.lexicon.longest(text, at) else { continue };
        covered = end;
        let weight = match says {
            Says::Abuse if token.is(QUOTED | NEGATED) => 0.0,
            Says::Abuse => {
                if *own {
                    OWN
                } else {
                    LISTED
                }
            }
            Says::Spam => SPAM_WORD,
            Says::Plain => 0.0,
        };
        hits.push(Hit { says: *says, start: token.start, end: text.tokens[end - 1].end, weight });
    }
    hits
}

fn abuse(input: &Input<'_>, tables: &Tables, text: &Text, hits: &[Hit], out: &mut Vec<Proposal>) {
    let Some((head, cut)) = File::over(MODEL).and_then(|file| Some((file.head::<1>(0)?, file.numbers::<1>()?[0]))) else { return };
    let mut parts = Vec::new();
    let bag = Bag::of(text, &Words::over(WORD_TABLE), SHAPE);
    let listed = hits.iter().filter(|hit| hit.says == Says::Abuse).map(|hit| hit.weight).fold(0.0, f32::max);
    // The cut was chosen in training: the tag begins where both classes are found equally well.
    let p = sigmoid(head.explain(&bag, &mut parts)[0] + listed - cut);
    if text.tokens.is_empty() || p < tables.abuse_at {
        return;
    }
    let mut spoke: Vec<Hit> = hits.iter().filter(|hit| hit.says == Says::Abuse).copied().collect();
    for (token, part) in text.tokens.iter().zip(&parts) {
        match spoke.iter_mut().find(|hit| hit.start <= token.start && token.end <= hit.end) {
            Some(hit) => hit.weight += part[0],
            None if matches!(token.kind, Kind::Word | Kind::Emoji) => {
                spoke.push(Hit { says: Says::Plain, start: token.start, end: token.end, weight: part[0] });
            }
            None => {}
        }
    }
    spoke.retain(|hit| hit.weight.abs() > LEAST);
    spoke.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let quoted = quote(input, &spoke);
    say(input, Effect::Tag("abuse".to_owned()), format!("sounds abusive: {quoted}"), p, "abuse", &spoke, out);
    if tables.hide && input.visibility == Visibility::Public {
        let reason = format!("abuse in public may be hidden, if a person agrees: {quoted}");
        say(input, Effect::Moderate(Moderation::Hide), reason, p * 0.9, "abuse", &spoke, out);
    }
}

fn spam(input: &Input<'_>, tables: &Tables, text: &Text, hits: &[Hit], out: &mut Vec<Proposal>) {
    let spoke: Vec<Hit> = hits.iter().filter(|hit| hit.says == Says::Spam).copied().collect();
    if spoke.is_empty() {
        return;
    }
    let links = text.links.min(2) as f32 * SPAM_LINK;
    let shouts = text.exclaims.min(4) as f32 * SPAM_SHOUT;
    let p = sigmoid(NO_SPAM + spoke.iter().map(|hit| hit.weight).sum::<f32>() + links + shouts);
    if p < tables.spam_at {
        return;
    }
    let quoted = quote(input, &spoke);
    say(input, Effect::Tag("spam".to_owned()), format!("reads like spam: {quoted}"), p, "spam", &spoke, out);
    say(
        input,
        Effect::Moderate(Moderation::MarkSpam),
        format!("spam may be marked, if a person agrees: {quoted}"),
        p * 0.9,
        "spam",
        &spoke,
        out,
    );
}

fn personal_data(input: &Input<'_>, out: &mut Vec<Proposal>) {
    let found = personal::find(input.text);
    let Some(first) = found.first() else { return };
    let spoke: Vec<Hit> = found.iter().map(|f| Hit { says: Says::Plain, start: f.start as u32, end: f.end as u32, weight: 1.0 }).collect();
    let reason = format!("the author left {} where others can read it", first.what);
    say(input, Effect::Tag("personal-data".to_owned()), reason, 0.85, "personal-data", &spoke, out);
    let note = format!("There is {} in the message: ask the author to remove it, and go on in private.", first.what);
    say(input, Effect::Note(note), "personal data in public".to_owned(), 0.85, "personal-data", &spoke, out);
}

fn words(input: &Input<'_>, hit: &Hit) -> String {
    input.text.get(hit.start as usize..hit.end as usize).unwrap_or_default().to_owned()
}

fn quote(input: &Input<'_>, hits: &[Hit]) -> String {
    let spoke: Vec<String> = hits.iter().filter(|hit| hit.weight > 0.0).take(3).map(|hit| format!("“{}”", words(input, hit))).collect();
    if spoke.is_empty() { "the tone of the whole".to_owned() } else { spoke.join(", ") }
}

fn say(input: &Input<'_>, effect: Effect, reason: String, confidence: f32, rule: &str, why: &[Hit], out: &mut Vec<Proposal>) {
    let why = &why[..why.len().min(MAX_EVIDENCE)];
    let total: f32 = why.iter().map(|hit| hit.weight.abs()).sum();
    let one = |hit: &Hit| Evidence {
        field: "text".to_owned(),
        span: Some(Span { start: hit.start, end: hit.end }),
        text: words(input, hit),
        weight: hit.weight / total.max(f32::EPSILON),
    };
    let evidence = why.iter().map(one).collect();
    out.push(Proposal { rule_id: Some(rule.to_owned()), evidence, ..proposal(effect, reason, confidence.clamp(0.02, 0.98)) });
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests;
