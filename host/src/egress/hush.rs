//! What somebody repeats of our own secrets is not passed on: an answer is kept and shown, and an error page may quote a request.
//!
//! Made once per way from what it proves itself with. It changes nothing that is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Parts of a secret shorter than this are words that an answer may well have of its own.
const SHORTEST: usize = 8;
/// What stands in its place.
const INSTEAD: &str = "[secret]";

/// Texts that no answer is to show, longest first.
#[derive(Clone, Default)]
pub(super) struct Hush(Vec<String>);

impl Hush {
    /// Of the values of headers, passwords and tokens: each as a whole, its parts (`Bearer` and what follows), and what `Basic` hides.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = Vec::new();
        for value in values {
            known.push(value.to_owned());
            known.extend(value.split([' ', '=', ':', '"', ',']).map(str::to_owned));
            known.push(STANDARD.encode(value));
            let pair = value.split(' ').next_back().and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
            known.extend(pair.iter().flat_map(|pair| pair.split(':')).map(str::to_owned));
        }
        known.retain(|text| text.len() >= SHORTEST);
        known.sort_by_key(|text| std::cmp::Reverse(text.len()));
        known.dedup();
        Self(known)
    }

    /// The text without them.
    pub(super) fn over(&self, text: String) -> String {
        self.0.iter().fold(text, |text, known| if text.contains(known) { text.replace(known, INSTEAD) } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_comes_back_and_other_words_do() {
        let basic = format!("Basic {}", STANDARD.encode("agent:correct-horse"));
        let hush = Hush::of(["Token token=0123456789abcdef", basic.as_str(), "p4ssw0rd-of-mail"]);
        for echo in [
            "you sent `Token token=0123456789abcdef`",
            "token 0123456789abcdef is wrong",
            &format!("you sent {basic}"),
            "agent correct-horse may not",
            "p4ssw0rd-of-mail",
            &STANDARD.encode("p4ssw0rd-of-mail"),
        ] {
            let said = hush.over(echo.to_owned());
            let shown = ["0123456789abcdef", "correct-horse", "p4ssw0rd", &STANDARD.encode("p4ssw0rd-of-mail"), &basic[6..]];
            assert!(said.contains(INSTEAD) && !shown.iter().any(|secret| said.contains(secret)), "{said}");
        }
        let honest = "The token of ticket 81 is unknown; Basic authentication is off for this agent";
        assert_eq!(hush.over(honest.to_owned()), honest);
        assert_eq!(Hush::default().over(honest.to_owned()), honest);
    }
}
