//! Sums by a few words, without making words again that are there already: a report reads a million lines and shows some hundred.

use std::collections::HashMap;
use std::fmt::Write;

/// Words, and their sum.
pub(super) type Summed<const N: usize> = ([String; N], i64);

/// Sums by `N` words.
pub(super) struct Words<const N: usize> {
    /// By the words with their lengths, which are one text for no other words.
    places: HashMap<String, usize>,
    rows: Vec<Summed<N>>,
    key: String,
}

impl<const N: usize> Words<N> {
    pub(super) fn new() -> Self {
        Self { places: HashMap::new(), rows: Vec::new(), key: String::new() }
    }

    pub(super) fn add(&mut self, words: [&str; N], n: i64) {
        self.key.clear();
        for word in words {
            // Writing into a string does not fail.
            let _ = write!(self.key, "{}:{word}", word.len());
        }
        if let Some(at) = self.places.get(&self.key) {
            self.rows[*at].1 += n;
            return;
        }
        self.places.insert(self.key.clone(), self.rows.len());
        self.rows.push((words.map(str::to_owned), n));
    }

    /// All with a sum above 0, by their words.
    pub(super) fn rows(mut self) -> Vec<Summed<N>> {
        self.rows.retain(|(_, n)| *n > 0);
        self.rows.sort_unstable();
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn the_same_words_are_summed_and_no_others() {
        let mut words = Words::new();
        for (pair, n) in
            [(["b", "c"], 1), (["a", "b"], 2), (["b", "c"], 3), (["a1:", "b"], 4), (["a", "1:b"], 5), (["gone", ""], 1), (["gone", ""], -1)]
        {
            words.add(pair, n);
        }
        let row = |first: &str, second: &str, n| ([first.to_owned(), second.to_owned()], n);
        assert_eq!(words.rows(), [row("a", "1:b", 5), row("a", "b", 2), row("a1:", "b", 4), row("b", "c", 4)]);
    }
}
