//! Reads a text once into tokens: where each stands, its folded word, how it was written, and the scopes it lies in.
//!
//! Used by rules that match words; it knows no word list but the little words of `scope`. It allocates twice per text, and
//! must stay linear in its length.

use crate::{reader, scope};

/// Written in capitals although the word is not a single letter.
pub const CAPS: u16 = 1;
/// A letter was held down: "sooo".
pub const ELONGATED: u16 = 1 << 1;
/// Part of a hashtag.
pub const HASHTAG: u16 = 1 << 2;
/// Inside quotation marks, a quoted line or braces: somebody else's words.
pub const QUOTED: u16 = 1 << 3;
/// In a sentence that ends with a question mark.
pub const ASKED: u16 = 1 << 4;
/// In the scope of "not", "never", "kein", "pas", ...
pub const NEGATED: u16 = 1 << 5;
/// In the scope of "can't", "won't", "unable", ...
pub const BLOCKED: u16 = 1 << 6;
/// In the scope of "if", "would be", "in case", ...
pub const HYPOTHETICAL: u16 = 1 << 7;
/// After the last "but" of its sentence.
pub const AFTER_BUT: u16 = 1 << 8;
/// Before a "but" of its sentence.
pub const BEFORE_BUT: u16 = 1 << 9;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters and digits.
    Word,
    /// `@somebody`.
    Mention,
    /// A web or mail address.
    Link,
    /// An emoji or an emoticon.
    Emoji,
}

/// What separates a token from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// Nothing that is read as a break.
    None,
    /// A comma, a dash, a bracket, the end of a line.
    Pause,
    /// The end of a sentence.
    Stop,
}

/// One word, mention, link or emoji.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// First byte in the text.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// [`key`] of the folded word: the same for "Café", "CAFE" and "cafe".
    pub key: u64,
    /// For an elongated word, the key with its held letters single; else the same as `key`.
    pub alt: u64,
    /// Key of the first four bytes of the folded word; 0 when it is shorter.
    pub stem: u64,
    /// Where its folded word stands in the text's.
    pub(crate) folded: (u32, u32),
    /// Sentence number in the text, from 0.
    pub sentence: u16,
    /// The constants of this module.
    pub flags: u16,
    /// What follows it.
    pub gap: Gap,
    /// The strongest mark that follows it: 4 is `?`, 3 `!`, 2 a full stop, 1 a comma or the like, 0 none.
    pub mark: u8,
    /// What it is.
    pub kind: Kind,
}

impl Token {
    /// Whether it carries any of these flags.
    pub fn is(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }
}

/// A text that was read.
#[derive(Debug, Default)]
pub struct Text {
    /// In the order of the text.
    pub tokens: Vec<Token>,
    /// Exclamation marks.
    pub exclaims: u32,
    /// Question marks.
    pub questions: u32,
    /// Links.
    pub links: u32,
    /// Whether some word is not in capitals, so that capitals are a choice.
    pub mixed_case: bool,
    pub(crate) folded: Vec<u8>,
}

/// The key that [`Token::key`] has for a folded word: two words share one only by a 2^-64 accident.
pub const fn key(folded: &str) -> u64 {
    hash(folded.as_bytes())
}

pub(crate) const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash ^ (hash >> 29)
}

impl Text {
    /// Reads a text. Spans are bytes of it.
    pub fn read(text: &str) -> Self {
        let mut read = reader::read(text);
        scope::mark(&mut read.tokens);
        read
    }

    /// The bytes of [`Text::word`], for who looks at many words letter by letter.
    pub fn bytes(&self, token: &Token) -> &[u8] {
        self.folded.get(token.folded.0 as usize..token.folded.1 as usize).unwrap_or_default()
    }

    /// The folded word of a token: lower case, without accents, held letters shortened to two.
    pub fn word(&self, token: &Token) -> &str {
        std::str::from_utf8(self.bytes(token)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let read = Text::read(text);
        read.tokens.iter().map(|t| read.word(t).to_owned()).collect()
    }

    #[test]
    fn words_are_folded_and_apostrophes_follow_their_language() {
        assert_eq!(
            words("I can’t, it's CAFÉ; we'll see: l'accès n'est pas là"),
            ["i", "cant", "it", "cafe", "we", "see", "l", "acces", "n", "est", "pas", "la"]
        );
        assert_eq!(words("#EpicFail Wi-Fi 2FA"), ["epicfail", "epic", "fail", "wi", "fi", "2fa"]);
    }

    #[test]
    fn spans_slice_to_what_was_written() {
        let text = "Größe 😡 https://a.example/x?y. Can't @ann_b :-( mail a.b@c.example ok";
        let read = Text::read(text);
        let pieces: Vec<&str> = read.tokens.iter().map(|t| &text[t.start as usize..t.end as usize]).collect();
        assert_eq!(pieces, ["Größe", "😡", "https://a.example/x?y", "Can't", "@ann_b", ":-(", "mail", "a", "b@c.example", "ok"]);
        assert_eq!(read.links, 2);
    }

    #[test]
    fn greek_and_cyrillic_are_lower_case_too() {
        assert_eq!(words("ΔΕΝ НЕ Ёлка"), ["δεν", "не", "ёлка"]);
    }

    #[test]
    fn held_letters_match_both_spellings() {
        let read = Text::read("soooo goood");
        assert!(read.tokens.iter().all(|t| t.is(ELONGATED)));
        assert_eq!((read.tokens[0].alt, read.tokens[1].key), (key("so"), key("good")));
    }

    /// A rule that panics on a post is a step that fails: no text may do that, whatever is in it.
    #[test]
    fn no_text_breaks_it() {
        let pieces: Vec<&str> =
            "a|B|é|ß|’|'t|n't|'ll|#|@|@a|#Ab|.|..|.com|http://|www.|:)|:-(|<3|😡|👍🏽|\u{FE0F}|\u{200D}|\u{300}|\"|“|{|}|\n|\n>| |  \
                                 |aaa|ééé|!|?|…|but|not|if|İ|ǆ|_|-|9|x@y|\u{AD}"
                .split('|')
                .collect();
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            let read = Text::read(&text);
            for token in &read.tokens {
                assert!(token.start < token.end && text.get(token.start as usize..token.end as usize).is_some(), "{text:?} {token:?}");
                assert!(token.kind != Kind::Word || !read.word(token).is_empty(), "{text:?} {token:?}");
            }
        }
    }

    #[test]
    fn quotes_questions_and_capitals_are_marked() {
        let read = Text::read("He said \"it is all broken\" and left. WHY? {\"label\": 1} ok");
        let with = |flag| read.tokens.iter().filter(|t| t.is(flag)).map(|t| read.word(t)).collect::<Vec<_>>();
        assert_eq!(with(QUOTED), ["it", "is", "all", "broken", "label", "1"]);
        assert_eq!(with(ASKED), ["why"]);
        assert_eq!(with(CAPS), ["why"]);
        assert!(read.mixed_case);
    }
}
