//! The text of an event with its tricks removed, and the way back: what the contract's `normal` interface answers.
//!
//! The host makes one [`Normal`] per text and hands it to every step that imports `normal`. Rules match on the normal text;
//! evidence is quoted from the raw one, so every piece can be traced back. It works in linear time whatever the author typed,
//! gives the same text when applied to its own result, and must never do IO, read a clock or panic on any string.
//!
//! Three things stand outside plain NFKC. Accents that stand alone (the arms of `¯\_(ツ)_/¯`) stay, as NFKC makes them a space
//! with a mark. `ﷺ` and `ﷻ` stay one character, as they would grow up to elevenfold. And runs of digits stay, as 10000 is not 1000.

use std::sync::LazyLock;

use unicode_normalization::char as ucd;

use crate::verdict::Span;

/// Marks a base keeps of the kind that any letter can wear: Vietnamese needs two, zalgo stacks dozens.
const MAX_DIACRITICS: u32 = 2;
/// Marks a base keeps of its own script: Burmese vowels with medials and Hebrew with cantillation reach six.
const MAX_SCRIPT_MARKS: u32 = 6;
/// Longest run of one character: still an elongation to a rule, whatever its length was.
const MAX_RUN: u32 = 3;

const LATIN: u8 = 1;
const JOINER: char = '\u{200D}';
const CANCEL_TAG: char = '\u{E007F}';

/// A text in normal form and how its bytes stand to the raw ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normal {
    text: String,
    map: Map,
}

/// From normal to raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Map {
    /// The raw text was normal already.
    Identity,
    /// By rising offsets. Raw bytes between two steps were dropped.
    Table(Vec<Step>),
}

/// One stretch of normal text, up to the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    normal: u32,
    /// The raw bytes.
    start: u32,
    end: u32,
    /// Byte for byte as in the raw text; otherwise the whole stretch comes from the whole of its raw bytes.
    copied: bool,
}

/// A character on its way to the text, and the raw bytes it comes from.
#[derive(Clone, Copy)]
struct Piece {
    c: char,
    /// Canonical combining class.
    class: u8,
    /// General category M.
    mark: bool,
    start: u32,
    end: u32,
}

impl Normal {
    /// Brings `raw` into normal form.
    #[must_use]
    pub fn of(raw: &str) -> Self {
        if is_plain(raw) {
            return Self { text: raw.to_owned(), map: Map::Identity };
        }
        let mut pieces = decompose(raw);
        fold_look_alikes(&mut pieces);
        drop_excess(&mut pieces);
        order_marks(&mut pieces);
        compose(&mut pieces);
        shorten_runs(&mut pieces);
        write(raw, &pieces)
    }

    /// The normal text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The raw bytes that `piece` of the normal text comes from, on character boundaries of the raw text.
    ///
    /// A piece that cuts a character is widened to it; one that reaches past the text is clamped. What was dropped inside the
    /// piece lies in the result, what was dropped before or after it does not.
    #[must_use]
    pub fn original(&self, piece: Span) -> Span {
        let start = at(self.text.floor_char_boundary(piece.start as usize));
        let end = at(self.text.ceil_char_boundary(piece.end as usize)).max(start);
        let Map::Table(steps) = &self.map else { return Span { start, end } };
        let raw_start = match steps[..steps.partition_point(|step| step.normal <= start)].last() {
            Some(step) if step.copied => step.start + (start - step.normal),
            step => step.map_or(0, |step| step.start),
        };
        let raw_end = match steps[..steps.partition_point(|step| step.normal < end)].last() {
            Some(step) if step.copied => step.start + (end - step.normal),
            step => step.map_or(0, |step| step.end),
        };
        // An empty piece lies between two characters: at the end of the first.
        Span { start: if start == end { raw_end } else { raw_start }, end: raw_end }
    }
}

/// An offset as the contract writes it. Texts are far below 4 GiB (`event::MAX_TEXT_BYTES`).
fn at(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Whether the text is ASCII that no step below would change: most texts are, and they cost one look at each byte.
fn is_plain(raw: &str) -> bool {
    let (mut before, mut run) = (0, 0);
    raw.bytes().all(|byte| {
        run = if byte == before { run + 1 } else { 1 };
        before = byte;
        match byte {
            b' ' => run == 1,
            b'0'..=b'9' => true,
            b'\n' | b'!'..=b'~' => run <= MAX_RUN,
            _ => false,
        }
    })
}

/// Drops what cannot be seen, makes quotes and spaces plain, and takes the rest apart as NFKD does, marks not yet in order.
fn decompose(raw: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(raw.len());
    for (start, c) in raw.char_indices() {
        if is_invisible(c) {
            continue;
        }
        let (start, end, first) = (at(start), at(start + c.len_utf8()), pieces.len());
        let c = plain(c);
        let piece = |c: char| {
            let c = plain(c);
            let high = c >= '\u{300}';
            let class = if high { ucd::canonical_combining_class(c) } else { 0 };
            Piece { c, class, mark: class > 0 || high && ucd::is_combining_mark(c), start, end }
        };
        if !matches!(c, 'ﷺ' | 'ﷻ') {
            ucd::decompose_compatible(c, |part| pieces.push(piece(part)));
        }
        if pieces.get(first).is_none_or(|piece| piece.c == ' ' && c != ' ') {
            pieces.truncate(first); // It stays whole: an honorific, or the space and mark of a lone accent.
            pieces.push(piece(c));
        }
    }
    pieces
}

/// Controls, zero-width characters, bidi controls and fillers. What may belong to an emoji is decided later ([`is_joiner`]).
fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => false,
        '\0'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' => true,
        '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => c != JOINER,
        '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' => true,
        '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}' => !is_joiner(c),
        _ => false,
    }
}

/// Characters that mean something inside an emoji only: the joiner, the two presentation selectors, the tags of a flag.
fn is_joiner(c: char) -> bool {
    matches!(c, JOINER | '\u{FE0E}' | '\u{FE0F}' | '\u{E0020}'..='\u{E007F}')
}

/// Quotes as a keyboard types them, one kind of space, one kind of line end.
fn plain(c: char) -> char {
    match c {
        '\n' | '\u{2028}' | '\u{2029}' => '\n',
        '\u{B4}' | '\u{2BC}' | '\u{2018}'..='\u{201B}' => '\'',
        '\u{201C}'..='\u{201F}' => '"',
        '\u{2800}' => ' ', // Braille's empty cell.
        _ if c.is_whitespace() => ' ',
        _ => c,
    }
}

/// Replaces letters that imitate Latin ones, in words that contain Latin letters or mix the scripts that imitate them.
fn fold_look_alikes(pieces: &mut [Piece]) {
    for word in pieces.split_mut(|piece| scripts(piece).is_none()) {
        let all = word.iter().filter_map(scripts).fold(0, |all, one| all | one);
        if all & LATIN > 0 || all.count_ones() > 1 {
            word.iter_mut().filter(|piece| !piece.c.is_ascii()).for_each(|piece| piece.c = latin(piece.c));
        }
    }
}

/// The script of a letter, as one bit; none for what can stand inside any word; `None` for what ends a word.
fn scripts(piece: &Piece) -> Option<u8> {
    match piece.c {
        'a'..='z' | 'A'..='Z' => Some(LATIN),
        '0'..='9' => Some(0),
        c if piece.mark || is_joiner(c) => Some(0),
        '\0'..='\u{BF}' | '\u{D7}' | '\u{F7}' => None,
        '\u{C0}'..='\u{2AF}' | '\u{1D00}'..='\u{1D7F}' | '\u{1E00}'..='\u{1EFF}' | '\u{A720}'..='\u{A7FF}' => Some(LATIN),
        c @ ('\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}') if c.is_alphabetic() => Some(2),
        '\u{400}'..='\u{52F}' => Some(4),
        '\u{531}'..='\u{587}' => Some(8),
        '\u{13A0}'..='\u{13FF}' => Some(16),
        '\u{A4D0}'..='\u{A4FF}' => Some(32),
        '🅰' | '🅱' | '🅾' | '🅿' => Some(64), // Emoji when alone, letters in company.
        '\u{1F150}'..='\u{1F169}' | '\u{1F170}'..='\u{1F189}' => Some(LATIN),
        _ => None,
    }
}

/// Latin letters, each followed by those that imitate it: Cyrillic, Greek, Armenian and small capitals; for capitals also
/// Cherokee, Lisu and white on black. Letters that only a decorator would take for Latin (я, и, λ) are not here.
const LOOK_ALIKES: &str = "\
    aаαɑᴀ bвьβʙ cсςᴄ dԁᴅ eеєҽεᴇ fꜰ gցɡɢ hһнհʜ iіιɪ jјϳյᴊ kкκᴋ lӏʟ mмᴍ nηոɴ oоοσօᴏ pрρᴘ qԛզ rгʀ sѕꜱ tтτᴛ uυսᴜ vѵνᴠ \
    wԝѡωաᴡ xхχ yуүγʏ zᴢ \
    AАΑᎪꓮ🅐🅰 BВΒᏴꓐ🅑🅱 CСᏟꓚ🅒🅲 DᎠꓓ🅓🅳 EЕΕᎬꓰ🅔🅴 Fꓝ🅕🅵 GԌᏀꓖ🅖🅶 HНΗᎻꓧ🅗🅷 IІӀΙꓲ🅘🅸 JЈᎫꓙ🅙🅹 KКΚᏦꓗ🅚🅺 LԼᏞꓡ🅛🅻 MМΜᎷꓟ🅜🅼 \
    NΝꓠ🅝🅽 OОΟՕꓳ🅞🅾 PРΡᏢꓑ🅟🅿 QԚ🅠🆀 RᎡᏒꓣ🅡🆁 SЅՏᏚꓢ🅢🆂 TТΤᎢꓔ🅣🆃 UՍꓴ🅤🆄 VѴᏙꓦ🅥🆅 WԜᎳꓪ🅦🆆 XХΧꓫ🅧🆇 YУҮΥᎩꓬ🅨🆈 ZΖᏃꓜ🅩🆉";

/// The Latin letter that `c` imitates, or `c`.
fn latin(c: char) -> char {
    static BY_LOOK_ALIKE: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
        let groups = LOOK_ALIKES.split(' ').filter_map(|group| Some((group.chars().next()?, group.chars().skip(1))));
        let mut pairs: Vec<_> = groups.flat_map(|(latin, others)| others.map(move |other| (other, latin))).collect();
        pairs.sort_unstable();
        pairs
    });
    BY_LOOK_ALIKE.binary_search_by_key(&c, |pair| pair.0).map_or(c, |found| BY_LOOK_ALIKE[found].1)
}

/// Drops the marks past a base's budget, and joiners unless the emoji around them needs them: elsewhere they only split words.
fn drop_excess(pieces: &mut Vec<Piece>) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    let (mut before, mut tags, mut diacritics, mut others) = ('\0', 0, 0, 0);
    for (index, piece) in pieces.iter().enumerate() {
        let next = pieces.get(index + 1).map_or('\0', |next| next.c);
        let wanted = match piece.c {
            JOINER => (is_emoji(before) || is_joiner(before)) && is_emoji(next),
            '\u{FE0E}' | '\u{FE0F}' => is_emoji(before) || next == '\u{20E3}' && matches!(before, '0'..='9' | '#' | '*'),
            c if is_joiner(c) => tags > 0,
            c if piece.mark => {
                let (count, limit) = if is_diacritic(c) { (&mut diacritics, MAX_DIACRITICS) } else { (&mut others, MAX_SCRIPT_MARKS) };
                *count += 1;
                *count <= limit
            }
            _ => {
                (diacritics, others) = (0, 0);
                true
            }
        };
        tags = if piece.c == '🏴' { flag_tags(&pieces[index + 1..]) } else { tags.saturating_sub(1) };
        if wanted {
            before = piece.c;
            kept.push(*piece);
        } else if let Some(last) = kept.last_mut().filter(|_| !is_joiner(piece.c)) {
            last.end = piece.end; // The last mark kept stands for those dropped.
        }
    }
    *pieces = kept;
}

/// How many of the next characters are the tags of a flag such as Scotland's: a region of three to six, and the end.
fn flag_tags(next: &[Piece]) -> usize {
    let region = next.iter().take(7).take_while(|piece| is_joiner(piece.c) && piece.c > '\u{E0020}' && piece.c < CANCEL_TAG).count();
    let closed = next.get(region).is_some_and(|piece| piece.c == CANCEL_TAG);
    if closed && (3..=6).contains(&region) { region + 1 } else { 0 }
}

/// Whether `c` lies in a block of emoji. Plain symbols of these blocks are taken along: a joiner between two arrows hides no word.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{A9}' | '\u{AE}' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}'
        | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{1F000}'..='\u{1FBFF}')
}

/// Marks that any letter can wear. Not the Greek iota below, which is a letter's third mark as often as not.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{344}' | '\u{346}'..='\u{36F}' | '\u{488}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Brings the marks of each base into canonical order. Marks that change places share their raw bytes from then on.
fn order_marks(pieces: &mut [Piece]) {
    for marks in pieces.split_mut(|piece| piece.class == 0) {
        if !marks.is_sorted_by_key(|mark| mark.class) {
            let (start, end) = (marks[0].start, marks[marks.len() - 1].end);
            marks.sort_by_key(|mark| mark.class);
            marks.iter_mut().for_each(|mark| (mark.start, mark.end) = (start, end));
        }
    }
}

/// Puts letters and marks together again, by the canonical composition of Unicode (UAX #15).
fn compose(pieces: &mut Vec<Piece>) {
    let mut whole: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut starter: Option<usize> = None;
    for piece in pieces.iter() {
        // Next to its base, or apart by lower marks only.
        let open = piece.c >= '\u{300}' && whole.last().is_some_and(|before| before.class == 0 || before.class < piece.class);
        let base = starter.filter(|_| open).and_then(|starter| whole.get_mut(starter));
        if let Some((c, base)) = base.and_then(|base| Some((ucd::compose(base.c, piece.c)?, base))) {
            (base.c, base.end) = (c, base.end.max(piece.end));
            continue;
        }
        if piece.class == 0 {
            starter = Some(whole.len());
        }
        whole.push(*piece);
    }
    *pieces = whole;
}

/// Shortens spaces to one and any other run to [`MAX_RUN`]; the last one kept stands for the rest. Digits and flags stay.
fn shorten_runs(pieces: &mut Vec<Piece>) {
    let mut run = 1;
    pieces.dedup_by(|piece, before| {
        run = if piece.c == before.c { run + 1 } else { 1 };
        let excess = match piece.c {
            ' ' => run > 1,
            '\u{1F1E6}'..='\u{1F1FF}' => false,
            c => run > MAX_RUN && !c.is_numeric(),
        };
        if excess {
            before.end = before.end.max(piece.end);
        }
        excess
    });
}

/// Writes the text and the steps back to `raw`.
fn write(raw: &str, pieces: &[Piece]) -> Normal {
    let mut text = String::with_capacity(raw.len());
    let mut steps: Vec<Step> = Vec::new();
    for piece in pieces {
        let copied = raw.get(piece.start as usize..piece.end as usize).is_some_and(|source| source.chars().eq([piece.c]));
        match steps.last_mut() {
            // Two characters of the same raw bytes (`ﬁ`, marks in another order) share a step.
            Some(last) if piece.start < last.end => (last.copied, last.end) = (false, last.end.max(piece.end)),
            Some(last) if copied && last.copied && piece.start == last.end => last.end = piece.end,
            _ => steps.push(Step { normal: at(text.len()), start: piece.start, end: piece.end, copied }),
        }
        text.push(piece.c);
    }
    let map = if text == raw { Map::Identity } else { Map::Table(steps) };
    Normal { text, map }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(raw: &str, text: &str) {
        assert_eq!(Normal::of(raw).text(), text, "of {raw:?}");
        assert_eq!(Normal::of(text).text(), text, "twice");
    }

    /// The raw text that stands behind the first `piece` of the normal text.
    fn behind<'a>(raw: &'a str, piece: &str) -> &'a str {
        let normal = Normal::of(raw);
        let start = normal.text().find(piece).expect("the piece is in the normal text");
        let span = normal.original(Span { start: at(start), end: at(start + piece.len()) });
        &raw[span.start as usize..span.end as usize]
    }

    #[test]
    fn an_evaded_word_reads_like_the_plain_one() {
        let evaded = "out\u{200B}age out\u{AD}age o\u{2060}ut\u{FEFF}age \u{202E}outage\u{202C} \u{2066}outage\u{2069} \
            o\u{200D}ut\u{FE0F}age o\0ut\u{7}age out\u{E0041}age оutаgе ουtage оυtаgе օսtaցe 𝐨𝐮𝐭𝐚𝐠𝐞 𝓸𝓾𝓽𝓪𝓰𝓮 ｏｕｔａｇｅ ⓞⓤⓣⓐⓖⓔ ᵒᵘᵗᵃᵍᵉ ᴏᴜᴛᴀɢᴇ";
        for raw in evaded.split(' ') {
            becomes(raw, "outage");
            assert_eq!(behind(raw, "outage").trim_matches(is_invisible), raw.trim_matches(is_invisible));
        }
        becomes("pass\u{200B}word pаsswоrd РΑЅЅWОRD сοc", "password password PASSWORD coc");
        becomes("🅾🆄🆃🅰🅶🅴 🅞🅤🅣 cafe\u{301} ﬁne", "OUTAGE OUT café fine");
        becomes("“it’s” don´t，ok！a \t\u{A0}\u{3000} b\r\n\u{2028}c", "\"it's\" don't,ok!a b\n\nc");
    }

    #[test]
    fn elongation_and_zalgo_are_cut_and_numbers_are_not() {
        becomes("sooooooo goooood!!!!!! 1000000", "sooo goood!!! 1000000");
        becomes("x\u{300}\u{321}\u{489}\u{335}\u{20DD}y", "x\u{321}\u{300}y");
        becomes("o\u{302}\u{323}\u{301}\u{300}", "ộ");
        assert_eq!(behind("x\u{300}\u{321}\u{489}\u{335}y", "x\u{321}\u{300}"), "x\u{300}\u{321}\u{489}\u{335}");
    }

    #[test]
    fn honest_text_stays_as_it_is() {
        let honest = "Сервис не работает, верните деньги|Η υπηρεσία δεν λειτουργεί. ᾆ|الخدمة لا تعمل مُنذُ الصباح|שָׁלוֹם לְכֻלָּם|\
            सेवा काम नहीं कर रही है ज़िंदगी|サービスが落ちています。ガッカリ|서비스가 안 돼요|服务中断了|မြွှော်|Dịch vụ bị lỗi|ışık Straße naïve|α版テストOK|\
            ¯\\_(ツ)_/¯|ﷺ ﷻ|x × y ÷ 2|👩‍👩‍👧‍👦 👍🏽 ❤️ 🏳️‍🌈 1️⃣ #️⃣ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇺🇸🇸🇸🇸🇸 ✈︎ 🅱️||\n|Plain, ok?";
        for raw in honest.split('|') {
            becomes(raw, raw);
            let all = Span { start: 0, end: at(raw.len()) };
            assert_eq!((Normal::of(raw).original(all), Normal::of(raw).map), (all, Map::Identity), "{raw}");
        }
        becomes("🏴\u{E0041}\u{E0042} 👩\u{200D}x ❤\u{FE0F}\u{FE0F}", "🏴 👩x ❤\u{FE0F}");
    }

    #[test]
    fn a_piece_leads_back_to_what_was_typed() {
        assert_eq!(behind("my pass\u{200B}word!", "password"), "pass\u{200B}word");
        assert_eq!(behind("my pass\u{200B}word!", "word"), "word");
        assert_eq!(behind("so pаsswоrd", "assw"), "аssw");
        assert_eq!(behind("sooooooo bad", "sooo"), "sooooooo");
        assert_eq!(behind("ﬁne", "i"), "ﬁ");
        assert_eq!(behind("e\u{301}a", "é"), "e\u{301}");
        let normal = Normal::of("\u{200B}é\u{200B}");
        assert_eq!(normal.original(Span { start: 1, end: 1_000 }), Span { start: 3, end: 5 });
        assert_eq!(normal.original(Span { start: u32::MAX, end: 0 }), Span { start: 5, end: 5 });
        assert_eq!(Normal::of("abc").original(Span { start: 2, end: 1 }), Span { start: 2, end: 2 });
        assert_eq!(Normal::of("\u{200B}").original(Span { start: 0, end: 9 }), Span { start: 0, end: 0 });
    }

    /// Random strings of tricky characters, from a fixed seed: what `original` promises, on every character.
    #[test]
    fn every_random_text_is_normal_at_once_and_traceable() {
        let alphabet = "aaoe1 .\n\r\tабоеοαω\u{300}\u{301}\u{321}\u{335}\u{345}\u{489}\u{5B0}\u{3099}\u{200B}\u{200D}\u{FE0F}\u{20E3}\u{AD}\
            👩💻❤🏴\u{E0067}\u{E0062}\u{E0065}\u{E007F}🅱🇸ﬁﷺ¨´ｏ𝐨각ᄀ\u{1161}\u{11A8}ḕῥ\u{958}カﾞ";
        let alphabet: Vec<char> = alphabet.chars().collect();
        let hidden = |c| is_invisible(c) || is_joiner(c);
        let mut seed = 0x5EED_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).expect("31 bits") % below
        };
        for _ in 0..20_000 {
            let mut raw = String::new();
            for _ in 0..random(16) {
                raw.extend(std::iter::repeat_n(alphabet[random(alphabet.len())], 1 + random(8) / 5 * random(6)));
            }
            let normal = Normal::of(&raw);
            let text = normal.text();
            assert_eq!(Normal::of(text).text(), text, "twice {raw:?}");
            let mut seen = Span { start: 0, end: 0 };
            for (start, c) in text.char_indices() {
                let span = normal.original(Span { start: at(start), end: at(start + c.len_utf8()) });
                assert!(raw.get(span.start as usize..span.end as usize).is_some_and(|piece| !piece.is_empty()), "{raw:?} {span:?}");
                assert!(span.start >= seen.start && span.end >= seen.end, "order {raw:?} at {start}");
                let gap = raw.get(seen.end as usize..span.start as usize).unwrap_or_default();
                assert!(gap.chars().all(hidden), "lost {gap:?} of {raw:?}");
                seen = span;
            }
            assert!(raw[seen.end as usize..].chars().all(hidden), "lost the end of {raw:?}");
        }
    }
}
