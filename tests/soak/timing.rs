//! What the time of a refusal tells: nothing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use signalbox::signature::{Auth, Scheme, SchemeName, verify};

use crate::figure;
use crate::harness::DESK_KEY;
use crate::wire::standard_mac;

/// Refusals of each kind that are timed.
const TIMES: usize = 40_000;
const NOW: u64 = 1_767_225_600;
const BODY: &[u8] = br#"{"id": "1", "text": "hello"}"#;

/// A signature of which so many bytes are right.
fn headers(right: usize) -> HeaderMap {
    let mac = standard_mac(DESK_KEY, "id", &NOW.to_string(), BODY);
    let bytes: Vec<u8> = mac.iter().enumerate().map(|(at, byte)| if at < right { *byte } else { !byte }).collect();
    let value = |text: String| HeaderValue::from_str(&text).unwrap();
    HeaderMap::from_iter([
        (HeaderName::from_static("webhook-id"), value("id".to_owned())),
        (HeaderName::from_static("webhook-timestamp"), value(NOW.to_string())),
        (HeaderName::from_static("webhook-signature"), value(format!("v1,{}", STANDARD.encode(bytes)))),
    ])
}

#[test]
fn a_nearly_right_signature_takes_as_long_as_a_wrong_one() {
    let scheme = Scheme::resolve(&Auth::named(SchemeName::StandardWebhooks)).unwrap();
    let secrets = [scheme.secret(&format!("whsec_{}", STANDARD.encode(DESK_KEY))).unwrap()];
    let judge = |headers: &HeaderMap| verify(&scheme, &secrets, black_box(headers), None, BODY, NOW);
    assert!(judge(&headers(32)).is_ok(), "the right one is taken");
    let kinds = [0, 16, 31].map(headers);
    let mut took = [const { Vec::<Duration>::new() }; 3];
    // In turns, so that what the machine does beside it falls on all.
    for _ in 0..TIMES {
        for (kind, took) in kinds.iter().zip(&mut took) {
            let start = Instant::now();
            let judged = judge(kind);
            took.push(start.elapsed());
            assert!(judged.is_err());
        }
    }
    let median = |took: &mut Vec<Duration>| {
        took.sort_unstable();
        took[took.len() / 2].as_nanos() as f64
    };
    let [none, half, all_but_one] = took.each_mut().map(median);
    figure(
        "a refusal with 0, 16 and 31 of 32 bytes of the signature right: medians of 40,000 each",
        &format!("{none:.0}, {half:.0}, {all_but_one:.0} ns"),
    );
    let most = none.max(half).max(all_but_one) / none.min(half).min(all_but_one);
    assert!(most < 1.1, "the time tells how many bytes are right: {none} {half} {all_but_one}");
}
