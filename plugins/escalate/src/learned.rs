//! What the model says: how likely a person would escalate it, and that it is a matter of security or of safety, and which words
//! say so. Called by the core when a red flag asks for it; pure.
//!
//! Weights lie in `model.bin` and in the shared word table, made by `plugins/train/escalate.py`: each score is a calibrated logit.

use serde::Deserialize;
use signalbox_model::{Bag, File, Shape, WORD_TABLE, Words};
use signalbox_sdk::Evidence;
use signalbox_sdk::text::{Kind, Text};

use crate::decide::{Heard, Input, words};

static MODEL: &[u8] = include_bytes!("model.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (3, 5), skips: true, tone: true };
const KINDS: usize = 3;
/// Words that are named for one kind.
const MAX_NAMED: usize = 4;
/// A word that moves the logit less is not worth naming.
const LEAST: f32 = 0.1;
/// Words that a text needs to speak against what other steps or its own words say.
const FEW: usize = 4;

/// What a red flag may be raised for: the columns of the model, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Matter {
    /// Whatever people escalate: many stopped, data lost, failed again and again, the last straw.
    Grave,
    Security,
    Safety,
}

/// A word with its part in each score.
struct Part {
    field: &'static str,
    start: u32,
    end: u32,
    of: [f32; KINDS],
}

/// The model's judgement of an event.
pub(crate) struct Learned {
    logits: [f32; KINDS],
    parts: Vec<Part>,
}

impl Learned {
    /// `None` when there is no word to judge.
    pub(crate) fn judge(texts: &[(&'static str, Text)]) -> Option<Self> {
        let all = || texts.iter().flat_map(|(field, text)| text.tokens.iter().map(move |token| (*field, token)));
        if !all().any(|(_, token)| matches!(token.kind, Kind::Word | Kind::Emoji)) {
            return None;
        }
        let (words, mut bag, mut parts) = (Words::over(WORD_TABLE), Bag::default(), Vec::new());
        for (_, text) in texts {
            bag.read(text, &words, SHAPE);
        }
        let file = File::over(MODEL)?;
        let (learned, near) = (file.head::<KINDS>(0)?.explain(&bag, &mut parts), file.head::<KINDS>(1)?.add(&bag, &mut parts));
        let logits = std::array::from_fn(|kind| learned[kind] + near[kind]);
        let part = |((field, token), of): ((&'static str, &signalbox_sdk::text::Token), [f32; KINDS])| Part {
            field,
            start: token.start,
            end: token.end,
            of,
        };
        let named = all().zip(parts).filter(|((_, token), _)| matches!(token.kind, Kind::Word | Kind::Emoji));
        Some(Self { logits, parts: named.map(part).collect() })
    }

    /// How likely a person would escalate it, for whatever matter. Few words speak against nothing: they count as sure.
    pub(crate) fn likely(&self) -> f32 {
        if self.parts.len() < FEW {
            return 1.0;
        }
        self.most()
    }

    /// The likeliest of its matters, however few the words are.
    pub(crate) fn most(&self) -> f32 {
        [Matter::Grave, Matter::Security, Matter::Safety].map(|matter| self.chance(matter)).into_iter().fold(0.0, f32::max)
    }

    /// How likely it is that matter, 0.0 ..= 1.0.
    pub(crate) fn chance(&self, matter: Matter) -> f32 {
        1.0 / (1.0 + (-self.logits[matter as usize]).exp())
    }

    /// The words that say so, strongest first. Never empty: where no word stands out, the first one stands for all.
    pub(crate) fn why(&self, matter: Matter, input: &Input<'_>) -> Vec<Evidence> {
        let mut parts: Vec<(&Part, f32)> = self.parts.iter().map(|part| (part, part.of[matter as usize])).collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let total: f32 = parts.iter().map(|(_, weight)| weight.abs()).sum();
        let named = parts.iter().take_while(|(_, weight)| *weight > LEAST).count().clamp(1, MAX_NAMED);
        parts.iter().take(named).map(|(part, weight)| words(input, &part.heard(), weight / total.max(f32::EPSILON))).collect()
    }
}

impl Part {
    fn heard(&self) -> Heard {
        Heard { says: crate::config::Says::Flag(0), field: self.field, start: self.start, end: self.end }
    }
}
