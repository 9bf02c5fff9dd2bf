//! A text as a handful of numbers, so that two that say the same can be told without keeping what they say. Pure.
//!
//! The smallest hashes of its words: of two texts they agree about as often as their words do.

use signalbox_sdk::text::{Kind, Text};

/// Numbers that are kept: a short post has no more words.
const SIZE: usize = 12;
/// A text of fewer words is like too many others.
const LEAST: usize = 4;

/// A sketch, smallest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sketch(Vec<u32>);

impl Sketch {
    /// `None` when the text is too short to be told from others.
    pub(crate) fn of(text: &Text) -> Option<Self> {
        let words = text.tokens.iter().filter(|token| token.kind == Kind::Word && text.word(token).len() > 2);
        let mut hashes: Vec<u32> = words.map(|token| (token.key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32).collect();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() < LEAST {
            return None;
        }
        hashes.truncate(SIZE);
        Some(Self(hashes))
    }

    /// How much of their words two texts share, 0.0 ..= 1.0.
    pub(crate) fn likeness(&self, other: &Self) -> f32 {
        let mut both: Vec<u32> = self.0.iter().chain(&other.0).copied().collect();
        both.sort_unstable();
        both.dedup();
        both.truncate(SIZE);
        let shared = both.iter().filter(|hash| self.0.contains(hash) && other.0.contains(hash)).count();
        shared as f32 / both.len().max(1) as f32
    }

    /// As it is kept.
    pub(crate) fn write(&self) -> String {
        self.0.iter().map(|hash| format!("{hash:x}")).collect::<Vec<_>>().join(",")
    }

    /// `None` when it is not what [`Sketch::write`] wrote.
    pub(crate) fn read(written: &str) -> Option<Self> {
        written.split(',').map(|hash| u32::from_str_radix(hash, 16).ok()).collect::<Option<Vec<_>>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(text: &str) -> Sketch {
        Sketch::of(&Text::read(text)).unwrap()
    }

    #[test]
    fn what_says_the_same_is_alike_and_what_does_not_is_not() {
        let one = sketch("The VPN has been down since nine and nobody in Oslo can work");
        assert_eq!(one.likeness(&sketch("the vpn has been DOWN since nine, and nobody in Oslo can work!!")), 1.0);
        assert!(one.likeness(&sketch("VPN has been down since nine, nobody in the Oslo office can work")) > 0.6);
        assert!(one.likeness(&sketch("My invoice for March shows the wrong address")) < 0.2);
        assert!(Sketch::of(&Text::read("vpn down again")).is_none(), "three words are like too many others");
    }

    #[test]
    fn what_is_written_is_read() {
        let one = sketch("the printer on floor two eats every page");
        assert_eq!(Sketch::read(&one.write()).as_ref(), Some(&one));
        assert_eq!((Sketch::read(""), Sketch::read("12,xyz")), (None, None));
    }
}
