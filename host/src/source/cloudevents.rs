//! `CloudEvents` 1.0 around a canonical event: the envelope fills what the event does not say itself.
//!
//! Called by `source`. Pure. It must never weaken how canonical JSON is read: the event inside goes through [`Event::from_json`] byte for
//! byte, with the missing members written in front of it, so that limits, exact numbers and refused duplicates hold there too.
//!
//! The written rules: `specversion` is "1.0"; `id` and `source` are required and together are the event's id when `data` has none,
//! joined by `|`, which no URI holds; `time` is `occurred` and `subject` the ticket's id where `data` has neither; other attributes are
//! ignored. In binary form the `ce-*` headers are percent-decoded, and each may be given once. They are not covered by a signature over
//! the body, so whoever can replay a call within its tolerance could change them: `data.id` is the better place for an id.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::MapError;
use crate::event::{Event, EventError, Parsed, Timestamp, json_error, utf8};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    specversion: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_base64: Option<String>,
}

/// Reads an event in structured form: the envelope is the body.
pub(super) fn structured(body: &[u8]) -> Result<Parsed, MapError> {
    let text = utf8(body)?;
    if !text.trim_ascii_start().starts_with('{') {
        // serde would read an array as the envelope's fields in order.
        return Err(EventError::shape("", "is no JSON object").into());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let envelope = Envelope::deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let envelope = envelope.map_err(|error| json_error(&error, &track.path()))?;
    json.end().map_err(|error| EventError::Syntax(format!("the body holds more than one JSON document: {error}")))?;
    let version = envelope.specversion.as_deref().ok_or(MapError::NotCloudEvent)?;
    let attributes = Attributes {
        id: envelope.id.as_deref().map(Cow::from),
        source: envelope.source.as_deref().map(Cow::from),
        time: envelope.time.as_deref().map(Cow::from),
        subject: envelope.subject.as_deref().map(Cow::from),
        at: |name| format!("/{name}"),
    };
    attributes.check(version)?;
    match (envelope.data, envelope.data_base64) {
        (Some(data), None) => attributes.around(data.get(), "/data"),
        (None, Some(data)) => {
            let bytes = STANDARD.decode(data).map_err(|_| EventError::shape("/data_base64", "is not base64 with its padding"))?;
            attributes.around(utf8(&bytes)?, "/data_base64")
        }
        (Some(_), Some(_)) => Err(EventError::shape("/data_base64", "is there beside `data`; send one of the two").into()),
        (None, None) => Err(EventError::shape("/data", "is missing; it holds the event as canonical JSON").into()),
    }
}

/// Reads an event in binary form, if the headers say that it is one: the body is the canonical event alone.
pub(super) fn binary(headers: &HeaderMap, body: &[u8]) -> Option<Result<Parsed, MapError>> {
    headers.contains_key("ce-specversion").then(|| {
        let attributes = Attributes {
            id: header(headers, "ce-id")?,
            source: header(headers, "ce-source")?,
            time: header(headers, "ce-time")?,
            subject: header(headers, "ce-subject")?,
            at: |name| format!("header ce-{name}"),
        };
        attributes.check(&header(headers, "ce-specversion")?.unwrap_or_default())?;
        attributes.around(utf8(body)?, "")
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<Cow<'a, str>>, EventError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(EventError::shape(format!("header {name}"), "was given more than once; send it once"));
    }
    let decode = |value: &'a http::HeaderValue| percent_decode(value.to_str().ok()?);
    value.map(|value| decode(value).ok_or_else(|| EventError::shape(format!("header {name}"), "is not percent-encoded UTF-8"))).transpose()
}

fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        out.push(if byte == b'%' { u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()? } else { byte });
    }
    String::from_utf8(out).ok().map(Cow::from)
}

/// The attributes that mean something here, wherever they stood.
struct Attributes<'a> {
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    at: fn(&str) -> String,
}

impl Attributes<'_> {
    fn check(&self, version: &str) -> Result<(), EventError> {
        if version != "1.0" {
            return Err(EventError::shape((self.at)("specversion"), "is not \"1.0\", the one version that is taken"));
        }
        for (name, value) in [("id", &self.id), ("source", &self.source)] {
            if value.as_ref().is_none_or(|value| value.is_empty()) {
                return Err(EventError::shape((self.at)(name), "is missing or empty; CloudEvents requires it"));
            }
        }
        Ok(())
    }

    /// Reads the canonical event in `data`, with what the envelope knows and the event does not say written in front of it.
    fn around(&self, data: &str, place: &str) -> Result<Parsed, MapError> {
        let inside = |error: EventError| match error {
            EventError::Shape { pointer, problem } => EventError::shape(format!("{place}{pointer}"), problem),
            syntax @ EventError::Syntax(_) => syntax,
        };
        let keys: BTreeMap<Cow<'_, str>, IgnoredAny> = match serde_json::from_str(data) {
            Ok(keys) => keys,
            Err(error) if error.is_data() => {
                return Err(EventError::shape(place, "is not a JSON object; it holds the event as canonical JSON").into());
            }
            Err(error) => return Err(EventError::Syntax(format!("not JSON: {error}")).into()),
        };
        let mut members = Vec::new();
        if let (false, Some(id), Some(source)) = (keys.contains_key("id"), &self.id, &self.source) {
            members.push(format!(r#""id":{}"#, Value::from(format!("{source}|{id}"))));
        }
        if let (false, Some(time)) = (keys.contains_key("occurred"), &self.time) {
            Timestamp::parse(time).map_err(|problem| EventError::shape((self.at)("time"), problem))?;
            members.push(format!(r#""occurred":{}"#, Value::from(time.as_ref())));
        }
        if let (false, Some(subject)) = (keys.contains_key("ticket"), &self.subject) {
            members.push(format!(r#""ticket":{{"id":{}}}"#, Value::from(subject.as_ref())));
        }
        let own = data.trim_start().strip_prefix('{').unwrap_or_default();
        let comma = if members.is_empty() || keys.is_empty() { "" } else { "," };
        Ok(Event::from_json(format!("{{{}{comma}{own}", members.join(",")).as_bytes()).map_err(inside)?)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(body: &str) -> Result<Event, MapError> {
        structured(body.as_bytes()).map(|parsed| parsed.event)
    }

    #[test]
    fn the_envelope_fills_what_the_event_leaves_out() {
        let event = read(
            r#"{"specversion":"1.0","id":"A-1","source":"/desk/7","type":"x","time":"2026-11-01T09:00:00Z","subject":"T}1",
                "datacontenttype":"application/json","data":{"text":"a } b"}}"#,
        );
        let event = event.unwrap();
        assert_eq!((event.id.as_str(), event.text.as_str()), ("/desk/7|A-1", "a } b"));
        assert_eq!(event.ticket.unwrap().id, "T}1");
        assert_eq!(event.occurred.unwrap().to_string(), "2026-11-01T09:00:00.000Z");
    }

    #[test]
    fn what_the_event_says_itself_stays() {
        let event = read(
            r#"{"specversion":"1.0","id":"A","source":"s","time":"2026-01-01T00:00:00Z","subject":"T",
                "data":{"id":"mine","text":"","occurred":"2025-01-01T00:00:00Z","ticket":{"id":"U"}}}"#,
        );
        let event = event.unwrap();
        assert_eq!((event.id.as_str(), event.ticket.unwrap().id.as_str()), ("mine", "U"));
        assert_eq!(event.occurred.unwrap().to_string(), "2025-01-01T00:00:00.000Z");
        let base64 = STANDARD.encode(r#"{"text":"hi"}"#);
        let event = read(&format!(r#"{{"specversion":"1.0","id":"A","source":"s","data_base64":"{base64}"}}"#)).unwrap();
        assert_eq!((event.id.as_str(), event.text.as_str(), event.ticket), ("s|A", "hi", None));
    }

    #[test]
    fn a_bad_envelope_names_its_place() {
        for (body, place) in [
            (r#"["1.0","A","s","2026-01-01T00:00:00Z","T",{"text":""}]"#, ""),
            (r#"{"specversion":"0.3","id":"A","source":"s","data":{"text":""}}"#, "/specversion"),
            (r#"{"specversion":"1.0","source":"s","data":{"text":""}}"#, "/id"),
            (r#"{"specversion":"1.0","id":"A","source":"","data":{"text":""}}"#, "/source"),
            (r#"{"specversion":"1.0","id":7,"source":"s","data":{"text":""}}"#, "/id"),
            (r#"{"specversion":"1.0","id":"A","source":"s","time":"soon","data":{"text":""}}"#, "/time"),
            (r#"{"specversion":"1.0","id":"A","source":"s"}"#, "/data"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":"x"}"#, "/data"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":{"text":7}}"#, "/data/text"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":{"text":"","text":""}}"#, "/data"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":{"id":null,"text":""}}"#, "/data/id"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":{}}"#, "/data"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data":{"text":""},"data_base64":"e30="}"#, "/data_base64"),
            (r#"{"specversion":"1.0","id":"A","source":"s","data_base64":"e30"}"#, "/data_base64"),
        ] {
            let Err(MapError::Event(EventError::Shape { pointer, .. })) = read(body) else { panic!("{body}") };
            assert_eq!(pointer, place, "{body}");
        }
        assert!(matches!(read(r#"{"id":"1","text":"plain canonical"}"#), Err(MapError::NotCloudEvent)));
        assert!(matches!(read("{}{}"), Err(MapError::Event(EventError::Syntax(_)))));
    }

    #[test]
    fn binary_form_reads_the_headers() {
        let mut headers = HeaderMap::new();
        assert!(binary(&headers, b"{}").is_none());
        for (name, value) in
            [("ce-specversion", "1.0"), ("ce-id", "A%20%E2%82%AC"), ("ce-source", "/desk"), ("ce-type", "t"), ("ce-subject", "T-1")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let event = binary(&headers, br#"{"text":"hi"}"#).unwrap().unwrap().event;
        assert_eq!((event.id.as_str(), event.ticket.unwrap().id.as_str()), ("/desk|A €", "T-1"));
        headers.insert("ce-id", HeaderValue::from_static("%zz"));
        assert!(binary(&headers, br#"{"text":"hi"}"#).unwrap().is_err());
        headers.insert("ce-id", HeaderValue::from_static("A"));
        headers.append("ce-id", HeaderValue::from_static("B"));
        assert!(binary(&headers, br#"{"text":"hi"}"#).unwrap().is_err());
    }
}
