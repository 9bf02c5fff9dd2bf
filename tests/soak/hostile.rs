//! Hostile plugins and hostile callers by the thousand: what no list of cases thinks of, from random bytes with a fixed beginning.
//!
//! The black-box suite has the cases one by one, each with its own answer (`it/hostile`, `it/gate`, `it/refusals`); here it is the number,
//! and that nothing of it is a fault of ours.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::bad_call::lines;
use crate::figure;
use crate::forge::{Forged, Returned};
use crate::harness::{SOURCES, TestHost, event, fresh, prepared, signed};
use crate::wire::{Answer, Connection, Request, call};

/// Spoiled verdicts, spoiled uploads, spoiled bodies.
const VERDICTS: usize = 5_000;
const UPLOADS: usize = 200;
const BODIES: usize = 20_000;

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// Up to four places of it are something else.
    fn spoil(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            bytes[at] = match self.below(4) {
                0 => 0,
                1 => 0xff,
                2 => bytes[at] ^ 1 << self.below(8),
                _ => u8::try_from(self.below(256)).unwrap(),
            };
        }
    }
}

/// A rule that has nothing to say has no fault.
fn is_fault(entry: &Value) -> bool {
    entry["outcome"] != "ran" && entry["outcome"] != "not_applicable"
}

#[test]
fn plugins_that_misbehave_are_contained() {
    let steps =
        "[[steps]]\nplugin = \"categorize\"\n[[steps]]\nfile = \"forged.wasm\"\nquarantine_after = 0\n[[steps]]\nplugin = \"sentiment\"\n";
    let dir = prepared(Some(&format!("{SOURCES}{steps}")));
    fs::write(dir.path().join("forged.wasm"), Forged::default().wasm()).unwrap();
    let host = TestHost::in_dir(dir);
    let mut random = Random(0x5eed);
    let spoiled = (0..VERDICTS).map(|_| {
        let mut returned = Returned::honest();
        random.spoil(&mut returned.bytes);
        returned.text()
    });
    let letters = "lczrmqtgudfxni".chars().map(|letter| format!("{letter} the VPN is down"));
    let mut connection = Connection::open(host.public).unwrap();
    let (mut outcomes, mut tried, mut noticed) = (BTreeMap::<String, usize>::new(), 0, 0);
    let mut decide = |text: &str| {
        let answer = connection.call(&signed("desk", &fresh("delivery"), event(&fresh("event"), text))).unwrap().unwrap();
        assert_eq!(answer.status, 200, "{text}: {}", answer.text());
        answer.json()
    };
    for text in letters.chain(spoiled) {
        let decision = decide(&text);
        let entry = &decision["trace"][1];
        *outcomes.entry(entry["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
        tried += 1;
        noticed += usize::from([0, 2].iter().any(|other| is_fault(&decision["trace"][other])));
        assert_eq!(decision["degraded"], is_fault(entry), "{entry}");
    }
    assert_eq!(noticed, 0, "no other step had a fault");
    assert!(!host.log().contains("panicked"), "{}", host.log());
    outcomes.retain(|outcome, _| outcome != "ran" && outcome != "not_applicable");
    let faults: usize = outcomes.values().sum();
    let named: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    figure(
        "events at which a plugin misbehaves: tried; answered with a decision; faults, each named; other steps that had one",
        &format!("{tried}; {tried}; {faults} ({}); {noticed}", named.join(", ")),
    );
}

/// Counts answers, of which none may be a fault of ours.
#[derive(Default)]
struct Told(BTreeMap<u16, usize>);

impl Told {
    fn note(&mut self, what: &str, answer: &Answer) {
        // 503 with `Retry-After` is how a caller is asked to come again.
        assert!(answer.status < 500 || answer.header("retry-after").is_some(), "{what}: {}", answer.text());
        *self.0.entry(answer.status).or_default() += 1;
    }

    fn text(&self) -> String {
        self.0.iter().map(|(status, count)| format!("{status} {count} times")).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn uploads_that_are_spoiled_are_answered() {
    let host = TestHost::with_config(SOURCES);
    let good = Forged::default().wasm();
    let (mut random, mut told) = (Random(0xbad), Told::default());
    for at in 0..UPLOADS {
        let mut spoiled = good.clone();
        random.spoil(&mut spoiled[8..]);
        let request = Request::post("/v1/plugins", spoiled).header("content-type", "application/wasm");
        let answer = call(host.admin, &request.header("authorization", &format!("Bearer {}", host.token())));
        told.note(&format!("upload {at}"), &answer);
    }
    assert!(!host.log().contains("panicked"), "{}", host.log());
    figure("plugins with spoiled bytes, uploaded; answers", &format!("{UPLOADS}; {}", told.text()));
}

#[test]
fn bad_requests_are_answered_in_their_class() {
    let host = TestHost::with_config(&format!("[server]\nheader_timeout_ms = 700\nbody_timeout_ms = 700\n{SOURCES}"));
    let (mut tried, mut fit) = (0, 0);
    for line in lines().filter(|line| line.group != "rate") {
        for copy in 0..line.repeat {
            let code = line.send(&host, copy).0.map_or("close".to_owned(), |answer| answer.status.to_string());
            assert!(!code.starts_with('5'), "{}: {code}", line.name);
            tried += 1;
            fit += usize::from(line.expect.iter().any(|wanted| *wanted == code || (wanted == "2xx" && code.starts_with('2'))));
        }
    }
    assert_eq!(fit, tried);
    let (mut random, mut told) = (Random(0xca11), Told::default());
    let mut connection = Connection::open(host.public).unwrap();
    for at in 0..BODIES {
        let whole = event(&fresh("spoiled"), "the VPN is down since nine, and nobody can work");
        let mut body = whole.into_bytes();
        random.spoil(&mut body);
        let answer = connection.call(&signed("desk", &fresh("delivery"), body)).unwrap().unwrap();
        told.note(&format!("body {at}"), &answer);
    }
    assert!(!host.log().contains("panicked"), "{}", host.log());
    figure(
        "bad requests, one by one: tried; answered in their class; 5xx. Bodies with spoiled bytes, signed: answers; 5xx",
        &format!("{tried}; {fit}; 0. {}; 0", told.text()),
    );
}
