//! How a reply is worded: in the author's language, as long as the network allows, in public or in private, with an apology
//! where one is due. Pure.

use signalbox_sdk::lookup::Row;
use signalbox_sdk::text::Text;
use signalbox_sdk::{SentimentLabel, Visibility};

use crate::config::{Phrases, Tables};
use crate::decide::Input;

/// A reply in words.
#[derive(Debug, PartialEq)]
pub(crate) struct Worded {
    pub(crate) body: String,
    pub(crate) visibility: Visibility,
    pub(crate) language: String,
    /// It is the article's own answer, not an invitation to write in private.
    pub(crate) whole: bool,
}

/// The language to answer in: what the chain has detected, else what the source claims.
pub(crate) fn language(input: &Input<'_>) -> String {
    let spoken = input.settled.language.as_deref().or(input.language).unwrap_or("en");
    spoken.split(['-', '_']).next().unwrap_or("en").to_ascii_lowercase()
}

/// The author is unhappy: a cheerful answer would make it worse.
pub(crate) fn unhappy(input: &Input<'_>) -> bool {
    input.settled.sentiment.as_ref().is_some_and(|s| {
        matches!(s.label, SentimentLabel::VeryNegative | SentimentLabel::Negative)
            || s.signals.iter().any(|signal| signal == "anger" || signal == "sarcasm")
    })
}

/// `None` when the article has no answer in words that may be said.
pub(crate) fn word(input: &Input<'_>, tables: &Tables, article: &Row) -> Option<Worded> {
    let wanted = language(input);
    let (language, answer) = match article.text(&format!("reply_{wanted}")) {
        Some(answer) => (wanted, answer),
        None => ("en".to_owned(), article.text("reply")?),
    };
    let answer = answer.trim();
    if answer.is_empty() || forbidden(answer, tables) {
        return None;
    }
    let phrases = tables.phrases.get(&language).or_else(|| tables.phrases.get("en"))?;
    let public = input.visibility == Visibility::Public;
    let most = tables.length_on(input.network);
    // Without a word on it, an article is for the author alone.
    if public && article.boolean("public") != Some(true) {
        return Some(invitation(input, phrases, language, most));
    }
    let visibility = if public { Visibility::Public } else { Visibility::Private };
    let body = apologised(input, phrases, answer);
    let fits = |text: &str| text.chars().count() <= most;
    let link = article.text("url").filter(|_| !fits(&body));
    let short = match link {
        _ if fits(&body) => body,
        Some(url) => format!("{} {url}", cut(&body, most.checked_sub(url.chars().count() + 1)?)),
        None => cut(&body, most).to_owned(),
    };
    // What is left of a sentence that was cut to nothing is no answer.
    if short.trim().is_empty() || link.is_some_and(|url| short.trim() == url) {
        return public.then(|| invitation(input, phrases, language, most));
    }
    Some(Worded { body: short, visibility, language, whole: true })
}

/// "Please write to us in private", in public.
fn invitation(input: &Input<'_>, phrases: &Phrases, language: String, most: usize) -> Worded {
    let body = cut(&apologised(input, phrases, &phrases.private), most).to_owned();
    Worded { body, visibility: Visibility::Public, language, whole: false }
}

fn apologised(input: &Input<'_>, phrases: &Phrases, answer: &str) -> String {
    let already = answer.to_lowercase().starts_with(&phrases.sorry.to_lowercase());
    if unhappy(input) && !phrases.sorry.is_empty() && !already { format!("{} {answer}", phrases.sorry) } else { answer.to_owned() }
}

/// Whether it says what the admin never wants said.
fn forbidden(answer: &str, tables: &Tables) -> bool {
    let text = Text::read(answer);
    (0..text.tokens.len()).any(|at| tables.never_say.longest(&text, at).is_some())
}

/// At most so many characters, ending with a sentence, else with a word.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(most) else { return text };
    let piece = &text[..end];
    let mut sentences =
        piece.char_indices().filter(|(at, c)| matches!(c, '.' | '!' | '?') && text[at + c.len_utf8()..].starts_with(char::is_whitespace));
    match sentences.next_back() {
        Some((at, c)) => &piece[..at + c.len_utf8()],
        None => piece.rfind(char::is_whitespace).map_or("", |at| piece[..at].trim_end()),
    }
}
