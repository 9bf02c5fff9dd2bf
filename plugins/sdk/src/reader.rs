//! The tokeniser: one pass over the bytes that writes tokens and their folded words.
//!
//! Called by [`Text::read`] alone, and linear in the text.

use crate::text::{ASKED, CAPS, ELONGATED, Gap, HASHTAG, Kind, QUOTED, Text, Token, hash, key};

/// Reads a text, without its scopes.
pub(crate) fn read(text: &str) -> Text {
    let mut reader = Reader::new(text);
    reader.run();
    reader.out
}

const EMOTICONS: [&str; 33] = [
    ":)", ":-)", ":(", ":-(", ":D", ":-D", ";)", ";-)", ":'(", ":’(", ":/", ":-/", ":|", ":-|", ":P", ":-P", ":p", ":*", ":@", ":O", ":o",
    "=)", "=(", "=D", "<3", "</3", ">:(", ">:-(", ":]", ":[", ":'-(", "^^", ":3",
];
const DOMAINS: [&str; 16] = ["com", "net", "org", "io", "ru", "xyz", "info", "biz", "ly", "top", "de", "fr", "es", "shop", "link", "click"];

/// What an ASCII byte is in a word. `UPPER` is the very bit that makes a letter lower case.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        let letter = if b.is_ascii_alphabetic() { LETTER } else { 0 };
        let upper = if b.is_ascii_uppercase() { UPPER } else { 0 };
        class[byte] = if b.is_ascii_alphanumeric() || b == b'_' { WORD | letter | upper } else { 0 };
        byte += 1;
    }
    class
};
const WORD: u8 = 1;
const LETTER: u8 = 2;
const UPPER: u8 = 0x20;

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    sentence: u16,
    sentence_from: usize,
    quote_from: Option<usize>,
    line_quoted: bool,
    braces: u32,
    out: Text,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let out = Text { tokens: Vec::with_capacity(text.len() / 5 + 8), folded: Vec::with_capacity(text.len() + 16), ..Text::default() };
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            sentence: 0,
            sentence_from: 0,
            quote_from: None,
            line_quoted: text.starts_with('>'),
            braces: 0,
            out,
        }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if CLASS[usize::from(byte)] != 0 {
                self.word(0);
            } else if byte == b' ' {
                self.at += 1;
            } else if byte.is_ascii() {
                self.mark(byte);
            } else {
                let c = self.char_at(self.at);
                if is_emoji(c) {
                    self.emoji(c);
                } else if c.is_alphanumeric() {
                    self.word(0);
                } else {
                    self.sign(c);
                }
            }
        }
    }

    fn char_at(&self, at: usize) -> char {
        self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(' ')
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn word(&mut self, flags: u16) {
        let start = self.at;
        if matches!(self.bytes[start], b'h' | b'H' | b'w' | b'W') && is_address(self.rest()) {
            return self.link(start);
        }
        let folded = self.out.folded.len();
        let (mut letters, mut capitals, mut lower, mut run, mut last, mut held) = (0_u32, 0_u32, false, 1_u32, 0_u32, false);
        let mut cuts = [0_usize; 6]; // where a camel-case hashtag may be cut
        let mut parts = 0;
        while let Some(&byte) = self.bytes.get(self.at) {
            let class = CLASS[usize::from(byte)];
            if class & WORD != 0 {
                self.out.folded.push(byte | (class & UPPER));
                letters += u32::from(class & LETTER != 0);
                let f = u32::from(byte | (class & UPPER));
                run = if f == last { run + 1 } else { 1 };
                held |= run >= 3 && class & LETTER != 0;
                last = f;
                if class & UPPER != 0 {
                    capitals += 1;
                    if flags & HASHTAG != 0 && lower && parts < cuts.len() {
                        cuts[parts] = self.at;
                        parts += 1;
                        lower = false;
                    }
                } else {
                    lower |= class & LETTER != 0;
                }
                self.at += 1;
                continue;
            }
            if byte.is_ascii() {
                break;
            }
            let c = self.char_at(self.at);
            if !c.is_alphanumeric() {
                if !is_mark(c) {
                    break;
                }
                self.at += c.len_utf8();
                continue;
            }
            letters += u32::from(c.is_alphabetic());
            capitals += u32::from(c.is_uppercase());
            lower |= c.is_lowercase();
            let before = self.out.folded.len();
            fold(c, &mut self.out.folded);
            let f = self.out.folded[before..].iter().fold(0, |f, byte| f << 8 | u32::from(*byte));
            run = if f == last { run + 1 } else { 1 };
            held |= run >= 3;
            last = f;
            self.at += c.len_utf8();
        }
        let end = self.at;
        if self.bytes.get(end) == Some(&b'@') && self.bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) || self.ends_as_domain(end)
        {
            self.out.folded.truncate(folded);
            return self.link(start);
        }
        let caps = if letters >= 2 && capitals == letters { CAPS } else { 0 };
        self.out.mixed_case |= letters >= 2 && caps == 0;
        let flags = flags | caps | if held { ELONGATED } else { 0 };
        self.push(start, end, folded, flags, Kind::Word);
        if parts > 0 {
            let mut from = start;
            for cut in cuts[..parts].iter().copied().chain([end]) {
                let folded = self.out.folded.len();
                for c in self.text[from..cut].chars() {
                    fold(c, &mut self.out.folded);
                }
                self.push(from, cut, folded, flags, Kind::Word);
                from = cut;
            }
        }
        self.clitic(start);
    }

    /// An apostrophe inside a word: "can't" is one word, "it's" is "it", "l'accès" is two.
    fn clitic(&mut self, start: usize) {
        let width = match self.bytes.get(self.at) {
            Some(b'\'') => 1,
            Some(0xE2) if self.char_at(self.at) == '’' => 3,
            Some(b'\\' | b'&') => match escaped(&self.bytes[self.at..]) {
                Some(('\'' | '’', width)) => width,
                _ => return,
            },
            _ => return,
        };
        let rest = self.text.get(self.at + width..).unwrap_or_default();
        let len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let tail = &rest[..len];
        let Some(token) = self.out.tokens.last_mut() else { return };
        if tail.eq_ignore_ascii_case("t") && self.out.folded.ends_with(b"n") {
            self.out.folded.push(b't');
            token.folded.1 += 1;
            token.end += (width + 1) as u32;
            token.key = hash(&self.out.folded[token.folded.0 as usize..]);
            token.alt = token.key;
            token.stem = stem(&self.out.folded[token.folded.0 as usize..]);
            self.at += width + 1;
        } else if ["s", "ll", "re", "ve", "d", "m"].iter().any(|t| tail.eq_ignore_ascii_case(t)) && self.at > start {
            self.at += width + len;
        } else if len > 0 {
            self.at += width;
        }
    }

    fn ends_as_domain(&self, end: usize) -> bool {
        if self.bytes.get(end) != Some(&b'.') || !self.bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic) {
            return false;
        }
        let rest = &self.bytes[end + 1..];
        let len = rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
        DOMAINS.iter().any(|d| d.as_bytes().eq_ignore_ascii_case(&rest[..len]))
    }

    fn link(&mut self, start: usize) {
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at = start + rest[..len].trim_end_matches(['.', ',', '!', '?', ')', '"']).len().max(1);
        self.out.links += 1;
        let folded = self.out.folded.len();
        self.push(start, self.at, folded, 0, Kind::Link);
    }

    fn emoji(&mut self, c: char) {
        let (start, folded) = (self.at, self.out.folded.len());
        self.at += c.len_utf8();
        while matches!(self.char_at(self.at), '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}') {
            self.at += self.char_at(self.at).len_utf8();
        }
        fold(c, &mut self.out.folded);
        self.push(start, self.at, folded, 0, Kind::Emoji);
    }

    fn mark(&mut self, byte: u8) {
        if let Some((c, width)) = escaped(&self.bytes[self.at..]) {
            self.at += width - c.len_utf8();
            return self.sign(c);
        }
        if matches!(byte, b':' | b';' | b'=' | b'<' | b'>' | b'^')
            && let Some(face) = self.emoticon()
        {
            let (start, folded) = (self.at, self.out.folded.len());
            self.at += face.len();
            self.out.folded.extend_from_slice(face.as_bytes());
            return self.push(start, self.at, folded, 0, Kind::Emoji);
        }
        let next = self.bytes.get(self.at + 1).copied().unwrap_or(b' ');
        let starts_word = next.is_ascii_alphanumeric() || next == b'_' || !next.is_ascii();
        match byte {
            b'#' if starts_word && self.char_at(self.at + 1).is_alphanumeric() => {
                self.at += 1;
                self.word(HASHTAG);
            }
            b'@' if starts_word && next.is_ascii() => {
                let (start, folded) = (self.at, self.out.folded.len());
                let name = self.bytes[start + 1..]
                    .iter()
                    .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_')))
                    .unwrap_or(self.bytes.len() - start - 1);
                self.at = start + 1 + name;
                self.push(start, self.at, folded, 0, Kind::Mention);
            }
            _ => self.sign(byte as char),
        }
    }

    fn emoticon(&self) -> Option<&'static str> {
        let face = EMOTICONS.iter().filter(|face| self.rest().starts_with(**face)).max_by_key(|face| face.len())?;
        let after = self.char_at(self.at + face.len());
        let before = if self.at == 0 { b' ' } else { self.bytes[self.at - 1] };
        let letter_face = face.ends_with(|c: char| c.is_ascii_alphanumeric());
        let inside = after.is_alphanumeric() || after == '/' || before.is_ascii_digit() || letter_face && before.is_ascii_alphanumeric();
        (!inside).then_some(*face)
    }

    /// Anything that is not part of a token: breaks, ends, quotes.
    fn sign(&mut self, c: char) {
        let at = self.at;
        self.at += c.len_utf8();
        match c {
            ' ' | '-' | '/' | '*' | '_' => {}
            '!' | '！' => {
                self.out.exclaims += 1;
                self.stop(3);
            }
            '?' | '？' | '؟' => {
                self.out.questions += 1;
                for token in &mut self.out.tokens[self.sentence_from..] {
                    token.flags |= ASKED;
                }
                self.stop(4);
            }
            '.' if !self.char_at(self.at).is_alphanumeric() => self.stop(2),
            '…' | '。' => self.stop(2),
            '\n' => {
                if self.rest().starts_with('\n') {
                    self.stop(0);
                }
                self.line_quoted = self.rest().starts_with('>');
                self.pause();
            }
            ',' | ';' | ':' | '(' | ')' | '–' | '—' => self.pause(),
            '"' | '“' | '”' | '„' | '«' | '»' => match self.quote_from.take() {
                Some(from) if self.out.tokens.len() >= from + 3 => {
                    for token in &mut self.out.tokens[from..] {
                        token.flags |= QUOTED;
                    }
                }
                _ => self.quote_from = Some(self.out.tokens.len()),
            },
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            '\r' => self.at = at + 1,
            _ => {}
        }
    }

    fn pause(&mut self) {
        if let Some(last) = self.out.tokens.last_mut() {
            last.gap = last.gap.max(Gap::Pause);
            last.mark = last.mark.max(1);
        }
    }

    fn stop(&mut self, mark: u8) {
        if let Some(last) = self.out.tokens.last_mut() {
            last.gap = Gap::Stop;
            last.mark = last.mark.max(mark);
            if self.out.tokens.len() > self.sentence_from {
                self.sentence = self.sentence.saturating_add(1);
                self.sentence_from = self.out.tokens.len();
            }
        }
    }

    fn push(&mut self, start: usize, end: usize, folded: usize, flags: u16, kind: Kind) {
        let mut alt = None;
        if flags & ELONGATED != 0 {
            alt = Some(squeeze(&mut self.out.folded, folded));
        }
        let word = &self.out.folded[folded..];
        let token_key = if kind == Kind::Mention || kind == Kind::Link { 0 } else { hash(word) };
        let quoted = if self.line_quoted || self.braces > 0 { QUOTED } else { 0 };
        self.out.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            key: token_key,
            alt: alt.unwrap_or(token_key),
            stem: stem(word),
            folded: (folded as u32, self.out.folded.len() as u32),
            sentence: self.sentence,
            flags: flags | quoted,
            gap: Gap::None,
            mark: 0,
            kind,
        });
    }
}

/// Shortens every run of three or more letters to two in place, and returns the key with those runs single.
fn squeeze(folded: &mut Vec<u8>, from: usize) -> u64 {
    let word = folded.split_off(from);
    let word = std::str::from_utf8(&word).unwrap_or_default();
    let mut single = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let mut run = 1;
        while chars.peek() == Some(&c) {
            chars.next();
            run += 1;
        }
        for _ in 0..run.min(2) {
            fold(c, folded);
        }
        for _ in 0..if run >= 3 { 1 } else { run } {
            single.push(c);
        }
    }
    key(&single)
}

pub(crate) fn stem(word: &[u8]) -> u64 {
    word.first_chunk::<4>().map_or(0, |four| u64::from(u32::from_le_bytes(*four)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A sign that an export left escaped (`\u2019`, `&amp;`), and the bytes it takes. Escaped letters stay as they are.
fn escaped(rest: &[u8]) -> Option<(char, usize)> {
    if let [b'\\', b'u', hex @ ..] = rest {
        let digits = std::str::from_utf8(hex.get(..4)?).ok()?;
        let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        return (!c.is_alphanumeric() && c.len_utf8() <= 6).then_some((c, 6));
    }
    const ENTITIES: [(&[u8], char); 6] =
        [(b"&amp;", '&'), (b"&lt;", '<'), (b"&gt;", '>'), (b"&quot;", '"'), (b"&#39;", '\''), (b"&nbsp;", ' ')];
    ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)).map(|(entity, c)| (*c, entity.len()))
}

fn is_address(rest: &str) -> bool {
    let head = rest.as_bytes();
    let starts = |with: &[u8]| head.get(..with.len()).is_some_and(|h| h.eq_ignore_ascii_case(with));
    starts(b"http://") || starts(b"https://") || starts(b"www.")
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}')
}

fn is_emoji(c: char) -> bool {
    let signs = matches!(c, '\u{231A}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}' | '\u{2B50}' | '\u{2B55}');
    signs || matches!(c, '\u{1F18E}'..='\u{1F251}' | '\u{1F300}'..='\u{1FAFF}')
}

/// Lower case without accents, for the Latin letters of the languages that the word lists cover.
fn fold(c: char, out: &mut Vec<u8>) {
    if c.is_ascii() {
        return out.push(c.to_ascii_lowercase() as u8);
    }
    let plain = match c {
        'à'..='å' | 'À'..='Å' | 'ā' | 'ą' | 'ă' => 'a',
        'ç' | 'Ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'È'..='Ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' => 'i',
        'ñ' | 'Ñ' | 'ń' => 'n',
        'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'Ø' | 'ő' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' | 'ű' => 'u',
        'ý' | 'ÿ' | 'Ý' => 'y',
        'š' | 'Š' | 'ś' => 's',
        'ž' | 'Ž' | 'ź' | 'ż' => 'z',
        'ß' | 'ẞ' => return out.extend_from_slice(b"ss"),
        'æ' | 'Æ' => return out.extend_from_slice(b"ae"),
        'œ' | 'Œ' => return out.extend_from_slice(b"oe"),
        // Greek and Cyrillic by their distance: the standard tables weigh 16 kB in every plugin.
        'Α'..='Ω' | 'А'..='Я' => char::from_u32(c as u32 + 32).unwrap_or(c),
        'Ѐ'..='Џ' => char::from_u32(c as u32 + 80).unwrap_or(c),
        other => other,
    };
    out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
}
