//! Borrowed praise: "Fantastic, another outage". Called by the core with the hits of one field; it only turns their valence.
//!
//! The cue is where praise stands, not which praise: it opens a sentence that goes on to a failure, or stands alone right beside
//! one. "Great team, my VPN is down" praises the team, and stays sincere unless the failure is one too many.

use signalbox_sdk::text::{AFTER_BUT, BEFORE_BUT, Gap, HYPOTHETICAL, NEGATED, QUOTED, Text, key};

use crate::config::Role;
use crate::decide::Hit;

/// What borrowed praise weighs: it blames harder than the plain failure beside it.
const BORROWED: f32 = -0.7;
/// Words of interjection that may stand before the praise.
const LEAD: usize = 2;
/// A sentence of at most so many words is praise and nothing else.
const ALONE: usize = 3;

/// After these the praise is meant: it has an object of its own.
const SINCERE: [u64; 22] = [
    key("team"),
    key("support"),
    key("service"),
    key("staff"),
    key("people"),
    key("folks"),
    key("guys"),
    key("app"),
    key("product"),
    key("help"),
    key("company"),
    key("phone"),
    key("fix"),
    key("update"),
    key("feature"),
    key("idea"),
    key("thanks"),
    key("thank"),
    key("news"),
    key("day"),
    key("to"),
    key("if"),
];
/// One failure too many.
const REPEAT: [u64; 16] = [
    key("another"),
    key("again"),
    key("third"),
    key("second"),
    key("fourth"),
    key("fifth"),
    key("still"),
    key("wieder"),
    key("schon"),
    key("otra"),
    key("encore"),
    key("taas"),
    key("outra"),
    key("altra"),
    key("3rd"),
    key("yet"),
];

/// The sentence whose praise is borrowed.
pub(crate) fn find(text: &Text, hits: &[Hit]) -> Option<u16> {
    let sincere_flags = NEGATED | QUOTED | HYPOTHETICAL | BEFORE_BUT | AFTER_BUT;
    hits.iter()
        .filter(|h| h.role == Role::Cheer && h.token_flags & sincere_flags == 0)
        .find(|cheer| borrowed(text, hits, cheer))
        .map(|cheer| cheer.sentence)
}

fn borrowed(text: &Text, hits: &[Hit], cheer: &Hit) -> bool {
    let opens = cheer.from - text.tokens[..cheer.from].iter().rposition(|t| t.sentence != cheer.sentence).map_or(0, |before| before + 1);
    let length = text.tokens.iter().filter(|t| t.sentence == cheer.sentence).count();
    let next = text.tokens.get(cheer.to).filter(|t| t.sentence == cheer.sentence);
    let sincere = next.is_some_and(|t| text.tokens[cheer.to - 1].gap == Gap::None && SINCERE.contains(&t.key));
    let repeats = text.tokens.iter().any(|t| t.sentence.abs_diff(cheer.sentence) <= 1 && REPEAT.contains(&t.key));
    let failure = |sentence: u16, after: usize| {
        hits.iter().any(|h| h.role == Role::Failure && h.valence < -0.7 && h.sentence == sentence && h.from >= after)
    };
    let in_sentence = opens <= LEAD && failure(cheer.sentence, cheer.to) && (!sincere || repeats);
    let beside = length <= ALONE && !sincere && (failure(cheer.sentence + 1, 0) || cheer.sentence > 0 && failure(cheer.sentence - 1, 0));
    in_sentence || beside
}

/// Turns the praise of one sentence.
pub(crate) fn turn(hits: &mut [Hit], sentence: u16) {
    hits.iter_mut().filter(|h| h.sentence == sentence && h.valence > 0.0).for_each(|h| h.valence *= BORROWED);
}

/// Turns all praise: a cue phrase stands in the text.
pub(crate) fn turn_all(hits: &mut [Hit]) {
    hits.iter_mut().filter(|h| h.valence > 0.0 && h.role != Role::Over).for_each(|h| h.valence *= BORROWED);
}
