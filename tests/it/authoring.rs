//! What an author types while a plugin is being written: `test`, `bench` and `dev`, with the real sandbox and a real host.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::doors::{DESCRIBE, EVALUATE, command, rule, rule_text};
use crate::harness::{SIGNALBOX, SOON, complaint, directory, event, signalbox, until};
use crate::wire::{Request, call};

const VERDICT: &str = "(call $verdict)";
/// Cases that the plugin by hand holds to: it tags everything.
const GOOD: &str = r#"
    [[cases]]
    name = "anything is tagged"
    event = { text = "hello" }
    expect = { proposals = [{ effect = { type = "tag", value = "seen" } }], decision = { tags = { add = ["seen"] } } }
"#;
const BAD: &str = r#"
    [[cases]]
    name = "another tag"
    event = { text = "hello" }
    expect = { proposals = [{ effect = { type = "tag", value = "kept" }, confidence = { min = 0.5 } }], absent = ["note"] }
    [[cases]]
    name = "<never> & nowhere"
    event = { text = "hello" }
    expect = { absent = ["tag"] }
"#;

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    fs::write(dir.join(name), bytes).unwrap();
    dir.join(name).display().to_string()
}

/// Runs a command; its exit code, and everything it said.
fn said(arguments: &[&str]) -> (i32, String) {
    let output = signalbox(arguments);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn cases_hold_or_are_told_apart_by_path() {
    let dir = directory();
    let plugin = write(dir.path(), "p.wasm", command(DESCRIBE, VERDICT));
    let (good, bad, junit) = (write(dir.path(), "good.toml", GOOD), write(dir.path(), "bad.toml", BAD), dir.path().join("junit.xml"));
    let (code, text) = said(&["plugin", "test", &plugin, &good]);
    assert!(code == 0 && text.contains("1 passed, 0 failed"), "{text}");
    let (code, text) = said(&["plugin", "test", &plugin]);
    assert!(code == 0 && text.contains("ok    anything  "), "without cases, its own examples: {text}");

    let (code, text) = said(&["plugin", "test", &plugin, &good, &bad, "--junit", junit.to_str().unwrap()]);
    assert_eq!(code, 1, "{text}");
    for words in
        ["FAIL  another tag", "proposals[0].effect.value", "expected  \"kept\"", "got       \"seen\"", "absent[0]", "1 passed, 2 failed"]
    {
        assert!(text.contains(words), "no {words}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours into a pipe: {text}");
    let junit = fs::read_to_string(junit).unwrap();
    for words in ["tests=\"3\"", "failures=\"2\"", "&lt;never> &amp; nowhere", "proposals[0].effect.value"] {
        assert!(junit.contains(words) || junit.contains(&words.replace('>', "&gt;")), "no {words}: {junit}");
    }
}

#[test]
fn what_cannot_be_tried_is_neither_a_pass_nor_a_failure() {
    let dir = directory();
    let plugin = write(dir.path(), "p.wasm", command(DESCRIBE, VERDICT));
    let (broken, empty) = (write(dir.path(), "broken.wasm", "no wasm"), write(dir.path(), "empty.toml", "cases = []"));
    let nowhere = dir.path().join("none.toml").display().to_string();
    for (arguments, words) in [
        (&["plugin", "test", &broken][..], "not wasm"),
        (&["plugin", "test", &plugin, &empty], "there is no case in it"),
        (&["plugin", "test", &plugin, &nowhere], "none.toml"),
        (&["plugin", "test", dir.path().to_str().unwrap()], "plugin.toml"),
        (&["plugin", "test", &nowhere], "is it built?"),
        (&["plugin", "test"], "Usage"),
    ] {
        let (code, text) = said(arguments);
        assert!(code == 2 && text.contains(words), "{code} {words}: {text}");
    }
}

/// A guest whose function `deep_inside` traps, called by `evaluate`.
fn trapping() -> Vec<u8> {
    let evaluate = r#"(func $deep_inside (result i32) unreachable)
        (func (export "signalbox:rules/rule@0.1.0#evaluate") (param i32) (result i32) (call $deep_inside))"#;
    rule("", "", evaluate)
}

#[test]
fn an_author_sees_where_a_guest_stopped() {
    let dir = directory();
    let cases = write(dir.path(), "c.toml", "[[cases]]\nname = \"it runs\"\nevent = { text = \"x\" }\nexpect = { absent = [\"tag\"] }\n");
    for (plugin, frames) in [
        (trapping(), &["by-hand 0.1.0: `evaluate` ended as trapped: ", "deep_inside"][..]),
        (command(DESCRIBE, "unreachable"), &["by-hand 0.1.0: `evaluate`", "0:"]),
    ] {
        let (code, text) = said(&["plugin", "test", &write(dir.path(), "p.wasm", plugin), &cases]);
        assert_eq!(code, 1, "{text}");
        for words in frames {
            assert!(text.contains(words), "no {words}: {text}");
        }
    }
}

/// Guests whose function `deep_inside` traps before there is any event: in `describe`, and in `configure`.
fn trapping_early() -> [(&'static str, Vec<u8>); 3] {
    let deep = format!("(func $deep_inside (result i32) unreachable) {EVALUATE}");
    let call = "(drop (call $deep_inside))";
    let module = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (memory (export "memory") 1)
        (func $deep_inside unreachable) (func (export "_start") (call $deep_inside)))"#;
    [
        ("`describe` ended as trapped", wat::parse_str(rule_text("", call, "", &deep)).unwrap()),
        ("by-hand 0.1.0: `configure` ended as trapped", wat::parse_str(rule_text("", "", call, &deep)).unwrap()),
        ("`describe` ended as trapped", wat::parse_str(module).unwrap()),
    ]
}

#[test]
fn an_author_sees_where_bringing_it_in_stopped() {
    let dir = directory();
    let cases = write(dir.path(), "c.toml", "[[cases]]\nname = \"it runs\"\nevent = { text = \"x\" }\nexpect = { absent = [\"tag\"] }\n");
    for (words, plugin) in trapping_early() {
        let file = write(dir.path(), "p.wasm", plugin);
        for (arguments, code) in [(&["plugin", "test", &file, &cases][..], 1), (&["plugin", "test", &file], 2)] {
            let (ended, text) = said(arguments);
            assert!(ended == code && text.contains(words) && text.contains("deep_inside"), "{ended}, no {words}: {text}");
        }
        // The gate is what an admin sees: the sentence, and no frame.
        let (_, text) = said(&["plugin", "check", &file]);
        assert!(text.contains("ended as trapped") && !text.contains("deep_inside") && text.lines().count() == 1, "{text}");
    }
}

#[test]
fn an_admin_never_does() {
    let dir = directory();
    let plugin = write(dir.path(), "p.wasm", trapping());
    let config = write(dir.path(), "c.toml", format!("[[steps]]\nfile = {plugin:?}\n"));
    let file = write(dir.path(), "e.json", r#"{"id": "1", "text": "x"}"#);
    for arguments in [&["run", "--config", &config, &file][..], &["run", "--json", "--config", &config, &file]] {
        let (code, text) = said(arguments);
        assert!(code == 0 && text.contains("trapped") && text.contains("unreachable"), "{text}");
        assert!(!text.contains("deep_inside") && !text.contains("wasm function"), "a frame in a decision: {text}");
    }
    for command in ["check", "inspect"] {
        assert!(!said(&["plugin", command, &plugin]).1.contains("deep_inside"), "{command}");
    }
}

#[test]
fn a_cost_is_compared_with_an_earlier_one() {
    let dir = directory();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let plugin = write(dir.path(), "p.wasm", command(DESCRIBE, VERDICT));
    let dear = write(
        dir.path(),
        "d.wasm",
        command(
            DESCRIBE,
            "(local.set $op (i32.const 9999)) (loop $l (local.set $op (i32.sub (local.get $op) (i32.const 1))) (br_if $l (local.get $op))) (call $verdict)",
        ),
    );
    let (code, text) = said(&["plugin", "bench", &plugin, "--runs", "50", "--save", &at("b.json")]);
    assert!(code == 0 && text.contains("fresh") && text.contains("limit") && !text.contains("reused"), "a command starts anew: {text}");
    let saved: Value = serde_json::from_str(&fs::read_to_string(at("b.json")).unwrap()).unwrap();
    assert_eq!((&saved["plugin"], &saved["fresh"]["runs"], &saved["fresh"]["faults"]), (&"by-hand 0.1.0".into(), &50.into(), &0.into()));
    assert!(saved["fresh"]["fuel_p50"].as_u64().unwrap() > 0 && saved["fresh"]["memory_max_bytes"] == 3 << 16, "{saved}");

    let (code, text) = said(&["plugin", "bench", &plugin, "--runs", "50", "--compare", &at("b.json")]);
    assert!(code == 0 && !text.contains("ROSE"), "the same bytes burn the same fuel: {text}");
    let (code, text) = said(&["plugin", "bench", &dear, "--runs", "50", "--compare", &at("b.json")]);
    assert!(code == 1 && text.contains("ROSE"), "{text}");

    let events = write(dir.path(), "e.jsonl", "{\"id\": \"1\", \"text\": \"a\"}\n\n{\"id\": \"2\", \"text\": \"b\"}\n");
    let output = signalbox(&["plugin", "bench", &plugin, "--runs", "9", "--events", &events, "--json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", complaint(&output)));
    assert_eq!((&printed["events"], &printed["reused"]), (&2.into(), &Value::Null));
    let (code, text) = said(&["plugin", "bench", &plugin, "--events", &write(dir.path(), "bad.jsonl", "{}\n")]);
    assert!(code == 1 && text.contains("bad.jsonl, line 1"), "{text}");
}

/// `plugin dev`, ended when the test is.
struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        // In order, so that the host it started goes with it; by force when the test has failed already.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        if std::thread::panicking() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

#[test]
fn a_change_is_built_tried_put_live_and_told() {
    let dir = directory();
    let log = dir.path().join("said");
    fs::create_dir(dir.path().join("project")).unwrap();
    let project = dir.path().join("project");
    write(&project, "plugin.toml", "build = \"mkdir -p build && sh build.sh\"\nwasm = \"build/p.wasm\"\ncases = [\"cases.toml\"]\n");
    write(&project, "build.sh", "grep -v broken source > build/p.wasm && ! grep broken source\n");
    write(&project, "cases.toml", GOOD);
    // The binary is its own source here: what is live is what was written last.
    let plugin = |tag: &str| {
        let module = command(
            &DESCRIBE.replace("\"expect\": {\"proposals\": [{\"effect\": {\"type\": \"tag\", \"value\": \"seen\"}}]}", "\"expect\": {}"),
            VERDICT,
        );
        let at = module.windows(6).rposition(|bytes| bytes == b"\"seen\"").unwrap();
        [&module[..at], format!("\"{tag}\"").as_bytes(), &module[at + 6..]].concat()
    };
    write(&project, "source", plugin("seen"));
    write(&project, "build.sh", "if grep -q broken source; then echo 'line 7: broken'; exit 1; fi; cp source build/p.wasm\n");
    let stdout = fs::File::create(&log).unwrap();
    let child = Command::new(SIGNALBOX).args(["plugin", "dev"]).arg(&project).stdin(Stdio::null()).stdout(stdout).spawn().unwrap();
    let _dev = Dev(child);
    let text = || fs::read_to_string(&log).unwrap();
    let waits = |times: usize| until(SOON * 6, "the loop to come round", || (text().matches("watching; ").count() >= times).then_some(()));
    waits(1);
    let first = text();
    for words in ["build   done", "by-hand 0.1.0 passes the gate", "test    1 passed, 0 failed", "live    generation "] {
        assert!(first.contains(words), "no {words}: {first}");
    }
    let hook = first.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let (address, path) = hook.split_once('/').unwrap();
    let address = address.parse().unwrap();
    let tag = |id: &str| {
        let answer = call(address, &Request::post(&format!("/{path}"), event(id, "hello")).json());
        answer.decision()["tags"]["add"][0].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(tag("1"), "seen");

    write(&project, "source", plugin("kept"));
    waits(2);
    let second = text()[first.len()..].to_owned();
    for words in [
        "source changed",
        "FAIL  anything is tagged",
        "test    0 passed, 1 failed",
        "differs anything is tagged: /tags/add: [\"seen\"] -> [\"kept\"]",
    ] {
        assert!(second.contains(words), "no {words}: {second}");
    }
    assert_eq!(tag("2"), "kept", "swapped in, under the same version");

    write(&project, "source", "broken");
    waits(3);
    assert!(text().contains("line 7: broken") && text().contains("the version before stays live"), "{}", text());
    assert_eq!(tag("3"), "kept");
}

#[test]
fn a_host_that_others_reach_is_not_for_development() {
    let dir = directory();
    for key in ["listen", "admin_listen"] {
        let file = dir.path().join("signalbox.toml");
        std::fs::write(&file, format!("[server]\ndevelopment = true\nbehind_proxy = true\n{key} = \"0.0.0.0:0\"\n")).unwrap();
        let output = signalbox(&["check", "--config", file.to_str().unwrap()]);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("`server.development`") && said.contains("127.0.0.1 alone"), "{said}");
    }
}
