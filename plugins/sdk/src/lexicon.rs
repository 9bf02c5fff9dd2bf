//! Words and phrases compiled once, at `configure`, and found in a text in one probe per token.
//!
//! A phrase is words as people write them. `word*` is any word that starts so (at the head of a phrase, four letters at
//! least); a lone `*` is up to three words; `#word` wants a hashtag. Case, accents and held letters do not matter.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::reader::stem;
use crate::text::{Gap, HASHTAG, Text, Token};

/// Words that a lone `*` may stand for.
const STAR: usize = 3;

/// Bytes of the longest word that `word*` takes: no language's words are longer, and evidence stays readable.
const LONGEST: usize = 64;

/// Keys are hashes already.
#[derive(Default)]
pub struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Index = HashMap<u64, Vec<Candidate>, BuildHasherDefault<Same>>;

/// A phrase that may begin here. Little words ("no", "is") begin dozens: the key of the second word weeds them out at once.
struct Candidate {
    entry: u32,
    /// 0 when the phrase has no second word, or one that is not exact.
    second: u64,
}

enum Part {
    Word { key: u64, hashtag: bool },
    Start(Box<str>),
    Star,
}

struct Entry<T> {
    parts: Vec<Part>,
    value: T,
}

/// Bits of the filter: eight for every word of a list of 4,000.
const FILTER_BITS: u32 = 15;

/// A set of phrases, each with a value.
pub struct Lexicon<T> {
    /// One bit for each first word: most words of a text begin no phrase, and are done with after one look at 4 KiB.
    filter: Vec<u64>,
    entries: Vec<Entry<T>>,
    words: Index,
    starts: Index,
}

impl<T> Default for Lexicon<T> {
    fn default() -> Self {
        Self { filter: vec![0; 1 << (FILTER_BITS - 6)], entries: Vec::new(), words: Index::default(), starts: Index::default() }
    }
}

impl<T> Lexicon<T> {
    /// Adds a phrase. The order of adding settles nothing: the longest match is found first.
    ///
    /// # Errors
    /// A sentence when the phrase has no word, begins with `*`, has more than two, or starts with a `word*` of fewer than
    /// four letters.
    pub fn add(&mut self, phrase: &str, value: T) -> Result<(), String> {
        let parts = parse(phrase)?;
        let at = self.entries.len() as u32;
        let (index, first) = match &parts[0] {
            Part::Word { key, .. } => (&mut self.words, *key),
            Part::Start(word) => (&mut self.starts, stem(word.as_bytes())),
            Part::Star => return Err(format!("`{phrase}` begins with `*`: begin with a word")),
        };
        let (word, bit) = place(first);
        self.filter[word] |= bit;
        let bucket = index.entry(first).or_default();
        let shorter = |c: &Candidate| self.entries[c.entry as usize].parts.len() < parts.len();
        let second = if let Some(Part::Word { key, .. }) = parts.get(1) { *key } else { 0 };
        bucket.insert(bucket.iter().position(shorter).unwrap_or(bucket.len()), Candidate { entry: at, second });
        self.entries.push(Entry { parts, value });
        Ok(())
    }

    /// Whether there is no phrase at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every phrase that begins at the token `at`, longest first: the token after its last one, and its value.
    pub fn at<'a>(&'a self, text: &'a Text, at: usize) -> impl Iterator<Item = (usize, &'a T)> + 'a {
        let token = &text.tokens[at];
        let find = |index: &'a Index, key: u64| {
            let (word, bit) = place(key);
            let list = if self.filter[word] & bit == 0 { None } else { index.get(&key) };
            list.map_or(&[][..], Vec::as_slice)
        };
        let same = find(&self.words, token.key);
        let held = if token.alt == token.key { &[][..] } else { find(&self.words, token.alt) };
        let starts = if token.stem == 0 { &[][..] } else { find(&self.starts, token.stem) };
        let next = text.tokens.get(at + 1).map_or((0, 0), |t| (t.key, t.alt));
        same.iter().chain(held).chain(starts).filter_map(move |candidate| {
            if candidate.second != 0 && candidate.second != next.0 && candidate.second != next.1 {
                return None;
            }
            let entry = &self.entries[candidate.entry as usize];
            end_of(&entry.parts, text, at).map(|end| (end, &entry.value))
        })
    }

    /// The longest phrase that begins at the token `at`.
    pub fn longest<'a>(&'a self, text: &'a Text, at: usize) -> Option<(usize, &'a T)> {
        self.at(text, at).reduce(|best, next| if next.0 > best.0 { next } else { best })
    }
}

fn place(key: u64) -> (usize, u64) {
    let bit = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    (bit as usize >> 6, 1 << (bit & 63))
}

fn parse(phrase: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for piece in phrase.split_whitespace() {
        if piece == "*" {
            parts.push(Part::Star);
            continue;
        }
        let (piece, open) = piece.strip_suffix('*').filter(|p| p.ends_with(char::is_alphanumeric)).map_or((piece, false), |p| (p, true));
        let read = Text::read(piece);
        let last = read.tokens.len().checked_sub(1).ok_or_else(|| format!("`{phrase}` has no word in it"))?;
        for (at, token) in read.tokens.iter().enumerate() {
            if open && at == last {
                let word = read.word(token);
                if parts.is_empty() && word.len() < 4 {
                    return Err(format!("`{phrase}`: the first word needs four letters before its `*`"));
                }
                parts.push(Part::Start(word.into()));
            } else {
                parts.push(Part::Word { key: token.key, hashtag: token.is(HASHTAG) });
            }
        }
    }
    match parts.iter().filter(|part| matches!(part, Part::Star)).count() {
        _ if parts.is_empty() => Err("an empty phrase: remove it".to_owned()),
        0..=2 => Ok(parts),
        stars => Err(format!("`{phrase}` has {stars} lone `*`: two are the most")),
    }
}

fn fits(part: &Part, text: &Text, token: &Token) -> bool {
    match part {
        Part::Word { key, hashtag } => (token.key == *key || token.alt == *key) && (!hashtag || token.is(HASHTAG)),
        Part::Start(start) => text.bytes(token).len() <= LONGEST && text.bytes(token).starts_with(start.as_bytes()),
        Part::Star => true,
    }
}

/// The token after the phrase, if it stands here. A phrase never crosses the end of a sentence.
fn end_of(parts: &[Part], text: &Text, at: usize) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let same_sentence = |next: usize| text.tokens[next - 1].gap < Gap::Stop;
    if matches!(part, Part::Star) {
        for next in at..=at + STAR {
            if let Some(end) = end_of(rest, text, next) {
                return Some(end);
            }
            if next >= text.tokens.len() || !same_sentence(next + 1) {
                break;
            }
        }
        return None;
    }
    let token = text.tokens.get(at)?;
    if !fits(part, text, token) || (!rest.is_empty() && !same_sentence(at + 1)) {
        return None;
    }
    end_of(rest, text, at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrases: &[&str], text: &str) -> Vec<String> {
        let mut lexicon = Lexicon::default();
        for phrase in phrases {
            lexicon.add(phrase, ()).unwrap();
        }
        let read = Text::read(text);
        let mut out = Vec::new();
        for at in 0..read.tokens.len() {
            if let Some((end, ())) = lexicon.longest(&read, at) {
                out.push(text[read.tokens[at].start as usize..read.tokens[end - 1].end as usize].to_owned());
            }
        }
        out
    }

    #[test]
    fn the_longest_phrase_stands() {
        assert_eq!(found(&["log in", "can't log in", "log"], "I can’t log in."), ["can’t log in", "log in"]);
    }

    #[test]
    fn stars_stand_for_endings_and_for_words() {
        assert_eq!(
            found(&["salasana*", "love how * down"], "Salasanani! I love how the site is down"),
            ["Salasanani", "love how the site is down"]
        );
        assert_eq!(found(&["love how * down"], "I love how it works. Shut down"), Vec::<String>::new());
        assert_eq!(found(&["salasana*"], &format!("salasana{}", "ab".repeat(60))), Vec::<String>::new());
    }

    #[test]
    fn a_hashtag_phrase_wants_a_hashtag() {
        assert_eq!(found(&["#fail"], "fail #fail"), ["fail"]);
    }

    #[test]
    fn phrases_that_cannot_work_are_refused() {
        let mut lexicon = Lexicon::default();
        for phrase in ["", "..", "ab*", "* down", "a * b * c * d"] {
            assert!(lexicon.add(phrase, ()).is_err(), "{phrase}");
        }
    }
}
