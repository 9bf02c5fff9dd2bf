//! Bad calls: each is refused for what it is, tells its sender what to mend, and leaves nothing behind.
//!
//! Most of them are data: `bad_call` reads and sends one line of them, this file says what must hold afterwards.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bad_call::lines;
use crate::harness::{DESK_KEY, SOURCES, TestHost, event, signed};
use crate::wire::{Answer, Request, call};

/// How long the host of these tests waits for a request's headers, and for its body.
const PATIENCE_MS: u64 = 700;
/// Longest an answer may take: a second on a machine of its own, and a suite runs beside this.
const PROMPT: Duration = Duration::from_secs(5);
/// Memory that a host may keep after all of it: caches, pools, and what the allocator holds back.
const KEPT_BYTES: u64 = 96 << 20;

fn impatient() -> TestHost {
    TestHost::with_config(&format!("[server]\nheader_timeout_ms = {PATIENCE_MS}\nbody_timeout_ms = {PATIENCE_MS}\n{SOURCES}"))
}

#[test]
fn every_bad_call_gets_its_answer_and_leaves_no_row() {
    let host = impatient();
    let before = host.rss();
    let (mut taken, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in lines() {
        if line.group == "rate" {
            continue; // has a test of its own
        }
        for copy in 0..line.repeat {
            let (outcome, took) = line.send(&host, copy);
            let code = outcome.as_ref().map_or("close".to_owned(), |answer| answer.status.to_string());
            let fits = line.expect.iter().any(|wanted| *wanted == code || (wanted == "2xx" && code.starts_with('2')));
            if !fits || took > PROMPT {
                let said = outcome.as_ref().map(Answer::text).unwrap_or_default();
                wrong.push(format!("{} got {code} in {took:?}, wanted {:?}: {said}", line.name, line.expect));
            }
            match outcome.filter(|answer| answer.status >= 300) {
                // What is no HTTP at all is refused by the HTTP library, below the layer that makes our answers.
                Some(answer) if answer.header("signalbox-request-id").is_some() => drop(answer.problem(answer.status)),
                Some(answer) => assert_eq!((line.form(), answer.status), ("raw-http", 400), "{}: not an answer of ours", line.name),
                None => {}
            }
            if code.starts_with('2') {
                taken.insert(line.event_id());
            }
        }
        if !taken.contains(&line.event_id()) && !host.rows(&line.event_id()).is_empty() {
            wrong.push(format!("{} was refused and left a row", line.name));
        }
    }
    assert!(wrong.is_empty(), "{} of the calls went wrong:\n{}", wrong.len(), wrong.join("\n"));
    let rows = host.pages("", 200);
    assert_eq!(rows.len(), taken.len(), "as many rows as events were taken");
    assert!(rows.iter().all(|row| row["event"]["source"] == "desk" && row["decision"]["source"] == "desk"));
    let after = host.rss();
    assert!(after < before + KEPT_BYTES, "{before} bytes before, {after} after");
    assert!(!host.log().contains("panicked"), "{}", host.log());
    host.signed(event("honest", "an honest call after all of them")).decision();
}

#[test]
fn what_has_no_place_here_is_not_found() {
    let host = TestHost::with_config(SOURCES);
    let post = |path: &str| call(host.public, &Request::post(path, "{}").json());
    let problem = post("/hooks/nobody").problem(404);
    assert!(problem["detail"].as_str().unwrap().contains("`nobody`"), "{problem}");
    for path in [
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/desk/",
        "/hooks/a/b",
        "/v1/about",
        "/hooks/..%2fdesk",
        "/hooks/%00",
        "/hooks/%1b%5b31m",
        "/hooks/%ff",
        "//hooks/desk",
    ] {
        let problem = post(path).problem(404).to_string();
        assert!(!problem.contains('\u{1b}') && !problem.contains('\0'), "{path}: {problem}");
    }
    host.ask("/v1/nothing").problem(404);
    host.ask("/hooks/desk").problem(404);
    host.ask("/v1/decisions/%ff").problem(404);
}

#[test]
fn only_post_is_taken_at_a_hook_and_only_get_at_the_api() {
    let host = TestHost::with_config(SOURCES);
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = call(host.public, &Request::new(method, "/hooks/desk"));
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
        let bearer = format!("Bearer {}", host.token());
        for path in ["/v1/about", "/v1/chains/default", "/v1/decisions", "/v1/decisions/x"] {
            if method != "GET" {
                let answer = call(host.admin, &Request::new(method, path).header("authorization", &bearer));
                answer.problem(405);
                assert_eq!(answer.header("allow"), Some("GET"), "{method} {path}");
            }
        }
    }
}

#[test]
fn the_api_says_nothing_without_the_token() {
    let host = TestHost::start();
    host.post(event("secret", "hello")).decision();
    let token = host.token();
    let bearer = |token: &str| format!("Bearer {token}");
    let wrong = [
        None,
        Some(bearer(&"0".repeat(token.len()))),
        Some(bearer(&token[..63])),
        Some(bearer(&format!("{token}0"))),
        Some(bearer(&token.to_uppercase())),
        Some(bearer("")),
        Some(token.clone()),
        Some(format!("Basic {token}")),
    ];
    let paths = ["/v1", "/v1/about", "/v1/tokens", "/v1/decisions", "/v1/decisions?event_id=secret", "/v1/decisions/x", "/v1/nothing"];
    for (at, path) in paths.into_iter().enumerate() {
        for method in ["GET", "POST"] {
            // Every wrong token at one path, and none at every path: whoever presents more wrong ones is slowed.
            for presented in wrong.iter().take(if at == 1 && method == "GET" { wrong.len() } else { 1 }) {
                let request = Request::new(method, path);
                let request = presented.iter().fold(request, |request, value| request.header("authorization", value));
                let answer = call(host.admin, &request);
                let problem = answer.problem(401);
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{path}");
                assert!(!problem.to_string().contains(&token), "{problem}");
            }
        }
    }
    // Two tokens, of which one is right, are none.
    let twice = Request::new("GET", "/v1/about").header("authorization", &bearer(&token)).header("authorization", &bearer("x"));
    call(host.admin, &twice).problem(401);
    assert!(!host.log().contains(&token), "the token is in no log");
}

#[test]
fn an_unsigned_source_is_for_this_machine_alone() {
    let host = TestHost::start();
    let post = |name: &str, value: &str| call(host.public, &Request::post("/hooks/demo", event("e", "hi")).json().header(name, value));
    for (name, value) in [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=203.0.113.9")] {
        post(name, value).problem(403);
    }
    assert_eq!(host.rows("e"), Vec::<Value>::new());
    assert_eq!(host.post(event("e", "hi")).status, 200);
}

#[test]
fn a_fault_is_told_by_its_place() {
    let host = TestHost::start();
    let author = |author: Value| json!({ "id": "f", "text": "t", "author": author });
    let faults = [
        (author(json!({ "followers": -1 })), "/author/followers"),
        (author(json!({ "followers": "many" })), "/author/followers"),
        (author(json!({ "name": ["Ann"] })), "/author/name"),
        (author(json!("Ann")), "/author"),
        (json!({ "id": "", "text": "t" }), "/id"),
        (json!({ "id": 7, "text": "t" }), "/id"),
        (json!({ "id": "i".repeat(257), "text": "t" }), "/id"),
        (json!({ "id": "f", "text": null }), "/text"),
        (json!({ "id": "f", "text": "t", "rating": 5 }), "/rating"),
        (json!({ "id": "f", "text": "t", "revision": -1 }), "/revision"),
        (json!({ "id": "f", "text": "t", "visibility": "secret" }), "/visibility"),
        (json!({ "id": "f", "text": "t", "occurred": "yesterday" }), "/occurred"),
        (json!({ "id": "f", "text": "t", "title": "t".repeat(2_049) }), "/title"),
        (json!({ "id": "f", "text": "t", "ticket": {} }), "/ticket"),
        (json!({ "id": "f", "text": "t", "ticket": { "id": "T", "tags": ["a", 1] } }), "/ticket/tags/1"),
        (json!({ "id": "f", "text": "t", "attachments": vec![json!({}); 17] }), "/attachments"),
        (json!({ "id": "f", "text": "t", "attachments": [{ "bytes": "ten" }] }), "/attachments/0/bytes"),
        (
            json!({ "id": "f", "text": "t", "attributes": [{ "key": "k", "value": { "type": "integer", "value": 1.5 } }] }),
            "/attributes/0/value",
        ),
    ];
    for (body, pointer) in faults {
        let problem = host.post(body.to_string()).problem(422);
        assert!(problem["pointer"].as_str().unwrap().starts_with(pointer), "{pointer}: {problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let missing = host.post(r#"{"id": "f"}"#).problem(422);
    assert!(missing["detail"].as_str().unwrap().contains("`text`"), "{missing}");
    for body in [r#"{"id": "f", "text": "#, "", "nul", "{'id': 'f'}"] {
        assert_eq!(host.post(body).problem(400).get("pointer"), None, "{body}");
    }
    assert_eq!(host.rows("f"), Vec::<Value>::new());
}

#[test]
fn a_refusal_shows_no_secret_and_no_markup() {
    let host = TestHost::with_config(SOURCES);
    let hostile = "<svg/onload=alert(1)>\u{1b}[31m";
    let answers = [
        call(host.public, &Request::post(&format!("/hooks/{}", "%3Csvg%3E%1b"), "{}").json()),
        call(host.public, &Request::post("/hooks/demo", json!({ "id": hostile, "text": 1 }).to_string()).json()),
        call(host.public, &Request::post("/hooks/demo", json!({ hostile: 1 }).to_string()).json()),
        call(host.public, &Request::post("/hooks/demo", json!({ "id": "e", "text": "t", "visibility": hostile }).to_string()).json()),
        call(host.public, &Request::post("/hooks/demo", "{}").header("content-type", "text/<svg>")),
    ];
    for answer in answers {
        let problem = answer.problem(answer.status);
        assert!(!answer.text().contains('\u{1b}'), "{problem}");
    }
    let refused = call(host.public, &signed("desk", "d", "{}").header("webhook-signature", "v1,AAAA"));
    refused.problem(401);
    let key = STANDARD.encode(DESK_KEY);
    assert!(!refused.text().contains(&key) && !host.log().contains(&key));
}
