//! One place of a call: a JSON Pointer into the body, a header, or a query parameter.
//!
//! Called by `field`, `condition` and `source`. Pure. It must never compute: a place is there or it is not, and `null` is not.

use std::fmt;
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use serde_json::Value;

/// A call as an adapter sees it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// The body, or inside a list one of its entries.
    pub(super) document: &'a Value,
    pub(super) headers: &'a HeaderMap,
    pub(super) query: Option<&'a str>,
}

/// `/json/pointer`, `header:Name` or `query:name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Pointer(String),
    Header(HeaderName),
    Query(String),
}

impl Place {
    /// The value there, if it is there and not `null`. A header counts when it is given once, in visible ASCII.
    pub(super) fn find(&self, call: Call<'_>) -> Option<Value> {
        match self {
            Self::Pointer(pointer) => {
                let value = match pointer.split_once("{/") {
                    None => call.document.pointer(pointer),
                    Some((before, rest)) => call.document.pointer(&by_key(call, before, rest)?),
                };
                value.filter(|value| !value.is_null()).cloned()
            }
            Self::Header(name) => header(call.headers, name).map(Value::from),
            Self::Query(name) => {
                let mut values = form_urlencoded::parse(call.query.unwrap_or_default().as_bytes()).filter(|(key, _)| key == name);
                values.next().map(|(_, value)| Value::from(value))
            }
        }
    }
}

/// `/users/{/message/sender_id}/name`: the key is what stands at another pointer, as where a body holds its people in a table.
fn by_key(call: Call<'_>, before: &str, rest: &str) -> Option<String> {
    let (inner, after) = rest.split_once('}')?;
    let key = scalar_text(call.document.pointer(&format!("/{inner}"))?)?;
    Some(format!("{before}{}{after}", key.replace('~', "~0").replace('/', "~1")))
}

/// The value of a header that is given once, in visible ASCII.
pub(super) fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| value.to_owned())
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("header:") {
            return name.parse().map(Self::Header).map_err(|_| format!("`{text}` does not name a header"));
        }
        if let Some(name) = text.strip_prefix("query:") {
            return Ok(Self::Query(name.to_owned()));
        }
        let escaped = text.match_indices('~').all(|(at, _)| text[at..].starts_with("~0") || text[at..].starts_with("~1"));
        if (text.is_empty() || text.starts_with('/')) && escaped {
            return Ok(Self::Pointer(text.to_owned()));
        }
        Err(format!("`{text}` is no place; write a JSON Pointer such as `/ticket/id`, `header:Name` or `query:name`"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query parameter {name}"),
        }
    }
}

/// A text, whole number or yes/no as text, every digit kept; nothing for lists, objects and numbers that JSON could not hold exactly.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        // A whole number past 64 bits was rounded when the body was parsed: its digits are gone.
        Value::Number(number) if number.is_f64() && number.as_f64().is_none_or(|n| n.abs() >= 9_007_199_254_740_992.0) => None,
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
