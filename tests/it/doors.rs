//! The four doors: what comes in by each is asked and answers, and what cannot is told why in one sentence.
//!
//! The guests are small modules in the text format, so that no toolchain is needed. A command goes through two doors: as it is,
//! and as the component that the usual adapter makes of it.

use std::fs;
use std::process::Output;

use serde_json::Value;
use wasi_preview1_component_adapter_provider::{WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::harness::{complaint, directory, event, signalbox};

pub const DESCRIBE: &str = r#"{"name": "by-hand", "version": "0.1.0", "summary": "Tags everything.", "effects": ["tag"],
    "config_schema": {"type": "object", "properties": {"tag": {"type": "string", "default": "seen"}}},
    "examples": [{"name": "anything", "event": {"id": "1", "text": "hello"},
        "expect": {"proposals": [{"effect": {"type": "tag", "value": "seen"}}]}}]}"#;
const VERDICT: &str = r#"{"proposals": [{"effect": {"type": "tag", "value": "seen"}, "reason": "it is there", "confidence": 0.9}]}"#;

/// A string in the text format.
fn quoted(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A command that answers `describe` and `configure`, and does `body` for an event. `$say` writes to a stream.
pub fn command(describe: &str, body: &str) -> Vec<u8> {
    let (describe_length, verdict_length) = (describe.len(), VERDICT.len());
    wat::parse_str(format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (memory (export "memory") 3)
            (data (i32.const 1024) "{}")
            (data (i32.const 8192) "{}")
            (data (i32.const 16384) "{}")
            (data (i32.const 20000) "what it did\n")
            (func $say (param $file i32) (param $from i32) (param $length i32)
                (i32.store (i32.const 0) (local.get $from))
                (i32.store (i32.const 4) (local.get $length))
                (drop (call $write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func $verdict (call $say (i32.const 1) (i32.const 16384) (i32.const {verdict_length})))
            (func (export "_start") (local $op i32)
                (i32.store (i32.const 0) (i32.const 65536))
                (i32.store (i32.const 4) (i32.const 65536))
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $op (i32.load8_u (i32.const 65543)))
                (if (i32.eq (local.get $op) (i32.const 100)) (then (call $say (i32.const 1) (i32.const 1024) (i32.const {describe_length}))))
                (if (i32.eq (local.get $op) (i32.const 99)) (then (call $say (i32.const 1) (i32.const 8192) (i32.const 2))))
                (if (i32.eq (local.get $op) (i32.const 101)) (then {body})))
        )"#,
        quoted(describe),
        quoted("{}"),
        quoted(VERDICT),
    ))
    .unwrap()
}

/// The same as a `wasi:cli/run` component.
pub fn component(command: &[u8]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().module(command).unwrap();
    let mut encoder = encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER).unwrap();
    encoder.encode().unwrap()
}

fn check(wasm: &[u8]) -> Output {
    let dir = directory();
    let file = dir.path().join("plugin.wasm");
    fs::write(&file, wasm).unwrap();
    signalbox(&["plugin", "check", file.to_str().unwrap()])
}

/// What the gate said, for a plugin whose only example fails or that is refused.
pub fn told(wasm: &[u8]) -> String {
    let output = check(wasm);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn passes(wasm: &[u8]) {
    let output = check(wasm);
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), complaint(&output));
}

/// One event through one plugin: its entry in the trace, and the decision.
fn decide(wasm: &[u8]) -> (Value, Value) {
    let dir = directory();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(at("plugin.wasm"), wasm).unwrap();
    fs::write(at("event.json"), event("1", "hello")).unwrap();
    fs::write(at("config.toml"), format!("[[steps]]\nfile = \"{}\"\n", at("plugin.wasm"))).unwrap();
    let output = signalbox(&["run", "--json", "--config", &at("config.toml"), &at("event.json")]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", complaint(&output)));
    let printed = if printed.is_array() { printed[0].clone() } else { printed };
    (printed["decision"]["trace"][0].clone(), printed["decision"].clone())
}

#[test]
fn a_command_is_asked_and_answers_by_both_doors() {
    let module = command(DESCRIBE, "(call $say (i32.const 2) (i32.const 20000) (i32.const 12)) (call $verdict)");
    for wasm in [component(&module), module] {
        passes(&wasm);
        let (step, decision) = decide(&wasm);
        assert_eq!((&step["outcome"], &decision["tags"]["add"][0]), (&"ran".into(), &"seen".into()), "{step}");
        assert_eq!(step["log"][0]["message"], "what it did");
    }
}

#[test]
fn a_commands_room_is_empty() {
    let strange = "(call $exit (i32.const 9))";
    let module = command(
        DESCRIBE,
        &format!(
            "(drop (call $environ (i32.const 100) (i32.const 104)))
             (if (i32.load (i32.const 100)) (then {strange}))
             (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 20000) (i32.const 4) (i32.const 0)
                 (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 100))) (then {strange}))
             (call $verdict)"
        ),
    );
    for wasm in [component(&module), module] {
        passes(&wasm);
    }
}

#[test]
fn two_runs_of_one_event_see_the_same_clock_and_the_same_numbers() {
    // Says what it saw as the only line of its log: 16 letters of a random number and of the time.
    let letters = "(drop (call $random (i32.const 200) (i32.const 8))) (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 208)))
        (local.set $op (i32.const 200))
        (loop $l (i32.store8 (local.get $op) (i32.add (i32.const 97) (i32.and (i32.load8_u (local.get $op)) (i32.const 15))))
            (local.set $op (i32.add (local.get $op) (i32.const 1))) (br_if $l (i32.lt_u (local.get $op) (i32.const 208))))
        (call $say (i32.const 2) (i32.const 200) (i32.const 8)) (call $verdict)";
    let module = command(DESCRIBE, letters);
    let (first, again) = (decide(&module).0, decide(&module).0);
    assert_eq!(first["log"][0]["message"].as_str().map(str::len), Some(8), "{first}");
    assert_eq!(first["log"], again["log"]);
}

/// Spoils a letter of the verdict: it then proposes `tax`, which is no effect.
fn other_verdict() -> String {
    let letter = 16384 + VERDICT.find("tag").unwrap() + 2;
    format!("(i32.store8 (i32.const {letter}) (i32.const {})) (call $verdict)", b'x')
}

#[test]
fn what_a_command_does_wrong_is_named() {
    for (describe, body, words) in [
        (DESCRIBE, "", "wrote nothing on stdout"),
        (DESCRIBE, "(call $verdict) (call $verdict)", "more than one JSON document"),
        (DESCRIBE, "(call $verdict) (call $exit (i32.const 3))", "exited with code 3"),
        (DESCRIBE, "(call $say (i32.const 1) (i32.const 20000) (i32.const 12))", "wrote what is not JSON on stdout"),
        (DESCRIBE, "(call $say (i32.const 1) (i32.const 16384) (i32.const 40))", "wrote what is not JSON on stdout"),
        (DESCRIBE, "(loop $l (call $say (i32.const 1) (i32.const 65536) (i32.const 65536)) (br $l))", "wrote more than 1024 KiB on stdout"),
        (DESCRIBE, "(loop $l (drop (call $random (i32.const 65536) (i32.const 65536))) (br $l))", "units of fuel"),
        (DESCRIBE, "(loop $l (br $l))", "units of fuel"),
        (DESCRIBE, "unreachable", "unreachable"),
        (DESCRIBE, &other_verdict(), "JSON of another form on stdout: at `proposals[0].effect"),
        ("panic: no JSON here", "", "`describe` ended as malformed: wrote what is not JSON"),
        ("{\0}\0", "", "wrote UTF-16"),
        (r#"{"name": "x"}"#, "", "missing field `version`"),
        (r#"{"name": "x", "version": "1.0.0", "summary": "s", "effects": ["dance"]}"#, "", "`dance`, which is no effect"),
    ] {
        let said = told(&command(describe, body));
        assert!(said.contains(words), "{words}: {said}");
    }
    let module = command(DESCRIBE, "(call $verdict) (call $exit (i32.const 3))");
    assert!(told(&component(&module)).contains("exited with code 1"), "wasi:cli/exit has one bad code");
}

/// A rule as a core module without metadata: it proposes nothing. `start` runs in `describe`.
pub fn rule(imports: &str, start: &str, evaluate: &str) -> Vec<u8> {
    wat::parse_str(rule_text(imports, start, "", evaluate)).unwrap()
}

/// The same as text, with what runs in `configure`.
pub fn rule_text(imports: &str, start: &str, configure: &str, evaluate: &str) -> String {
    let texts = ["by-hand", "0.1.0", "Proposes nothing.", r#"{"type": "object"}"#];
    let (mut data, mut at) = (String::new(), 2048);
    // name, version, summary; homepage and licence absent; kinds, effects and requests empty; the schema; no examples.
    let mut words = [0u32; 22];
    for (text, place) in texts.iter().zip([0, 2, 4, 18]) {
        data += &format!("(data (i32.const {at}) \"{}\")", quoted(text));
        (words[place], words[place + 1]) = (at, text.len() as u32);
        at += 64;
    }
    let words: String = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(module {imports} (memory (export "memory") 1) (global $next (mut i32) (i32.const 8192))
            (data (i32.const 1024) "{words}") {data}
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                global.get $next
                (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 15)) (i32.const -8))))
            (func (export "signalbox:rules/metadata@0.1.0#describe") (result i32) {start} i32.const 1024)
            (func (export "signalbox:rules/rule@0.1.0#configure") (param i32 i32) (result i32) {configure} i32.const 4096)
            {evaluate})"#
    )
}

pub const EVALUATE: &str = r#"(func (export "signalbox:rules/rule@0.1.0#evaluate") (param i32) (result i32) i32.const 4096)"#;

#[test]
fn a_core_module_is_a_rule_with_nothing_behind_its_wasi() {
    let clock = r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))"#;
    let asks = "(drop (call $clock (i32.const 0) (i64.const 1) (i32.const 5000)))";
    for module in [rule("", "", EVALUATE), rule(clock, asks, EVALUATE)] {
        passes(&module);
        assert_eq!(decide(&module).0["outcome"], "ran");
    }
}

#[test]
fn strings_in_another_encoding_than_they_say_are_refused() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("rules.wit", include_str!("../../wit/rules.wit")).unwrap();
    let world = resolve.packages[package].worlds["pure-rule"];
    for (encoding, well) in [(StringEncoding::UTF8, true), (StringEncoding::UTF16, false)] {
        let mut module = rule("", "", EVALUATE);
        embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
        if well {
            passes(&module);
        } else {
            // UTF-8 read as UTF-16 is twice as long, and other letters.
            let said = told(&module);
            assert!(said.contains("describe") && said.contains("build it with UTF-8 strings") && said.lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn a_core_module_that_fits_no_door_is_told_the_four() {
    for (module, words) in [
        (wat::parse_str("(module)").unwrap(), "a core module without a rule in it; upload a component for the world"),
        (rule("", "", r#"(func (export "signalbox:rules/rule@0.1.0#evaluate"))"#), "does not fit the world `pure-rule`"),
        (rule("", "", ""), "does not fit the world `pure-rule`"),
        (rule(r#"(import "env" "abort" (func))"#, "", EVALUATE), "AssemblyScript"),
        (rule(r#"(import "signalbox:rules/http@0.1.0" "send" (func))"#, "", EVALUATE), "http is refused"),
    ] {
        let said = told(&module);
        assert!(said.contains(words) && said.lines().count() == 1, "{words}: {said}");
    }
}

#[test]
fn a_new_plugin_is_a_project_of_its_own() {
    for lang in ["rust", "go", "js", "ts", "python", "c", "assemblyscript", "go-command"] {
        let dir = directory();
        let into = dir.path().to_str().unwrap();
        let output = signalbox(&["plugin", "new", "--lang", lang, "--into", into, "my-rule"]);
        assert!(output.status.success(), "{}", complaint(&output));
        let project = dir.path().join("my-rule");
        let about = fs::read_to_string(project.join("plugin.toml")).unwrap();
        assert!(about.contains("\"build/my-rule.wasm\"") && project.join("cases.toml").exists(), "{lang}: {about}");
        let script = fs::read_to_string(project.join("build.sh")).unwrap();
        assert!(script.contains("build/my-rule.wasm") && !script.contains("../wit"), "{lang}: {script}");
        assert_eq!(fs::read_to_string(project.join("wit/rules.wit")).unwrap(), include_str!("../../wit/rules.wit"));
        let again = signalbox(&["plugin", "new", "--lang", lang, "--into", into, "my-rule"]);
        assert!(!again.status.success() && complaint(&again).contains("give another name"));
    }
    for name in ["", "My Rule", "../up", "-x", "1st"] {
        assert!(!signalbox(&["plugin", "new", "--lang", "c", "--into", "/nowhere", "--", name]).status.success(), "{name}");
    }
}
