//! What kind of body a call says it has.
//!
//! Called by `source` after the signature. Pure. It must never take a body whose sender calls it anything else than JSON: what a proxy or
//! a browser can be made to send without asking (a form, plain text) is refused before it is parsed.
//!
//! The written rules: `application/json` and `application/cloudevents+json`, in any case, and no other `+json`; given once; `charset` may
//! be there and then is UTF-8; other parameters are ignored.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// A kind of body that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON, as the source's adapter reads it; a `CloudEvents` event in binary form is also this.
    Json,
    /// One `CloudEvents` event in structured form.
    CloudEvent,
}

/// The content type is none that is taken. The webhook answers 415.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnsupportedContent(pub(super) &'static str);

impl Content {
    /// Reads the content type.
    ///
    /// # Errors
    /// [`UnsupportedContent`] with the remedy.
    pub fn of(headers: &HeaderMap) -> Result<Self, UnsupportedContent> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let refuse = |problem| Err(UnsupportedContent(problem));
        let Some(value) = values.next() else { return refuse("there is no content-type; send application/json") };
        if values.next().is_some() {
            return refuse("content-type was given more than once; send application/json once");
        }
        let Ok(value) = value.to_str() else { return refuse("content-type is not plain ASCII; send application/json") };
        let mut parts = value.split(';').map(str::trim);
        let content = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/cloudevents+json" => Self::CloudEvent,
            "application/cloudevents-batch+json" => return refuse("batches of CloudEvents are not taken; send one event per call"),
            _ => return refuse("this content-type is not taken; send application/json"),
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") && !value.eq_ignore_ascii_case("utf8") {
                return refuse("this charset is not taken; JSON is UTF-8");
            }
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &str) -> Result<Content, UnsupportedContent> {
        Content::of(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn json_and_cloudevents_are_taken() {
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"; x=y",
            "application/json;",
        ] {
            assert_eq!(of(json), Ok(Content::Json), "{json}");
        }
        assert_eq!(of("application/cloudevents+json; charset=UTF-8"), Ok(Content::CloudEvent));
    }

    #[test]
    fn everything_else_is_refused() {
        for other in [
            "",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "application/json-patch+json",
            "application/ld+json",
            "application/json, text/html",
            "application/jsonx",
            "application/json; charset=iso-8859-1",
            "application/cloudevents-batch+json",
            "multipart/form-data; boundary=application/json",
        ] {
            assert!(of(other).is_err(), "{other}");
        }
        assert!(Content::of(&HeaderMap::new()).is_err());
        let mut twice = HeaderMap::new();
        twice.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        twice.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(Content::of(&twice).is_err());
    }
}
