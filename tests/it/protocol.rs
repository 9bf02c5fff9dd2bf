//! The command's protocol as `docs/plugins/languages.md` writes it down: its questions are what the host asks, its answers are taken.

use std::fs;

use serde_json::Value;

use crate::guides::documents;
use crate::harness::{complaint, directory, signalbox};

/// A string in the text format.
fn quoted(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A command that stops when `describe` or `configure` is asked otherwise than it is told, writes the question of `evaluate` on stderr,
/// and gives the answers that it is told.
fn command(questions: [&str; 2], answers: [&str; 3]) -> Vec<u8> {
    let [describe, configure] = questions;
    let [described, configured, judged] = answers;
    let (say, asked) = ("call $say (i32.const", "call $asked (i32.const");
    wat::parse_str(format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 3)
            (data (i32.const 1024) "{}") (data (i32.const 8192) "{}") (data (i32.const 16384) "{}")
            (data (i32.const 24576) "{}") (data (i32.const 28672) "{}")
            (func $say (param $file i32) (param $from i32) (param $length i32)
                (i32.store (i32.const 0) (local.get $from))
                (i32.store (i32.const 4) (local.get $length))
                (drop (call $write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 16))))
            (func $asked (param $at i32) (param $length i32) (local $i i32)
                (if (i32.ne (i32.load (i32.const 8)) (i32.add (local.get $length) (i32.const 1))) (then unreachable))
                (loop $next
                    (if (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                                (i32.load8_u (i32.add (i32.const 65536) (local.get $i)))) (then unreachable))
                    (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $length)))))
            (func (export "_start") (local $op i32)
                (i32.store (i32.const 0) (i32.const 65536))
                (i32.store (i32.const 4) (i32.const 65536))
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $op (i32.load8_u (i32.const 65543)))
                (if (i32.eq (local.get $op) (i32.const 100)) (then ({asked} 24576) (i32.const {})) ({say} 1) (i32.const 1024) (i32.const {}))))
                (if (i32.eq (local.get $op) (i32.const 99)) (then ({asked} 28672) (i32.const {})) ({say} 1) (i32.const 8192) (i32.const {}))))
                (if (i32.eq (local.get $op) (i32.const 101)) (then
                    ({say} 2) (i32.const 65536) (i32.load (i32.const 8))) ({say} 1) (i32.const 16384) (i32.const {}))))))"#,
        quoted(described),
        quoted(configured),
        quoted(judged),
        quoted(describe),
        quoted(configure),
        describe.len(),
        described.len(),
        configure.len(),
        configured.len(),
        judged.len(),
    ))
    .unwrap()
}

/// Whether all that `wanted` says stands in `came`.
fn part_of(wanted: &Value, came: &Value) -> bool {
    match (wanted, came) {
        (Value::Object(wanted), Value::Object(came)) => wanted.iter().all(|(key, value)| came.get(key).is_some_and(|c| part_of(value, c))),
        _ => wanted == came,
    }
}

#[test]
fn what_is_asked_and_answered_is_as_it_is_written() {
    let [describe, configure, evaluate] = &documents("question")[..] else { panic!("three questions") };
    let ([described], [configured]) = (&documents("describe")[..], &documents("configure")[..]) else { panic!("one answer to each") };
    let judged = documents("evaluate");
    assert!(judged.len() == 2 && judged[1].get("error").is_some(), "a verdict, and why there is none");
    // The host writes `op` first and no spaces; this suite's JSON has its keys in order, and `op` last.
    let written = |question: &Value, op: &str| match question.get("config") {
        Some(config) => format!("{{\"op\":\"{op}\",\"config\":{config}}}"),
        None => format!("{{\"op\":\"{op}\"}}"),
    };
    assert_eq!((&describe["op"], &configure["op"], &evaluate["op"]), (&"describe".into(), &"configure".into(), &"evaluate".into()));
    let questions = [written(describe, "describe"), written(configure, "configure")];
    for answer in &judged {
        let dir = directory();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let answers = [described.to_string(), configured.to_string(), answer.to_string()];
        fs::write(at("p.wasm"), command([&questions[0], &questions[1]], answers.each_ref().map(String::as_str))).unwrap();
        let output = signalbox(&["plugin", "check", &at("p.wasm")]);
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), complaint(&output));

        fs::write(at("c.toml"), format!("[[steps]]\nfile = {:?}\n", at("p.wasm"))).unwrap();
        fs::write(at("e.json"), evaluate["event"].to_string()).unwrap();
        let output = signalbox(&["run", "--json", "--config", &at("c.toml"), &at("e.json")]);
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", complaint(&output)));
        let printed = if printed.is_array() { &printed[0] } else { &printed };
        let step = &printed["decision"]["trace"][0];
        let asked: Value =
            serde_json::from_str(step["log"][0]["message"].as_str().unwrap_or_default()).unwrap_or_else(|_| panic!("{step}"));
        assert!(part_of(evaluate, &asked), "{asked}");
        let (outcome, urgency) = (&step["outcome"], &printed["decision"]["urgency"]);
        if answer.get("error").is_some() {
            assert_eq!((outcome, urgency), (&"not_applicable".into(), &Value::Null), "{step}");
        } else {
            assert_eq!((outcome, urgency), (&"ran".into(), &"high".into()), "{step}");
        }
    }
}

#[test]
fn a_question_that_is_written_otherwise_would_be_noticed() {
    let dir = directory();
    let file = dir.path().join("p.wasm");
    fs::write(&file, command(["{\"op\":\"describe\" }", "{}"], ["{}", "{}", "{}"])).unwrap();
    let output = signalbox(&["plugin", "check", file.to_str().unwrap()]);
    assert!(output.status.code() == Some(1) && complaint(&output).contains("unreachable"), "{}", complaint(&output));
}
