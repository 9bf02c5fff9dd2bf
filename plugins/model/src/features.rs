//! The features of a read text: hashed words, pairs, pieces of words, clusters and the tone, each with the tokens it comes from.
//!
//! One pass, no string is built. The training tool writes down what this pass emits, so that a model is scored on exactly what
//! it was trained on. A change here makes every model file wrong: `plugins/train` must run again.

use signalbox_sdk::text::{BLOCKED, CAPS, ELONGATED, Gap, HASHTAG, Kind, NEGATED, Text, Token};

use crate::words::{Known, NO_CLUSTER, UNKNOWN, Words};

/// Groups of features; each is weighed by one over the root of its size.
pub const GROUPS: usize = 5;
/// Words, pairs of neighbours, pairs over one word.
pub const WORDS: usize = 0;
/// Words that are denied, shouted or held.
pub const TURNED: usize = 1;
/// Pieces of words.
pub const PIECES: usize = 2;
/// Clusters and pairs of clusters.
pub const CLUSTERS: usize = 3;
/// The tone of the whole: feeling of its words, marks, length.
pub const TONE: usize = 4;

/// Tokens that are read: a longer text says nothing new, and time stays bounded.
const MAX_TOKENS: usize = 400;
/// What denial leaves of a word's feeling.
const DENIED: f32 = -0.74;
const EMPHASIS: f32 = 1.2;

/// Which features a model has.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Lengths of the pieces of words, in letters; 0 for none.
    pub pieces: (usize, usize),
    /// Pairs over one word.
    pub skips: bool,
    /// Clusters and tone.
    pub tone: bool,
}

/// What takes the features.
pub trait Sink {
    /// One feature, and the tokens it comes from: one, or two of a pair. `u32::MAX` is no token.
    fn add(&mut self, group: usize, hash: u32, tokens: (u32, u32));
}

/// No token of its own: the tone.
pub const WHOLE: (u32, u32) = (u32::MAX, u32::MAX);

/// A word, mention, link, mark or emoji as the pairs see it.
#[derive(Clone, Copy)]
struct Unit {
    id: u32,
    token: u32,
}

const START: u32 = 0x5ee1_7a11;
const END: u32 = 0x0dd5_0e4d;
const USER: u32 = 0x1357_9bdf;
const LINK: u32 = 0x2468_ace1;
const NUMBER: u32 = 0x3141_5927;
const MARKS: [u32; 5] = [0, 0x1111_0001, 0x2222_0003, 0x3333_0005, 0x4444_0007];

/// Emits every feature of a text.
pub fn features(text: &Text, words: &Words<'_>, shape: Shape, sink: &mut impl Sink) {
    let tokens = &text.tokens[..text.tokens.len().min(MAX_TOKENS)];
    let mut units = Vec::with_capacity(tokens.len() * 5 / 4 + 2);
    let mut known = Vec::with_capacity(tokens.len());
    units.push(Unit { id: START, token: u32::MAX });
    for (at, token) in tokens.iter().enumerate() {
        let own = at as u32;
        let (id, knows) = match token.kind {
            Kind::Mention => (USER, UNKNOWN),
            Kind::Link => (LINK, UNKNOWN),
            Kind::Emoji => (short(token.key), words.get(token.key)),
            Kind::Word if is_number(text.bytes(token)) => (NUMBER ^ (token.end - token.start).min(5), UNKNOWN),
            Kind::Word if is_placeholder(text.bytes(token)) => (LINK, UNKNOWN),
            Kind::Word => {
                let knows = words.get(token.key);
                (short(token.key), if knows == UNKNOWN && token.alt != token.key { words.get(token.alt) } else { knows })
            }
        };
        known.push(knows);
        units.push(Unit { id, token: own });
        sink.add(WORDS, mix(id, 1), (own, own));
        if token.is(NEGATED | BLOCKED) && token.kind == Kind::Word {
            sink.add(TURNED, mix(id, 2), (own, own));
        }
        if token.is(CAPS) && text.mixed_case {
            sink.add(TURNED, mix(id, 3), (own, own));
        }
        if token.is(ELONGATED) {
            sink.add(TURNED, mix(id, 4), (own, own));
        }
        if shape.pieces.1 > 0 && matches!(token.kind, Kind::Word | Kind::Emoji) {
            pieces(text.bytes(token), shape.pieces, own, sink);
        }
        if token.mark > 0 {
            units.push(Unit { id: MARKS[usize::from(token.mark.min(4))], token: own });
            sink.add(WORDS, mix(MARKS[usize::from(token.mark.min(4))], 1), (own, own));
        }
    }
    units.push(Unit { id: END, token: u32::MAX });
    for pair in units.windows(2) {
        sink.add(WORDS, both(pair[0].id, pair[1].id, 5), (pair[0].token, pair[1].token));
    }
    if shape.skips {
        for three in units.windows(3) {
            sink.add(WORDS, both(three[0].id, three[2].id, 6), (three[0].token, three[2].token));
        }
    }
    if shape.tone {
        clusters(tokens, &known, words, sink);
        feeling(text, tokens, &known, sink);
        style(text, tokens, sink);
    }
}

/// Pieces of a word and its edges, by letters.
fn pieces(bytes: &[u8], (least, most): (usize, usize), token: u32, sink: &mut impl Sink) {
    let length = bytes.len();
    // Places -1 and `length` are the edges.
    let byte = |at: usize| if at == 0 { b'<' } else { bytes.get(at - 1).copied().unwrap_or(b'>') };
    let mut from = 0;
    while from < length + 1 {
        let (mut hash, mut at, mut letters) = (0x811c_9dc5_u32, from, 0);
        while letters < most && at < length + 2 {
            hash = (hash ^ u32::from(byte(at))).wrapping_mul(0x0100_0193);
            at += 1;
            while at <= length && byte(at) & 0xC0 == 0x80 && at > 0 {
                hash = (hash ^ u32::from(byte(at))).wrapping_mul(0x0100_0193);
                at += 1;
            }
            letters += 1;
            if letters >= least {
                sink.add(PIECES, mix(hash, 7), (token, token));
            }
        }
        from += 1;
        while from <= length && byte(from) & 0xC0 == 0x80 {
            from += 1;
        }
    }
}

fn clusters(tokens: &[Token], known: &[Known], words: &Words<'_>, sink: &mut impl Sink) {
    let mut before = (START, START, u32::MAX);
    for (at, (token, knows)) in tokens.iter().zip(known).enumerate() {
        let own = at as u32;
        let mut now = (1, 1, own);
        if knows.cluster != NO_CLUSTER {
            let (path, length) = words.path(knows.cluster);
            let prefix = |bits: u32| if length > bits { path >> (length - bits) | bits << 24 } else { path | length << 24 };
            let turn = if token.is(NEGATED | BLOCKED) { 100 } else { 0 };
            now = (u32::from(knows.cluster) + 2, prefix(8), own);
            sink.add(CLUSTERS, mix(now.0, 8 + turn), (own, own));
            sink.add(CLUSTERS, mix(now.1, 9 + turn), (own, own));
            sink.add(CLUSTERS, mix(prefix(6), 10), (own, own));
            sink.add(CLUSTERS, mix(prefix(4), 11), (own, own));
        }
        sink.add(CLUSTERS, both(before.0, now.0, 12), (before.2, own));
        sink.add(CLUSTERS, both(before.1, now.1, 13), (before.2, own));
        before = now;
    }
    sink.add(CLUSTERS, both(before.0, END, 12), (before.2, before.2));
}

/// Sums of the words' feelings, as steps.
fn feeling(text: &Text, tokens: &[Token], known: &[Known], sink: &mut impl Sink) {
    let (mut up, mut down, mut most, mut least, mut last, mut felt) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0_u32);
    let (mut up_at, mut down_at, mut most_at, mut least_at, mut last_at) = (u32::MAX, u32::MAX, u32::MAX, u32::MAX, u32::MAX);
    let mut after_but = None;
    for (at, (token, knows)) in tokens.iter().zip(known).enumerate() {
        if token.kind == Kind::Word && text.bytes(token) == b"but" {
            after_but = Some((0.0, at as u32));
        }
        if knows.valence == 0.0 {
            continue;
        }
        let turn = if token.is(NEGATED | BLOCKED) { DENIED } else { 1.0 };
        let loud = if token.is(ELONGATED) || token.is(CAPS) && text.mixed_case { EMPHASIS } else { 1.0 };
        let v = knows.valence * turn * loud;
        let own = at as u32;
        if v > 0.0 {
            up += v;
            if v > most {
                (most, most_at, up_at) = (v, own, own);
            }
        } else {
            down -= v;
            if v < least {
                (least, least_at, down_at) = (v, own, own);
            }
        }
        (last, last_at) = (v, own);
        felt += 1;
        if let Some((sum, _)) = &mut after_but {
            *sum += knows.valence;
        }
    }
    let step = |v: f32| ((v * 1.5) as u32).min(9);
    let sign = |v: f32, limit: i32| ((v + if v < 0.0 { -0.5 } else { 0.5 }) as i32).clamp(-limit, limit) as u32;
    let main = if up >= down { up_at } else { down_at };
    let whose = |at: u32| (at, at);
    let mut tone = |what: u32, value: u32, at: u32| sink.add(TONE, both(what, value, 14), whose(at));
    tone(1, step(up), up_at);
    tone(2, step(down), down_at);
    tone(3, sign(up - down, 9), main);
    tone(4, felt.min(5), u32::MAX);
    tone(5, sign(most, 9), most_at);
    tone(6, sign(least, 9), least_at);
    tone(7, sign(last, 9), last_at);
    tone(8, step(up) * 10 + step(down), main);
    if let Some((sum, at)) = after_but {
        tone(9, sign(sum, 4), at);
    }
}

fn style(text: &Text, tokens: &[Token], sink: &mut impl Sink) {
    let count = |flag: u16| tokens.iter().filter(|t| t.is(flag)).count() as u32;
    let kind = |kind: Kind| tokens.iter().filter(|t| t.kind == kind).count() as u32;
    let asked = tokens.last().is_some_and(|t| t.mark == 4);
    let addressed = tokens.first().is_some_and(|t| t.kind == Kind::Mention);
    let broken = tokens.iter().filter(|t| t.gap == Gap::Stop).count() as u32;
    let counts = [
        if text.mixed_case { count(CAPS).min(4) } else { 9 },
        count(ELONGATED).min(3),
        text.exclaims.min(4),
        text.questions.min(4),
        (tokens.len() as u32 / 5).min(8),
        kind(Kind::Link).min(2),
        kind(Kind::Mention).min(3),
        count(NEGATED | BLOCKED).min(6),
        u32::from(asked),
        kind(Kind::Emoji).min(3),
        u32::from(addressed),
        count(HASHTAG).min(3),
        broken.min(4),
    ];
    for (what, value) in counts.into_iter().enumerate() {
        sink.add(TONE, both(what as u32, value, 15), WHOLE);
    }
}

/// Digits, with what people write between them.
fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// What data sets write for a link.
fn is_placeholder(word: &[u8]) -> bool {
    matches!(word, b"http" | b"https" | b"url")
}

fn short(key: u64) -> u32 {
    (key ^ (key >> 32)) as u32
}

fn mix(value: u32, salt: u32) -> u32 {
    let mut h = (value ^ salt.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    h ^= h >> 15;
    h.wrapping_mul(0xc2b2_ae35)
}

fn both(a: u32, b: u32, salt: u32) -> u32 {
    mix(a.wrapping_mul(0x9e37_79b1).rotate_left(13) ^ b, salt)
}
