//! The little words that turn what follows: "not", "can't", "if", "but" and their kin in seven languages.
//!
//! Called by [`Text::read`](crate::text::Text::read) on the tokens it made; it only sets flags.

use crate::text::{AFTER_BUT, BEFORE_BUT, BLOCKED, Gap, HYPOTHETICAL, Kind, NEGATED, Token, key};

const NOT: u8 = 1;
const CANNOT: u8 = 2;
const IF: u8 = 3;
const BUT: u8 = 4;
/// Before "if" it asks, and supposes nothing: "not sure if it is down".
const ASKS: u8 = 5;
/// After "not" it takes the negation back: "not only"; so does an asking word: "not sure what is down".
const ONLY: u8 = 6;
const WOULD: u8 = 7;

const WORDS: [(u8, &str); 7] = [
    (
        NOT,
        "not no never none nothing without isnt arent wasnt werent dont doesnt didnt havent hasnt hadnt aint nor neither hardly barely \
           nicht kein keine keinen keinem keiner nie niemals ohne nunca jamas ningun ninguna sin tampoco pas jamais aucun aucune sans \
           ei eivat en emme ilman nao sem nenhum nenhuma non mai senza nessun nessuna wouldnt shouldnt",
    ),
    (CANNOT, "cant cannot couldnt wont unable cudnt"),
    (IF, "if unless suppose supposing imagine hypothetically wenn falls angenommen si jos hypothetical"),
    (BUT, "but however although though yet except aber jedoch pero sino mais mutta mas ma pourtant"),
    (ASKS, "sure know knows wonder wondering see ask asking asked check checking tell as even idea clear unclear know"),
    (ONLY, "only just wonder doubt nur solo seulement merely"),
    (WOULD, "would could might wurde ware seria serait olisi"),
];

const SLOTS: usize = 512;
/// Open addressing by the low bits of the key, made by the compiler: one or two probes per word.
static TABLE: ([u32; SLOTS], [u8; SLOTS]) = table();

const fn table() -> ([u32; SLOTS], [u8; SLOTS]) {
    let (mut keys, mut roles) = ([0_u32; SLOTS], [0_u8; SLOTS]);
    let mut group = 0;
    while group < WORDS.len() {
        let (role, list) = (WORDS[group].0, WORDS[group].1.as_bytes());
        let mut at = 0;
        while at < list.len() {
            let mut end = at;
            while end < list.len() && list[end] != b' ' {
                end += 1;
            }
            if end > at {
                let (_, tail) = list.split_at(at);
                let (word, _) = tail.split_at(end - at);
                let hash = match core::str::from_utf8(word) {
                    Ok(word) => key(word),
                    Err(_) => panic!("the words are ASCII"),
                };
                let mut slot = hash as usize % SLOTS;
                while roles[slot] != 0 && keys[slot] != (hash >> 32) as u32 {
                    slot = (slot + 1) % SLOTS;
                }
                if roles[slot] == 0 {
                    (keys[slot], roles[slot]) = ((hash >> 32) as u32, role);
                }
            }
            at = end + 1;
        }
        group += 1;
    }
    (keys, roles)
}

fn role(key: u64) -> u8 {
    let (keys, roles) = &TABLE;
    let mut slot = key as usize % SLOTS;
    while roles[slot] != 0 && keys[slot] != (key >> 32) as u32 {
        slot = (slot + 1) % SLOTS;
    }
    roles[slot]
}

/// Sets the scope flags. A scope ends at a break, at "but", or after its last word.
pub(crate) fn mark(tokens: &mut [Token]) {
    let (mut negated, mut blocked, mut supposed) = (0_u8, 0_u8, 0_u8);
    let (mut after_but, mut sentence, mut from) = (false, 0, 0);
    let mut before = 0_u8;
    for at in 0..tokens.len() {
        let token = tokens[at];
        if token.sentence != sentence {
            (sentence, from, after_but) = (token.sentence, at, false);
        }
        let role = if token.kind == Kind::Word { role(token.key) } else { 0 };
        if role == BUT {
            (negated, blocked, supposed, after_but) = (0, 0, 0, true);
            for earlier in &mut tokens[from..at] {
                earlier.flags = earlier.flags & !AFTER_BUT | BEFORE_BUT;
            }
            from = at;
        }
        let flag = |left: &mut u8, flag: u16| {
            if *left > 0 {
                *left -= 1;
                flag
            } else {
                0
            }
        };
        let mut flags = flag(&mut negated, NEGATED) | flag(&mut blocked, BLOCKED) | flag(&mut supposed, HYPOTHETICAL);
        if after_but {
            flags |= AFTER_BUT;
        }
        tokens[at].flags |= flags;
        match role {
            NOT => negated = 4,
            CANNOT => blocked = 4,
            IF if before != ASKS => supposed = 9,
            WOULD if tokens.get(at + 1).is_some_and(|t| t.key == const { key("be") } || t.key == const { key("love") }) => {
                supposed = supposed.max(4)
            }
            ONLY | ASKS if before == NOT => negated = 0,
            _ => {}
        }
        if token.gap >= Gap::Pause {
            (negated, blocked, supposed) = (0, 0, 0);
        }
        before = role;
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{AFTER_BUT, BLOCKED, HYPOTHETICAL, NEGATED, Text};

    fn with(text: &str, flag: u16) -> Vec<String> {
        let read = Text::read(text);
        read.tokens.iter().filter(|t| t.is(flag)).map(|t| read.word(t).to_owned()).collect()
    }

    #[test]
    fn negation_reaches_four_words_and_stops_at_a_break() {
        assert_eq!(with("It is not down at all here today, great", NEGATED), ["down", "at", "all", "here"]);
        assert_eq!(with("No, it works", NEGATED), Vec::<String>::new());
        assert_eq!(with("not only slow", NEGATED), ["only"]);
        assert_eq!(with("I can't log in", BLOCKED), ["log", "in"]);
    }

    #[test]
    fn if_supposes_unless_somebody_asks() {
        assert_eq!(with("What if the VPN dies?", HYPOTHETICAL), ["the", "vpn", "dies"]);
        assert_eq!(with("Not sure if the VPN died", HYPOTHETICAL), Vec::<String>::new());
    }

    #[test]
    fn but_splits_its_sentence() {
        assert_eq!(with("Nice app but slow. Fine.", AFTER_BUT), ["but", "slow"]);
    }
}
