//! Character references: `&amp;`, `&uuml;`, `&#8364;`.
//!
//! Called by `html` and by the filter `unescape`. Pure and total: a reference it does not know stays as written, so nothing is lost.

/// The text with its entities decoded and everything else as it is, for networks that escape plain text.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (character, after) = entity(after).unwrap_or(('&', after));
        out.push(character);
        rest = after;
    }
    out + rest
}

/// The character of a reference, whose `&` is already read, and what follows it.
pub(super) fn entity(text: &str) -> Option<(char, &str)> {
    // The longest name known here has eight letters; a reference without its semicolon stays as written.
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    Some((decode(&text[..end])?, &text[end + 1..]))
}

fn decode(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else { return named(name) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse(),
        _ => return None,
    };
    // Zero, surrogates and numbers past Unicode become the replacement character, 128 to 159 the Windows letters that were meant.
    match code.ok()? {
        0 => Some('\u{fffd}'),
        code @ 0x80..=0x9f => WINDOWS_1252.chars().nth(code as usize - 0x80),
        code => Some(char::from_u32(code).unwrap_or('\u{fffd}')),
    }
}

/// What HTML reads for `&#128;` to `&#159;`.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// The names of U+00A0 to U+00FF, in order: old mail programs write these.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
    micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave \
    Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml \
    Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth \
    ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// The other names that editors write. An unknown name stays as written: nothing is lost, only less pretty.
#[rustfmt::skip] // one name a line would hide the rest of the file
const OTHERS: [(&str, char); 24] = [
    ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("euro", '€'), ("hellip", '…'), ("ndash", '–'),
    ("mdash", '—'), ("lsquo", '‘'), ("rsquo", '’'), ("sbquo", '‚'), ("ldquo", '“'), ("rdquo", '”'), ("bdquo", '„'), ("bull", '•'),
    ("trade", '™'), ("lsaquo", '‹'), ("rsaquo", '›'), ("ensp", ' '), ("emsp", ' '), ("thinsp", ' '), ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
];

fn named(name: &str) -> Option<char> {
    if let Some((_, c)) = OTHERS.iter().find(|(known, _)| *known == name) {
        return Some(*c);
    }
    let at = LATIN_1.split_whitespace().position(|known| known == name)?;
    char::from_u32(0xa0 + u32::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaping_keeps_everything_else() {
        for (text, plain) in [("a &lt;3\n b &amp;amp; & c&", "a <3\n b &amp; & c&"), ("<b>x</b>", "<b>x</b>"), ("", ""), ("&amp;", "&")] {
            assert_eq!(unescape(text), plain);
        }
    }
}
