//! What the model says: the logits of negative and positive against neutral, and each token's part in them.
//!
//! In public a bare report is neutral, at an IT desk it is trouble: English is judged both ways, and the answer lies between the
//! two as far as the post reads like one to a desk.
//!
//! Called by the core, which has heard the words already: what they say enters as six more numbers. Weights lie in `model.bin`
//! and in the shared word table, made by `plugins/train/sentiment.py`; how sure it is was fitted there too.

use signalbox_model::{Bag, File, Shape, WORD_TABLE, Words, softmax};
use signalbox_sdk::text::{BLOCKED, Kind, NEGATED, Text};

use crate::config::{Domain, Role, Tables};
use crate::decide::{Heard, Hit};

static MODEL: &[u8] = include_bytes!("model.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (3, 5), skips: true, tone: true };
/// Above it the text is not English.
const FOREIGN: f32 = 0.0;
/// A rating of 0 or 1 moves the logits by this much.
const RATING: f32 = 4.0;
/// What one unit of an own word's valence moves.
const OWN: f32 = 1.2;
/// What one unit of a phrase's valence moves for each word after its first, and of a word's that is denied: "can't recommend" is two friendly words to the model.
const PHRASE: f32 = 0.5;
/// How the steps are spread, as far as anybody knows before reading: negative, neutral, positive. The model was trained as if
/// they were equal, so that rare ones are found; how sure it is has to know better.
const SOCIAL_SHARES: [f32; 3] = [0.27, 0.46, 0.27];
/// The same of posts to an IT desk.
const DESK_SHARES: [f32; 3] = [0.45, 0.33, 0.22];
/// In tickets most is neutral: it moves the decision too.
const TICKET_LOGIT: f32 = 0.8;
/// Logits are divided by it before they are called probabilities.
const TEMPERATURE: f32 = 1.0;
/// So few words, none of feeling, are too little for a side unless the model is so sure of it.
const FEW: usize = 2;
const SURE: f32 = 0.6;
/// Signals of care, as the stack of the training tool counts them.
const CARE: [&str; 4] = ["self-harm", "threat", "legal-threat", "churn"];
/// Numbers of what the words say.
const SAID: usize = 6;

/// The steps, without "very".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Negative,
    Neutral,
    Positive,
}

/// The model's judgement.
pub(crate) struct Learned {
    pub(crate) side: Side,
    /// How much more it leans to positive than to negative, -1.0 ..= 1.0.
    pub(crate) lean: f32,
    /// That the side is right, 0.0 ..= 1.0.
    pub(crate) confidence: f32,
    /// Of each token, over all fields: how much it spoke for the side against the next best.
    pub(crate) parts: Vec<f32>,
    /// The same of the words' score, for all hits together.
    pub(crate) words: f32,
}

impl Learned {
    pub(crate) fn judge(texts: &[(&'static str, Text)], rating: Option<f64>, score: f32, heard: &Heard, tables: &Tables) -> Option<Self> {
        let (file, words) = (File::over(MODEL)?, Words::over(WORD_TABLE));
        if !texts.iter().flat_map(|(_, text)| &text.tokens).any(|token| matches!(token.kind, Kind::Word | Kind::Emoji)) {
            return None;
        }
        let mut bag = Bag::default();
        for (_, text) in texts {
            bag.read(text, &words, SHAPE);
        }
        let foreign = file.head::<1>(0)?.score(&bag)[0] > FOREIGN;
        let mut parts = Vec::new();
        let (mut logits, desk) =
            if foreign { (file.head::<2>(2)?.explain(&bag, &mut parts), 0.5) } else { english(&file, &bag, &mut parts, tables.domain)? };
        let said = said(score, heard);
        let weights = file.numbers::<{ 6 * SAID }>()?;
        let row = |row: usize| said.iter().zip(&weights[row * SAID..]).map(|(said, weight)| said * weight).sum::<f32>();
        let weigh = |column: usize| if foreign { row(4 + column) } else { between(row(column), row(2 + column), desk) };
        let mut words = [weigh(0), weigh(1)];
        for hit in heard.hits.iter().filter(|hit| hit.role == Role::Own) {
            for part in parts.iter_mut().take(hit.base + hit.to).skip(hit.base + hit.from) {
                (logits[0], logits[1]) = (logits[0] - part[0], logits[1] - part[1]);
                *part = [0.0; 2];
            }
            words[usize::from(hit.valence > 0.0)] += hit.valence.abs() * OWN;
        }
        if parts.iter().all(|part| *part == [0.0; 2]) && words_are_silent(heard) {
            return None;
        }
        for hit in heard.hits.iter().filter(|hit| hit.role != Role::Own) {
            let denied = hit.token_flags & (NEGATED | BLOCKED) != 0;
            let length = (hit.to - hit.from).saturating_sub(1).max(usize::from(denied)).min(3);
            words[usize::from(hit.valence > 0.0)] += hit.valence.abs() * PHRASE * length as f32;
        }
        if let Some(rating) = rating {
            let v = (rating as f32 - 0.5) * 2.0 * RATING;
            words = [words[0] - v, words[1] + v];
        }
        let neutral = if tables.domain == Domain::Ticket { TICKET_LOGIT } else { 0.0 };
        let all = [logits[0] + words[0], neutral, logits[1] + words[1]];
        Some(Self::of(all, words, &parts, desk, words_are_silent(heard)))
    }

    fn of(all: [f32; 3], words: [f32; 2], parts: &[[f32; 2]], desk: f32, words_silent: bool) -> Self {
        let even = softmax(all.map(|l| l / TEMPERATURE));
        let best = (0..3).fold(0, |best, at| if all[at] > all[best] { at } else { best });
        let best = if parts.len() <= FEW && words_silent && even[best] < SURE { 1 } else { best };
        let next = (0..3).filter(|at| *at != best).fold((best + 1) % 3, |next, at| if all[at] > all[next] { at } else { next });
        let weighed: [f32; 3] = std::array::from_fn(|at| even[at] * between(SOCIAL_SHARES[at], DESK_SHARES[at], desk));
        let margin = |pair: &[f32; 2]| {
            let of = |side: usize| [pair[0], 0.0, pair[1]][side];
            of(best) - of(next)
        };
        Self {
            side: [Side::Negative, Side::Neutral, Side::Positive][best],
            lean: even[2] - even[0],
            confidence: (weighed[best] / weighed.iter().sum::<f32>()).clamp(0.05, 0.99),
            parts: parts.iter().map(&margin).collect(),
            words: margin(&words),
        }
    }

    /// What the model and the words say together of one hit, which has its share of what the words say.
    pub(crate) fn of_hit(&self, hit: &Hit, share: f32) -> f32 {
        self.parts.iter().take(hit.base + hit.to).skip(hit.base + hit.from).sum::<f32>() + self.words * share
    }
}

/// What the five columns say of an English text: the logits between the public side and the desk's, and how far at the desk it is.
fn english(file: &File<'_>, bag: &Bag, parts: &mut Vec<[f32; 2]>, domain: Domain) -> Option<([f32; 2], f32)> {
    let mut five = Vec::new();
    let [gate, social @ .., down, up] = file.head::<5>(1)?.explain(bag, &mut five);
    let desk = if domain == Domain::Ticket { 1.0 } else { 1.0 / (1.0 + (-gate).exp()) };
    parts.extend(five.iter().map(|p| [between(p[1], p[3], desk), between(p[2], p[4], desk)]));
    Some(([between(social[0], down, desk), between(social[1], up, desk)], desk))
}

fn between(social: f32, desk: f32, share: f32) -> f32 {
    social + (desk - social) * share
}

/// Whether the admin's words silence all that was heard.
fn words_are_silent(heard: &Heard) -> bool {
    heard.hits.iter().all(|hit| hit.valence == 0.0)
}

/// What the words say, as the training tool has it.
fn said(score: f32, heard: &Heard) -> [f32; SAID] {
    let raised = |key: &str| heard.signals.iter().any(|signal| signal == key);
    let number = |yes: bool| if yes { 1.0 } else { 0.0 };
    [
        score.min(0.0),
        score.max(0.0),
        number(score == 0.0),
        number(raised("sarcasm")),
        number(CARE.iter().any(|key| raised(key))),
        number(raised("gratitude")),
    ]
}
