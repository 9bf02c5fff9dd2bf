//! The pure core: adds up what the words say, turned by what stands around them, and names the five steps and the signals.
//!
//! Additive on purpose: the reason and the evidence are the very words that made the score.

use signalbox_sdk::text::{AFTER_BUT, ASKED, BEFORE_BUT, BLOCKED, CAPS, ELONGATED, HYPOTHETICAL, Kind, NEGATED, QUOTED, Text, Token};
use signalbox_sdk::{Effect, Evidence, Proposal, Sentiment, SentimentLabel, Span, proposal};

use crate::config::{Domain, Role, Says, Tables, Thresholds};
use crate::learned::{Learned, Side};
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
/// How much of the score is the model's: how strongly somebody feels, the words know better.
const LEAN: f32 = 0.3;
/// A piece that moves less is not worth a word.
const LEAST: f32 = 0.02;

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
    /// Tokens of the fields before.
    pub(crate) base: usize,
    /// The tokens of its field that it covers.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) sentence: u16,
    pub(crate) valence: f32,
    pub(crate) role: Role,
    pub(crate) token_flags: u16,
}

/// Judges one event: always one proposal.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let mut heard = Heard { hits: Vec::with_capacity(32), signals: Vec::new(), heat: 0, tokens: 0 };
    let title = input.title.filter(|title| !input.text.starts_with(title.trim_end_matches('…'))).map(|title| ("title", title));
    let mut total = 0.0;
    let mut texts = Vec::with_capacity(2);
    for (field, written) in title.into_iter().chain([("text", input.text)]) {
        let text = Text::read(written);
        total += hear(field, &text, tables, &mut heard);
        heard.tokens += text.tokens.len();
        texts.push((field, text));
    }
    if let Some(rating) = input.rating {
        let valence = (rating as f32 - 0.5) * 2.0 * RATING;
        total += valence;
        heard.hits.push(Hit {
            field: "rating",
            start: 0,
            end: 0,
            base: 0,
            from: 0,
            to: 0,
            sentence: 0,
            valence,
            role: Role::Plain,
            token_flags: 0,
        });
    }
    let score = total / (total * total + SQUASH).sqrt();
    if score <= -0.5 && heard.heat >= 2 {
        heard.signal("anger");
    }
    if heard.signals.iter().any(|s| s == "sarcasm") {
        heard.signals.retain(|s| s != "gratitude" && s != "relief");
    }
    let learned = (tables.domain != Domain::Words).then(|| Learned::judge(&texts, input.rating, score, &heard, tables)).flatten();
    vec![write(input, tables, &mut heard, &texts, score, learned)]
}

/// What the words of the lists say.
pub(crate) struct Heard {
    pub(crate) hits: Vec<Hit>,
    pub(crate) signals: Vec<String>,
    /// Marks of heat: shouted words, exclamation runs.
    heat: u32,
    /// Tokens of the fields before the one that is heard.
    tokens: usize,
}

impl Heard {
    fn signal(&mut self, key: &str) {
        if !self.signals.iter().any(|s| s == key) {
            self.signals.push(key.to_owned());
        }
    }
}

/// Hears one field, and returns its total.
fn hear(field: &'static str, text: &Text, tables: &Tables, heard: &mut Heard) -> f32 {
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
            base: heard.tokens,
            from: at,
            to: at + 1,
            sentence: token.sentence,
            valence: 0.0,
            role: Role::Plain,
            token_flags: token.flags,
        };
        match says_at(text, at, tables, heard) {
            Some((_, Says::Factor(by), end)) => {
                (factor, factor_until) = (by, end + FACTOR_REACH);
                continue;
            }
            Some((valence, Says::Feels { role, .. }, end)) => {
                let reach = if at < factor_until { factor } else { 1.0 };
                hit.valence = turned(valence, token, role) * reach * emphasis(text, at, end);
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
    if !resolved && let Some(cue) = sarcasm::find(text, hits) {
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

/// A piece of a field, or a fact, with what it said.
struct Piece {
    field: &'static str,
    start: u32,
    end: u32,
    /// For the step; negative speaks against it.
    weight: f32,
}

/// The words that made the step, strongest first.
fn pieces(heard: &Heard, texts: &[(&'static str, Text)], score: f32, learned: Option<&Learned>) -> Vec<Piece> {
    let side = if score < 0.0 { -1.0 } else { 1.0 };
    let piece = |hit: &Hit, weight: f32| Piece { field: hit.field, start: hit.start, end: hit.end, weight };
    let Some(learned) = learned else {
        return heard.hits.iter().filter(|h| h.valence.abs() > 0.05).map(|h| piece(h, h.valence * side)).collect();
    };
    let total: f32 = heard.hits.iter().map(|h| h.valence.abs()).sum();
    let mut covered = vec![false; learned.parts.len()];
    let mut pieces = Vec::with_capacity(covered.len());
    for hit in &heard.hits {
        covered.iter_mut().take(hit.base + hit.to).skip(hit.base + hit.from).for_each(|c| *c = true);
        // A hit against the score has no share in it.
        let share =
            if hit.valence * side > 0.0 || learned.side == Side::Neutral { hit.valence.abs() / total.max(f32::EPSILON) } else { 0.0 };
        pieces.push(piece(hit, learned.of_hit(hit, share)));
    }
    let tokens = texts.iter().flat_map(|(field, text)| text.tokens.iter().map(move |token| (*field, token)));
    for (at, (field, token)) in tokens.enumerate() {
        if !covered[at] && matches!(token.kind, Kind::Word | Kind::Emoji) {
            pieces.push(Piece { field, start: token.start, end: token.end, weight: learned.parts[at] });
        }
    }
    pieces.retain(|piece| piece.weight.abs() > LEAST);
    pieces
}

/// The score with the step it must lie in: the model settles the step, both settle how far.
fn score_of(learned: &Learned, words: f32) -> f32 {
    let t = Thresholds::default();
    let both = LEAN * learned.lean + (1.0 - LEAN) * words;
    match learned.side {
        // The model may not make it "very": the words know better how strongly somebody feels.
        Side::Negative => both.max(if words > t.very_negative { t.very_negative + 0.01 } else { -1.0 }).min(t.negative),
        // No word of feeling, and no side: there is nothing to be warmer or colder about.
        Side::Neutral if words == 0.0 => 0.0,
        Side::Neutral => both.clamp(t.negative + 0.01, t.positive - 0.01),
        Side::Positive => both.min(if words < t.very_positive { t.very_positive - 0.01 } else { 1.0 }).max(t.positive),
    }
}

fn write(
    input: &Input<'_>,
    tables: &Tables,
    heard: &mut Heard,
    texts: &[(&'static str, Text)],
    words_score: f32,
    learned: Option<Learned>,
) -> Proposal {
    let t = tables.thresholds;
    let score = learned.as_ref().map_or(words_score, |learned| score_of(learned, words_score));
    let label = step(score, t);
    let name = ["very negative", "negative", "neutral", "positive", "very positive"][label as usize];
    heard.signals.sort_by_key(|key| tables.signals.iter().position(|s| s.key == *key).unwrap_or(usize::MAX));
    let mut pieces = pieces(heard, texts, score, learned.as_ref());
    let total: f32 = pieces.iter().map(|p| p.weight.abs()).sum();
    pieces.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    pieces.truncate(MAX_EVIDENCE);
    let words = |piece: &Piece| match piece.field {
        "rating" => format!("{:.2}", input.rating.unwrap_or_default()),
        field => {
            let written = if field == "title" { input.title.unwrap_or_default() } else { input.text };
            written.get(piece.start as usize..piece.end as usize).unwrap_or_default().to_owned()
        }
    };
    let evidence: Vec<Evidence> = pieces
        .iter()
        .map(|piece| Evidence {
            field: piece.field.to_owned(),
            span: (piece.field != "rating").then_some(Span { start: piece.start, end: piece.end }),
            text: words(piece),
            weight: piece.weight / total.max(f32::EPSILON),
        })
        .collect();
    let spoke: Vec<String> = pieces
        .iter()
        .filter(|p| p.weight > 0.0)
        .take(3)
        .map(|p| if p.field == "rating" { format!("a rating of {}", words(p)) } else { format!("“{}”", words(p)) })
        .collect();
    let mut reason =
        if spoke.is_empty() { format!("sounds {name}: no word of feeling in it") } else { format!("sounds {name}: {}", spoke.join(", ")) };
    if !heard.signals.is_empty() {
        reason.push_str(&format!("; signals {}", heard.signals.join(", ")));
    }
    let confidence = learned.as_ref().map_or_else(|| confidence(heard, score, t), |learned| learned.confidence);
    let rule = if learned.is_some() { "model" } else { "words" };
    let effect = Effect::FlagSentiment(Sentiment { label, score, signals: heard.signals.clone() });
    Proposal { evidence, rule_id: Some(rule.to_owned()), ..proposal(effect, reason, confidence) }
}

/// How sure the words alone are: the score stands far from the border of its step, and the words agree with each other.
fn confidence(heard: &Heard, score: f32, t: Thresholds) -> f32 {
    let total: f32 = heard.hits.iter().map(|h| h.valence.abs()).sum();
    let distance = [t.very_negative, t.negative, t.positive, t.very_positive].iter().map(|b| (score - b).abs()).fold(1.0, f32::min);
    let agreement = if total > 0.0 { (heard.hits.iter().map(|h| h.valence).sum::<f32>().abs() / total).min(1.0) } else { 0.3 };
    (0.4 + 0.5 * distance + 0.25 * agreement).clamp(0.3, 0.95)
}

#[cfg(test)]
mod robust;
#[cfg(test)]
mod tests;
