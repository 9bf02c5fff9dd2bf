//! Personal data that nobody should leave in public: card numbers, bank accounts, phone numbers, mail addresses, passwords.
//!
//! Called by the core on the normal text; one pass over its bytes, and it never repeats what it found in a reason.

/// What was found, and where: bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) what: &'static str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Most findings of one text.
const MOST: usize = 8;

/// Everything personal in a text, in its order.
pub(crate) fn find(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() && found.len() < MOST {
        let byte = bytes[at];
        let opens = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'@');
        if byte == b'@' {
            if let Some(mail) = mail(bytes, at) {
                at = mail.end;
                found.push(mail);
                continue;
            }
        } else if opens && (byte.is_ascii_digit() || byte == b'+') {
            let (end, digits) = number(bytes, at);
            let what = match digits.len() {
                13..=19 if luhn(&digits) => Some("a card number"),
                9..=15 if byte == b'+' || bytes[at] == b'0' => Some("a phone number"),
                _ => None,
            };
            if let Some(what) = what {
                found.push(Found { what, start: at, end });
            }
            at = end.max(at + 1);
            continue;
        } else if opens
            && byte.is_ascii_uppercase()
            && let Some(end) = iban(bytes, at)
        {
            found.push(Found { what: "a bank account", start: at, end });
            at = end;
            continue;
        }
        at += 1;
    }
    found
}

/// A mail address around the `@`.
fn mail(bytes: &[u8], at: usize) -> Option<Found> {
    let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    let before = bytes[..at].iter().rev().take_while(|b| name(b)).count();
    let after = bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')).count();
    let domain = bytes[at + 1..at + 1 + after].strip_suffix(b".").unwrap_or(&bytes[at + 1..at + 1 + after]);
    let dotted = domain.iter().position(|b| *b == b'.').is_some_and(|dot| dot > 0 && dot + 2 < domain.len());
    (before > 0 && dotted).then(|| Found { what: "a mail address", start: at - before, end: at + 1 + domain.len() })
}

/// Digits with what people write between them, and where they end.
fn number(bytes: &[u8], from: usize) -> (usize, Vec<u8>) {
    let (mut digits, mut end, mut at) = (Vec::with_capacity(20), from, from);
    let mut gap = 0;
    while at < bytes.len() && digits.len() < 24 {
        match bytes[at] {
            digit @ b'0'..=b'9' => {
                digits.push(digit - b'0');
                gap = 0;
                end = at + 1;
            }
            b'+' if at == from => {}
            b' ' | b'-' | b'/' | b'(' | b')' if gap < 2 => gap += 1,
            _ => break,
        }
        at += 1;
    }
    (end, digits)
}

/// The check digit of payment cards.
fn luhn(digits: &[u8]) -> bool {
    let twice = |d: u8| if d > 4 { d * 2 - 9 } else { d * 2 };
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, d)| u32::from(if at % 2 == 1 { twice(*d) } else { *d })).sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != digits[0])
}

/// Two letters, two digits, and 11 to 30 more, with the check that the standard asks for.
fn iban(bytes: &[u8], from: usize) -> Option<usize> {
    if !(bytes.get(from + 1)?.is_ascii_uppercase() && bytes.get(from + 2)?.is_ascii_digit() && bytes.get(from + 3)?.is_ascii_digit()) {
        return None;
    }
    let (mut letters, mut end, mut at) = (Vec::with_capacity(34), from, from);
    while at < bytes.len() && letters.len() < 34 {
        match bytes[at] {
            c if c.is_ascii_uppercase() || c.is_ascii_digit() => {
                letters.push(c);
                end = at + 1;
            }
            b' ' => {}
            _ => break,
        }
        at += 1;
    }
    let rest = letters[4..].iter().chain(&letters[..4]);
    let left = rest.fold(0_u32, |left, c| match c {
        b'0'..=b'9' => (left * 10 + u32::from(c - b'0')) % 97,
        _ => (left * 100 + u32::from(c - b'A') + 10) % 97,
    });
    (letters.len() >= 15 && left == 1).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_found_where_it_stands() {
        let text = "pay 4111 1111 1111 1111 or DE89 3704 0044 0532 0130 00, call +358 40 123 4567, mail ann.b@mail.example!";
        let found: Vec<(&str, &str)> = find(text).iter().map(|f| (f.what, &text[f.start..f.end])).collect();
        assert_eq!(
            found,
            [
                ("a card number", "4111 1111 1111 1111"),
                ("a bank account", "DE89 3704 0044 0532 0130 00"),
                ("a phone number", "+358 40 123 4567"),
                ("a mail address", "ann.b@mail.example")
            ]
        );
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for text in
            ["order 4111111111111112", "@acme hi", "2026-11-22 18:00", "error 0x80070005", "ticket 10081", "see @a.b", "1234567890123", ""]
        {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
