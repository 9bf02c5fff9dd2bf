//! The journey of an event, from a desk's call to the admin who reads it back: what is decided, once, and what a repeat gets.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Barrier;

use serde_json::{Value, json};

use crate::harness::{DESK_KEY, SOON, SOURCES, TestHost, ZAMMAD_KEY, event, fresh, now, outage, signed, until, zammad};
use crate::wire::{Connection, Request, call, standard_signature};

const ZAMMAD_BODY: &[u8] = include_bytes!("../fixtures/webhooks/zammad-ticket-default.json");
const TEXTS: &str = include_str!("../fixtures/texts.json");

#[test]
fn the_printed_commands_work_as_printed() {
    let host = TestHost::start();
    let commands: Vec<&str> = host.welcome.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    let said: Vec<Value> = commands.iter().map(|command| shell(&host, command)).collect();
    let [decision, page] = said.as_slice() else { panic!("two commands were printed: {}", host.welcome) };

    assert_eq!(decision["category"]["key"], "outage");
    assert_eq!(decision["sentiment"]["label"], "very_negative");
    assert!(decision["sentiment"]["score"].as_f64().unwrap() < -0.5);
    assert!(decision["assignment"]["queue"].is_string() && decision["priority"] == "high");
    let trace: Vec<_> =
        decision["trace"].as_array().unwrap().iter().map(|step| (step["plugin"].clone(), step["outcome"].clone())).collect();
    assert_eq!(trace, ["categorize", "sentiment", "escalate"].map(|plugin| (json!(plugin), json!("ran"))));
    for change in decision["trace"].as_array().unwrap().iter().flat_map(|step| step["set"].as_array().unwrap()) {
        assert!(!change["reason"].as_str().unwrap().is_empty() && change["confidence"].is_number(), "{change}");
    }
    assert_eq!(&page["items"][0]["decision"], decision);
    assert_eq!(page["items"][0]["event"]["id"], "post-1");
}

/// Runs a printed command where curl is there, and as the request it says elsewhere.
fn shell(host: &TestHost, command: &str) -> Value {
    let output = Command::new("sh").args(["-c", command]).current_dir(host.dir.path()).output().unwrap();
    if output.status.code() != Some(127) {
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        return serde_json::from_slice(&output.stdout).unwrap();
    }
    let after = |mark: &str| command.split_once(mark).unwrap().1;
    match command.split_once("-d '") {
        Some((_, body)) => host.post(body.trim_end_matches('\'')).decision(),
        None => host.ask(&format!("/v1{}", after("/v1").split('\'').next().unwrap())).json(),
    }
}

#[test]
fn zammads_own_payload_is_decided_when_it_is_signed_and_refused_when_it_is_not() {
    let host = TestHost::with_config(SOURCES);
    let first = call(host.public, &zammad("z-1", ZAMMAD_KEY, ZAMMAD_BODY));
    let decision = first.decision();
    assert_eq!((&decision["event_id"], &decision["source"]), (&json!("zammad:article:104"), &json!("zammad")));
    assert!(decision["category"]["key"].is_string() && decision["sentiment"]["label"].is_string());
    assert_eq!(first.header("signalbox-duplicate"), None);

    let again = call(host.public, &zammad("z-1", ZAMMAD_KEY, ZAMMAD_BODY));
    assert_eq!(again.header("signalbox-duplicate"), Some("true"));
    assert_eq!(again.body, first.body, "a repeat gets the recorded bytes");

    let stranger = call(host.public, &zammad("z-2", "another token", ZAMMAD_BODY)).problem(401);
    assert!(!stranger.to_string().contains("sha1="), "no digest in an answer: {stranger}");
    let unsigned = Request::post("/hooks/zammad", ZAMMAD_BODY).json();
    call(host.public, &unsigned).problem(401);
    assert_eq!(host.pages("source=zammad", 200).len(), 1);
}

#[test]
fn what_is_not_for_the_chain_is_dropped_with_its_reason_and_leaves_no_row() {
    let host = TestHost::with_config(SOURCES);
    let mut body: Value = serde_json::from_slice(ZAMMAD_BODY).unwrap();
    body["article"]["internal"] = json!(true);
    let answer = call(host.public, &zammad(&fresh("z"), ZAMMAD_KEY, body.to_string().as_bytes()));
    assert_eq!((answer.status, answer.header("signalbox-dropped"), answer.body.len()), (204, Some("an internal note"), 0));
    assert_eq!(host.pages("", 200), Vec::<Value>::new());
    assert_eq!(host.ask("/v1/observations").json()["items"], json!([]));
}

#[test]
fn what_an_agent_did_is_recorded_once_against_its_ticket_and_not_run() {
    let mut host = TestHost::with_config(SOURCES);
    let mut body: Value = serde_json::from_slice(ZAMMAD_BODY).unwrap();
    body["article"]["sender"] = json!("Agent");
    let delivery = fresh("z");
    for _ in 0..2 {
        let answer = call(host.public, &zammad(&delivery, ZAMMAD_KEY, body.to_string().as_bytes()));
        assert_eq!((answer.status, answer.header("signalbox-observed"), answer.body.len()), (204, Some("an agent's reply"), 0));
    }
    assert_eq!(host.pages("", 200), Vec::<Value>::new());
    host.kill9();
    host.start_again();
    let observed = host.ask("/v1/observations?source=zammad").json();
    let items = observed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "a repeat of the delivery is the same observation: {observed}");
    assert_eq!((&items[0]["what"], &items[0]["ticket"]), (&json!("an agent's reply"), &body["ticket"]["id"].to_string().into()));
    let other = host.ask("/v1/observations?ticket=none").json();
    assert_eq!(other["items"], json!([]));
}

#[test]
fn a_desk_that_wants_receipts_gets_one_and_the_decision_follows() {
    let host = TestHost::with_config(SOURCES);
    let id = fresh("receipt");
    let answer = call(host.public, &signed("receipts", "r-1", event(&id, "the printer is on fire")));
    assert_eq!((answer.status, answer.json()), (202, json!({ "status": "accepted", "source": "receipts", "event_id": id })));
    let row = until(SOON, "its decision", || host.rows(&id).pop());
    assert_eq!(row["decision"]["source"], "receipts");
    let again = call(host.public, &signed("receipts", "r-1", event(&id, "the printer is on fire")));
    assert_eq!((again.decision()["id"].clone(), again.header("signalbox-duplicate")), (row["decision"]["id"].clone(), Some("true")));
}

#[test]
fn cloudevents_are_taken_in_both_forms() {
    let host = TestHost::with_config(SOURCES);
    let data = json!({ "text": "the wifi is down again", "network": "slack" });
    let (structured_id, binary_id) = (fresh("ce"), fresh("ce"));
    let envelope = json!({ "specversion": "1.0", "id": structured_id, "source": "/bus", "type": "post", "subject": "T-7", "data": data });
    let body = envelope.to_string().into_bytes();
    let timestamp = now().to_string();
    let sign = |request: Request, delivery: &str, body: &[u8]| {
        let signature = standard_signature(DESK_KEY, delivery, &timestamp, body);
        request.header("webhook-id", delivery).header("webhook-timestamp", &timestamp).header("webhook-signature", &signature)
    };
    let structured = Request::post("/hooks/desk", body.clone()).header("content-type", "application/cloudevents+json; charset=utf-8");
    let structured = call(host.public, &sign(structured, "ce-1", &body)).decision();
    assert_eq!(structured["event_id"], format!("/bus|{structured_id}"));
    assert_eq!(host.pages("ticket_id=T-7", 200)[0]["decision"], structured);

    let body = data.to_string().into_bytes();
    let binary = Request::post("/hooks/desk", body.clone()).json();
    let binary = [("ce-specversion", "1.0"), ("ce-id", &binary_id), ("ce-source", "/bus"), ("ce-type", "post")]
        .into_iter()
        .fold(binary, |request, (name, value)| request.header(name, value));
    let binary = call(host.public, &sign(binary, "ce-2", &body)).decision();
    assert_eq!(binary["event_id"], format!("/bus|{binary_id}"));
    assert_eq!(binary["category"], structured["category"]);
}

#[test]
fn an_event_is_known_again_by_its_id_whatever_the_delivery() {
    let host = TestHost::with_config(SOURCES);
    let id = fresh("known");
    let first = host.signed(event(&id, "I cannot log in"));
    let again = host.signed(event(&id, "I cannot log in"));
    assert_eq!((again.header("signalbox-duplicate"), &again.body), (Some("true"), &first.body));
    // The same id at another source is another desk's message.
    let elsewhere = host.post(event(&id, "I cannot log in"));
    assert_eq!(elsewhere.header("signalbox-duplicate"), None);
    assert_ne!(elsewhere.decision()["id"], first.decision()["id"]);
}

#[test]
fn an_edit_is_decided_anew() {
    let host = TestHost::start();
    let id = fresh("edited");
    let first = host.post(event(&id, "thank you, all is well")).decision();
    let edited = json!({ "id": id, "revision": 1, "action": "edited", "text": "the VPN is down again, unacceptable!" }).to_string();
    let second = host.post(edited.clone()).decision();
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["sentiment"]["label"], second["sentiment"]["label"]);
    assert_eq!(host.post(edited).decision()["id"], second["id"]);
    let rows: Vec<Value> = host.rows(&id).iter().map(|row| row["decision"]["revision"].clone()).collect();
    assert_eq!(rows, [json!(1), json!(0)], "newest first");
}

#[test]
fn a_hundred_copies_at_once_make_one_decision() {
    let host = TestHost::with_config(SOURCES);
    let id = fresh("herd");
    let start = Barrier::new(100);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = |_| {
            scope.spawn(|| {
                let request = signed("desk", &fresh("copy"), outage(&id).to_string());
                let mut connection = Connection::open(host.public).unwrap();
                start.wait();
                connection.call(&request).unwrap().unwrap()
            })
        };
        let copies: Vec<_> = (0..100).map(one).collect();
        copies.into_iter().map(|copy| copy.join().unwrap()).collect()
    });
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.decision()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(answers.iter().filter(|answer| answer.header("signalbox-duplicate").is_none()).count(), 1);
    assert_eq!(host.rows(&id).len(), 1);
}

#[test]
fn a_second_start_keeps_the_token_and_the_decisions() {
    let mut host = TestHost::start();
    let first = host.post(event("kept", "my laptop will not start")).decision();
    let token = host.token();
    host.restart();
    assert_eq!(host.token(), token);
    let again = host.post(event("kept", "my laptop will not start"));
    assert_eq!((again.header("signalbox-duplicate"), again.decision()), (Some("true"), first.clone()));
    assert_eq!(host.rows("kept")[0]["decision"], first);
    assert!(!host.log().contains("unclean"), "{}", host.log());
}

#[test]
fn decisions_are_read_back_by_id_by_filter_and_by_page() {
    let host = TestHost::with_config(SOURCES);
    let texts = ["the VPN is down, nobody can work, unacceptable!", "thank you so much, great help", "how do I reset my password?"];
    let mut made = BTreeMap::new();
    for at in 0..7 {
        let body = json!({ "id": format!("page-{at}"), "text": texts[at % 3], "ticket": { "id": format!("T-{}", at % 2) } }).to_string();
        let answer = if at < 4 { host.post(body) } else { host.signed(body) };
        made.insert(format!("page-{at}"), answer.decision());
    }
    for decision in made.values() {
        let found = host.ask(&format!("/v1/decisions/{}", decision["id"].as_str().unwrap()));
        assert_eq!((found.status, &found.json()["decision"]), (200, decision));
    }
    host.ask("/v1/decisions/01900000-0000-7000-8000-000000000000").problem(404);

    // Every filter finds what the decisions themselves say, in whatever pages.
    let is = |pointer: &'static str, value: &str| {
        let value = value.to_owned();
        move |decision: &Value| decision.pointer(pointer).and_then(Value::as_str) == Some(&value)
    };
    let some = made["page-0"].clone();
    let decided = made["page-3"]["decided"].as_str().unwrap().to_owned();
    let (since, until) = (decided.clone(), decided.clone());
    type Holds = Box<dyn Fn(&Value) -> bool>;
    let filters: Vec<(String, Holds)> = vec![
        (String::new(), Box::new(|_| true)),
        ("source=demo".to_owned(), Box::new(is("/source", "demo"))),
        (
            format!("category={}", some["category"]["key"].as_str().unwrap()),
            Box::new(is("/category/key", some["category"]["key"].as_str().unwrap())),
        ),
        ("sentiment=very_negative".to_owned(), Box::new(is("/sentiment/label", "very_negative"))),
        ("priority=high".to_owned(), Box::new(is("/priority", "high"))),
        ("min_escalation=1".to_owned(), Box::new(|decision| decision["escalation"]["level"].as_u64() >= Some(1))),
        ("min_escalation=0".to_owned(), Box::new(|_| true)),
        ("degraded=false".to_owned(), Box::new(|_| true)),
        ("degraded=true".to_owned(), Box::new(|_| false)),
        ("event_id=page-2".to_owned(), Box::new(is("/event_id", "page-2"))),
        ("ticket_id=T-1".to_owned(), Box::new(|decision| ["page-1", "page-3", "page-5"].contains(&decision["event_id"].as_str().unwrap()))),
        (format!("since={decided}"), Box::new(move |decision| decision["decided"].as_str() >= Some(&since))),
        (format!("until={decided}"), Box::new(move |decision| decision["decided"].as_str() < Some(&until))),
        ("source=desk&sentiment=positive&degraded=false".to_owned(), {
            let (desk, positive) = (is("/source", "desk"), is("/sentiment/label", "positive"));
            Box::new(move |decision| desk(decision) && positive(decision))
        }),
    ];
    for (query, holds) in filters {
        let wanted: BTreeSet<&str> =
            made.values().filter(|decision| holds(decision)).map(|decision| decision["event_id"].as_str().unwrap()).collect();
        for limit in [1, 3, 200] {
            let rows = host.pages(&query, limit);
            let found: BTreeSet<&str> = rows.iter().map(|row| row["event"]["id"].as_str().unwrap()).collect();
            assert_eq!((found, rows.len()), (wanted.clone(), wanted.len()), "{query} in pages of {limit}");
            assert!(
                rows.is_sorted_by(|a, b| a["decision"]["decided"].as_str() >= b["decision"]["decided"].as_str()),
                "{query}: newest first"
            );
        }
    }
    for wrong in
        ["sentiment=angry", "priority=5", "limit=many", "since=yesterday", "cursor=0", "colour=blue", "degraded=maybe", "source=a&source=b"]
    {
        host.ask(&format!("/v1/decisions?{wrong}")).problem(400);
    }
}

#[test]
fn a_row_that_comes_meanwhile_moves_nothing_on_the_pages_that_follow() {
    let host = TestHost::start();
    let ids: Vec<String> = (0..6).map(|at| format!("still-{at}")).collect();
    ids.iter().for_each(|id| drop(host.post(event(id, "hello")).decision()));
    let first = host.ask("/v1/decisions?limit=3").json();
    host.post(event("late", "hello")).decision();
    let rest = host.ask(&format!("/v1/decisions?limit=3&cursor={}", first["next"].as_str().unwrap())).json();
    let seen = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|row| row["event"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all: Vec<String> = [seen(&first), seen(&rest)].concat();
    assert_eq!(all, ids.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(rest["next"], Value::Null);
}

#[test]
fn text_comes_back_as_it_was_sent() {
    let host = TestHost::start();
    let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).unwrap();
    for (name, text) in &texts {
        let body = json!({ "id": name, "text": text, "author": { "name": text }, "title": text }).to_string();
        assert_eq!(host.post(body).status, 200, "{name}");
        let row = host.rows(name).remove(0);
        for pointer in ["/event/text", "/event/title", "/event/author/name"] {
            assert_eq!(row.pointer(pointer).and_then(Value::as_str), Some(text.as_str()), "{name} {pointer}");
        }
        // Evidence points into that very text.
        for piece in
            row["decision"]["trace"].as_array().unwrap().iter().flat_map(|step| step["set"].as_array().cloned().unwrap_or_default())
        {
            for evidence in piece["evidence"].as_array().cloned().unwrap_or_default() {
                let span = |end: &str| usize::try_from(evidence["span"][end].as_u64().unwrap()).unwrap();
                if evidence["field"] == "text" && evidence["span"].is_object() {
                    assert_eq!(text.get(span("start")..span("end")), evidence["text"].as_str(), "{name}: {evidence}");
                }
            }
        }
    }
    // The same letters, escaped and not, are the same text.
    let (raw, escaped) = (r#"{"id":"raw","text":"Größe 🙂"}"#, r#"{"id":"escaped","text":"Gr\u00f6\u00dfe \ud83d\ude42"}"#);
    host.post(raw).decision();
    host.post(escaped).decision();
    assert_eq!(host.rows("raw")[0]["event"]["text"], host.rows("escaped")[0]["event"]["text"]);
}

#[test]
fn a_long_text_is_cut_and_says_so_and_a_longer_one_is_refused() {
    let host = TestHost::start();
    let long = "é".repeat(9_000);
    host.post(event("long", &long)).decision();
    let stored = host.rows("long").remove(0)["event"].clone();
    assert_eq!(stored["text"], "é".repeat(8_000));
    assert_eq!(stored["attributes"], json!([{ "key": "text-chars", "value": { "type": "integer", "value": 9_000 } }]));
    assert_eq!(host.post(event("longer", &"x".repeat(65_537))).problem(422)["pointer"], "/text");
}

#[test]
fn while_a_secret_is_changed_both_are_taken_and_afterwards_only_the_new_one() {
    let sources = |secrets: &str| SOURCES.replacen(r#"["file:desk.secret"]"#, secrets, 1);
    let new = "[\"file:zammad.secret\"]";
    let scheme = "\nauth = { scheme = \"x-hub-signature-sha1\" }";
    let hub = |id: &str, key: &str| {
        let body = event(id, "hi");
        let signature = crate::wire::hub_signature(key.as_bytes(), body.as_bytes());
        Request::post("/hooks/desk", body).json().header("x-hub-signature", &signature)
    };
    let old = std::str::from_utf8(DESK_KEY).unwrap();
    let during = sources(&format!("[\"file:old.secret\", \"file:zammad.secret\"]{scheme}"));
    let mut host = TestHost::with_config(&sources(&format!("{new}{scheme}")));
    std::fs::write(host.dir.path().join("old.secret"), DESK_KEY).unwrap();
    std::fs::write(host.dir.path().join("signalbox.toml"), during).unwrap();
    host.restart();
    assert_eq!((call(host.public, &hub("a", old)).status, call(host.public, &hub("b", ZAMMAD_KEY)).status), (200, 200));
    std::fs::write(host.dir.path().join("signalbox.toml"), sources(&format!("{new}{scheme}"))).unwrap();
    host.restart();
    assert_eq!((call(host.public, &hub("c", old)).status, call(host.public, &hub("d", ZAMMAD_KEY)).status), (401, 200));
}

#[test]
fn the_house_tells_whether_it_is_alive_ready_and_what_it_runs() {
    let host = TestHost::with_config(SOURCES);
    for listener in [host.public, host.admin] {
        for (path, said) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
            let answer = call(listener, &Request::new("GET", path));
            assert_eq!((answer.status, answer.text().as_str()), (200, said));
        }
    }
    let about = host.ask("/v1/about").json();
    assert_eq!(about["sources"], json!(["demo", "desk", "receipts", "zammad"]));
    let chain = host.ask("/v1/chains/default").json();
    assert_eq!(chain["generation"], about["generation"]);
    let steps: Vec<_> =
        chain["steps"].as_array().unwrap().iter().map(|step| (step["plugin"].clone(), step["starts_from"].clone())).collect();
    assert_eq!(steps, ["categorize", "sentiment", "escalate"].map(|plugin| (json!(plugin), json!("snapshot"))));
}
