//! Words that data sets use for what a decision says: synonyms, numbers, yes and no. Pure tables.

use super::field::Field;

/// A field, a word of a data set, the decision's word for it.
const SYNONYMS: [(Field, &str, &str); 36] = [
    (Field::Sentiment, "neg", "negative"),
    (Field::Sentiment, "neu", "neutral"),
    (Field::Sentiment, "pos", "positive"),
    (Field::Sentiment, "none", "neutral"),
    (Field::Sentiment, "anger", "negative"),
    (Field::Sentiment, "sadness", "negative"),
    (Field::Sentiment, "fear", "negative"),
    (Field::Sentiment, "disgust", "negative"),
    (Field::Sentiment, "joy", "positive"),
    (Field::Sentiment, "love", "positive"),
    (Field::Sentiment, "optimism", "positive"),
    (Field::Category, "complaint", "product-complaint"),
    (Field::Category, "bug-report", "technical-fault"),
    (Field::Category, "bug", "technical-fault"),
    (Field::Category, "feature-request", "idea"),
    (Field::Category, "question", "how-to"),
    (Field::Intent, "bug-report", "fault-report"),
    (Field::Intent, "bug", "fault-report"),
    (Field::Intent, "feature-request", "idea"),
    (Field::Intent, "how-to", "question"),
    (Field::Urgency, "medium", "normal"),
    (Field::Urgency, "moderate", "normal"),
    (Field::Urgency, "urgent", "high"),
    (Field::Language, "arabic", "ar"),
    (Field::Language, "english", "en"),
    (Field::Language, "finnish", "fi"),
    (Field::Language, "french", "fr"),
    (Field::Language, "german", "de"),
    (Field::Language, "hindi", "hi"),
    (Field::Language, "italian", "it"),
    (Field::Language, "portuguese", "pt"),
    (Field::Language, "spanish", "es"),
    (Field::Moderation, "spam", "mark-spam"),
    (Field::Moderation, "block", "block-author"),
    (Field::Moderation, "no", "none"),
    (Field::Crisis, "no", "none"),
];

/// A field, the numbers that a set uses, the words for them. The first row that holds all labels of a set is meant.
const NUMBERS: [(Field, &[(&str, &str)]); 5] = [
    (Field::Sentiment, &[("0", "negative"), ("1", "positive")]),
    (Field::Sentiment, &[("-1", "negative"), ("0", "neutral"), ("1", "positive")]),
    (Field::Sentiment, &[("0", "negative"), ("1", "neutral"), ("2", "positive")]),
    (Field::Sentiment, &[("1", "very-negative"), ("2", "negative"), ("3", "neutral"), ("4", "positive"), ("5", "very-positive")]),
    (Field::Urgency, &[("0", "low"), ("1", "normal"), ("2", "high"), ("3", "critical")]),
];

const YES: [&str; 5] = ["yes", "y", "true", "t", "1"];
const NO: [&str; 5] = ["no", "n", "false", "f", "0"];

/// Words that say yes to a field. Those of urgency are the information types of `CrisisLex` that somebody must act on.
const YES_TO: [(Field, &[&str]); 6] = [
    (Field::Urgency, &["urgent", "disaster", "emergency", "affected-individuals", "infrastructure-and-utilities", "caution-and-advice"]),
    (Field::Crisis, &["crisis", "disaster", "emergency"]),
    (Field::Escalation, &["escalate", "escalated"]),
    (Field::Abuse, &["abuse", "abusive", "offensive", "hate", "toxic"]),
    (Field::Moderation, &["abuse", "abusive", "offensive", "hate", "toxic", "spam"]),
    (Field::Sarcasm, &["sarcasm", "sarcastic", "irony", "ironic"]),
];
const NO_TO: [(Field, &[&str]); 1] = [(
    Field::Urgency,
    &["donations-and-volunteering", "sympathy-and-support", "other-useful-information", "not-labeled", "not-applicable"],
)];

/// Words for the rest, where a set has one thing and the rest.
const REST: [&str; 6] = ["other", "none", "rest", "ham", "normal", "clean"];

/// A label or a value as a key: lower case, anything but ASCII letters and digits one `-`. A number stays as it is.
pub(super) fn key(text: &str) -> String {
    let text = text.trim();
    if text.parse::<f64>().is_ok() {
        return text.to_owned();
    }
    let mut key = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_ascii_alphanumeric() => key.push(c),
            _ if key.ends_with('-') || key.is_empty() => {}
            _ => key.push('-'),
        }
    }
    let key = key.trim_end_matches('-');
    key.get(..64).unwrap_or(key).to_owned()
}

/// The decision's word for a data set's, if it has another.
pub(super) fn synonym(field: Field, word: &str) -> Option<&'static str> {
    SYNONYMS.iter().find(|(of, known, _)| *of == field && *known == word).map(|(_, _, value)| *value)
}

/// The words of a data set for a decision's.
pub(super) fn synonyms(field: Field, value: &str) -> impl Iterator<Item = &'static str> {
    SYNONYMS.iter().filter(move |(of, _, known)| *of == field && *known == value).map(|(_, word, _)| *word)
}

/// The words for a set's numbers, when all its labels are numbers of one known scale.
pub(super) fn numbers(field: Field, labels: &[String]) -> Option<Vec<String>> {
    let scale = NUMBERS.iter().filter(|(of, _)| *of == field);
    let word = |scale: &[(&str, &str)], label: &String| scale.iter().find(|(n, _)| n == label).map(|(_, word)| (*word).to_owned());
    scale.filter(|_| labels.len() > 1).find_map(|(_, scale)| labels.iter().map(|label| word(scale, label)).collect())
}

/// Which labels say yes to a field, when every label is a yes or a no.
pub(super) fn yes_or_no(field: Field, labels: &[String]) -> Option<Vec<bool>> {
    let listed = |table: &[(Field, &[&str])], label: &str| table.iter().any(|(of, words)| *of == field && words.contains(&label));
    let sure = |label: &String| match label.as_str() {
        label if YES.contains(&label) || listed(&YES_TO, label) => Some(true),
        label if NO.contains(&label) || listed(&NO_TO, label) || denies(label) => Some(false),
        _ => None,
    };
    labels.iter().map(sure).collect::<Option<Vec<bool>>>().or_else(|| Some(rest(labels)?.map(|is_rest| !is_rest).to_vec()))
}

/// Of two labels, which one is the rest.
pub(super) fn rest(labels: &[String]) -> Option<[bool; 2]> {
    let [one, two] = labels else { return None };
    let is_rest = |label: &str| REST.contains(&label) || NO.contains(&label) || denies(label);
    match (is_rest(one), is_rest(two)) {
        (true, false) => Some([true, false]),
        (false, true) => Some([false, true]),
        _ => None,
    }
}

fn denies(label: &str) -> bool {
    ["not-", "non-", "no-"].iter().any(|prefix| label.starts_with(prefix))
}
