//! A model file and its heads: bytes of weights by the highest bits of a feature's hash, read where they lie.
//!
//! The file: `SBM1`, a `u32` count of heads; for each head `u32` bits, `u32` columns, a scale for each group, a scale and a bias
//! for each column (`f32`), then 2^bits rows of one `i8` for each column; then a `u32` count of `f32` numbers that the rule
//! knows the meaning of. With 256 added to the bits, only some features are kept: each row begins with 16 bits of its feature's
//! hash (0 is an empty row), and stands at its place or in the rows after it. All little-endian. Made by `plugins/train`.

use crate::bag::{Bag, Item, NOBODY};
use crate::features::GROUPS;

/// A model file.
#[derive(Clone, Copy)]
pub struct File<'a> {
    bytes: &'a [u8],
}

/// Marks a head that keeps some features only.
const KEPT: usize = 256;

/// One head: a table of weights.
#[derive(Clone, Copy)]
pub struct Head<'a, const COLUMNS: usize> {
    bits: u32,
    kept: bool,
    groups: [f32; GROUPS],
    columns: [f32; COLUMNS],
    bias: [f32; COLUMNS],
    weights: &'a [u8],
}

fn count(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes) as usize
}

/// Bytes of a row.
fn stride(bits: usize, columns: usize) -> usize {
    if bits >= KEPT { columns + 2 } else { columns }
}

fn float(bytes: &[u8], at: usize) -> f32 {
    f32::from_bits(count(bytes, at) as u32)
}

impl<'a> File<'a> {
    /// Lays a file over its bytes. `None` when they are no model file.
    pub fn over(bytes: &'a [u8]) -> Option<Self> {
        (bytes.get(..4)? == b"SBM1").then_some(Self { bytes })
    }

    /// Where the head `wanted` begins, or what follows the last one.
    fn seek(&self, wanted: usize) -> usize {
        (0..wanted).fold(8, |at, _| {
            let (bits, columns) = (count(self.bytes, at), count(self.bytes, at + 4));
            at + 8 + 4 * (GROUPS + 2 * columns) + (stride(bits, columns) << (bits % KEPT).min(24))
        })
    }

    /// The head at a place. `None` when there is none of so many columns.
    pub fn head<const COLUMNS: usize>(&self, place: usize) -> Option<Head<'a, COLUMNS>> {
        let at = self.seek(place);
        let (written, columns) = (count(self.bytes, at), count(self.bytes, at + 4));
        let bits = (written % KEPT) as u32;
        if place >= count(self.bytes, 4) || columns != COLUMNS || bits > 24 {
            return None;
        }
        let numbers = at + 8;
        let read = |from: usize| move |n: usize| float(self.bytes, numbers + 4 * (from + n));
        let weights = numbers + 4 * (GROUPS + 2 * COLUMNS);
        Some(Head {
            bits,
            kept: written >= KEPT,
            groups: std::array::from_fn(read(0)),
            columns: std::array::from_fn(read(GROUPS)),
            bias: std::array::from_fn(read(GROUPS + COLUMNS)),
            weights: self.bytes.get(weights..weights + (stride(written, COLUMNS) << bits))?,
        })
    }

    /// The rule's own numbers.
    pub fn numbers<const N: usize>(&self) -> Option<[f32; N]> {
        let at = self.seek(count(self.bytes, 4));
        (count(self.bytes, at) == N).then(|| std::array::from_fn(|n| float(self.bytes, at + 4 + 4 * n)))
    }
}

impl<const COLUMNS: usize> Head<'_, COLUMNS> {
    /// The score of each column.
    pub fn score(&self, bag: &Bag) -> [f32; COLUMNS] {
        let mut sums = [[0_i32; COLUMNS]; GROUPS];
        for item in &bag.items {
            let group = usize::from(item.group);
            if self.groups[group] == 0.0 {
                continue;
            }
            for (sum, weight) in sums[group].iter_mut().zip(self.weights_of(item.hash)) {
                *sum += i32::from(*weight as i8);
            }
        }
        let factors = self.factors(bag);
        std::array::from_fn(|c| {
            self.bias[c] + self.columns[c] * sums.iter().zip(factors).map(|(sum, factor)| sum[c] as f32 * factor).sum::<f32>()
        })
    }

    /// The score of each column, and each token's part in it. What no token said is in the score alone.
    pub fn explain(&self, bag: &Bag, parts: &mut Vec<[f32; COLUMNS]>) -> [f32; COLUMNS] {
        parts.clear();
        parts.resize(bag.tokens, [0.0; COLUMNS]);
        self.add(bag, parts)
    }

    /// As [`Head::explain`], onto what other heads said of the same bag: the scores of this one alone.
    ///
    /// Weights are summed as the whole numbers that they are, for as long as the features come from the same tokens: a sandbox
    /// checks after each sum of fractions that it is a number.
    pub fn add(&self, bag: &Bag, parts: &mut [[f32; COLUMNS]]) -> [f32; COLUMNS] {
        let factors = self.factors(bag);
        let halves: [[f32; COLUMNS]; GROUPS] = std::array::from_fn(|g| std::array::from_fn(|c| factors[g] * self.columns[c] * 0.5));
        let mut sums = [[0_i32; COLUMNS]; GROUPS];
        // No token has the number that stands for nobody.
        let most = parts.len().min(usize::from(NOBODY));
        let parts = &mut parts[..most];
        let mut give = |token: u16, said: &[f32; COLUMNS]| {
            if let Some(part) = parts.get_mut(usize::from(token)) {
                part.iter_mut().zip(said).for_each(|(part, said)| *part += said);
            }
        };
        for run in bag.items.chunk_by(|a, b| (a.first, a.second, a.group) == (b.first, b.second, b.group)) {
            let (Item { first, second, group, .. }, mut sum) = (run[0], [0_i32; COLUMNS]);
            let group = usize::from(group);
            if self.groups[group] == 0.0 {
                continue;
            }
            for item in run {
                let weights = self.weights_of(item.hash);
                sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += i32::from(*weight as i8));
            }
            sums[group].iter_mut().zip(sum).for_each(|(all, sum)| *all += sum);
            let said: [f32; COLUMNS] = std::array::from_fn(|c| sum[c] as f32 * halves[group][c]);
            // Most come from one token.
            if first == second {
                give(first, &said.map(|said| said + said));
            } else {
                give(first, &said);
                give(second, &said);
            }
        }
        std::array::from_fn(|c| self.bias[c] + sums.iter().zip(halves).map(|(sum, half)| sum[c] as f32 * (half[c] + half[c])).sum::<f32>())
    }

    /// As [`Head::explain`] for a sorted bag in which what is said n times counts 1 + ln n times, and only one group counts.
    pub fn explain_counted(&self, bag: &Bag, group: usize, parts: &mut Vec<[f32; COLUMNS]>) -> [f32; COLUMNS] {
        parts.clear();
        parts.resize(bag.tokens, [0.0; COLUMNS]);
        let (mut whole, factor) = (self.bias, self.factors(bag)[group]);
        let items = bag.items.iter().filter(|item| usize::from(item.group) == group);
        for run in items.collect::<Vec<_>>().chunk_by(|a, b| a.hash == b.hash) {
            let weights = self.weights_of(run[0].hash);
            let times = (1.0 + (run.len() as f32).ln()) * factor / run.len() as f32;
            for item in run {
                let said: [f32; COLUMNS] = std::array::from_fn(|c| f32::from(weights[c] as i8) * times * self.columns[c] * 0.5);
                for token in [item.first, item.second] {
                    whole.iter_mut().zip(said).for_each(|(sum, said)| *sum += said);
                    if token != NOBODY {
                        parts[usize::from(token)].iter_mut().zip(said).for_each(|(part, said)| *part += said);
                    }
                }
            }
        }
        whole
    }

    fn weights_of(&self, hash: u32) -> &[u8; COLUMNS] {
        let row = (hash >> (32 - self.bits)) as usize;
        if !self.kept {
            return self.weights.get(row * COLUMNS..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; COLUMNS]);
        }
        let print = (hash as u16).max(1).to_le_bytes();
        // A table that is full by mistake must end too.
        for step in 0..1_usize << self.bits {
            let at = ((row + step) & ((1 << self.bits) - 1)) * (COLUMNS + 2);
            match self.weights.get(at..).and_then(<[u8]>::split_first_chunk::<2>) {
                Some((known, weights)) if *known == print => return weights.first_chunk().unwrap_or(&[0; COLUMNS]),
                Some((known, _)) if *known != [0, 0] => {}
                _ => break,
            }
        }
        &[0; COLUMNS]
    }

    fn factors(&self, bag: &Bag) -> [f32; GROUPS] {
        std::array::from_fn(|g| self.groups[g] / (bag.sizes[g].max(1) as f32).sqrt())
    }
}

/// Scores as probabilities.
pub fn softmax<const N: usize>(scores: [f32; N]) -> [f32; N] {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let powers = scores.map(|s| exp(s - most));
    let sum: f32 = powers.iter().sum();
    powers.map(|p| p / sum)
}

/// e to the x for x of at most 0: the library's brings tables of its own into every plugin.
fn exp(x: f32) -> f32 {
    if x < -30.0 {
        return 0.0;
    }
    // (1 + x / 4096) ^ 4096, whose error is below what a byte of weight makes.
    (0..12).fold(1.0 + x / 4096.0, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use signalbox_sdk::text::Text;

    use super::*;
    use crate::{Shape, Words};

    fn file(bits: u32, weights: &[u8]) -> Vec<u8> {
        let mut bytes = b"SBM1".to_vec();
        for n in [1, bits, 2] {
            bytes.extend(n.to_le_bytes());
        }
        for f in [1.0_f32, 1.0, 1.0, 1.0, 1.0, 0.5, 2.0, 0.25, -0.25] {
            bytes.extend(f.to_le_bytes());
        }
        bytes.extend(weights);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(7.0_f32.to_le_bytes());
        bytes
    }

    #[test]
    fn the_parts_make_the_whole() {
        let weights: Vec<u8> = (0..512_u32).map(|n| (n * 37 % 251) as u8).collect();
        let bytes = file(8, &weights);
        let file = File::over(&bytes).unwrap();
        let head = file.head::<2>(0).unwrap();
        let shape = Shape { pieces: (3, 5), skips: true, tone: true };
        let bag = Bag::of(&Text::read("The VPN is down AGAIN, soooo annoying! :("), &Words::NONE, shape);
        let mut parts = Vec::new();
        let (plain, explained) = (head.score(&bag), head.explain(&bag, &mut parts));
        assert!(plain.iter().zip(explained).all(|(a, b)| (a - b).abs() < 1e-3), "{plain:?} {explained:?}");
        assert_eq!(parts.len(), bag.tokens);
        assert_eq!(file.numbers::<1>(), Some([7.0]));
    }

    #[test]
    fn what_is_no_model_is_none() {
        assert!(File::over(b"SBM").is_none() && File::over(b"nope nope").is_none());
        let bytes = file(8, &[0; 100]);
        let file = File::over(&bytes).unwrap();
        assert!(file.head::<2>(0).is_none() && file.head::<3>(0).is_none() && file.head::<2>(1).is_none());
    }

    #[test]
    fn probabilities_add_up() {
        let p = softmax([1.0, 2.0, -40.0]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6 && (p[1] / p[0] - 1.0_f32.exp()).abs() < 0.01);
    }
}
