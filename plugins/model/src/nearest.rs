//! Classes learned from a few examples while a rule configures: the nearest of their centres, after a few rounds of correction.
//!
//! Features are words, pairs and pieces of words, weighed by how rare they are among the examples. Deterministic and small: a
//! thousand examples of eighty classes take a fraction of the activation's fuel.

use std::collections::HashMap;

use signalbox_sdk::text::Text;

use crate::bag::{Bag, Item, NOBODY};
use crate::features::{PIECES, Shape, WORDS};
use crate::words::Words;

const SHAPE: Shape = Shape { pieces: (3, 5), skips: false, tone: false };
/// What words weigh beside pieces.
const WORD_SHARE: f32 = 0.6;
const ROUNDS: usize = 8;
/// An example is corrected until its class leads by so much.
const MARGIN: f32 = 0.25;
const STEP: f32 = 0.1;
/// Cosines times this are logits: so a lead of 0.1 is four to one.
const SHARPNESS: f32 = 14.0;

/// What was learned.
#[derive(Debug, Default)]
pub struct Nearest {
    classes: usize,
    /// How rare a feature is, and what it says of classes.
    known: HashMap<u32, (f32, Vec<(u16, f32)>)>,
    unknown: f32,
}

/// One judgement.
#[derive(Debug)]
pub struct Verdict {
    /// The class that is nearest.
    pub class: usize,
    /// That it is right, among the classes that there are.
    pub confidence: f32,
    /// The cosine: near 0 the text has nothing in common with any example.
    pub closeness: f32,
    /// How much each token spoke for it.
    pub parts: Vec<f32>,
}

/// A feature of a text: its value and the item it first came from.
type Value = (f32, Item);

impl Nearest {
    /// Learns from examples: class and text.
    pub fn learn(classes: usize, examples: &[(usize, &str)]) -> Self {
        let mut nearest = Self { classes, known: HashMap::new(), unknown: (1.0 + examples.len() as f32).ln() + 1.0 };
        let counted: Vec<(usize, Vec<Item>)> = examples.iter().map(|(class, text)| (*class, read(&Text::read(text)).items)).collect();
        for (_, items) in &counted {
            let mut last = None;
            for item in items {
                if last != Some((item.group, item.hash)) {
                    nearest.known.entry(place(item)).or_default().0 += 1.0;
                }
                last = Some((item.group, item.hash));
            }
        }
        let all = 1.0 + examples.len() as f32;
        nearest.known.values_mut().for_each(|known| known.0 = (all / (1.0 + known.0)).ln() + 1.0);
        let rows: Vec<(usize, Vec<Value>)> = counted.into_iter().map(|(class, items)| (class, nearest.values(&items))).collect();
        nearest.centre(&rows);
        nearest.correct(&rows);
        nearest
    }

    /// Whether there is nothing to judge by.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Centres of length one.
    fn centre(&mut self, rows: &[(usize, Vec<Value>)]) {
        for (class, row) in rows {
            for (value, item) in row {
                self.add(item, *class, *value);
            }
        }
        let mut lengths = vec![0.0_f32; self.classes];
        self.known.values().flat_map(|known| &known.1).for_each(|(class, w)| lengths[usize::from(*class)] += w * w);
        for (class, weight) in self.known.values_mut().flat_map(|known| &mut known.1) {
            *weight /= lengths[usize::from(*class)].sqrt().max(f32::EPSILON);
        }
    }

    /// Pulls a class towards its examples that another class would take, and that class away.
    fn correct(&mut self, rows: &[(usize, Vec<Value>)]) {
        for _ in 0..ROUNDS {
            for (class, row) in rows {
                let mut scores = self.scores(row);
                scores[*class] -= MARGIN;
                let best = top(&scores);
                if best != *class {
                    for (value, item) in row {
                        self.add(item, *class, STEP * value);
                        self.add(item, best, -STEP * value);
                    }
                }
            }
        }
    }

    fn add(&mut self, item: &Item, class: usize, by: f32) {
        let list = &mut self.known.entry(place(item)).or_default().1;
        match list.iter_mut().find(|(known, _)| usize::from(*known) == class) {
            Some((_, weight)) => *weight += by,
            None => list.push((class as u16, by)),
        }
    }

    fn scores(&self, row: &[Value]) -> Vec<f32> {
        let mut scores = vec![0.0; self.classes];
        for (value, item) in row {
            for (class, weight) in self.known.get(&place(item)).map_or(&[][..], |known| &known.1) {
                scores[usize::from(*class)] += value * weight;
            }
        }
        scores
    }

    /// Sorted items as values: logarithm of the count, rarity, each group of length one times its share.
    fn values(&self, items: &[Item]) -> Vec<Value> {
        let mut row: Vec<Value> = Vec::with_capacity(items.len());
        for item in items {
            match row.last_mut() {
                Some((count, last)) if last.hash == item.hash && last.group == item.group => *count += 1.0,
                _ => row.push((1.0, *item)),
            }
        }
        let mut lengths = [0.0_f32; 2];
        for (value, item) in &mut row {
            *value = (1.0 + value.ln()) * self.known.get(&place(item)).map_or(self.unknown, |known| known.0);
            lengths[usize::from(usize::from(item.group) == PIECES)] += *value * *value;
        }
        let shares = [WORD_SHARE, 1.0];
        let whole = (0..2).map(|g| if lengths[g] > 0.0 { shares[g] * shares[g] } else { 0.0 }).sum::<f32>().sqrt();
        for (value, item) in &mut row {
            let group = usize::from(usize::from(item.group) == PIECES);
            *value *= shares[group] / (lengths[group].sqrt() * whole);
        }
        row
    }

    /// Judges a text that was read. `None` when there is nothing to judge by.
    pub fn judge(&self, text: &Text) -> Option<Verdict> {
        if self.is_empty() || text.tokens.is_empty() {
            return None;
        }
        let row = self.values(&read(text).items);
        let scores = self.scores(&row);
        let class = top(&scores);
        let sum: f32 = scores.iter().map(|s| ((s - scores[class]) * SHARPNESS).exp()).sum();
        let mut parts = vec![0.0; text.tokens.len()];
        for (value, item) in &row {
            let said = self.known.get(&place(item)).and_then(|known| known.1.iter().find(|(known, _)| usize::from(*known) == class));
            for token in [item.first, item.second].into_iter().filter(|token| *token != NOBODY) {
                parts[usize::from(token)] += said.map_or(0.0, |(_, weight)| weight * value * 0.5);
            }
        }
        Some(Verdict { class, confidence: 1.0 / sum, closeness: scores[class], parts })
    }
}

/// The items of a text, words before pieces, equal ones together.
fn read(text: &Text) -> Bag {
    let mut bag = Bag::of(text, &Words::NONE, SHAPE);
    bag.items.retain(|item| matches!(usize::from(item.group), WORDS | PIECES));
    bag.items.sort_by_key(|item| (item.group, item.hash));
    bag
}

fn place(item: &Item) -> u32 {
    item.hash ^ u32::from(item.group)
}

fn top(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_examples_are_enough_to_tell_classes_apart() {
        let examples = [
            (0, "where is my card"),
            (0, "my new card has not arrived yet"),
            (0, "when will the card be delivered"),
            (1, "I forgot my PIN"),
            (1, "how do I change the PIN"),
            (1, "the PIN is blocked"),
        ];
        let nearest = Nearest::learn(2, &examples);
        let judge = |text: &str| nearest.judge(&Text::read(text)).unwrap();
        assert_eq!((judge("still waiting for the card to arrive").class, judge("is there a way to unblock my pin?").class), (0, 1));
        let verdict = judge("pin blocked");
        assert!(verdict.confidence > 0.6 && verdict.parts[0] + verdict.parts[1] > 0.3, "{verdict:?}");
        assert!(judge("zzz qqq").closeness < 0.05);
        assert!(Nearest::default().judge(&Text::read("hi")).is_none());
    }
}
