//! Uploads that are refused or made harmless at the gate, through the real route, while the host serves: one sentence each, nothing kept.
//!
//! `bombs` has what is made to hurt the compiler, `doors` and `foreign` what an honest toolchain can get wrong.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use signalbox_test_guests::MISBEHAVE;

use crate::forge::{Forged, custom};
use crate::harness::{SOURCES, TestHost, event, fresh};
use crate::lifecycle::{apply, chain, send, upload};
use crate::wire::{Connection, Request};

/// Serves events while `work` is done, and counts them; none may fail.
fn serving<T>(host: &TestHost, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let mut served = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(host.post(event(&fresh("beside"), "the VPN is down")).decision()["degraded"], false);
                served += 1;
            }
            served
        });
        let came = work();
        done.store(true, Ordering::Relaxed);
        assert!(served.join().unwrap() > 0, "no event was served beside it");
        came
    })
}

fn names(host: &TestHost) -> Vec<String> {
    let items = host.ask("/v1/plugins").json()["items"].clone();
    items.as_array().unwrap().iter().map(|plugin| plugin["digest"].as_str().unwrap().to_owned()).collect()
}

/// Refused by the gate, in one printable line that holds the words.
fn refused(host: &TestHost, what: &str, wasm: Vec<u8>, words: &str) -> Value {
    let problem = upload(host, wasm).problem(422);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(words) && !detail.contains("panicked"), "{what}: {detail}");
    assert!(detail.chars().count() < 2_000 && !detail.chars().any(char::is_control), "{what}: {detail:?}");
    problem
}

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn what_loops_traps_or_grows_while_it_is_brought_in_is_refused_there() {
    // Less fuel than the default, so that the test ends sooner.
    let host = TestHost::with_config(&format!("[limits]\nactivation_fuel = 100000000\n{SOURCES}"));
    let before = names(&host);
    let forged = |change: fn(&mut Forged)| {
        let mut forged = Forged::default();
        change(&mut forged);
        forged.wasm()
    };
    let started = |start: &'static str| Forged { start, ..Forged::default() }.wasm();
    serving(&host, || {
        for (what, wasm, words) in [
            ("describe loops", forged(|f| f.describe = "(loop $l (br $l))"), "`describe` ended as out_of_fuel"),
            ("describe recurses", forged(|f| f.describe = "(call $recurse)"), "`describe` ended as stack_overflow"),
            ("describe traps", forged(|f| f.describe = "unreachable"), "`describe` ended as trapped"),
            (
                "describe grows",
                forged(|f| f.describe = "(drop (memory.grow (i32.const 65000))) unreachable"),
                "`describe` ended as out_of_memory",
            ),
            ("configure loops", forged(|f| f.configure = "(loop $l (br $l))"), "`configure` ended as out_of_fuel"),
            ("configure recurses", forged(|f| f.configure = "(call $recurse)"), "`configure` ended as stack_overflow"),
            ("configure traps", forged(|f| f.configure = "unreachable"), "`configure` ended as trapped"),
            ("the allocator loops", forged(|f| f.realloc = "(loop $l (br $l))"), "`configure` ended as out_of_fuel"),
            ("the allocator recurses", forged(|f| f.realloc = "(call $recurse)"), "`configure` ended as stack_overflow"),
            ("the start loops", started("(loop $l (br $l))"), "`describe` ended as out_of_fuel"),
            ("the start traps", started("unreachable"), "`describe` ended as trapped"),
            ("the start recurses", started("(call $s)"), "`describe` ended as stack_overflow"),
        ] {
            refused(&host, what, wasm, words);
        }
    });
    assert_eq!(names(&host), before, "nothing of them is kept");
}

#[test]
fn what_asks_for_more_memory_than_there_is_never_gets_it() {
    let host = TestHost::with_config(SOURCES);
    let before = host.rss();
    // Behind its own, as the rule's code means the first memory and its own table.
    let more = |field: &str, count: usize| Forged { more: Box::leak(field.repeat(count).into_boxed_str()), ..Forged::default() }.wasm();
    for (what, wasm, words) in [
        ("4 GiB from the start", Forged { memory: "65536", ..Forged::default() }.wasm(), "memory"),
        ("65 MiB from the start", Forged { memory: "1040", ..Forged::default() }.wasm(), "memory"),
        ("nine memories", more("(memory 1)", 8), "memor"),
        ("a table of ten million", more("(table 10000000 funcref)", 1), "table"),
        ("twenty tables", more("(table 10 funcref)", 20), "table"),
    ] {
        refused(&host, what, wasm, words);
    }
    assert!(host.rss() < before + (32 << 20), "the host only looked at headers");
    let most = Forged { memory: "1 65536", ..Forged::named("may-grow") };
    assert_eq!(upload(&host, most.wasm()).status, 201, "to say that one might grow is no fault");
}

#[test]
fn proposals_that_are_switched_off_are_refused() {
    let host = TestHost::with_config(SOURCES);
    for (what, field) in [
        ("64-bit memory", "(memory i64 1)"),
        ("shared memory", "(memory 1 2 shared)"),
        ("garbage collection", "(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))"),
        ("exceptions", "(tag $e) (func (throw $e))"),
        ("typed references", "(type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0)))"),
        ("relaxed SIMD", "(func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))"),
        ("wide arithmetic", "(func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)))"),
    ] {
        refused(&host, what, Forged { more: Box::leak(field.to_owned().into_boxed_str()), ..Forged::default() }.wasm(), "");
    }
}

#[test]
fn what_the_world_must_not_have_is_refused_by_its_name() {
    let host = TestHost::with_config(SOURCES);
    let before = names(&host);
    for import in [
        "wasi:filesystem/types@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:sockets/udp@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:cli/environment@0.2.0",
        "wasi:cli/exit@0.2.0",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:random/random@0.2.0",
        "wasi:io/poll@0.2.0",
        "signalbox:rules/http@0.1.0",
        "signalbox:rules/shell@0.1.0",
        "evil:corp/backdoor@1.0.0",
    ] {
        let wasm = text(&format!(r#"(component (import "{import}" (instance)))"#));
        refused(&host, import, wasm, import.split('@').next().unwrap().trim_start_matches("signalbox:rules/"));
    }
    for (module, name) in [("env", "system"), ("signalbox:rules/shell@0.1.0", "run")] {
        let forged = Forged { fields: format!(r#"(import "{module}" "{name}" (func $f))"#), ..Forged::default() };
        refused(&host, name, forged.wasm(), "");
    }
    refused(&host, "no rule at all", text("(module)"), "a core module without a rule in it");
    refused(&host, "no export", text("(component)"), "does not export");
    assert_eq!(names(&host), before);
}

#[test]
fn bytes_that_are_no_plugin_are_refused_and_nothing_is_kept() {
    let host = TestHost::with_config(SOURCES);
    let before = names(&host);
    let good = Forged::default().wasm();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&good).unwrap();
    serving(&host, || {
        for (what, bytes, words) in [
            ("nothing", Vec::new(), "empty"),
            ("a program", b"\x7fELF\x02\x01\x01".to_vec(), "precompiled"),
            ("a script", b"#!/bin/sh\nrm -rf /".to_vec(), "not wasm"),
            ("the text format", b"(module)".to_vec(), "text format"),
            ("packed", gzip.finish().unwrap(), "gzip"),
            ("another version", b"\0asm\x02\0\0\0".to_vec(), "unknown version"),
            ("with a tail", [good.clone(), b"tail".to_vec()].concat(), "broken at byte"),
            ("the magic alone", b"\0asm".to_vec(), ""),
        ] {
            refused(&host, what, bytes, words);
        }
        for cut in (9..good.len()).step_by(good.len() / 24) {
            refused(&host, "cut off", good[..cut].to_vec(), "");
        }
        // A turned bit may leave a plugin: whatever comes, it is an answer of the gate.
        for at in (8..good.len()).step_by(good.len() / 40) {
            let mut flipped = good.clone();
            flipped[at] ^= 1 << (at % 8);
            let answer = upload(&host, flipped);
            assert!(matches!(answer.status, 200 | 201 | 409 | 422), "byte {at}: {} {}", answer.status, answer.text());
        }
    });
    let kept = names(&host);
    assert!(before.iter().all(|digest| kept.contains(digest)) && !host.log().contains("panicked"), "{}", host.log());
    assert!(matches!(upload(&host, good).status, 201 | 409), "and a good one still comes in");
}

#[test]
fn what_a_plugin_says_of_itself_is_checked_before_anybody_reads_it() {
    let host = TestHost::with_config(SOURCES);
    let before = names(&host);
    let name = |name: &[u8]| Forged { name: name.to_vec(), ..Forged::default() };
    let summary = |text: &str| Forged { summary: text.as_bytes().to_vec(), ..Forged::default() };
    let schema = |text: &str| Forged { schema: text.as_bytes().to_vec(), ..Forged::default() };
    let words = |words: &[(usize, u32)]| Forged { words: words.to_vec(), ..Forged::default() };
    let long = "x".repeat(10_000);
    for (what, forged, said) in [
        ("no name", name(b""), "`name`"),
        ("a path", name(b"../../etc/passwd"), "`name`"),
        ("markup", name(b"<img-src=x-onerror=alert(1)>"), "`name`"),
        ("a zero", name(b"a\0b"), "`name`"),
        ("a long name", name(long.as_bytes()), "`name`"),
        ("letters of another alphabet", name("sentimеnt".as_bytes()), "`name`"),
        ("a name that is not UTF-8", name(b"\xff\xfe"), "`describe` ended as malformed"),
        ("half a version", Forged { version: b"1".to_vec(), ..Forged::default() }, "`version`"),
        ("a version with a path", Forged { version: b"1.0.0/../x".to_vec(), ..Forged::default() }, "`version`"),
        ("a story", summary(&long), "`summary`"),
        ("colours", summary("red \u{1b}[31m"), "`summary`"),
        ("two lines", summary("one\nlevel=error two"), "`summary`"),
        ("backwards", summary("txt.\u{202e}exe"), "`summary`"),
        ("a schema that is no JSON", schema("{"), "`config-schema`"),
        ("a schema that is none", schema(r#"{"type": "zebra"}"#), "`config-schema`"),
        ("a schema from elsewhere", schema(r#"{"$ref": "http://127.0.0.1:1/schema"}"#), "`config-schema`"),
        ("a name from nowhere", words(&[(0, u32::MAX)]), "malformed"),
        ("a name without end", words(&[(1, u32::MAX)]), "malformed"),
        ("an option that is none", words(&[(6, 2)]), "malformed"),
        ("effects without end", words(&[(15, 0x2000_0000)]), "malformed"),
        ("effects from nowhere", words(&[(14, 0xffff_fff0)]), "malformed"),
        ("an effect that is none", words(&[(14, 0)]), "`effects`"),
        ("examples without end", words(&[(21, u32::MAX)]), "malformed"),
        ("more than a call may hand over", words(&[(14, 0), (15, 8_000)]), ""),
    ] {
        refused(&host, what, forged.wasm(), said);
    }
    assert_eq!(names(&host), before);
    // What may be said, and would be something else in a page, a table or a log, is text everywhere.
    let odd = summary("<script>alert(1)</script> =1+1 '; DROP TABLE plugins; -- ${jndi:x}");
    let report = upload(&host, odd.wasm());
    assert_eq!(report.status, 201, "{}", report.text());
    assert_eq!(host.ask("/v1/plugins/forged").json()["plugin"]["summary"], json!(String::from_utf8(odd.summary).unwrap()));
}

#[test]
fn what_stands_in_custom_sections_is_ignored_and_never_shown() {
    let host = TestHost::with_config(SOURCES);
    let secret = b"canary-in-a-custom-section ".repeat(20_000);
    let tail = [custom("producers", &secret), custom("\u{1b}[31m<b>../../x", &secret), custom("name", b"\xff\xff\xff\xff\xff")].concat();
    let answer = upload(&host, Forged { tail, ..Forged::default() }.wasm());
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = format!("{}{}{}", answer.text(), host.ask("/v1/plugins/forged").text(), host.log());
    assert!(!shown.contains("canary-in-a-custom-section") && !shown.contains('\u{1b}'), "{shown}");
    apply(&host, &chain(json!([{ "plugin": "forged" }]))).decision();
    assert_eq!(host.decide("hello")["trace"][0]["outcome"], "ran");
}

#[test]
fn an_upload_past_the_cap_is_refused_before_it_is_held() {
    const GIB: u64 = 1 << 30;
    let host = TestHost::with_config(SOURCES);
    let bearer = format!("Bearer {}", host.token());
    let before = host.rss();
    let head = |framing: &str| {
        format!("POST /v1/plugins HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-type: application/wasm\r\n{framing}\r\n\r\n")
    };
    let mut connection = Connection::open(host.admin).unwrap();
    connection.write(head(&format!("content-length: {GIB}")).as_bytes()).unwrap();
    connection.read().unwrap().unwrap().problem(413);
    assert!(host.rss() < before + (8 << 20), "not a byte of it was wanted");
    // One that does not say how long it is, and has no end.
    let mut connection = Connection::open(host.admin).unwrap();
    connection.write(head("transfer-encoding: chunked").as_bytes()).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![0; 1 << 20], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 1_024 && connection.write(&chunk).is_ok() {
        sent += 1;
    }
    assert!(sent < 300, "{sent} MiB were taken");
    if let Some(answer) = connection.read().unwrap_or(None) {
        answer.problem(413);
    }
    refused(&host, "33 MiB", [b"\0asm\x01\0\0\0".as_slice(), &vec![0; 33 << 20]].concat(), "upload_bytes");
    assert_eq!(upload(&host, Forged::default().wasm()).status, 201);
}

#[test]
fn uploads_at_once_are_one_plugin_each_or_told_to_come_again() {
    let host = TestHost::with_config(SOURCES);
    let same = Forged::named("same").wasm();
    // The same name and version, and other bytes each.
    let other = |number: u8| Forged { tail: custom("build", &[number]), ..Forged::named("rival") }.wasm();
    let all: Vec<Vec<u8>> = (0..12).map(|_| same.clone()).chain((0..12).map(other)).collect();
    let (here, all) = (&host, &all);
    let codes: Vec<(usize, u16)> = serving(here, || {
        std::thread::scope(|scope| {
            let sent: Vec<_> = all.iter().enumerate().map(|(at, wasm)| (at, scope.spawn(move || upload(here, wasm.clone())))).collect();
            sent.into_iter().map(|(at, sent)| (at, told(sent.join().unwrap()))).collect()
        })
    });
    let count = |same: bool, code: u16| codes.iter().filter(|(at, told)| (*at < 12) == same && *told == code).count();
    assert!(count(true, 201) <= 1 && count(false, 201) <= 1, "{codes:?}");
    assert!(codes.iter().all(|(_, code)| matches!(code, 200 | 201 | 409 | 503)), "{codes:?}");
    // Whoever was told to come again does so.
    assert!(matches!(upload(&host, same).status, 200 | 201));
    assert!(matches!(upload(&host, other(0)).status, 200 | 201 | 409));
    let plugins = host.ask("/v1/plugins").json();
    let named = |name: &str| plugins["items"].as_array().unwrap().iter().filter(|plugin| plugin["name"] == name).count();
    assert_eq!((named("same"), named("rival")), (1, 1), "one each: {plugins}");
}

fn told(answer: crate::wire::Answer) -> u16 {
    if answer.status == 503 {
        assert!(answer.header("retry-after").is_some());
    }
    answer.status
}

#[test]
fn a_new_version_that_does_not_come_in_leaves_the_old_one_serving() {
    let host = TestHost::with_config(SOURCES);
    upload(&host, Forged::default().wasm());
    let made = apply(&host, &chain(json!([{ "plugin": "forged" }]))).decision();
    serving(&host, || {
        for body in ["unreachable", "(loop $l (br $l))", "(call $recurse)"] {
            // It describes itself well, and its config is what it cannot bear.
            let only_with_tag: &'static str =
                Box::leak(format!("(if (i32.gt_u (local.get 1) (i32.const 10)) (then {body}))").into_boxed_str());
            let version = format!("0.2.{}", body.len()).into_bytes();
            let forged = Forged { version: version.clone(), configure: only_with_tag, ..Forged::default() };
            assert_eq!(upload(&host, forged.wasm()).status, 201);
            let step = json!({ "plugin": format!("forged@{}", String::from_utf8(version).unwrap()), "config": { "key": "long enough" } });
            let problem = apply(&host, &chain(json!([step]))).problem(422);
            assert!(problem["problems"][0]["message"].as_str().unwrap().contains("`configure` ended as"), "{problem}");
        }
    });
    assert_eq!(host.ask("/v1/setup").json()["generation"], made["generation"]);
    assert_eq!(host.decide("hello")["generation"], made["generation"]);
}

#[test]
fn a_plugins_name_in_a_path_is_a_name_and_never_a_path() {
    let host = TestHost::with_config(SOURCES);
    let token = host.data().join("admin.token");
    for name in
        ["..%2f..%2fadmin.token", "%2e%2e%2fadmin.token", "forged@..%2f..%2fx", "%00", "%ff", &"a".repeat(10_000), "..", "%f0%9f%92%a9"]
    {
        for method in ["GET", "DELETE"] {
            let answer = send(&host, method, &format!("/v1/plugins/{name}"), Vec::new(), &[]);
            assert!(matches!(answer.status, 400 | 404 | 405 | 414 | 431), "{method} {name}: {} {}", answer.status, answer.text());
        }
    }
    assert!(token.exists());
    // And who may not upload does not: before a byte of it is looked at.
    let unsigned = Request::post("/v1/plugins", MISBEHAVE.to_vec()).header("content-type", "application/wasm");
    crate::wire::call(host.admin, &unsigned).problem(401);
}
