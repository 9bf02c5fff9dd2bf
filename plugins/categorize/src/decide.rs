//! The pure core: scores every category by the words that speak for it, and says which one won and why.
//!
//! Additive on purpose: each point of a score belongs to words that the reason and the evidence can show.

use signalbox_sdk::text::{ASKED, BLOCKED, HASHTAG, HYPOTHETICAL, Kind, NEGATED, QUOTED, Text, Token};
use signalbox_sdk::{Category, Effect, Evidence, Proposal, Span, proposal};

use crate::config::{Model, Says, Tables};
use crate::learned;

/// Somebody else's words count for less.
const QUOTED_SHARE: f32 = 0.5;
/// A denied state speaks against its category.
const NEGATED_SHARE: f32 = -0.5;
/// A supposed state hardly speaks.
const SUPPOSED_SHARE: f32 = 0.3;
/// What is left of a trouble that is over.
const OVER_SHARE: f32 = 0.3;
/// What is left of kind words beside a real trouble: they are manners, or sarcasm.
const MANNERS_SHARE: f32 = 0.35;
/// A score from which a trouble is real.
const REAL: f32 = 2.0;
/// What no words at all would score: it keeps the confidence of a single word modest.
const DOUBT: f32 = 0.9;
/// How far a question form lifts the categories that answer questions.
const ASKING: f32 = 1.0;
/// A review's rating speaks as loud as a word.
const RATING: f32 = 1.5;
/// A cosine with the nearest examples below which they say nothing.
const CLOSE: f32 = 0.06;
/// Service and product tags per event.
const MAX_SUBJECTS: usize = 6;
const MAX_EVIDENCE: usize = 6;
/// Hits that are weighed: a longer text says nothing new, and every hit is held against the others.
const MAX_HITS: usize = 256;

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
#[derive(Clone, Copy)]
struct Hit {
    field: &'static str,
    start: u32,
    end: u32,
    weight: f32,
    at: u16,
}

#[derive(Default)]
struct Heard {
    hits: Vec<Hit>,
    subjects: Vec<(u16, Hit)>,
    said: Vec<u16>,
    resolved: Option<Hit>,
    request: Option<Hit>,
    asked: bool,
    links: u32,
}

/// Judges one event.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let mut heard = Heard::default();
    if let Some(title) = input.title.filter(|title| !input.text.starts_with(title.trim_end_matches('…'))) {
        listen("title", title, tables, &mut heard);
    }
    listen("text", input.text, tables, &mut heard);
    if let Some(proposals) = learned(input, tables, &heard) {
        return proposals;
    }
    let scores = score(input, tables, &mut heard);
    let ranked = rank(&scores, tables);
    let (best, second) = (ranked[0], ranked.get(1).map_or(0.0, |r| r.1.max(0.0)));
    let confidence = if best.0 == tables.other { 0.3 } else { (best.1 / (best.1 + 0.6 * second + DOUBT)).clamp(0.05, 0.97) };
    let words = Words { input, rating: input.rating };

    let mut proposals = Vec::with_capacity(4);
    let category = &tables.categories[best.0];
    let mut hits: Vec<&Hit> = heard.hits.iter().filter(|h| usize::from(h.at) == best.0 && h.weight != 0.0).collect();
    hits.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    hits.truncate(MAX_EVIDENCE);
    let reason = if hits.is_empty() {
        "nothing in it speaks for a category of the taxonomy".to_owned()
    } else {
        format!("speaks of “{}”: {}", category.name(), words.quote(&hits))
    };
    let effect = Effect::Categorize(Category { key: category.key.clone(), path: category.path.clone() });
    proposals.push(Proposal {
        evidence: words.evidence(&hits),
        rule_id: Some(category.key.clone()),
        ..proposal(effect, reason, confidence)
    });
    proposals.extend(intent(&heard, category, confidence, &words));
    proposals.extend(subjects_and_end(&heard, tables, &words));
    proposals
}

/// Tags for the services and products it names, and for a trouble that is over.
fn subjects_and_end(heard: &Heard, tables: &Tables, words: &Words<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (subject, hit) in heard.subjects.iter().take(MAX_SUBJECTS) {
        let tag = &tables.subjects[usize::from(*subject)];
        let reason = format!("names {}: {}", tag.replace(':', " "), words.quote(&[hit]));
        proposals.push(Proposal {
            evidence: words.evidence(&[hit]),
            rule_id: Some(tag.clone()),
            ..proposal(Effect::Tag(tag.clone()), reason, 0.8)
        });
    }
    if let Some(hit) = &heard.resolved {
        let reason = format!("says that it is over: {}", words.quote(&[hit]));
        proposals.push(Proposal {
            evidence: words.evidence(&[hit]),
            rule_id: Some("resolved".to_owned()),
            ..proposal(Effect::Tag("resolved".to_owned()), reason, 0.7)
        });
    }
    proposals
}

/// What the model of tickets or the examples say, if they have a say. `None` leaves it to the words.
fn learned(input: &Input<'_>, tables: &Tables, heard: &Heard) -> Option<Vec<Proposal>> {
    if tables.model == Model::Words && tables.nearest.is_empty() {
        return None;
    }
    let text = Text::read(input.text);
    let verdict = match tables.model {
        Model::Tickets => learned::topic(&text),
        // Nothing in common with any example: the words decide.
        Model::Words => tables.nearest.judge(&text).filter(|verdict| verdict.closeness >= CLOSE),
    }?;
    let own;
    let category = match tables.model {
        Model::Tickets => {
            let (key, label, path) = learned::TOPICS[verdict.class];
            own = crate::config::Category::topic(key, label, path);
            &own
        }
        Model::Words => &tables.categories[verdict.class],
    };
    let words = Words { input, rating: input.rating };
    let hit = |(token, part): (&Token, &f32)| Hit { field: "text", start: token.start, end: token.end, weight: *part, at: 0 };
    let mut hits: Vec<Hit> = text.tokens.iter().zip(&verdict.parts).map(hit).filter(|hit| hit.weight > 0.0).collect();
    hits.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    hits.truncate(MAX_EVIDENCE);
    let hits: Vec<&Hit> = hits.iter().collect();
    let like = if tables.model == Model::Tickets { "tickets" } else { "the examples" };
    let quoted = if hits.is_empty() { "the whole of it".to_owned() } else { words.quote(&hits) };
    let reason = format!("reads like {like} of “{}”: {quoted}", category.name());
    let confidence = verdict.confidence.clamp(0.05, 0.99);
    let effect = Effect::Categorize(Category { key: category.key.clone(), path: category.path.clone() });
    let mut proposals =
        vec![Proposal { evidence: words.evidence(&hits), rule_id: Some(category.key.clone()), ..proposal(effect, reason, confidence) }];
    proposals.extend(intent(heard, category, confidence, &words));
    proposals.extend(subjects_and_end(heard, tables, &words));
    Some(proposals)
}

/// One pass over the tokens: every phrase that begins at each.
fn listen(field: &'static str, written: &str, tables: &Tables, heard: &mut Heard) {
    let text = Text::read(written);
    let mut covered = vec![0_usize; tables.categories.len()];
    heard.links += text.links;
    heard.asked |= text.tokens.iter().any(|t| t.is(ASKED) && !t.is(QUOTED));
    for (at, token) in text.tokens.iter().enumerate().filter(|(_, t)| matches!(t.kind, Kind::Word | Kind::Emoji)) {
        for (end, says) in tables.lexicon.at(&text, at) {
            let last = &text.tokens[end - 1];
            let hit = |weight: f32, at: u16| Hit { field, start: token.start, end: last.end, weight, at };
            match *says {
                Says::Category { at: category, weight, id } => {
                    let place = usize::from(category);
                    if at < covered[place] || heard.hits.len() >= MAX_HITS {
                        continue;
                    }
                    covered[place] = end;
                    let repeats = heard.said.iter().filter(|said| **said == id).count();
                    heard.said.push(id);
                    let state = tables.categories[place].state;
                    let mut weight = weight * [1.0, 0.3, 0.0][repeats.min(2)];
                    if token.is(HASHTAG) {
                        weight *= tables.hashtag_weight;
                    }
                    if token.is(QUOTED) {
                        weight *= QUOTED_SHARE;
                    }
                    if state && last.is(HYPOTHETICAL) {
                        weight *= SUPPOSED_SHARE;
                    }
                    let cheers = tables.categories[place].intent == "praise";
                    if state && (token.is(NEGATED) || cheers && token.is(BLOCKED)) {
                        weight *= NEGATED_SHARE;
                    }
                    heard.hits.push(hit(weight, category));
                }
                Says::Subject(subject) if heard.subjects.iter().all(|(s, _)| *s != subject) => heard.subjects.push((subject, hit(1.0, 0))),
                Says::Subject(_) => {}
                Says::Resolved if !token.is(NEGATED | BLOCKED | HYPOTHETICAL | ASKED) => heard.resolved = Some(hit(1.0, 0)),
                Says::Request => heard.request = heard.request.or(Some(hit(1.0, 0))),
                Says::Resolved => {}
            }
        }
    }
}

/// The scores of all categories. What turns a score as a whole turns the hits too, so that evidence and score agree.
fn score(input: &Input<'_>, tables: &Tables, heard: &mut Heard) -> Vec<f32> {
    if let Some(over) = heard.resolved {
        // "fixed, but now it is down again": a strong trouble later in the same field is not over.
        let troubled_after =
            heard.hits.iter().any(|h| is_trouble(tables, h.at) && h.weight >= REAL && h.field == over.field && h.start >= over.end);
        if troubled_after {
            heard.resolved = None;
        } else {
            scale(&mut heard.hits, OVER_SHARE, |h| is_trouble(tables, h.at));
        }
    }
    let trouble: f32 = heard.hits.iter().filter(|h| is_trouble(tables, h.at)).map(|h| h.weight).sum();
    if trouble >= REAL {
        scale(&mut heard.hits, MANNERS_SHARE, |h| tables.categories[usize::from(h.at)].intent == "praise" && h.weight > 0.0);
    }
    if let Some(rating) = input.rating {
        let wanted = if rating <= 0.3 {
            "complaint"
        } else if rating >= 0.8 {
            "praise"
        } else {
            ""
        };
        if let Some(at) = tables.categories.iter().position(|c| !wanted.is_empty() && c.state && c.intent == wanted) {
            heard.hits.push(Hit { field: "rating", start: 0, end: 0, weight: RATING, at: at as u16 });
        }
    }
    let mut scores = vec![0.0; tables.categories.len()];
    for hit in &heard.hits {
        scores[usize::from(hit.at)] += hit.weight;
    }
    for (score, category) in scores.iter_mut().zip(&tables.categories).filter(|(score, _)| **score > 0.0) {
        match category.intent.as_str() {
            "question" if heard.asked => *score += ASKING,
            "spam" if heard.links > 0 => *score *= 1.3,
            _ => {}
        }
    }
    scores
}

fn is_trouble(tables: &Tables, at: u16) -> bool {
    let category = &tables.categories[usize::from(at)];
    category.state && category.intent != "praise"
}

fn scale(hits: &mut [Hit], by: f32, which: impl Fn(&Hit) -> bool) {
    hits.iter_mut().filter(|h| which(h)).for_each(|h| h.weight *= by);
}

/// Best first; the taxonomy's order settles ties; `other` stands in when nothing reaches the least score.
fn rank(scores: &[f32], tables: &Tables) -> Vec<(usize, f32)> {
    let mut ranked: Vec<(usize, f32)> = scores.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    if ranked.first().is_none_or(|best| best.1 < tables.min_score || best.1 <= 0.0) {
        ranked.insert(0, (tables.other, 0.0));
    }
    ranked
}

/// The category's own intent, unless the message asks or requests.
fn intent(heard: &Heard, category: &crate::config::Category, confidence: f32, words: &Words<'_>) -> Option<Proposal> {
    let (intent, reason, hits): (&str, String, Vec<&Hit>) = match category.intent.as_str() {
        "fault-report" | "complaint" | "" if heard.asked && heard.hits.iter().all(|h| h.weight < REAL) => {
            ("question", "it ends in a question".to_owned(), Vec::new())
        }
        "" => {
            let hit = heard.request.as_ref()?;
            ("request", format!("asks for something: {}", words.quote(&[hit])), vec![hit])
        }
        own => (own, format!("what “{}” means as a rule", category.name()), Vec::new()),
    };
    Some(Proposal { evidence: words.evidence(&hits), ..proposal(Effect::SetIntent(intent.to_owned()), reason, confidence * 0.9) })
}

/// Turns hits into words: for the reason and for the evidence.
struct Words<'a> {
    input: &'a Input<'a>,
    rating: Option<f64>,
}

impl Words<'_> {
    fn of(&self, hit: &Hit) -> String {
        let written = match hit.field {
            "rating" => return format!("{:.2}", self.rating.unwrap_or_default()),
            "title" => self.input.title.unwrap_or_default(),
            _ => self.input.text,
        };
        written.get(hit.start as usize..hit.end as usize).unwrap_or_default().to_owned()
    }

    fn quote(&self, hits: &[&Hit]) -> String {
        let one =
            |hit: &&Hit| if hit.field == "rating" { format!("a rating of {}", self.of(hit)) } else { format!("“{}”", self.of(hit)) };
        hits.iter().take(3).map(one).collect::<Vec<_>>().join(", ")
    }

    fn evidence(&self, hits: &[&Hit]) -> Vec<Evidence> {
        let total: f32 = hits.iter().map(|h| h.weight.abs()).sum();
        hits.iter()
            .map(|hit| Evidence {
                field: hit.field.to_owned(),
                span: (hit.field != "rating").then_some(Span { start: hit.start, end: hit.end }),
                text: self.of(hit),
                weight: hit.weight / total.max(f32::EPSILON),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
