//! What a message is like: the words of a text as a handful of numbers, and the recent messages that have nearly the same ones.
//!
//! Case, mentions, links and punctuation do not count, nor does the order of words. Recent messages are compared by the share of words that
//! they have in common (Jaccard), exactly; only who shares a band of minhashes is looked at, so that a look costs some microseconds. Of
//! messages that are alike the first is kept and the others are counted: a flood of the same words costs no more than two. Pure, and
//! bounded: the window has a length and an age, and no text of anybody is kept.

use std::collections::{HashMap, VecDeque};

use crate::event::Timestamp;

/// Words of a text that count: what is longer is known by its beginning.
const MOST_WORDS: usize = 200;
/// Fewer different words than this say nothing: everybody writes "thank you".
const LEAST_WORDS: usize = 4;
/// From this share of common words on two messages are alike.
const ALIKE: f32 = 0.8;
/// Bands of minhashes and hashes of a band: of two messages that share 0.8 of their words 999 of 1,000 pairs share a band.
const BANDS: usize = 10;
const ROWS: usize = 3;

/// The words of a text, as numbers: sorted, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<u32>);

/// A message that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its source.
    pub source: String,
    /// Its id.
    pub event: String,
    /// The desk's key of its ticket, when there is one.
    pub ticket: Option<String>,
    /// Who wrote it, as far as it is known.
    pub author: Option<String>,
    /// When it was taken in.
    pub at: Timestamp,
}

/// The first of the messages that one is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// The message.
    pub first: Seen,
    /// The share of common words, 0.0 ..= 1.0.
    pub score: f32,
    /// How many such messages came before this one.
    pub count: u32,
}

/// The first of its like, and how many there were since.
#[derive(Debug)]
struct First {
    words: Words,
    seen: Seen,
    bands: [u32; BANDS],
    count: u32,
}

/// Recent messages that were unlike all before them.
#[derive(Debug, Default)]
pub struct Recent {
    most: usize,
    longest_ms: u64,
    /// The number of the oldest one that is still here.
    oldest: u64,
    kept: VecDeque<First>,
    bands: HashMap<(u8, u32), Vec<u64>>,
}

impl Words {
    /// Reads a text; nothing when it has too few words to be like another.
    pub fn of(text: &str) -> Option<Self> {
        let word = |word: &str| {
            let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            (!word.is_empty()).then(|| hash(word.as_bytes(), 0))
        };
        let written = text.split_whitespace().filter(|word| !is_passing(word)).flat_map(|word| word.split(['-', '/', '\u{2019}', '\'']));
        let mut words: Vec<u32> = written.filter_map(word).take(MOST_WORDS).collect();
        words.sort_unstable();
        words.dedup();
        (words.len() >= LEAST_WORDS).then_some(Self(words))
    }

    /// The share of words that both have.
    fn share(&self, other: &Self) -> f32 {
        let (mut one, mut two, mut common) = (self.0.iter().peekable(), other.0.iter().peekable(), 0_usize);
        while let (Some(a), Some(b)) = (one.peek(), two.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(one.next()),
                std::cmp::Ordering::Greater => drop(two.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    one.next();
                    two.next();
                }
            }
        }
        common as f32 / (self.0.len() + other.0.len() - common).max(1) as f32
    }

    fn bands(&self) -> [u32; BANDS] {
        std::array::from_fn(|band| {
            (0..ROWS).fold(0, |mixed, row| {
                let seed = u32::try_from(band * ROWS + row + 1).unwrap_or(0);
                let least = self.0.iter().map(|word| hash(&word.to_le_bytes(), seed)).min().unwrap_or(0);
                hash(&least.to_le_bytes(), mixed)
            })
        })
    }
}

impl Recent {
    /// An empty window of at most so many messages, none older than so long.
    pub fn new(most: usize, longest_ms: u64) -> Self {
        Self { most, longest_ms, ..Self::default() }
    }

    /// Which earlier message one is like, the first of its kind; one that is like none is the first of its own. The same message again is
    /// not like itself.
    pub fn meet(&mut self, words: Words, seen: Seen) -> Option<Like> {
        self.forget(seen.at);
        let bands = words.bands();
        let mut near: Vec<u64> =
            bands.iter().zip(0_u8..).filter_map(|(hash, band)| self.bands.get(&(band, *hash))).flatten().copied().collect();
        near.sort_unstable();
        near.dedup();
        for number in near {
            let at = number.checked_sub(self.oldest).and_then(|at| usize::try_from(at).ok());
            let Some(first) = at.and_then(|at| self.kept.get_mut(at)) else { continue };
            if first.seen.source == seen.source && first.seen.event == seen.event {
                return None;
            }
            let score = words.share(&first.words);
            if score >= ALIKE {
                first.count = first.count.saturating_add(1);
                return Some(Like { first: first.seen.clone(), score, count: first.count });
            }
        }
        self.keep(First { words, seen, bands, count: 0 });
        None
    }

    fn keep(&mut self, first: First) {
        let number = self.oldest + self.kept.len() as u64;
        for (hash, band) in first.bands.iter().zip(0_u8..) {
            self.bands.entry((band, *hash)).or_default().push(number);
        }
        self.kept.push_back(first);
        while self.kept.len() > self.most {
            self.drop_oldest();
        }
    }

    /// Lets go of what is too old by now.
    fn forget(&mut self, now: Timestamp) {
        while self.kept.front().is_some_and(|first| first.seen.at.0.saturating_add(self.longest_ms) < now.0) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(first) = self.kept.pop_front() else { return };
        for (hash, band) in first.bands.iter().zip(0_u8..) {
            if let Some(numbers) = self.bands.get_mut(&(band, *hash)) {
                numbers.retain(|number| *number != self.oldest);
                if numbers.is_empty() {
                    self.bands.remove(&(band, *hash));
                }
            }
        }
        self.oldest += 1;
    }
}

/// What people put around the same words: whom they mention, what they link to.
fn is_passing(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '"', '\'', '.']);
    word.starts_with('@') || word.contains("://") || word.starts_with("www.")
}

/// FNV-1a with a seed and a last stir: it must be the same after a restart, and no secret depends on it.
fn hash(bytes: &[u8], seed: u32) -> u32 {
    let hash = bytes
        .iter()
        .fold(0x811c_9dc5_u32 ^ seed.wrapping_mul(0x9e37_79b9), |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash ^ (hash >> 13)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(event: &str, at: u64) -> Seen {
        Seen { source: "desk".to_owned(), event: event.to_owned(), ticket: None, author: None, at: Timestamp(at) }
    }

    fn meet(recent: &mut Recent, event: &str, at: u64, text: &str) -> Option<(String, u32)> {
        let like = recent.meet(Words::of(text)?, seen(event, at))?;
        Some((like.first.event, like.count))
    }

    const OUTAGE: &str = "the VPN has been down since nine and nobody in the office can work";

    #[test]
    fn the_same_words_are_alike_whatever_is_around_them_and_other_words_are_not() {
        let mut recent = Recent::new(100, 1_000);
        assert_eq!(meet(&mut recent, "m1", 0, &format!("@acme {OUTAGE}!")), None);
        let told = format!("RT @bob: {} https://x.com/i/1", OUTAGE.to_uppercase());
        assert_eq!(meet(&mut recent, "m2", 1, &told), Some(("m1".to_owned(), 1)));
        assert_eq!(meet(&mut recent, "m3", 2, &format!("{OUTAGE} @help")), Some(("m1".to_owned(), 2)), "the first of them");
        assert_eq!(meet(&mut recent, "m4", 3, "the printer on the third floor eats paper and nobody in the office can print"), None);
        assert_eq!(meet(&mut recent, "m1", 4, OUTAGE), None, "not like itself");
        for short in ["thanks", "thank you so", "@a @b @c @d @e"] {
            assert_eq!(Words::of(short), None, "{short}");
        }
    }

    #[test]
    fn a_few_changed_words_are_found_every_time() {
        let words: Vec<String> = (0..40).map(|at| format!("word{at}")).collect();
        for nth in 0..200 {
            let mut recent = Recent::new(100, 1_000);
            let mut other = words.clone();
            other[nth % 40] = format!("other{nth}");
            other[(nth * 7 + 3) % 40] = format!("another{nth}");
            meet(&mut recent, "m1", 0, &words.join(" "));
            assert_eq!(meet(&mut recent, "m2", 0, &other.join(" ")), Some(("m1".to_owned(), 1)), "{nth}");
        }
    }

    #[test]
    fn the_window_has_a_length_and_an_age_and_leaves_nothing_behind() {
        let mut recent = Recent::new(3, 1_000);
        meet(&mut recent, "m1", 0, OUTAGE);
        assert_eq!(meet(&mut recent, "m2", 1_001, OUTAGE), None, "too old");
        for at in 0..5 {
            meet(&mut recent, &format!("n{at}"), 1_002, &format!("{at}a {at}b {at}c {at}d {at}e"));
        }
        assert_eq!(meet(&mut recent, "m3", 1_003, OUTAGE), None, "too many came in between");
        assert_eq!(recent.kept.len(), 3);
        assert_eq!(recent.bands.values().map(Vec::len).sum::<usize>(), 3 * BANDS);
    }
}
