//! Adapter files as an admin may write them: a sentence, or an adapter that can be put to work.

#![no_main]

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use signalbox::event::Timestamp;
use signalbox::source::{Adapter, Source};

/// A body with every kind of value.
const BODY: &[u8] = br#"{"id": 7, "text": "hello <b>you</b>", "ticket": {"id": "T", "tags": ["a", "b"], "open": true}, "at": "2026-01-01T00:00:00Z",
    "list": [{"x": 1.5}, {"x": null}], "author": {"handle": "@ann"}}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Adapter::from_toml(text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(adapter) => {
            if let Ok(source) = Source::unsigned("fuzz", adapter) {
                let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
                let _ = source.map(&headers, Some("token=x"), BODY, Timestamp(1_767_225_600_000));
            }
        }
    }
});
