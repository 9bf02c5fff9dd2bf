//! The readings that `as` names, and the small tools of the other filters.
//!
//! Called by `field`. Pure and total: each takes any JSON value and gives a value or a sentence that does not show the value.

use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entities::unescape;
use super::{html, time};
use crate::event::Timestamp;

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum As {
    /// HTML, made plain text.
    HtmlText,
    /// Text with `&amp;` and its like, and no tags.
    Unescape,
    /// Without white space at both ends.
    Trim,
    /// In lower case.
    Lower,
    /// A time in RFC 3339.
    Rfc3339,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// A time in any of the known forms.
    Time,
    /// A number, also from text.
    Number,
    /// The name in `Ann Example <ann@example.com>`, or the whole when there is no address.
    DisplayName,
}

impl As {
    /// Reads a value; the error says what it is not.
    pub(super) fn read(self, value: Value, offset: Offset) -> Result<Value, String> {
        let text = || value.as_str().ok_or_else(|| "is no text".to_owned());
        let time =
            |time: Option<Timestamp>, form: &str| time.map(|time| time.to_string().into()).ok_or_else(|| format!("is no time {form}"));
        match self {
            Self::HtmlText => Ok(html::to_text(text()?).into()),
            Self::Unescape => Ok(unescape(text()?).into()),
            Self::Trim => Ok(text()?.trim().into()),
            Self::Lower => Ok(text()?.to_lowercase().into()),
            Self::Rfc3339 => time(time::rfc3339(&value), "in RFC 3339"),
            Self::Unix => time(time::unix(&value), "in unix seconds"),
            Self::UnixMs => time(time::unix_ms(&value), "in unix milliseconds"),
            Self::Time => time(time::guess(&value, offset), "in a known form"),
            Self::Number => number(&value).ok_or_else(|| "is no number".to_owned()),
            Self::DisplayName => {
                let text = text()?.trim();
                let name =
                    text.rsplit_once('<').filter(|_| text.ends_with('>')).map_or(text, |(name, _)| name).trim().trim_matches('"').trim();
                Ok(if name.is_empty() { text.trim_matches(['<', '>']) } else { name }.into())
            }
        }
    }
}

/// A list's entries, or the value as the one entry.
pub(super) fn entries(value: Value) -> Vec<Value> {
    if let Value::Array(entries) = value { entries } else { vec![value] }
}

fn number(value: &Value) -> Option<Value> {
    let text = match value {
        Value::Number(_) => return Some(value.clone()),
        other => other.as_str()?.trim(),
    };
    let decimal = || text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from);
    text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from)).ok().or_else(decimal)
}

/// At most so many characters, cut at a grapheme boundary.
pub(super) fn cut(mut text: String, max_chars: Option<usize>) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    let Some(max_chars) = max_chars.filter(|max_chars| text.len() > *max_chars) else { return text };
    let (mut chars, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        chars += grapheme.chars().count();
        if chars > max_chars {
            break;
        }
        end = at + grapheme.len();
    }
    text.truncate(end);
    text
}
