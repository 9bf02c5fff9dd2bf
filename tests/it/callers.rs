//! Callers that are made to hurt: slow ones, deaf ones, floods without a key, and words that want to be something else than words.
//!
//! `refusals` has the bad calls one by one; here are those that only hurt by their number, their patience or their readers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bad_call::lines;
use crate::harness::{SOON, SOURCES, TestHost, event, fresh, signed, until};
use crate::wire::{Connection, Request, call};

/// How long the hosts here are patient.
const PATIENCE_MS: u64 = 700;

fn impatient(more: &str) -> TestHost {
    TestHost::with_config(&format!("[server]\nheader_timeout_ms = {PATIENCE_MS}\nbody_timeout_ms = {PATIENCE_MS}\n{more}{SOURCES}"))
}

/// Whether a new caller is served, once there is a place for it.
fn served(host: &TestHost) -> bool {
    let mut connection = Connection::open(host.public).unwrap();
    connection.write(&Request::new("GET", "/healthz").bytes()).unwrap();
    connection.stirs(SOON) && connection.read().unwrap().is_some_and(|answer| answer.status == 200)
}

#[test]
fn who_says_half_a_header_half_a_body_or_nothing_is_let_go() {
    const PLACES: usize = 8;
    let host = impatient(&format!("max_connections = {PLACES}\n"));
    let halves: [(&str, Vec<u8>); 3] = [
        ("half a header", b"POST /hooks/desk HTTP/1.1\r\nhost: x\r\nx-slow: ".to_vec()),
        ("half a body", b"POST /hooks/desk HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        ("nothing", Vec::new()),
    ];
    for (what, bytes) in halves {
        let start = Instant::now();
        let slow: Vec<Connection> = (0..PLACES)
            .map(|_| {
                let mut connection = Connection::open(host.public).unwrap();
                connection.write(&bytes).unwrap();
                connection
            })
            .collect();
        assert!(served(&host), "{what}: the place of one of them was not freed");
        assert!(start.elapsed() < SOON, "{what}");
        for mut connection in slow {
            assert!(connection.stirs(SOON), "{what}: it is still held");
        }
    }
    // Between two requests too.
    let mut idle = Connection::open(host.public).unwrap();
    assert_eq!(idle.call(&Request::new("GET", "/healthz")).unwrap().unwrap().status, 200);
    assert!(idle.stirs(SOON) && idle.read().unwrap_or(None).is_none(), "an idle connection is closed");
}

#[test]
fn who_does_not_read_its_answers_is_let_go_and_who_reads_slowly_is_not() {
    let host = impatient("max_connections = 1\n");
    let mut deaf = Connection::open(host.admin).unwrap();
    // Asks for the largest page over and over, and takes none of it.
    let page = Request::new("GET", "/openapi.json").bytes().repeat(200);
    let mut asked = 0;
    while asked < 400 && deaf.write(&page).is_ok() {
        asked += 1;
    }
    let mut next = Connection::open(host.admin).unwrap();
    next.write(&Request::new("GET", "/healthz").bytes()).unwrap();
    assert!(next.stirs(SOON) && next.read().unwrap().is_some(), "its place was not freed");
    drop(deaf);
    drop(next);
    // As much, taken bit by bit with pauses: whoever reads is served to the end. Some at a time, as a kernel does not offer again a room
    // that is small beside what it holds.
    let pause = || Connection::open(host.public).unwrap().stirs(Duration::from_millis(PATIENCE_MS / 2));
    let mut slow = Connection::open(host.admin).unwrap();
    slow.write(&Request::new("GET", "/openapi.json").bytes().repeat(60)).unwrap();
    for at in 0..60 {
        assert!(at % 6 > 0 || !pause(), "that took a moment");
        assert_eq!(slow.read().unwrap().unwrap().status, 200);
    }
}

#[test]
fn a_flood_of_wrong_signatures_takes_no_place_from_who_can_sign() {
    let host = TestHost::with_config(&format!("[server]\nmax_in_flight = 2\n{SOURCES}"));
    let (stop, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = Connection::open(host.public).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let forged = signed("desk", &fresh("forged"), event("forged", "hi")).header("webhook-signature", "v1,AAAA");
                    let answer = connection.call(&forged).unwrap().unwrap();
                    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut slowest = Duration::ZERO;
        for _ in 0..200 {
            let start = Instant::now();
            assert_eq!(host.signed(event(&fresh("good"), "the VPN is down")).status, 200, "none of the good ones is shed");
            slowest = slowest.max(start.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    });
    assert!(refused.load(Ordering::Relaxed) > 200, "there was a flood");
    assert_eq!(host.rows("forged"), Vec::<Value>::new());
    assert_eq!(host.pages("source=desk", 200).len(), 200);
}

#[test]
fn an_event_does_not_choose_its_source_its_decision_or_where_it_is_sent() {
    let host = TestHost::with_config(SOURCES);
    let id = fresh("sly");
    let sly = json!({
        "id": id, "text": "hello", "source": "zammad", "tenant": "somebody", "received": "1999-01-01T00:00:00Z",
        "callback_url": "http://127.0.0.1:1/x", "chain": "chosen", "generation": "0", "direction": "inbound",
        "decision": { "escalation": { "level": 4 } }, "grants": ["stop"], "signalbox-duplicate": true,
    });
    let answer = host.signed(sly.to_string());
    let decision = answer.decision();
    assert_eq!((&decision["source"], &decision["chain"], &decision["escalation"]["level"]), (&json!("desk"), &json!("default"), &json!(0)));
    assert_eq!(answer.header("signalbox-duplicate"), None);
    let row = &host.rows(&id)[0];
    assert_eq!(row["event"]["source"], "desk");
    let kept = row.to_string();
    for word in ["1999", "127.0.0.1:1", "chosen", "somebody", "tenant"] {
        assert!(!kept.contains(word), "{word}: {kept}");
    }
}

/// Texts that are something else to somebody: a terminal, a log, a page, a database, a shell, a sheet.
const ODD: [&str; 12] = [
    "red \u{1b}[31m\u{1b}]0;title\u{7}",
    "one\r\n2026-01-01T00:00:00Z ERROR signalbox: all is lost\nthree",
    "{\"level\":\"ERROR\",\"message\":\"all is lost\"}\n{\"level\":\"ERROR\"}",
    "a\u{0}b\u{8}\u{7f}\u{85}\u{9b}31m",
    "txt.\u{202e}exe\u{2066}\u{2028}\u{2029}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE events; --",
    "${jndi:ldap://127.0.0.1/x} {{7*7}} #{7*7} %s%n",
    "$(reboot) `reboot` ; reboot | reboot",
    "=HYPERLINK(\"http://127.0.0.1\")",
    "../../../etc/passwd",
    "\u{feff}\u{fffe}\u{10ffff}\u{d7ff}",
];

#[test]
fn words_of_callers_stay_one_record_a_line_without_a_control_character_in_the_log() {
    for format in ["json", "text"] {
        let host = TestHost::with_config(&format!("[log]\nformat = \"{format}\"\nfilter = \"debug\"\n{SOURCES}"));
        for text in ODD {
            let odd = json!({ "id": text, "text": text, "author": { "handle": text }, "network": text, "kind": text, "thread_id": text });
            let answer = call(host.public, &Request::post("/hooks/demo", odd.to_string()).json());
            assert!(matches!(answer.status, 200 | 422), "{text:?}: {}", answer.text());
            let beside: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            call(host.public, &Request::post(&format!("/hooks/{beside}"), "{}").json().header("x-odd", &beside));
            call(host.public, &Request::post("/hooks/demo", format!("{{{text}")).json());
            host.ask(&format!("/v1/decisions?event_id={beside}"));
            host.ask(&format!("/v1/decisions/{beside}"));
        }
        for line in lines().filter(|line| line.group == "text") {
            line.send(&host, 0);
        }
        let log = host.log();
        assert!(log.lines().count() > 20, "it says what it does: {log}");
        for line in log.lines() {
            let control =
                |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!line.contains(control), "{format}: {line:?}");
            match format {
                "json" => assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"].is_string()), "{line}"),
                _ => assert!(line.starts_with("20"), "a record begins with its moment: {line}"),
            }
        }
        assert!(!log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR")), "no record is forged");
    }
}

#[test]
fn texts_that_are_made_to_be_slow_are_not() {
    let host = TestHost::start();
    let usual = |decision: &Value| decision["trace"].as_array().unwrap().iter().map(|entry| entry["fuel"].as_u64().unwrap()).sum::<u64>();
    let plain = usual(&host.decide(&"the VPN is down since nine and nobody can work. ".repeat(166)));
    for (what, unit) in [
        ("one letter", "a"),
        ("nested tries", "(a+)+$ "),
        ("slashes", "/"),
        ("at signs", "@"),
        ("half addresses", "http://"),
        ("marks upon a letter", "a\u{301}\u{302}\u{303}\u{304}\u{305}"),
        ("families", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}"),
        ("flags", "\u{1f1e9}"),
        ("not not", "not "),
        ("exclamation", "!"),
        ("spaces", " \t"),
        ("right to left", "\u{202e}\u{5d0}"),
        ("look-alikes", "\u{430}\u{435}\u{43e}"),
        ("invisible", "\u{200b}\u{ad}"),
    ] {
        let text: String = unit.chars().cycle().take(7_900).chain("x".chars()).collect();
        let start = Instant::now();
        let decision = host.decide(&text);
        assert_eq!(decision["degraded"], false, "{what}: {decision}");
        let fuel = usual(&decision);
        assert!(fuel < plain * 20, "{what} costs {fuel}, a plain text of this length {plain}");
        assert!(start.elapsed() < Duration::from_secs(2), "{what} took {:?}", start.elapsed());
    }
}

#[test]
fn a_name_of_a_caller_is_no_name_of_a_metric() {
    let host = TestHost::with_config(SOURCES);
    let series = || host.ask("/metrics").text().lines().filter(|line| !line.starts_with('#')).count();
    host.post(json!({ "id": fresh("m"), "text": "hi", "network": "x", "kind": "post" }).to_string()).decision();
    let before = series();
    for at in 0..300 {
        let odd = json!({ "id": fresh("m"), "text": "hi", "network": format!("net-{at}"), "kind": format!("kind-{at}"), "author": { "handle": format!("@{at}") } });
        host.post(odd.to_string()).decision();
    }
    assert!(series() <= before + 2, "{before} series before, {} after", series());
    until(SOON, "all of them", || (host.pages("", 200).len() == 301).then_some(()));
}
