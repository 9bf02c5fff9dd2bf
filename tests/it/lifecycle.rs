//! The plugin's life: upload, gate, set-up, replay, live, back; and how a step that misbehaves is kept away.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use signalbox_test_guests::MISBEHAVE;

use crate::harness::{SOON, SOURCES, TestHost, complaint, event, fresh, signalbox, until};
use crate::wire::{Answer, Request, call};

/// The misbehaving guest as a plugin that keeps its promises, in a version of its own that sets a tag of its own.
fn rule(version: &str, tag: &str) -> Vec<u8> {
    assert_eq!((version.len(), tag.len()), (5, 6), "bytes are replaced in place");
    let mut wasm = MISBEHAVE.to_vec();
    for (old, new) in [("{\"absent\": [\"tag\"]}", "{\"absent\": [\"sla\"]}"), ("1.2.3", version), ("honest", tag)] {
        let found: Vec<usize> = (0..wasm.len() - old.len()).filter(|at| wasm[*at..].starts_with(old.as_bytes())).collect();
        assert!(!found.is_empty(), "{old} is in the guest");
        found.iter().for_each(|at| wasm[*at..at + new.len()].copy_from_slice(new.as_bytes()));
    }
    wasm
}

pub fn send(host: &TestHost, method: &str, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Answer {
    let request = Request::new(method, path).header("authorization", &format!("Bearer {}", host.token())).body(body);
    call(host.admin, &headers.iter().fold(request, |request, (name, value)| request.header(name, value)))
}

pub fn upload(host: &TestHost, wasm: Vec<u8>) -> Answer {
    send(host, "POST", "/v1/plugins", wasm, &[("content-type", "application/wasm")])
}

pub fn revision(host: &TestHost) -> String {
    host.ask("/v1/setup").header("etag").unwrap().to_owned()
}

pub fn apply(host: &TestHost, setup: &Value) -> Answer {
    let json = [("content-type", "application/json"), ("if-match", &revision(host))];
    send(host, "PUT", "/v1/setup", setup.to_string().into_bytes(), &json)
}

pub fn chain(steps: Value) -> Value {
    json!({ "chains": { "default": { "steps": steps } } })
}

fn replay(host: &TestHost, request: &Value) -> Value {
    let started = send(host, "POST", "/v1/replays", request.to_string().into_bytes(), &[("content-type", "application/json")]);
    assert_eq!(started.status, 202, "{}", started.text());
    let path = format!("/v1/replays/{}", started.json()["id"].as_str().unwrap());
    until(SOON, "the replay", || Some(host.ask(&path).json()).filter(|shown| shown["state"] != "running"))
}

#[test]
fn a_plugin_goes_from_upload_to_live_and_back() {
    let host = TestHost::with_config(SOURCES);
    let report = upload(&host, rule("1.2.3", "honest"));
    assert_eq!(report.status, 201, "{}", report.text());
    let report = report.json();
    assert_eq!((&report["passed"], &report["plugin"]["name"]), (&json!(true), &json!("misbehave")));
    assert!(report["plugin"]["cost"]["fresh_micros"].as_u64() > Some(0));
    assert_eq!(upload(&host, rule("1.2.3", "honest")).status, 200, "the same bytes are the same plugin");
    upload(&host, rule("1.2.3", "sneaky")).problem(409);

    let before = host.ask("/v1/setup").json();
    let mut setup = before["setup"].clone();
    setup["chains"]["default"]["steps"].as_array_mut().unwrap().push(json!({ "plugin": "misbehave" }));
    let dry = send(&host, "PUT", "/v1/setup?dry_run=true", setup.to_string().into_bytes(), &[("content-type", "application/json")]);
    assert_eq!((dry.status, &dry.json()["live"]), (200, &json!(false)), "{}", dry.text());
    assert_eq!(host.decide("honest")["tags"]["add"].as_array().map(|tags| tags.contains(&json!("honest"))), None);

    let made = apply(&host, &setup).decision();
    assert_eq!((&made["live"], &made["before"]), (&json!(true), &before["generation"]));
    let decided = host.decide("honest");
    assert_eq!((&decided["tags"]["add"], &decided["generation"]), (&json!(["honest"]), &made["generation"]));

    send(&host, "DELETE", "/v1/plugins/misbehave@1.2.3", Vec::new(), &[]).problem(409);
    let back = format!("/v1/generations/{}/rollback", before["generation"].as_str().unwrap());
    send(&host, "POST", &back, Vec::new(), &[]).problem(428);
    send(&host, "POST", &back, Vec::new(), &[("if-match", "\"1\"")]).problem(412);
    assert_eq!(send(&host, "POST", &back, Vec::new(), &[("if-match", &revision(&host))]).status, 200);
    assert_eq!(host.decide("honest")["generation"], before["generation"]);
    let history = host.ask("/v1/generations").json();
    let actions: Vec<&str> = history["items"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["rollback", "apply", "config"]);
    assert_eq!(send(&host, "DELETE", "/v1/plugins/misbehave@1.2.3", Vec::new(), &[]).status, 204);
    let gone = format!("/v1/generations/{}/rollback", made["generation"].as_str().unwrap());
    let gone = send(&host, "POST", &gone, Vec::new(), &[("if-match", &revision(&host))]).problem(404);
    assert!(gone["detail"].as_str().unwrap().contains("upload it again"), "it would not come up after a restart: {gone}");
    send(&host, "DELETE", "/v1/plugins/sentiment", Vec::new(), &[]).problem(409);
}

#[test]
fn what_does_not_pass_the_gate_or_the_config_changes_nothing() {
    let host = TestHost::with_config(SOURCES);
    let refused = upload(&host, MISBEHAVE.to_vec()).problem(422);
    assert!(refused["detail"].as_str().unwrap().contains("a promise it does not keep"), "{refused}");
    assert_eq!(refused["report"]["passed"], false);
    upload(&host, b"no wasm at all".to_vec()).problem(422);
    let before = host.ask("/v1/setup").json();
    for (steps, pointer) in [
        (json!([{ "plugin": "nope" }]), "/chains/default/steps/0/plugin"),
        (json!([{ "plugin": "sentiment", "config": { "nope": 1 } }]), "/chains/default/steps/0/config"),
        (json!([{ "plugin": "sentiment" }, { "plugin": "sentiment", "limits": { "fuel": 0 } }]), "/chains/default/steps/1/limits/fuel"),
        (json!([{ "file": "/etc/passwd" }]), "/chains/default/steps/0/file"),
    ] {
        let problem = apply(&host, &chain(steps)).problem(422);
        assert!(problem["problems"][0]["pointer"].as_str().unwrap().starts_with(pointer), "{problem}");
    }
    assert_eq!(host.ask("/v1/setup").json(), before);
    assert_eq!(host.decide("hello")["generation"], before["generation"], "what was live serves on");
}

#[test]
fn what_an_admin_put_live_is_live_after_a_restart() {
    let mut host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    let made = apply(&host, &chain(json!([{ "plugin": "misbehave" }]))).decision();
    host.restart();
    let decided = host.decide("honest");
    assert_eq!((&decided["generation"], &decided["tags"]["add"]), (&made["generation"], &json!(["honest"])));
    // Until the config file says something else.
    let config = host.dir.path().join("signalbox.toml");
    fs::write(&config, format!("{SOURCES}[[steps]]\nplugin = \"sentiment\"\n")).unwrap();
    host.restart();
    assert_eq!(host.decide("honest")["trace"][0]["plugin"], "sentiment");
}

#[test]
fn a_replay_finds_exactly_what_a_change_alters_and_says_so_twice_in_the_same_bytes() {
    const REPLAYED: usize = 1_000;
    let host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    upload(&host, rule("1.2.4", "honost"));
    let step = |version: &str, when: Value| json!([{ "plugin": format!("misbehave@{version}"), "when": when }]);
    apply(&host, &chain(step("1.2.3", json!({})))).decision();
    let mut altered = Vec::new();
    for n in 0..REPLAYED {
        let (id, network) = (fresh("replayed"), if n % 4 == 0 { "x" } else { "mastodon" });
        host.post(json!({ "id": id, "text": "honest words", "network": network }).to_string()).decision();
        if network == "x" {
            altered.push(id);
        }
    }
    // The new version on one network, the old one on all others.
    let both = json!([
        { "plugin": "misbehave@1.2.3", "name": "old", "unless": { "network": ["x"] } },
        { "plugin": "misbehave@1.2.4", "name": "new", "when": { "network": ["x"] } },
    ]);
    let request = json!({ "setup": chain(both), "last": REPLAYED });
    let report = replay(&host, &request)["report"].clone();
    assert_eq!((&report["events"], &report["compared"], &report["changed"]), (&json!(REPLAYED), &json!(REPLAYED), &json!(REPLAYED / 4)));
    let found: Vec<&str> = report["changes"].as_array().unwrap().iter().map(|change| change["event_id"].as_str().unwrap()).collect();
    assert_eq!(found, altered, "those and no other, oldest first");
    let difference = &report["changes"][0]["fields"][0];
    assert_eq!(
        (&difference["field"], &difference["from"], &difference["to"]),
        (&json!("/tags/add"), &json!(["honest"]), &json!(["honost"]))
    );
    assert_eq!(replay(&host, &request)["report"].to_string(), report.to_string());
    assert_eq!(replay(&host, &json!({ "last": REPLAYED }))["report"]["changed"], 0, "what is live decides as it did");
    let events = json!({ "setup": chain(step("1.2.4", json!({}))), "events": [{ "id": "1", "text": "honest" }] });
    assert_eq!(replay(&host, &events)["report"]["changed"], 1, "over a file, against what is live");
    let none = json!({ "last": 0 }).to_string().into_bytes();
    let refused = send(&host, "POST", "/v1/replays", none, &[("content-type", "application/json")]);
    assert!(refused.problem(422)["detail"].as_str().unwrap().contains("1 to 20000"));
}

#[test]
fn a_shadow_shows_what_it_would_do_and_does_nothing() {
    let host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    let steps = |mode: &str| chain(json!([{ "plugin": "misbehave", "mode": mode }, { "plugin": "sentiment" }]));
    apply(&host, &steps("shadow")).decision();
    let decided = host.decide("honest, I love it");
    assert_eq!((&decided["tags"]["add"], &decided["trace"][0]["shadow"]), (&Value::Null, &json!(true)));
    assert_eq!(decided["trace"][0]["set"][0]["to"], "honest", "what it would have set: {}", decided["trace"][0]);
    assert_eq!(host.decide("spin")["degraded"], false, "its faults are its own");
    let report = "/v1/chains/default/steps/misbehave/shadow";
    let would = host.ask(report).json();
    assert_eq!((&would["events"], &would["compared"], &would["changed"]), (&json!(2), &json!(1), &json!(1)), "{would}");
    assert_eq!((&would["fields"]["/tags/add"], &would["steps"][0]["faults"]), (&json!(1), &json!(1)));
    assert_eq!((&would["changes"][0]["fields"][0]["from"], &would["changes"][0]["fields"][0]["to"]), (&Value::Null, &json!("honest")));
    assert_eq!(host.ask(&format!("{report}?last=1")).json()["changed"], 0, "the newest alone");
    host.ask(&format!("{report}?last=0")).problem(400);
    host.ask("/v1/chains/default/steps/nobody/shadow").problem(404);
    host.ask("/v1/chains/default/steps/sentiment/shadow").problem(409);
    apply(&host, &steps("off")).decision();
    assert_eq!(host.decide("honest")["trace"][0]["outcome"], "skipped");
    apply(&host, &steps("live")).decision();
    assert_eq!(host.decide("honest")["tags"]["add"], json!(["honest"]));
}

#[test]
fn a_step_that_keeps_faulting_is_quarantined_and_comes_back_by_hand() {
    let host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    apply(&host, &chain(json!([{ "plugin": "misbehave", "quarantine_after": 3 }, { "plugin": "sentiment" }]))).decision();
    for _ in 0..3 {
        assert_eq!(host.decide("trap")["trace"][0]["outcome"], "trapped");
    }
    let out = host.decide("honest");
    assert_eq!((&out["trace"][0]["outcome"], &out["degraded"]), (&json!("quarantined"), &json!(true)));
    assert_eq!(out["trace"][1]["outcome"], "ran", "the others go on");
    assert_eq!(host.ask("/v1/chains/default").json()["steps"][0]["health"]["state"], "quarantined");
    assert_eq!(send(&host, "POST", "/v1/chains/default/steps/misbehave/reset", Vec::new(), &[]).status, 200);
    assert_eq!(host.decide("honest")["tags"]["add"], json!(["honest"]));
    send(&host, "POST", "/v1/chains/default/steps/nobody/reset", Vec::new(), &[]).problem(404);
}

#[test]
fn an_event_is_held_when_a_step_it_must_not_miss_faults() {
    let host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    apply(&host, &chain(json!([{ "plugin": "misbehave", "on_fault": "hold" }, { "plugin": "sentiment" }]))).decision();
    let held = host.decide("trap");
    assert_eq!(held["held"], json!({ "step": "misbehave", "outcome": "trapped" }));
    assert_eq!(held["trace"][1]["outcome"], "skipped");
    assert_eq!(host.decide("honest")["held"], Value::Null);
}

#[test]
fn a_source_takes_its_chain_and_a_step_its_condition() {
    let host = TestHost::with_config(SOURCES);
    upload(&host, rule("1.2.3", "honest"));
    let tag = json!([{ "plugin": "misbehave", "when": { "network": ["x"] } }]);
    let setup = json!({ "chains": { "default": { "steps": [] }, "tagged": { "steps": tag } }, "routes": { "demo": "tagged" } });
    apply(&host, &setup).decision();
    let on = |network: &str| host.post(json!({ "id": fresh("routed"), "text": "honest", "network": network }).to_string()).decision();
    assert_eq!((&on("x")["chain"], &on("x")["tags"]["add"]), (&json!("tagged"), &json!(["honest"])));
    assert_eq!(on("mastodon")["trace"][0]["detail"], "its condition does not hold");
    assert_eq!(host.signed(event(&fresh("routed"), "honest")).decision()["chain"], "default");
}

#[test]
fn a_thousand_swaps_under_traffic_fail_no_request_and_mix_no_versions() {
    const SWAPS: usize = 1_000;
    let host = TestHost::with_config(SOURCES);
    let mut generations = Vec::new();
    for (version, tag) in [("1.2.3", "honest"), ("1.2.4", "honost")] {
        upload(&host, rule(version, tag));
        let made = apply(&host, &chain(json!([{ "plugin": format!("misbehave@{version}") }]))).decision();
        generations.push((made["generation"].as_str().unwrap().to_owned(), version, tag));
    }
    let swap = |n: usize| {
        let path = format!("/v1/generations/{}/rollback", generations[n % 2].0);
        let answer = send(&host, "POST", &path, Vec::new(), &[("if-match", &revision(&host))]);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let (stop, decided, start) = (AtomicBool::new(false), AtomicUsize::new(0), Instant::now());
    let (before, after) = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let decision = host.decide("honest");
                    let entry = &decision["trace"][0];
                    let (id, _, tag) = generations.iter().find(|(_, version, _)| entry["version"] == *version).unwrap();
                    assert_eq!(
                        (&decision["generation"], &decision["tags"]["add"]),
                        (&json!(id), &json!([tag])),
                        "one version, one generation"
                    );
                    decided.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        (0..SWAPS / 4).for_each(swap);
        let before = host.rss();
        (SWAPS / 4..SWAPS).for_each(swap);
        let after = host.rss();
        stop.store(true, Ordering::Relaxed);
        (before, after)
    });
    let (decided, took) = (decided.load(Ordering::Relaxed), start.elapsed().as_secs_f64());
    eprintln!("{SWAPS} swaps in {took:.1} s, {decided} events beside them: {:.0} a second", decided as f64 / took);
    assert!(decided > SWAPS / 4, "there was traffic all the while");
    assert!(after <= before + before / 10, "memory stays: {before} -> {after}");
    assert_eq!(host.ask("/v1/generations?limit=1").json()["items"][0]["revision"], json!(SWAPS + 3));
}

#[test]
fn the_command_line_does_it_all() {
    let host = TestHost::with_config(SOURCES);
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let run = |arguments: &[&str], code: i32| {
        let output = signalbox(&[arguments, &["--url", &url, "--token-file", &token]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", complaint(&output));
        String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output)
    };
    let file = |name: &str, bytes: &[u8]| {
        let path = host.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let wasm = file("rule.wasm", &rule("1.2.3", "honest"));
    assert!(run(&["plugin", "push", &wasm], 0).contains("misbehave 1.2.3 passed the gate"));
    assert!(run(&["plugin", "list"], 0).contains("misbehave"));
    assert!(run(&["plugin", "show", "misbehave"], 0).contains("per event"));
    host.decide("honest");

    let exported = run(&["chain", "export"], 0);
    let setup = file("setup.toml", format!("{exported}\n[[chains.default.steps]]\nplugin = \"misbehave\"\n").as_bytes());
    let dry = run(&["chain", "apply", &setup, "--dry-run"], 0);
    assert!(dry.contains("+ default/misbehave") && dry.contains("nothing was changed"), "{dry}");
    let replayed = run(&["replay", "--setup", &setup, "--fail-on-change"], 1);
    assert!(replayed.contains("1 of 1 decisions would change") && replayed.contains("/tags/add"), "{replayed}");
    assert!(run(&["replay", "--setup", &setup, "--csv"], 0).contains("\"/tags/add\""));
    assert!(run(&["chain", "apply", &setup, "--why", "Friday"], 0).contains("is live, revision 2"));
    assert_eq!(host.decide("honest")["tags"]["add"], json!(["honest"]));
    assert!(run(&["chain", "list"], 0).contains("misbehave@1.2.3"));
    assert!(run(&["chain", "history"], 0).contains("Friday"));
    assert!(run(&["chain", "show"], 0).contains("misbehave: "));
    assert!(run(&["chain", "show", "nope"], 1).contains("no chain with this name"));
    assert!(run(&["chain", "shadow", "default", "misbehave"], 1).contains("is not in shadow"));
    assert!(run(&["tail", "--once"], 0).contains("demo"));
    assert!(run(&["chain", "rollback"], 0).contains("is live again"));
    let shadowed = exported.clone() + "\n[[chains.default.steps]]\nplugin = \"misbehave\"\nmode = \"shadow\"\n";
    run(&["chain", "apply", &file("shadow.toml", shadowed.as_bytes())], 0);
    host.decide("honest");
    let would = run(&["chain", "shadow", "default", "misbehave"], 0);
    assert!(would.contains("1 of 1 decisions would change") && would.contains("/tags/add"), "{would}");
    assert!(run(&["chain", "shadow", "default", "misbehave", "--csv"], 0).contains("\"/tags/add\""));
    run(&["chain", "rollback"], 0);
    assert!(run(&["audit"], 0).contains("setup.rollback"));
    assert!(run(&["plugin", "remove", "misbehave"], 0).contains("is removed"));
    let broken = file("broken.wasm", MISBEHAVE);
    let report = run(&["plugin", "push", &broken], 1);
    assert!(report.contains("did not pass the gate") && report.contains("FAILED      example `a promise"), "{report}");
    let wrong = file("wrong.toml", b"[[chains.default.steps]]\nplugin = \"nope\"\n");
    assert!(run(&["chain", "apply", &wrong], 1).contains("there is no plugin `nope`"));
    let wrong = file("wrong.toml", b"[[chains.default.steps]]\nplugni = \"nope\"\n");
    assert!(run(&["chain", "apply", &wrong], 1).contains("line 2: unknown field `plugni`"));
}
