//! The pure core: a probability of urgency from the model and the words, the impact from words of breadth, the priority from both.
//!
//! Additive on purpose: each part belongs to words that the reason and the evidence can show. Words of safety and security stand
//! above the model: better a needless look than a missed one.

use signalbox_model::{Bag, File, Shape, WORD_TABLE, Words};
use signalbox_sdk::text::{ASKED, HYPOTHETICAL, Kind, NEGATED, QUOTED, Text};
use signalbox_sdk::{Effect, Evidence, Proposal, Span, proposal};

use crate::config::{Says, Step, Tables};

static MODEL: &[u8] = include_bytes!("model.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (3, 5), skips: true, tone: true };
/// What words move the logit by. The model has heard most of them: they move little, and settle the least level.
const SAFETY: f32 = 0.6;
const SECURITY: f32 = 0.5;
const HIGH: f32 = 0.3;
const CALM: f32 = -2.0;
const OVER: f32 = -1.0;
const WIDE: f32 = 0.2;
/// A danger that is only supposed, or asked about.
const SUPPOSED: f32 = -1.5;
/// The least logit of a message with words of safety, and of security.
const SAFETY_LEAST: f32 = 0.3;
const SECURITY_LEAST: f32 = 0.1;
const MAX_EVIDENCE: usize = 6;
/// A part that moves less is not worth a word.
const LEAST: f32 = 0.05;
/// Words may raise a short message; in a long one each says less.
const MAX_HITS: usize = 64;

/// What the core looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) title: Option<&'a str>,
    /// An earlier step says that the trouble is over.
    pub(crate) resolved: bool,
}

/// Words that spoke.
#[derive(Clone, Copy)]
struct Hit {
    says: Says,
    field: &'static str,
    start: u32,
    end: u32,
    weight: f32,
}

/// Judges one event: urgency, impact and priority always, tags where they apply.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let title = input.title.filter(|title| !input.text.starts_with(title.trim_end_matches('…'))).map(|title| ("title", title));
    let (mut hits, mut bag, mut texts) = (Vec::new(), Bag::default(), Vec::with_capacity(2));
    let words = Words::over(WORD_TABLE);
    for (field, written) in title.into_iter().chain([("text", input.text)]) {
        let text = Text::read(written);
        listen(field, &text, tables, &mut hits);
        bag.read(&text, &words, SHAPE);
        texts.push((field, text));
    }
    let mut parts = Vec::new();
    let mut logit = File::over(MODEL).and_then(|file| file.head::<1>(0)).map_or(-1.0, |head| head.explain(&bag, &mut parts)[0]);
    let said = |says: Says| hits.iter().any(|hit| hit.says == says);
    for says in [Says::Safety, Says::Security, Says::High, Says::Calm, Says::Over, Says::Wide] {
        logit += hits
            .iter()
            .filter(|hit| hit.says == says)
            .map(|hit| hit.weight)
            .fold(0.0, |most: f32, w| if w.abs() > most.abs() { w } else { most });
    }
    if input.resolved && !said(Says::Over) {
        logit += OVER;
    }
    let sure = |says: Says| hits.iter().any(|hit| hit.says == says && hit.weight > 0.0);
    if sure(Says::Safety) {
        logit = logit.max(SAFETY_LEAST);
    } else if sure(Says::Security) {
        logit = logit.max(SECURITY_LEAST);
    }
    let p = 1.0 / (1.0 + (-logit).exp());
    let urgency = if p >= tables.at.critical || sure(Says::Safety) {
        Step::Critical
    } else if p >= tables.at.high {
        Step::High
    } else if p >= tables.at.normal {
        Step::Normal
    } else {
        Step::Low
    };
    let impact = impact(&said);
    let spoke = spoke(&hits, &texts, &parts, urgency >= Step::High);
    write(input, tables, urgency, impact, p, &hits, &spoke)
}

/// One pass over the tokens: the longest phrase that begins at each.
fn listen(field: &'static str, text: &Text, tables: &Tables, hits: &mut Vec<Hit>) {
    let mut covered = 0;
    for (at, token) in text.tokens.iter().enumerate() {
        if at < covered || !matches!(token.kind, Kind::Word | Kind::Emoji) || hits.len() >= MAX_HITS {
            continue;
        }
        let Some((end, says)) = tables.lexicon.longest(text, at) else { continue };
        covered = end;
        let supposed =
            token.is(HYPOTHETICAL | QUOTED) || token.is(ASKED) && text.tokens.first().is_some_and(|first| asks(text.word(first)));
        let weight = match says {
            Says::Safety => SAFETY,
            Says::Security => SECURITY,
            Says::High => HIGH,
            Says::Calm => CALM,
            Says::Over => OVER,
            Says::Wide => WIDE,
            // What settles the impact alone, or nothing, moves no urgency.
            Says::Plain | Says::Narrow => 0.0,
        };
        let weight = match says {
            Says::Safety | Says::Security | Says::High if supposed => SUPPOSED,
            Says::Security | Says::High | Says::Over if token.is(NEGATED) => -weight * 0.5,
            _ => weight,
        };
        hits.push(Hit { says: *says, field, start: token.start, end: text.tokens[end - 1].end, weight });
    }
}

/// How a sentence begins that asks for knowledge and reports nothing.
fn asks(word: &str) -> bool {
    matches!(
        word,
        "how"
            | "what"
            | "where"
            | "which"
            | "who"
            | "when"
            | "wie"
            | "was"
            | "wo"
            | "como"
            | "donde"
            | "comment"
            | "ou"
            | "miten"
            | "mita"
            | "come"
            | "dove"
    )
}

fn impact(said: &impl Fn(Says) -> bool) -> Step {
    match (said(Says::Wide), said(Says::Narrow)) {
        (true, _) => Step::High,
        (false, true) => Step::Low,
        _ => Step::Normal,
    }
}

/// The words for the urgency (or against it), strongest first.
fn spoke(hits: &[Hit], texts: &[(&'static str, Text)], parts: &[[f32; 1]], urgent: bool) -> Vec<Hit> {
    let side = if urgent { 1.0 } else { -1.0 };
    let mut spoke: Vec<Hit> = hits.iter().filter(|hit| hit.weight != 0.0).copied().collect();
    let tokens = texts.iter().flat_map(|(field, text)| text.tokens.iter().map(move |token| (*field, token)));
    for ((field, token), part) in tokens.zip(parts) {
        let held = spoke.iter_mut().find(|hit| hit.field == field && hit.start <= token.start && token.end <= hit.end);
        match held {
            Some(hit) => hit.weight += part[0],
            None if matches!(token.kind, Kind::Word | Kind::Emoji) => {
                spoke.push(Hit { says: Says::Plain, field, start: token.start, end: token.end, weight: part[0] });
            }
            None => {}
        }
    }
    spoke.iter_mut().for_each(|hit| hit.weight *= side);
    spoke.retain(|hit| hit.weight.abs() > LEAST);
    spoke.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    spoke.truncate(MAX_EVIDENCE);
    spoke
}

fn write(input: &Input<'_>, tables: &Tables, urgency: Step, impact: Step, p: f32, hits: &[Hit], spoke: &[Hit]) -> Vec<Proposal> {
    let words = |hit: &Hit| {
        let written = if hit.field == "title" { input.title.unwrap_or_default() } else { input.text };
        written.get(hit.start as usize..hit.end as usize).unwrap_or_default().to_owned()
    };
    let evidence = |hits: &[Hit]| -> Vec<Evidence> {
        let total: f32 = hits.iter().map(|hit| hit.weight.abs()).sum();
        let share = |hit: &Hit| hit.weight / total.max(f32::EPSILON);
        let one = |hit: &Hit| Evidence {
            field: hit.field.to_owned(),
            span: Some(Span { start: hit.start, end: hit.end }),
            text: words(hit),
            weight: share(hit),
        };
        hits.iter().take(MAX_EVIDENCE).map(one).collect()
    };
    let quote =
        |hits: &[Hit]| hits.iter().filter(|h| h.weight > 0.0).take(3).map(|h| format!("“{}”", words(h))).collect::<Vec<_>>().join(", ");
    let mut out = Vec::with_capacity(5);
    let mut say = |effect: Effect, reason: String, confidence: f32, rule: &str, why: &[Hit]| {
        out.push(Proposal {
            rule_id: Some(rule.to_owned()),
            evidence: evidence(why),
            ..proposal(effect, reason, confidence.clamp(0.02, 0.98))
        });
    };
    let quoted = quote(spoke);
    let because = if quoted.is_empty() { "no word presses".to_owned() } else { quoted };
    let high = urgency >= Step::High;
    say(
        Effect::SetUrgency(urgency.level()),
        format!("{} urgency: {because}", urgency.name()),
        if high { p } else { 1.0 - p },
        "urgency",
        spoke,
    );
    let of =
        |wanted: &[Says]| hits.iter().filter(|hit| wanted.contains(&hit.says)).map(|hit| Hit { weight: 1.0, ..*hit }).collect::<Vec<Hit>>();
    let breadth = of(&[Says::Wide, Says::Narrow]);
    let concerns = if breadth.is_empty() { "nothing says how many it concerns".to_owned() } else { quote(&breadth) };
    say(Effect::SetImpact(impact.level()), format!("{} impact: {concerns}", impact.name()), 0.6, "impact", &breadth);
    let priority = tables.matrix[impact as usize][urgency as usize];
    let reason = format!("{} impact and {} urgency make {} priority", impact.name(), urgency.name(), priority.name());
    say(Effect::SetPriority(priority.level()), reason, 0.6, "matrix", &[]);
    for (says, tag) in [(Says::Safety, "safety"), (Says::Security, "security")] {
        let why: Vec<Hit> = of(&[says])
            .into_iter()
            .zip(hits.iter().filter(|hit| hit.says == says))
            .filter(|(_, hit)| hit.weight > 0.0)
            .map(|(why, _)| why)
            .collect();
        if !why.is_empty() {
            say(Effect::Tag(tag.to_owned()), format!("words of {tag}: {}", quote(&why)), 0.8, tag, &why);
        }
    }
    out
}

#[cfg(test)]
mod tests;
