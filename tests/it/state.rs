//! State: what a step remembers between events, committed with its decision, bounded, and replayed as it was.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Value, json};
use signalbox_test_guests::{CURIOUS, MISBEHAVE};

use crate::harness::{SOON, SOURCES, TestHost, complaint, fresh, signalbox, until};
use crate::tables::{curious, note, replay, send, step};

fn granted() -> Value {
    json!({ "grants": ["state"], "quarantine_after": 0 })
}

/// The tag that the curious step sets.
fn tag(host: &TestHost, text: &str) -> String {
    let decision = host.decide(text);
    decision["tags"]["add"][0].as_str().unwrap_or_else(|| panic!("{decision}")).to_owned()
}

fn apply(host: &TestHost, setup: &Value) -> crate::wire::Answer {
    send(host, "PUT", "/v1/setup", "application/json", setup.to_string())
}

#[test]
fn a_step_remembers_between_events_and_across_a_power_cut() {
    let mut host = curious(granted());
    assert_eq!(
        (tag(&host, "count k"), tag(&host, "count k"), tag(&host, "count other")),
        ("count-1".into(), "count-2".into(), "count-1".into())
    );
    assert_eq!(tag(&host, "twice k"), "read-4", "a run reads what it wrote itself");
    assert_eq!((note(&host, "set v one"), note(&host, "get v")), ("kept".into(), "one".into()));
    assert_eq!((note(&host, "swap v two three"), note(&host, "swap v one two")), ("conflict".into(), "swapped".into()));
    assert_eq!((note(&host, "set d x"), note(&host, "delete d")), ("kept".into(), "gone".into()));
    host.kill9();
    host.start_again();
    assert_eq!((tag(&host, "count k"), note(&host, "get v"), note(&host, "get d")), ("count-5".into(), "two".into(), "nothing".into()));
    host.restart();
    assert_eq!(tag(&host, "count k"), "count-6");
}

#[test]
fn what_a_faulting_step_wrote_never_was() {
    let host = curious(granted());
    assert_eq!(tag(&host, "count k"), "count-1");
    assert_eq!(host.decide("count-and-trap k")["trace"][0]["outcome"], "trapped");
    assert_eq!(host.decide("count-and-fail k")["trace"][0]["outcome"], "failed");
    assert_eq!(tag(&host, "count k"), "count-2");
}

#[test]
fn without_the_grant_a_step_that_remembers_is_not_taken() {
    let host = curious(granted());
    let before = host.ask("/v1/setup").json();
    let bare = json!({ "chains": { "default": { "steps": [{ "plugin": "curious" }] } } });
    let refused = apply(&host, &bare).problem(422);
    let problem = &refused["problems"][0];
    assert_eq!(problem["pointer"], "/chains/default/steps/0/grants");
    assert!(problem["message"].as_str().unwrap().contains("add `state`"), "{problem}");
    assert_eq!(host.ask("/v1/setup").json(), before);
}

#[test]
fn a_quota_and_an_end_are_obeyed_and_named() {
    let limits = "[limits]\nstate_keys = 10\nstate_value_bytes = 100\nstate_bytes = 500\n";
    let host = TestHost::with_config(&format!("{limits}{SOURCES}"));
    assert_eq!(send(&host, "POST", "/v1/plugins", "application/wasm", CURIOUS).status, 201);
    step(&host, granted());
    for (text, words) in [
        ("fill 11 1", "state quota: the step keeps 10 keys, and no more are taken (`state_keys`)"),
        ("fill 6 90", "state quota: the step would keep"),
        ("fill 1 101", "state value too large: at most 100 bytes"),
    ] {
        let entry = host.decide(text)["trace"][0].clone();
        assert_eq!(entry["outcome"], "failed", "{entry}");
        assert!(entry["detail"].as_str().unwrap().contains(words), "{entry}");
        assert!(entry["log"][0]["message"].as_str().unwrap().starts_with("state.set: "), "the host says so too: {entry}");
    }
    assert_eq!(note(&host, "fill 10 1"), "filled", "nothing of those that failed was kept");
    host.decide("delete fill-0");
    assert_eq!(note(&host, "set brief x 1"), "kept");
    until(SOON, "the key's end", || (note(&host, "get brief") == "nothing").then_some(()));
    assert_eq!(tag(&host, "count window 1"), "count-1");
    until(SOON, "the next window", || (tag(&host, "count window 1") == "count-1").then_some(()));
}

#[test]
fn events_at_once_are_each_counted_once() {
    const EACH: usize = 60;
    let mut host = curious(granted());
    let seen = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..EACH).for_each(|_| assert!(seen.lock().unwrap().insert(tag(&host, "count k")), "no count is given twice")));
        }
    });
    assert_eq!(seen.into_inner().unwrap().len(), 4 * EACH);
    host.kill9();
    host.start_again();
    assert_eq!(tag(&host, "count k"), format!("count-{}", 4 * EACH + 1), "and every one of them is durable");
}

#[test]
fn a_replay_counts_on_a_copy() {
    let host = curious(granted());
    for _ in 0..6 {
        host.decide("count k");
    }
    let same = replay(&host, &json!({ "last": 3 }));
    assert_eq!((&same["compared"], &same["changed"]), (&json!(3), &json!(0)), "the counts were 3, 4 and 5 before: {same}");
    // A step of another name begins with nothing.
    let other = json!({ "plugin": "curious", "name": "other", "grants": ["state"] });
    let request = json!({ "setup": { "chains": { "default": { "steps": [other] } } }, "last": 3 });
    let begun = replay(&host, &request);
    let to: Vec<&Value> = begun["changes"].as_array().unwrap().iter().map(|change| &change["fields"][0]["to"][0]).collect();
    assert_eq!(to, ["count-1", "count-2", "count-3"], "{begun}");
    assert_eq!(replay(&host, &request).to_string(), begun.to_string());
    assert_eq!(tag(&host, "count k"), "count-7", "nothing of it was kept");
}

#[test]
fn what_is_hardly_meant_is_said_and_taken() {
    let host = curious(granted());
    let grants = ["state", "lookup:nowhere", "lower", "auto-reply", "http:https://x.example"];
    let setup = json!({
        "chains": { "default": { "steps": [{ "plugin": "curious", "grants": grants }, { "plugin": "sentiment", "grants": ["state", "lookup:t"] }] } },
        "routes": { "desk": "default", "dezk": "default" },
    });
    let dry = send(&host, "PUT", "/v1/setup?dry_run=true", "application/json", setup.to_string()).json();
    let made = apply(&host, &setup).json();
    assert_eq!((&dry["warnings"], &made["live"]), (&made["warnings"], &json!(true)));
    let pointers: Vec<&str> = made["warnings"].as_array().unwrap().iter().map(|warning| warning["pointer"].as_str().unwrap()).collect();
    let grant = |step: usize, at: usize| format!("/chains/default/steps/{step}/grants/{at}");
    let expected = ["/routes/dezk".to_owned(), grant(0, 1), grant(0, 2), grant(0, 3), grant(0, 4), grant(0, 5), grant(1, 0), grant(1, 1)];
    assert_eq!(pointers, expected, "{}", made["warnings"]);
    assert_eq!(
        step(&host, json!({ "grants": ["state", "lookup:thread", "lookup:t"] }))["warnings"].as_array().unwrap().len(),
        1,
        "no table t"
    );

    let file = host.dir.path().join("odd.toml");
    std::fs::write(&file, "[[chains.default.steps]]\nplugin = \"sentiment\"\ngrants = [\"state\"]\n").unwrap();
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let said = complaint(&signalbox(&["chain", "apply", file.to_str().unwrap(), "--dry-run", "--url", &url, "--token-file", &token]));
    assert!(said.contains("warning: /chains/default/steps/0/grants/0") && said.contains("has no effect"), "{said}");
}

#[test]
fn a_refused_upload_is_in_the_audit_log() {
    let host = TestHost::with_config(SOURCES);
    send(&host, "POST", "/v1/plugins", "application/wasm", MISBEHAVE).problem(422);
    let entry = host.ask("/v1/audit?limit=1").json()["items"][0].clone();
    assert_eq!((&entry["action"], entry["subject"].as_str().unwrap().len()), (&json!("plugin.refused"), 64), "{entry}");
}

#[test]
fn a_recorded_question_is_kept_beside_the_decision_and_not_in_the_answer() {
    let host = curious(granted());
    let id = fresh("quiet");
    let decision = host.post(json!({ "id": id, "text": "count k" }).to_string()).decision();
    assert!(!decision.to_string().contains("asked"), "{decision}");
}
