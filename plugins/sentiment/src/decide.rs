//! The pure core: adds up what the words say, turned by what stands around them, and names the five steps and the signals.
//!
//! Additive on purpose: the reason and the evidence are the very words that made the score.

use signalbox_sdk::text::{AFTER_BUT, ASKED, BEFORE_BUT, BLOCKED, CAPS, ELONGATED, HYPOTHETICAL, Kind, NEGATED, QUOTED, Text, Token};
use signalbox_sdk::{Effect, Evidence, Proposal, Sentiment, SentimentLabel, Span, proposal};

use crate::config::{Role, Says, Tables, Thresholds};
use crate::sarcasm;

/// Factors of emphasis and of context. They were set by hand on posts of our own, and held against public tweets.
const CAPS_FACTOR: f32 = 1.3;
const HELD_FACTOR: f32 = 1.2;
const QUOTED_FACTOR: f32 = 0.4;
const SUPPOSED_FACTOR: f32 = 0.35;
const ASKED_FAILURE_FACTOR: f32 = 0.6;
const AFTER_BUT_FACTOR: f32 = 1.3;
const BEFORE_BUT_FACTOR: f32 = 0.55;
const DENIED_PRAISE: f32 = -0.75;
const DENIED_BLAME: f32 = -0.35;
/// A trouble that is over still stings a little.
const OVER_FACTOR: f32 = 0.25;
const EXCLAMATION: f32 = 0.3;
const SHOUTING: f32 = 1.15;
/// A rating of 0 or 1 weighs this much: two plain words.
const RATING: f32 = 4.0;
/// Total valence t becomes t / sqrt(t² + this): one strong word is a half, two are three quarters.
const SQUASH: f32 = 13.0;
/// Words that a factor reaches over.
const FACTOR_REACH: usize = 2;
const MAX_HITS: usize = 256;
const MAX_EVIDENCE: usize = 8;

/// What the core looks at. An absent fact is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) title: Option<&'a str>,
    /// 0.0 ..= 1.0
    pub(crate) rating: Option<f64>,
}

/// Words that spoke, or a fact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) field: &'static str,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The tokens it covers.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) sentence: u16,
    pub(crate) valence: f32,
    pub(crate) role: Role,
    pub(crate) token_flags: u16,
}

/// Judges one event: always one proposal.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let mut heard = Heard { hits: Vec::with_capacity(32), signals: Vec::new(), heat: 0 };
    let title = input.title.filter(|title| !input.text.starts_with(title.trim_end_matches('…')));
    let mut total = title.map_or(0.0, |title| hear("title", title, tables, &mut heard));
    total += hear("text", input.text, tables, &mut heard);
    if let Some(rating) = input.rating {
        let valence = (rating as f32 - 0.5) * 2.0 * RATING;
        total += valence;
        heard.hits.push(Hit { field: "rating", start: 0, end: 0, from: 0, to: 0, sentence: 0, valence, role: Role::Plain, token_flags: 0 });
    }
    let score = total / (total * total + SQUASH).sqrt();
    let label = step(score, tables.thresholds);
    if score <= -0.5 && heard.heat >= 2 {
        heard.signal("anger");
    }
    if heard.signals.iter().any(|s| s == "sarcasm") {
        heard.signals.retain(|s| s != "gratitude" && s != "relief");
    }
    vec![write(input, tables, &mut heard, score, label)]
}

struct Heard {
    hits: Vec<Hit>,
    signals: Vec<String>,
    /// Marks of heat: shouted words, exclamation runs.
    heat: u32,
}

impl Heard {
    fn signal(&mut self, key: &str) {
        if !self.signals.iter().any(|s| s == key) {
            self.signals.push(key.to_owned());
        }
    }
}

/// Hears one field, and returns its total.
fn hear(field: &'static str, written: &str, tables: &Tables, heard: &mut Heard) -> f32 {
    let text = Text::read(written);
    let first = heard.hits.len();
    let (mut covered, mut factor, mut factor_until) = (0, 1.0, 0);
    for (at, token) in text.tokens.iter().enumerate() {
        if at < covered || !matches!(token.kind, Kind::Word | Kind::Emoji) || heard.hits.len() >= MAX_HITS {
            continue;
        }
        let mut hit = Hit {
            field,
            start: token.start,
            end: token.end,
            from: at,
            to: at + 1,
            sentence: token.sentence,
            valence: 0.0,
            role: Role::Plain,
            token_flags: token.flags,
        };
        match says_at(&text, at, tables, heard) {
            Some((_, Says::Factor(by), end)) => {
                (factor, factor_until) = (by, end + FACTOR_REACH);
                continue;
            }
            Some((valence, Says::Feels { role, .. }, end)) => {
                let reach = if at < factor_until { factor } else { 1.0 };
                hit.valence = turned(valence, token, role) * reach * emphasis(&text, at, end);
                (hit.to, hit.role) = (end, role);
            }
            Some((valence, Says::Signal(_), end)) => {
                hit.valence = turned(valence, token, Role::Plain);
                hit.to = end;
            }
            None => continue,
        }
        hit.end = text.tokens[hit.to - 1].end;
        covered = hit.to;
        factor_until = 0;
        heard.hits.push(hit);
    }
    heard.heat += text.exclaims.min(3) + text.tokens.iter().filter(|t| text.mixed_case && t.is(CAPS) && t.end - t.start > 4).count() as u32;
    let hits = &mut heard.hits[first..];
    let resolved = settle_over(hits);
    if !resolved && let Some(cue) = sarcasm::find(&text, hits) {
        sarcasm::turn(hits, cue);
        heard.signal("sarcasm");
    } else if heard.signals.iter().any(|s| s == "sarcasm") {
        sarcasm::turn_all(&mut heard.hits[first..]);
    }
    let mut total: f32 = heard.hits[first..].iter().map(|h| h.valence).sum();
    if total != 0.0 {
        total += total.signum() * text.exclaims.min(3) as f32 * EXCLAMATION;
    }
    if !text.mixed_case && text.tokens.iter().filter(|t| t.is(CAPS)).count() >= 4 {
        total *= SHOUTING;
    }
    total
}

/// Notes every signal that begins here, and returns what counts with its valence and end: the longest signal, else the longest
/// word.
fn says_at(text: &Text, at: usize, tables: &Tables, heard: &mut Heard) -> Option<(f32, Says, usize)> {
    let token = &text.tokens[at];
    let mut signal: Option<(f32, Says, usize)> = None;
    let mut word = signal;
    for (end, says) in tables.words.at(text, at) {
        let (best, valence) = match *says {
            Says::Signal(place) => {
                let known = &tables.signals[usize::from(place)];
                let doubtful = if known.cautious { QUOTED } else { QUOTED | NEGATED | BLOCKED | HYPOTHETICAL };
                if token.is(doubtful) {
                    continue;
                }
                heard.signal(&known.key);
                (&mut signal, known.valence)
            }
            Says::Feels { valence, .. } => (&mut word, valence),
            Says::Factor(_) => (&mut word, 0.0),
        };
        if best.is_none_or(|(.., longest)| end > longest) {
            *best = Some((valence, *says, end));
        }
    }
    signal.or(word)
}

/// A valence as its surroundings turn it.
fn turned(valence: f32, token: &Token, role: Role) -> f32 {
    let mut v = valence;
    if v > 0.0 && token.is(NEGATED | BLOCKED) {
        v *= DENIED_PRAISE;
    } else if v < 0.0 && token.is(NEGATED) {
        v *= DENIED_BLAME;
    }
    for (flag, factor) in [
        (AFTER_BUT, AFTER_BUT_FACTOR),
        (BEFORE_BUT, BEFORE_BUT_FACTOR),
        (QUOTED, QUOTED_FACTOR),
        (HYPOTHETICAL, SUPPOSED_FACTOR),
        (ASKED, if role == Role::Failure { ASKED_FAILURE_FACTOR } else { 1.0 }),
    ] {
        if token.is(flag) {
            v *= factor;
        }
    }
    v
}

fn emphasis(text: &Text, from: usize, to: usize) -> f32 {
    let piece = &text.tokens[from..to];
    let caps = text.mixed_case && piece.iter().any(|t| t.is(CAPS));
    let held = piece.iter().any(|t| t.is(ELONGATED));
    (if caps { CAPS_FACTOR } else { 1.0 }) * if held { HELD_FACTOR } else { 1.0 }
}

/// "works again": the failures before it are over. Denied or asked it settles nothing, nor when a failure follows it.
fn settle_over(hits: &mut [Hit]) -> bool {
    let Some(over) = hits.iter().rposition(|h| h.role == Role::Over) else { return false };
    let flags = hits[over].token_flags;
    let fails_after = hits[over..].iter().any(|h| h.role == Role::Failure && h.valence < -1.0);
    if flags & (NEGATED | BLOCKED | ASKED | HYPOTHETICAL) != 0 || fails_after {
        let denied = flags & (NEGATED | BLOCKED) != 0;
        hits[over].valence = if denied { -1.4 } else { 0.0 };
        return false;
    }
    hits.iter_mut().filter(|h| h.role == Role::Failure).for_each(|h| h.valence *= OVER_FACTOR);
    true
}

fn step(score: f32, t: Thresholds) -> SentimentLabel {
    if score <= t.very_negative {
        SentimentLabel::VeryNegative
    } else if score <= t.negative {
        SentimentLabel::Negative
    } else if score >= t.very_positive {
        SentimentLabel::VeryPositive
    } else if score >= t.positive {
        SentimentLabel::Positive
    } else {
        SentimentLabel::Neutral
    }
}

fn write(input: &Input<'_>, tables: &Tables, heard: &mut Heard, score: f32, label: SentimentLabel) -> Proposal {
    let t = tables.thresholds;
    let name = ["very negative", "negative", "neutral", "positive", "very positive"][label as usize];
    heard.signals.sort_by_key(|key| tables.signals.iter().position(|s| s.key == *key).unwrap_or(usize::MAX));
    let total: f32 = heard.hits.iter().map(|h| h.valence.abs()).sum();
    let side = if score < 0.0 { -1.0 } else { 1.0 };
    heard.hits.retain(|h| h.valence.abs() > 0.05);
    heard.hits.sort_by(|a, b| b.valence.abs().total_cmp(&a.valence.abs()));
    heard.hits.truncate(MAX_EVIDENCE);
    let words = |hit: &Hit| match hit.field {
        "rating" => format!("{:.2}", input.rating.unwrap_or_default()),
        field => {
            let written = if field == "title" { input.title.unwrap_or_default() } else { input.text };
            written.get(hit.start as usize..hit.end as usize).unwrap_or_default().to_owned()
        }
    };
    let evidence: Vec<Evidence> = heard
        .hits
        .iter()
        .map(|hit| Evidence {
            field: hit.field.to_owned(),
            span: (hit.field != "rating").then_some(Span { start: hit.start, end: hit.end }),
            text: words(hit),
            weight: hit.valence * side / total.max(f32::EPSILON),
        })
        .collect();
    let spoke: Vec<String> = heard
        .hits
        .iter()
        .filter(|h| h.valence * side > 0.0)
        .take(3)
        .map(|h| if h.field == "rating" { format!("a rating of {}", words(h)) } else { format!("“{}”", words(h)) })
        .collect();
    let mut reason =
        if spoke.is_empty() { format!("sounds {name}: no word of feeling in it") } else { format!("sounds {name}: {}", spoke.join(", ")) };
    if !heard.signals.is_empty() {
        reason.push_str(&format!("; signals {}", heard.signals.join(", ")));
    }
    // Sure when the score stands far from the border of its step, and when the words agree with each other.
    let distance = [t.very_negative, t.negative, t.positive, t.very_positive].iter().map(|b| (score - b).abs()).fold(1.0, f32::min);
    let agreement = if total > 0.0 { (heard.hits.iter().map(|h| h.valence).sum::<f32>().abs() / total).min(1.0) } else { 0.3 };
    let confidence = (0.4 + 0.5 * distance + 0.25 * agreement).clamp(0.3, 0.95);
    let effect = Effect::FlagSentiment(Sentiment { label, score, signals: heard.signals.clone() });
    Proposal { evidence, rule_id: Some("words".to_owned()), ..proposal(effect, reason, confidence) }
}

#[cfg(test)]
mod tests;
