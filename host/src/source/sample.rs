//! A saved sample: a call that a source understood, and what it became then. It must become that again when the adapter changes.
//!
//! Called by `signalbox source test --save`, and by `check` and `serve`, which read the samples of each source. Pure. Verification is
//! no part of it: a sample holds neither the signature nor any other header that changes nothing, so that it holds no secret.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fed, Mapped, Source};
use crate::event::Timestamp;

/// Samples are mapped at one moment, so that an event without a time of its own is the same today and next year.
const AT: Timestamp = Timestamp(1_767_225_600_000);

/// A call, and what it became.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The body: a text as it came, or JSON.
    payload: Value,
    /// The headers that say something of the event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// The query string, when it says something of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// What it must become.
    becomes: Becomes,
}

/// What a call becomes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Becomes {
    /// An event with at least these fields.
    Event(Value),
    /// Nothing, for this reason.
    Dropped(String),
    /// Rows of tables.
    Fed(Vec<Fed>),
    /// Something to record.
    Observation {
        /// In the adapter's words.
        reason: String,
        /// The ticket it happened to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
    },
}

impl Sample {
    /// A call as `source` understands it now.
    ///
    /// # Errors
    /// Why it does not: there is nothing to hold a later adapter to.
    pub fn of(source: &Source, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, String> {
        let becomes = becomes(source, headers, query, body)?;
        let same = |headers: &HeaderMap, query: Option<&str>| self::becomes(source, headers, query, body).as_ref() == Ok(&becomes);
        let mut kept = headers.clone();
        for name in headers.keys() {
            let mut without = kept.clone();
            without.remove(name);
            if same(&without, query) {
                kept = without;
            }
        }
        let query = query.filter(|_| !same(&kept, None)).map(str::to_owned);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = kept.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Ok(Self { payload: Value::String(String::from_utf8_lossy(body).into_owned()), headers, query, becomes })
    }

    /// Whether `source` still makes of it what it was.
    ///
    /// # Errors
    /// Each difference, with its place.
    pub fn holds(&self, source: &Source) -> Result<(), Vec<String>> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) else {
                return Err(vec![format!("its header `{}` is none that a call can have", name.escape_debug())]);
            };
            headers.insert(name, value);
        }
        let body = self.payload.as_str().map_or_else(|| self.payload.to_string(), str::to_owned);
        let now = becomes(source, &headers, self.query.as_deref(), body.as_bytes())
            .map_err(|refusal| vec![format!("is refused now: {refusal}")])?;
        match (&self.becomes, now) {
            (Becomes::Event(was), Becomes::Event(is)) => {
                let mut differences = Vec::new();
                differ(was, Some(&is), String::new(), &mut differences);
                if differences.is_empty() { Ok(()) } else { Err(differences) }
            }
            (was, now) if *was == now => Ok(()),
            (was, now) => Err(vec![format!("was {}, is now {}", was.told(), now.told())]),
        }
    }
}

impl Becomes {
    fn told(&self) -> String {
        match self {
            Self::Event(_) => "an event".to_owned(),
            Self::Dropped(reason) => format!("dropped ({reason})"),
            Self::Fed(fed) => format!("rows of {}", fed.iter().map(|fed| fed.table.as_str()).collect::<Vec<_>>().join(", ")),
            Self::Observation { reason, ticket } => {
                format!("an observation ({reason}, ticket {})", ticket.as_deref().unwrap_or("unknown"))
            }
        }
    }
}

fn becomes(source: &Source, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Becomes, String> {
    let mapping = source.map(headers, query, body, AT).map_err(|error| error.to_string())?;
    Ok(match mapping.mapped {
        Mapped::Event(event) => {
            let mut event = serde_json::to_value(*event).map_err(|error| error.to_string())?;
            // The host's clock, and not the adapter's work.
            event.as_object_mut().map(|event| event.remove("received"));
            Becomes::Event(event)
        }
        Mapped::Dropped { reason } => Becomes::Dropped(reason),
        Mapped::Fed(fed) => Becomes::Fed(fed),
        Mapped::Observation { reason, ticket } => Becomes::Observation { reason, ticket },
    })
}

/// What of `was` is not in `is`; keys that are new do no harm.
fn differ(was: &Value, is: Option<&Value>, at: String, differences: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(was), Some(Value::Object(is))) => {
            for (key, value) in was {
                differ(value, is.get(key), format!("{at}/{}", crate::setup::escape(key)), differences);
            }
        }
        (was, Some(is)) if was == is => {}
        (was, Some(is)) => differences.push(format!("{at} was {was}, is now {is}")),
        (was, None) => differences.push(format!("{at} was {was}, and is missing now")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Adapter;
    use crate::source::presets;

    const BODY: &[u8] = include_bytes!("../../../tests/fixtures/webhooks/zammad-ticket-default.json");

    fn source(adapter: &str) -> Source {
        Source::unsigned("desk", Adapter::from_toml(adapter).unwrap()).unwrap()
    }

    fn headers() -> HeaderMap {
        [("authorization", "Bearer secret"), ("x-hub-signature", "sha1=00"), ("content-type", "application/json")]
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .into_iter()
            .collect()
    }

    #[test]
    fn a_sample_holds_until_its_adapter_reads_something_else() {
        let preset = presets::toml("zammad").unwrap();
        let sample = Sample::of(&source(preset), &headers(), Some("token=secret"), BODY).unwrap();
        assert_eq!(sample.holds(&source(preset)), Ok(()));
        let read: Sample = serde_json::from_str(&serde_json::to_string(&sample).unwrap()).unwrap();
        assert_eq!(read, sample);

        let other = preset.replace("text = { path = \"/article/body\"", "text = { path = \"/ticket/title\"");
        assert_ne!(other, preset);
        let differences = sample.holds(&source(&other)).unwrap_err();
        assert!(differences.len() == 1 && differences[0].starts_with("/text was "), "{differences:?}");
    }

    #[test]
    fn a_sample_holds_no_header_that_changes_nothing() {
        let sample = Sample::of(&source(presets::toml("zammad").unwrap()), &headers(), Some("token=secret"), BODY).unwrap();
        let written = serde_json::to_string(&sample).unwrap();
        assert!(!written.contains("secret") && !written.contains("sha1"), "{written}");
        assert_eq!(sample.headers.keys().collect::<Vec<_>>(), ["content-type"], "without it the body is of no kind that is taken");
    }

    #[test]
    fn what_became_of_it_is_part_of_the_sample() {
        let preset = presets::toml("zammad").unwrap();
        let mut sample = Sample::of(&source(preset), &headers(), None, BODY).unwrap();
        sample.becomes = Becomes::Dropped("an internal note".to_owned());
        assert_eq!(sample.holds(&source(preset)), Err(vec!["was dropped (an internal note), is now an event".to_owned()]));
        sample.payload = Value::String("{".to_owned());
        assert!(sample.holds(&source(preset)).unwrap_err()[0].starts_with("is refused now: "));
        assert!(Sample::of(&source(preset), &headers(), None, b"{").is_err(), "nothing that is refused is worth keeping");
    }
}
