//! Bodies as a desk, or somebody in its place, sends them, through every preset: never a panic, and an event only within its limits.

#![no_main]

use std::sync::LazyLock;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use signalbox::event::{Event, MAX_TEXT_CHARS, Timestamp};
use signalbox::normal::Normal;
use signalbox::source::{Mapped, Source, presets};

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    presets::names().filter_map(|name| Source::unsigned(name, presets::adapter(name)?.ok()?).ok()).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut kinds = ["application/json", "application/cloudevents+json"].into_iter();
    if let Ok(parsed) = Event::from_json(data) {
        held(&parsed.event);
    }
    while let Some(kind) = kinds.next() {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        for source in SOURCES.iter() {
            match source.map(&headers, None, data, Timestamp(1_767_225_600_000)).map(|mapping| mapping.mapped) {
                Ok(Mapped::Event(event)) => held(&event),
                Ok(Mapped::Dropped { reason }) => assert!(!reason.is_empty()),
                Ok(Mapped::Fed(_) | Mapped::Observation { .. }) => {}
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
});

/// An event is within its limits, and its normal text leads back into the raw one.
fn held(event: &Event) {
    assert!(!event.id.is_empty() && event.text.chars().count() <= MAX_TEXT_CHARS);
    let normal = Normal::of(&event.text);
    assert!(normal.text().len() <= event.text.len() * 32 + 32, "no text makes a bomb");
    assert!(serde_json::to_string(event).is_ok());
}
