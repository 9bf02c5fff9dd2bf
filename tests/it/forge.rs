//! Forges plugins that no toolchain would write: a whole rule in the text format, of which a test replaces one part.
//!
//! A forged rule is a core module; the host makes a component of it as it does for C. Its `evaluate` does what the first letter of the
//! event's text says. With `p` the rest of the text, two letters a byte, becomes what it returns: a test can hand the host any bytes at
//! all as a verdict. Used by the hostile suite; it knows nothing of what must come of it.

/// The parts of a rule, honest until a test says otherwise.
#[derive(Clone)]
pub struct Forged {
    pub name: Vec<u8>,
    pub version: Vec<u8>,
    pub summary: Vec<u8>,
    pub schema: Vec<u8>,
    /// Limits of its memory, in pages.
    pub memory: &'static str,
    /// Further fields of the module, before its own and after them.
    pub fields: String,
    pub more: &'static str,
    /// What runs before anything is called.
    pub start: &'static str,
    /// What runs in `describe`, `configure`, `cabi_realloc` and after `evaluate`.
    pub describe: &'static str,
    pub configure: &'static str,
    pub realloc: &'static str,
    pub post: &'static str,
    /// Words of the description to put in place of the right ones.
    pub words: Vec<(usize, u32)>,
    /// Appended to the finished module: sections.
    pub tail: Vec<u8>,
}

/// Where what `evaluate` returns begins.
pub const RETURNED: u32 = 4096;

impl Default for Forged {
    fn default() -> Self {
        Self {
            name: b"forged".to_vec(),
            version: b"0.1.0".to_vec(),
            summary: b"Does what a letter says.".to_vec(),
            schema: br#"{"type": "object"}"#.to_vec(),
            memory: "1",
            fields: String::new(),
            more: "",
            start: "",
            describe: "",
            configure: "",
            realloc: "",
            post: "",
            words: Vec::new(),
            tail: Vec::new(),
        }
    }
}

/// What `evaluate` does for each letter, after which it returns an empty verdict if it still can.
const LETTERS: &[(char, &str)] = &[
    // Loops: of nothing, of calls, of host-side work.
    ('l', "(loop $l (br $l))"),
    ('c', "(loop $l (call $nothing) (br $l))"),
    ('z', "(loop $l (memory.fill (i32.const 32768) (i32.const 1) (i32.const 32767)) (br $l))"),
    ('r', "(call $recurse)"),
    // Memory and tables: politely, and insisting.
    ('m', "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))"),
    ('q', "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable"),
    ('t', "(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))"),
    ('g', "(if (i32.ne (table.grow $t (ref.null func) (i32.const 10000000)) (i32.const -1)) (then (loop $l (br $l))))"),
    // Traps.
    ('u', "unreachable"),
    ('d', "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
    ('f', "(drop (i32.trunc_f64_s (f64.const nan)))"),
    ('x', "(drop (i32.load (i32.const 0x7ffffffc)))"),
    ('n', "(call_indirect $t (type $plain) (i32.const 0))"),
    ('i', "(call_indirect $t (type $plain) (i32.const 90000))"),
    // Whether this instance has served an event before: then it cannot go on.
    ('s', "(if (global.get $served) (then unreachable)) (global.set $served (i32.const 1))"),
    // Leaves a mark in all of its memory, and looks for another's.
    ('a', "(drop (memory.grow (i32.const 64))) (memory.fill (i32.const 65536) (i32.const 0xa5) (i32.const 4194304))"),
    (
        'b',
        "(drop (memory.grow (i32.const 64))) (local.set $at (i32.const 65536))
         (loop $l (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
            (local.set $at (i32.add (local.get $at) (i32.const 8))) (br_if $l (i32.lt_u (local.get $at) (i32.const 4259840))))",
    ),
    // Returns what the text says.
    (
        'p',
        "(loop $l
            (i32.store8 (i32.add (i32.const 4096) (local.get $at))
                (i32.add (i32.shl (i32.sub (i32.load8_u (local.get $text)) (i32.const 97)) (i32.const 4))
                    (i32.sub (i32.load8_u (i32.add (local.get $text) (i32.const 1))) (i32.const 97))))
            (local.set $text (i32.add (local.get $text) (i32.const 2)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $text) (local.get $end))))",
    ),
];

impl Forged {
    /// With another name, so that several stand beside each other.
    pub fn named(name: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), ..Self::default() }
    }

    /// The bytes of the module.
    pub fn wasm(&self) -> Vec<u8> {
        let mut wasm = wat::parse_str(self.text()).unwrap();
        wasm.extend(&self.tail);
        wasm
    }

    fn text(&self) -> String {
        // Texts of the description from 32 KiB on; an event's from 12 KiB on; what is returned at 4 KiB.
        let (mut data, mut at) = (String::new(), 0x8000_u32);
        let mut words = [0u32; 22];
        for (text, place) in [(&self.name, 0), (&self.version, 2), (&self.summary, 4), (&self.schema, 18)] {
            data += &format!("(data (i32.const {at}) \"{}\")", quoted(text));
            (words[place], words[place + 1]) = (at, text.len() as u32);
            at += text.len() as u32 + 8;
        }
        // One effect.
        data += &format!("(data (i32.const 2048) \"{}tag\")", quoted(&[2056u32.to_le_bytes(), 3u32.to_le_bytes()].concat()));
        (words[14], words[15]) = (2048, 1);
        for (place, word) in &self.words {
            words[*place] = *word;
        }
        let words = quoted(&words.map(u32::to_le_bytes).concat());
        let letters: String = LETTERS
            .iter()
            .map(|(letter, body)| format!("(if (i32.eq (local.get $letter) (i32.const {})) (then {body}))", u32::from(*letter)))
            .collect();
        let post = match self.post {
            "" => String::new(),
            body => format!(r#"(func (export "cabi_post_signalbox:rules/rule@0.1.0#evaluate") (param i32) {body})"#),
        };
        let start = match self.start {
            "" => String::new(),
            body => format!("(func $s {body}) (start $s)"),
        };
        let Self { memory, fields, more, describe, configure, realloc, .. } = self;
        format!(
            r#"(module {fields}
            (type $plain (func))
            (memory (export "memory") {memory})
            (table $t 8 funcref)
            (global $next (mut i32) (i32.const 12288))
            (global $served (mut i32) (i32.const 0))
            (data (i32.const 1024) "{words}") {data}
            (func $nothing)
            (func $recurse (call $recurse) (call $nothing))
            (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                {realloc}
                global.get $next
                (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 15)) (i32.const -8))))
            (func (export "signalbox:rules/metadata@0.1.0#describe") (result i32) {describe} i32.const 1024)
            (func (export "signalbox:rules/rule@0.1.0#configure") (param i32 i32) (result i32) {configure} i32.const 4096)
            {post}
            (func (export "signalbox:rules/rule@0.1.0#evaluate") (param $event i32) (result i32)
                (local $letter i32) (local $at i32) (local $text i32) (local $end i32)
                (local.set $text (i32.load offset=48 (local.get $event)))
                (local.set $end (i32.add (local.get $text) (i32.load offset=52 (local.get $event))))
                (local.set $letter (i32.load8_u (local.get $text)))
                (local.set $text (i32.add (local.get $text) (i32.const 1)))
                {letters}
                i32.const {RETURNED})
            {start} {more})"#
        )
    }
}

/// Bytes as a string of the text format.
fn quoted(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// The text of an event that has the rule return these bytes.
pub fn returning(bytes: &[u8]) -> String {
    let letter = |nibble: u8| char::from(b'a' + nibble);
    let pairs = bytes.iter().flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]);
    std::iter::once('p').chain(pairs).collect()
}

/// A custom section.
pub fn custom(name: &str, content: &[u8]) -> Vec<u8> {
    let leb = |mut number: usize| {
        let mut bytes = Vec::new();
        loop {
            let low = (number & 0x7f) as u8;
            number >>= 7;
            bytes.push(if number > 0 { low | 0x80 } else { low });
            if number == 0 {
                return bytes;
            }
        }
    };
    let inside = [leb(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
    [vec![0], leb(inside.len()), inside].concat()
}

/// A verdict with one proposal, as it lies in memory, in parts that a test can spoil.
#[derive(Clone)]
pub struct Returned {
    pub bytes: Vec<u8>,
}

/// Places of the parts, from the beginning of what is returned.
pub mod at {
    /// 0 for a verdict, 1 for an error.
    pub const RESULT: usize = 0;
    /// The list of proposals: its address and its length.
    pub const LIST: usize = 4;
    /// Whether the chain goes on.
    pub const FLOW: usize = 12;
    /// The first proposal's effect, and what belongs to it.
    pub const EFFECT: usize = 16;
    pub const PAYLOAD: usize = 24;
    pub const REASON: usize = 16 + 56;
    pub const CONFIDENCE: usize = 16 + 64;
    pub const RULE_ID: usize = 16 + 68;
    pub const EVIDENCE: usize = 16 + 80;
    /// The words that it refers to.
    pub const WORDS: usize = 16 + 88;
}

impl Returned {
    /// Proposes the tag `forged` because of `words`.
    pub fn honest() -> Self {
        let mut returned = Self { bytes: vec![0; at::WORDS] };
        returned.bytes.extend(b"forged");
        let words = RETURNED + at::WORDS as u32;
        returned
            .word(at::LIST, RETURNED + at::EFFECT as u32)
            .word(at::LIST + 4, 1)
            .byte(at::EFFECT, 8)
            .word(at::PAYLOAD, words)
            .word(at::PAYLOAD + 4, 6)
            .word(at::REASON, words)
            .word(at::REASON + 4, 6)
            .float(at::CONFIDENCE, 0.5)
    }

    pub fn byte(mut self, at: usize, byte: u8) -> Self {
        self.bytes[at] = byte;
        self
    }

    pub fn word(mut self, at: usize, word: u32) -> Self {
        self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        self
    }

    pub fn float(self, at: usize, float: f32) -> Self {
        self.word(at, float.to_bits())
    }

    /// Feels with so many signals, every one of them the same 4,000 zeros, and gives that much for the host to copy.
    pub fn same_signal(mut self, count: u32) -> Self {
        const ZEROS: u32 = 8_192;
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let list = RETURNED + self.bytes.len() as u32;
        (0..count).for_each(|_| self.bytes.extend([ZEROS.to_le_bytes(), 4_000u32.to_le_bytes()].concat()));
        self.byte(at::EFFECT, 3).word(at::PAYLOAD, 0).word(at::PAYLOAD + 8, list).word(at::PAYLOAD + 12, count)
    }

    pub fn text(&self) -> String {
        returning(&self.bytes)
    }
}
