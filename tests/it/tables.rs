//! Tables: what an admin keeps for rules to look up, who may look, and what a replay sees of the past.

use std::fs;

use serde_json::{Value, json};
use signalbox_test_guests::CURIOUS;

use crate::harness::{SOON, SOURCES, TestHost, complaint, fresh, signalbox, until};
use crate::wire::{Answer, Request, call};

pub fn send(host: &TestHost, method: &str, path: &str, media: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = Request::new(method, path).header("authorization", &format!("Bearer {}", host.token()));
    let request = if media.is_empty() { request } else { request.header("content-type", media) };
    let request = request.header("if-match", host.ask("/v1/setup").header("etag").unwrap());
    call(host.admin, &request.body(body.into()))
}

fn json_to(host: &TestHost, method: &str, path: &str, body: Value) -> Answer {
    send(host, method, path, "application/json", body.to_string())
}

/// A host whose only step is the curious one, with these further keys of its step.
pub fn curious(more: Value) -> TestHost {
    curious_in(TestHost::with_config(SOURCES), more)
}

/// The same, on this host.
pub fn curious_in(host: TestHost, more: Value) -> TestHost {
    let uploaded = send(&host, "POST", "/v1/plugins", "application/wasm", CURIOUS);
    assert_eq!(uploaded.status, 201, "{}", uploaded.text());
    assert_eq!(uploaded.json()["plugin"]["examples"].as_array().unwrap().len(), 5, "they ran with the answers they bring");
    step(&host, more);
    host
}

pub fn step(host: &TestHost, more: Value) -> Value {
    let made = json_to(host, "PUT", "/v1/setup", setup(more));
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

fn setup(more: Value) -> Value {
    let mut step = json!({ "plugin": "curious" });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "chains": { "default": { "steps": [step] } } })
}

/// What the curious step notes.
pub fn note(host: &TestHost, text: &str) -> String {
    let decision = host.decide(text);
    decision["notes"][0].as_str().unwrap_or_else(|| panic!("{decision}")).to_owned()
}

pub fn replay(host: &TestHost, request: &Value) -> Value {
    let started = json_to(host, "POST", "/v1/replays", request.clone());
    assert_eq!(started.status, 202, "{}", started.text());
    let path = format!("/v1/replays/{}", started.json()["id"].as_str().unwrap());
    until(SOON, "the replay", || Some(host.ask(&path).json()).filter(|shown| shown["state"] != "running"))["report"].clone()
}

const READS: &str = "lookup:services";

#[test]
fn a_row_is_looked_up_by_who_may_and_refused_to_others_with_the_grant_to_add() {
    let host = curious(json!({ "grants": ["state", READS] }));
    let missing = note(&host, "row services vpn");
    assert!(missing.contains("unavailable: there is no table `services`"), "{missing}");
    let imported = send(
        &host,
        "POST",
        "/v1/tables/services/import?key=service",
        "text/csv",
        "service,status,users:integer\nvpn,down,120\nmail,up,3\n",
    );
    assert_eq!(imported.json(), json!({ "added": 2, "changed": 0, "unchanged": 0, "removed": 0 }));
    assert_eq!(note(&host, "row services vpn"), "status=down users=120");
    assert_eq!(note(&host, "row services fax"), "nothing");
    assert_eq!(note(&host, "rows services 1"), "mail: status=up users=3");
    json_to(&host, "PUT", "/v1/tables/services/rows/vpn", json!({ "status": "up again" }));
    assert_eq!(note(&host, "row services vpn"), "status=up again", "at once");

    json_to(&host, "PUT", "/v1/tables/vip/rows/ann", json!({})).problem(404);
    send(&host, "POST", "/v1/tables/vip/import", "application/json", r#"[{"key": "ann"}]"#);
    let refused = host.decide("row vip ann");
    let said = refused["notes"][0].as_str().unwrap();
    assert!(said.starts_with("not granted") && said.contains("`vip`") && said.contains("`lookup:vip`"), "{said}");
    assert!(refused["trace"][0]["log"][0]["message"].as_str().unwrap().contains("lookup:vip"), "the admin reads it in the trace");
    assert_eq!(refused["degraded"], false);
}

#[test]
fn a_file_is_taken_in_whole_or_not_at_all() {
    let host = TestHost::with_config(SOURCES);
    let import = |query: &str, media: &str, body: &str| send(&host, "POST", &format!("/v1/tables/on-call/import{query}"), media, body);
    assert_eq!(import("", "application/json", r#"[{"key": "network", "who": "Ann"}, {"key": "mail", "who": "Bob"}]"#).json()["added"], 2);
    let again = import("?replace=true", "application/json", r#"[{"key": "network", "who": "Cho"}, {"key": "fax", "who": "Dee"}]"#);
    assert_eq!(again.json(), json!({ "added": 1, "changed": 1, "unchanged": 0, "removed": 1 }));
    let wrong = import("", "application/json", r#"[{"key": "new", "who": "x"}, {"key": "new"}]"#).problem(422);
    assert_eq!(wrong["pointer"], "/1");
    import("", "text/plain", "x").problem(415);
    import("?key=nope", "text/csv", "a,b\n1,2\n").problem(422);
    import("", "text/csv", &format!("key,big\na,{}\n", "x".repeat(20_000))).problem(422);
    let keys = |host: &TestHost| -> Vec<String> {
        let rows = host.ask("/v1/tables/on-call/rows").json();
        rows["items"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&host), ["fax", "network"]);
    let page = host.ask("/v1/tables/on-call/rows?limit=1").json();
    assert_eq!((&page["items"][0]["columns"], &page["next"]), (&json!({ "who": "Dee" }), &json!("fax")));
    assert_eq!(host.ask("/v1/tables/on-call/rows?limit=1&cursor=fax").json()["items"][0]["key"], "network");
    let past = host.ask("/v1/tables/on-call/rows/network").json();
    let said: Vec<&Value> = past["versions"].as_array().unwrap().iter().map(|version| &version["columns"]["who"]).collect();
    assert_eq!(said, ["Cho", "Ann"], "the latest first");
    assert!(past["versions"][0]["until"].is_null() && past["versions"][1]["until"].is_string(), "{past}");

    let schema = json!({ "schema": { "type": "object", "required": ["who"] } });
    assert_eq!(json_to(&host, "PUT", "/v1/tables/on-call", schema).status, 200);
    json_to(&host, "PUT", "/v1/tables/on-call/rows/fax", json!({ "phone": "1" })).problem(422);
    json_to(&host, "PUT", "/v1/tables/on-call", json!({ "schema": { "required": ["phone"] } })).problem(422);
    json_to(&host, "PUT", "/v1/tables/thread", json!({ "schema": null })).problem(422);
    let log = host.ask("/v1/audit").json();
    let done: Vec<&str> = log["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(done, ["table.put", "table.import", "table.import", "setup.config"], "what was refused changed nothing");
    assert_eq!(log["items"][1]["before"], log["items"][2]["after"], "what it was is what was made of it");
}

#[test]
fn limits_hold_and_are_named() {
    let host = TestHost::with_config(&format!("[tables]\ntables = 1\nrows = 2\n{SOURCES}"));
    let import = |table: &str, rows: &str| send(&host, "POST", &format!("/v1/tables/{table}/import"), "text/csv", rows);
    assert_eq!(import("a", "key\n1\n2\n").status, 200);
    assert!(import("a", "key\n3\n").problem(413)["detail"].as_str().unwrap().contains("tables.rows"));
    assert!(import("b", "key\n1\n").problem(413)["detail"].as_str().unwrap().contains("tables.tables"));
}

#[test]
fn a_replay_sees_the_row_as_it_was_and_says_the_same_twice() {
    let mut host = curious(json!({ "grants": ["state", READS] }));
    send(&host, "POST", "/v1/tables/services/import", "text/csv", "key,status\nvpn,down\n");
    for _ in 0..5 {
        assert_eq!(note(&host, "row services vpn"), "status=down");
    }
    host.decide("something else");
    json_to(&host, "PUT", "/v1/tables/services/rows/vpn", json!({ "status": "up" }));
    assert_eq!(note(&host, "row services vpn"), "status=up");
    host.kill9();
    host.start_again();
    assert_eq!(note(&host, "row services vpn"), "status=up", "tables outlive the host");
    let same = replay(&host, &json!({ "last": 100 }));
    assert_eq!((&same["events"], &same["compared"], &same["changed"]), (&json!(8), &json!(8), &json!(0)), "{same}");

    // A second step under another name has no record: it is told what the table said at the moment of each event.
    let second = json!({ "plugin": "curious", "name": "second", "grants": [READS, "state"] });
    let candidate = json!({ "chains": { "default": { "steps": [second] } } });
    let request = json!({ "setup": candidate, "last": 100 });
    let told = replay(&host, &request);
    assert_eq!((&told["compared"], &told["changed"]), (&json!(8), &json!(0)), "{told}");
    assert_eq!(replay(&host, &request).to_string(), told.to_string());

    // Without the grant the answers are others; of a table that was not there nothing can be said.
    let denied = replay(&host, &json!({ "setup": setup(json!({ "grants": ["state"] })), "last": 100 }));
    assert_eq!((&denied["compared"], &denied["changed"]), (&json!(8), &json!(7)), "{denied}");
    let events = json!([{ "id": "1", "text": "row services vpn" }, { "id": "2", "text": "row nowhere x" }]);
    let file = replay(&host, &json!({ "setup": setup(json!({ "grants": ["state", READS, "lookup:nowhere"] })), "events": events }));
    assert_eq!((&file["events"], &file["compared"]), (&json!(2), &json!(1)), "{file}");
    assert_eq!(file["not_comparable"][0]["event_id"], "2");
    assert!(file["not_comparable"][0]["why"].as_str().unwrap().contains("row `x` of the table `nowhere`"), "{file}");
}

#[test]
fn earlier_messages_are_read_by_who_may() {
    let host = curious(json!({ "grants": ["state", "lookup:thread"] }));
    let say = |thread: &str, text: &str| {
        let event = json!({ "id": fresh("said"), "thread_id": thread, "text": text });
        host.post(event.to_string()).decision()["notes"][0].clone()
    };
    host.post(json!({ "id": fresh("said"), "thread_id": "t1", "text": "first" }).to_string()).decision();
    host.post(json!({ "id": fresh("said"), "thread_id": "t2", "text": "another" }).to_string()).decision();
    host.post(json!({ "id": fresh("said"), "thread_id": "t1", "text": "second" }).to_string()).decision();
    assert_eq!(say("t1", "thread t1 5"), "second; first");
    assert_eq!(say("t1", "thread t1 1"), "thread t1 5");
    assert_eq!(replay(&host, &json!({ "last": 100 }))["changed"], 0, "the record leads to the journal");
    step(&host, json!({ "grants": ["state"] }));
    assert!(say("t1", "thread t1 5").as_str().unwrap().contains("`lookup:thread`"));
    assert!(note(&host, "open office").contains("there is no calendar named `office`"));
    assert_eq!(note(&host, "history"), "", "nothing stands before it");
}

#[test]
fn a_calendar_that_was_changed_since_speaks_for_no_earlier_event() {
    let host = curious(json!({ "grants": ["state"], "mode": "off" }));
    let office = json!({ "time_zone": "Europe/Helsinki", "hours": { "monday": ["08:00-16:00"] } });
    host.decide("open office");
    assert_eq!(json_to(&host, "PUT", "/v1/calendars/office", office).status, 200);
    host.decide("open office");
    let report = replay(&host, &json!({ "setup": setup(json!({ "grants": ["state"] })) }));
    assert_eq!((&report["events"], &report["compared"], &report["changed"]), (&json!(2), &json!(1), &json!(1)), "{report}");
    let why = report["not_comparable"][0]["why"].as_str().unwrap();
    assert!(why.ends_with("the calendar `office` was changed after that moment"), "{why}");
}

#[test]
fn the_command_line_keeps_tables() {
    let host = TestHost::with_config(SOURCES);
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let run = |arguments: &[&str], code: i32| {
        let output = signalbox(&[arguments, &["--url", &url, "--token-file", &token]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", complaint(&output));
        String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output)
    };
    let file = |name: &str, text: &str| {
        let path = host.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let rows = file("services.csv", "service,status,users:integer\nvpn,down,120\nmail,up,3\n");
    let schema = file("schema.json", r#"{"type": "object", "required": ["status"]}"#);
    let imported = run(&["table", "import", "services", &rows, "--key", "service", "--schema", &schema, "--why", "Monday"], 0);
    assert_eq!(imported, "services: 2 rows added, 0 changed, 0 unchanged, 0 removed\n");
    assert!(run(&["table", "list"], 0).contains("services  2     "));
    let set = run(&["table", "set", "services", "vpn/oslo", "status=up", "users:=7", "sites:=[\"oslo\"]"], 0);
    assert!(set.contains("services/vpn/oslo says since") && set.contains("sites:=[\"oslo\"]  status=up  users:=7"), "{set}");
    assert!(run(&["table", "show", "services"], 0).contains("vpn/oslo"));
    assert!(run(&["table", "set", "services", "vpn", "users:=1"], 1).contains("does not fit the table's schema"));
    assert!(run(&["table", "remove", "services", "vpn/oslo"], 0).contains("services/vpn/oslo is removed"));
    assert!(run(&["table", "show", "services", "vpn/oslo"], 0).contains("status=up"), "its past stays");
    assert!(run(&["table", "remove", "services"], 0).contains("services is removed"));
    assert!(run(&["table", "show", "services"], 1).contains("there is no table"));
    assert!(run(&["audit"], 0).contains("Monday"));
}
