//! How near an article is to a message: the words they share, the rarer among the articles the heavier. Pure.

use std::collections::HashMap;

use signalbox_sdk::Span;
use signalbox_sdk::lookup::Row;
use signalbox_sdk::text::{Kind, Text};

/// What a shared beginning of a word says beside the whole word ("printing", "printer").
const STEM: f32 = 0.5;

/// Words by key, each as often as the texts have it; and their beginnings.
struct Words {
    words: Vec<u64>,
    stems: Vec<u64>,
}

/// Articles, compared with messages.
pub(crate) struct Shelf {
    articles: Vec<Words>,
    /// In how many articles a word is.
    known: HashMap<u64, f32>,
}

/// A word of the message that an article has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    pub(crate) field: &'static str,
    pub(crate) span: Span,
    pub(crate) weight: f32,
}

impl Shelf {
    /// Reads the articles' titles, questions and words.
    pub(crate) fn of(rows: &[(String, Row)]) -> Self {
        let articles: Vec<Words> = rows.iter().map(|(_, row)| words(&described(row))).collect();
        let mut known: HashMap<u64, f32> = HashMap::new();
        for article in &articles {
            for key in article.words.iter().chain(&article.stems) {
                *known.entry(*key).or_default() += 1.0;
            }
        }
        Self { articles, known }
    }

    /// How rare a word is among the articles. One that none has tells them not apart, so it weighs half of what the rarest does.
    fn rarity(&self, key: u64) -> f32 {
        let all = self.articles.len() as f32;
        self.known.get(&key).map_or(((1.0 + all).ln() + 0.3) / 2.0, |with| ((1.0 + all) / (1.0 + with)).ln() + 0.3)
    }

    /// The articles by nearness, 0.0 ..= 1.0, the nearest first, with the words that say so.
    pub(crate) fn nearest(&self, texts: &[(&'static str, &Text)]) -> Vec<(usize, f32, Vec<Shared>)> {
        let mut asked: Vec<(u64, u64, f32, Shared)> = Vec::new();
        for (field, text) in texts {
            for token in text.tokens.iter().filter(|token| counts(text, token)) {
                if asked.iter().any(|(key, ..)| *key == token.key) {
                    continue;
                }
                let weight = self.rarity(token.key);
                let shared = Shared { field, span: Span { start: token.start, end: token.end }, weight };
                asked.push((token.key, stem(text, token), weight, shared));
            }
        }
        let asked_size: f32 = asked.iter().map(|(_, _, weight, _)| weight * weight).sum();
        let score = |(at, article): (usize, &Words)| {
            let (mut dot, mut spoke) = (0.0, Vec::new());
            for (key, stem, weight, shared) in &asked {
                let share = if article.words.contains(key) {
                    1.0
                } else if *stem != 0 && article.stems.contains(stem) {
                    STEM
                } else {
                    continue;
                };
                dot += share * weight * weight;
                spoke.push(Shared { weight: share * weight, ..*shared });
            }
            let own: f32 = article.words.iter().map(|key| self.rarity(*key).powi(2)).sum();
            spoke.sort_by(|a, b| b.weight.total_cmp(&a.weight));
            // A long article is not to be blamed for what the message leaves out: the shorter of both counts.
            let near = dot / (asked_size.sqrt() * own.min(asked_size.max(own * 0.25)).sqrt()).max(f32::EPSILON);
            (at, near.min(1.0), spoke)
        };
        let mut ranked: Vec<_> = self.articles.iter().enumerate().map(score).filter(|(_, near, _)| *near > 0.0).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

/// What an article says of itself.
fn described(row: &Row) -> String {
    [row.texts("title"), row.texts("questions"), row.texts("words")].concat().join(". ")
}

fn words(text: &str) -> Words {
    let text = Text::read(text);
    let counted: Vec<_> = text.tokens.iter().filter(|token| counts(&text, token)).collect();
    let unique = |keys: Vec<u64>| {
        let mut keys: Vec<u64> = keys.into_iter().filter(|key| *key != 0).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    Words {
        words: unique(counted.iter().map(|token| token.key).collect()),
        stems: unique(counted.iter().map(|token| stem(&text, token)).collect()),
    }
}

fn counts(text: &Text, token: &signalbox_sdk::text::Token) -> bool {
    const LITTLE: [&str; 40] = [
        "the", "and", "for", "with", "you", "your", "are", "is", "it", "my", "me", "to", "of", "in", "on", "do", "does", "can", "how",
        "what", "a", "an", "i", "we", "please", "der", "die", "das", "und", "ich", "wie", "el", "la", "le", "les", "de", "que", "un",
        "una", "une",
    ];
    token.kind == Kind::Word && text.word(token).len() > 1 && !LITTLE.contains(&text.word(token))
}

/// The beginning of a longer word; 0 is none.
fn stem(text: &Text, token: &signalbox_sdk::text::Token) -> u64 {
    let word = text.word(token);
    let cut = if word.len() >= 8 { 6 } else { 5 };
    word.get(..cut).filter(|_| word.len() > 5).map_or(0, |start| signalbox_sdk::text::key(start) ^ 1)
}
