//! Numbers and addresses that a message names: CVE numbers, error codes, orders, tickets, hosts of links. Pure.
//!
//! One pass over the words as they stand. A bare number is nothing: it takes a word before it ("order", "error") to be one.

use signalbox_sdk::{AttributeValue, Effect, Evidence, Proposal, SetField, Span, proposal};

/// What is found, and the field that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cve,
    Error,
    Order,
    Ticket,
    Url,
}

const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Cve, "cve", "a vulnerability"),
    (Kind::Error, "error-code", "an error code"),
    (Kind::Order, "order-number", "an order"),
    (Kind::Ticket, "ticket-number", "a ticket"),
    (Kind::Url, "url", "a link"),
];
const ERROR: [&str; 14] = [
    "error",
    "errors",
    "err",
    "errorcode",
    "code",
    "http",
    "fehler",
    "fehlercode",
    "codigo",
    "erreur",
    "virhe",
    "virhekoodi",
    "erro",
    "errore",
];
const ORDER: [&str; 12] = [
    "order",
    "orders",
    "bestellung",
    "bestellnummer",
    "auftrag",
    "pedido",
    "encomenda",
    "commande",
    "tilaus",
    "tilausnumero",
    "ordine",
    "purchase",
];
const TICKET: [&str; 10] = ["ticket", "tickets", "case", "incident", "request", "vorgang", "ticketnummer", "tiketti", "chamado", "dossier"];
/// Words that may stand between ("order number is 4711").
const BETWEEN: [&str; 12] = ["number", "no", "nr", "id", "is", "code", "num", "nummer", "numero", "ref", "reference", "status"];
const MOST: usize = 8;

/// One finding: what, where, and how it is kept.
#[derive(Debug, PartialEq)]
struct Found {
    kind: Kind,
    start: usize,
    end: usize,
    value: String,
}

/// A field for each kind that the text names.
pub(crate) fn fields(text: &str) -> Vec<Proposal> {
    let found = find(text);
    let one = |(kind, field, what): &(Kind, &str, &str)| {
        let all: Vec<&Found> = found.iter().filter(|found| found.kind == *kind).collect();
        let first = all.first()?;
        let mut values: Vec<String> = all.iter().map(|found| found.value.clone()).collect();
        values.dedup();
        let piece = |found: &&Found| Evidence {
            field: "text".to_owned(),
            span: Some(Span { start: found.start as u32, end: found.end as u32 }),
            text: text[found.start..found.end].to_owned(),
            weight: 1.0 / all.len() as f32,
        };
        let reason = format!("names {what}: “{}”", &text[first.start..first.end]);
        let effect = Effect::SetField(SetField { field: (*field).to_owned(), value: AttributeValue::Texts(values) });
        Some(Proposal { rule_id: Some((*field).to_owned()), evidence: all.iter().map(piece).collect(), ..proposal(effect, reason, 0.85) })
    };
    KINDS.iter().filter_map(one).collect()
}

fn find(text: &str) -> Vec<Found> {
    let (mut found, mut told, mut at) = (Vec::new(), None, 0);
    for chunk in text.split_whitespace() {
        // The chunks stand in the text in this order.
        let from = at + text[at..].find(chunk).unwrap_or(0);
        at = from + chunk.len();
        let inner = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        if inner.is_empty() || found.len() >= MOST {
            continue;
        }
        let start = from + chunk.find(inner).unwrap_or(0);
        let one = if is_link(inner) { host(inner).map(|host| (Kind::Url, host)) } else { named(inner, told) };
        if let Some((kind, value)) = one {
            found.push(Found { kind, start, end: start + inner.len(), value });
            told = None;
            continue;
        }
        let lower = inner.to_lowercase();
        let word = lower.trim_end_matches(['#', ':', '-']);
        told = match () {
            () if ORDER.contains(&word) => Some(Kind::Order),
            () if TICKET.contains(&word) => Some(Kind::Ticket),
            () if ERROR.contains(&word) && told.is_none() => Some(Kind::Error),
            () if BETWEEN.contains(&word) => told,
            () => None,
        };
        // The sentence ends, and “no.” does not end one: what comes is another matter.
        if chunk.ends_with(['.', '!', '?']) && !BETWEEN.contains(&word) {
            told = None;
        }
    }
    found
}

/// What a word is by its form, or by the word before it.
fn named(word: &str, told: Option<Kind>) -> Option<(Kind, String)> {
    let upper = word.to_uppercase();
    if let Some((year, number)) = upper.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')) {
        return (year.len() == 4 && digits(year) && (4..=7).contains(&number.len()) && digits(number)).then_some((Kind::Cve, upper));
    }
    if let Some(hex) = upper.strip_prefix("0X") {
        return ((4..=16).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| (Kind::Error, word.to_lowercase()));
    }
    let shouted = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if shouted && ["ERR_", "ERROR_", "DNS_", "SSL_", "NS_ERROR_"].iter().any(|start| word.starts_with(start)) {
        return Some((Kind::Error, word.to_owned()));
    }
    let count = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    if (2..=5).contains(&letters) && count >= 5 && letters + count == word.len() {
        return Some((told.filter(|kind| *kind == Kind::Order).unwrap_or(Kind::Ticket), word.to_owned()));
    }
    let plain = word.len() <= 24 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match told? {
        Kind::Order if plain && count >= 4 => Some((Kind::Order, word.to_owned())),
        Kind::Ticket if plain && count >= 3 => Some((Kind::Ticket, word.to_owned())),
        Kind::Error if plain && (2..=6).contains(&count) && word.len() <= 12 => Some((Kind::Error, word.to_owned())),
        _ => None,
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_link(word: &str) -> bool {
    ["http://", "https://", "www."].iter().any(|start| word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
}

/// The host alone: an address may hold what is nobody's business.
fn host(link: &str) -> Option<String> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next()?.rsplit('@').next()?.to_lowercase();
    (host.contains('.') && host.len() <= 100).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(Kind, String)> {
        let found = find(text);
        assert!(found.iter().all(|f| text.get(f.start..f.end).is_some_and(|piece| !piece.is_empty())), "{text}");
        found.into_iter().map(|f| (f.kind, f.value)).collect()
    }

    #[test]
    fn each_kind_is_found_and_its_twin_is_not() {
        for (text, kind, value, twin) in [
            ("is cve-2024-3094 in your image?", Kind::Cve, "CVE-2024-3094", "is cve-24-3 in your image?"),
            ("update fails with 0x80070005.", Kind::Error, "0x80070005", "the box is 0x"),
            ("I get error 691, always", Kind::Error, "691", "I waited 691 minutes"),
            ("page says ERR_NAME_NOT_RESOLVED", Kind::Error, "ERR_NAME_NOT_RESOLVED", "page says NAME_NOT_RESOLVED"),
            ("where is order no. 4711-22?", Kind::Order, "4711-22", "in order to win 2026"),
            ("Bestellung #88123 fehlt", Kind::Order, "88123", "88123 Leute fehlen"),
            ("any news on INC0010023", Kind::Ticket, "INC0010023", "any news on WINDOWS11"),
            ("my ticket number is 10081!", Kind::Ticket, "10081", "my ticket is old. 10081 others wait"),
            ("see (https://Status.Example/x?token=1)", Kind::Url, "status.example", "see https://x"),
        ] {
            assert_eq!(named(text), [(kind, value.to_owned())], "{text}");
            assert_eq!(named(twin), [], "{twin}");
        }
    }

    #[test]
    fn many_of_one_kind_share_a_field() {
        let fields = fields("tickets 10081 and INC0010023, order 12345");
        let shown: Vec<(&str, usize)> = fields
            .iter()
            .map(|p| if let Effect::SetField(f) = &p.effect { (f.field.as_str(), p.evidence.len()) } else { ("", 0) })
            .collect();
        assert_eq!(shown, [("order-number", 1), ("ticket-number", 2)]);
    }
}
