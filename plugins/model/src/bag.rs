//! The features of a text, collected once and scored by as many heads as a rule has.

use signalbox_sdk::text::Text;

use crate::features::{GROUPS, Shape, Sink, features};
use crate::words::Words;

/// No token: the tone of the whole.
pub const NOBODY: u16 = u16::MAX;

/// One feature: its hash, the tokens it comes from, its group.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its place in every head, by its highest bits.
    pub hash: u32,
    /// The token it comes from, or the first of two.
    pub first: u16,
    /// The second of two; the same as `first` when there is one.
    pub second: u16,
    /// Its group.
    pub group: u8,
}

/// The features of a text.
#[derive(Debug, Default)]
pub struct Bag {
    /// In the order of the text.
    pub items: Vec<Item>,
    /// How many of each group.
    pub sizes: [u32; GROUPS],
    /// Tokens of the texts.
    pub tokens: usize,
    /// Where the tokens of the text that is being read begin.
    base: usize,
}

impl Bag {
    /// Collects the features of a text.
    pub fn of(text: &Text, words: &Words<'_>, shape: Shape) -> Self {
        let mut bag = Self::default();
        bag.read(text, words, shape);
        bag
    }

    /// Collects the features of one more text; its tokens follow those before it.
    pub fn read(&mut self, text: &Text, words: &Words<'_>, shape: Shape) {
        let per_token = if shape.tone { 20 } else { 14 };
        self.items.reserve(text.tokens.len() * per_token + 48);
        self.base = self.tokens;
        self.tokens += text.tokens.len();
        features(text, words, shape, self);
    }
}

impl Bag {
    /// Brings equal features together, so that [`crate::Head::explain_counted`] can count them.
    pub fn sort(&mut self) {
        self.items.sort_unstable_by_key(|item| (item.group, item.hash, item.first));
    }
}

impl Sink for Bag {
    fn add(&mut self, group: usize, hash: u32, (first, second): (u32, u32)) {
        let base = self.base as u32;
        let short = |token: u32| u16::try_from(token.saturating_add(base)).unwrap_or(NOBODY);
        // A pair with the edge of the text belongs to its one token.
        let (first, second) = match (short(first), short(second)) {
            (NOBODY, token) | (token, NOBODY) => (token, token),
            pair => pair,
        };
        self.sizes[group] += 1;
        self.items.push(Item { hash, first, second, group: group as u8 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WORD_TABLE;

    /// What the models were trained on: made by `plugins/train/golden.py`. If this fails, train again, and make it anew.
    const GOLDEN: &str = include_str!("golden.tsv");

    #[test]
    fn features_are_those_that_the_models_were_trained_on() {
        let words = Words::over(WORD_TABLE);
        for line in GOLDEN.lines() {
            let [count, sum, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let bag = Bag::of(&Text::read(text), &words, Shape { pieces: (3, 5), skips: true, tone: true });
            let total = bag.items.iter().fold(0_u64, |sum, item| sum.wrapping_add(u64::from(item.hash) * (u64::from(item.group) + 1)));
            assert_eq!((bag.items.len().to_string(), total.to_string()), (count.to_owned(), sum.to_owned()), "{text}");
        }
    }
}
