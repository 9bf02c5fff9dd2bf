//! Bytes that are made to hurt whoever compiles them: they cost a killed child and one sentence, and nobody else notices.
//!
//! Every bomb passes the cheap checks at the door: its exports have the right names. A host serves events beside each of them.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{SOURCES, TestHost, complaint, event, fresh, refused, signalbox};

/// What the host may hold more after the bombs: it only looks at headers, whatever the child goes through. A child may have 1 GiB.
const HOST_BYTES: u64 = 48 << 20;

/// Two empty instances under the names that the door looks for.
const EXPORTS: &str =
    r#"(instance $none) (export "signalbox:rules/metadata@0.1.0" (instance $none)) (export "signalbox:rules/rule@0.1.0" (instance $none))"#;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text} {EXPORTS})")).unwrap()
}

/// One function of `depth` ifs, each inside the one before.
fn nested(depth: usize) -> Vec<u8> {
    component(&format!("(core module (func {} {}))", "i32.const 0 if ".repeat(depth), "end ".repeat(depth)))
}

/// Components that instantiate each other four times over: 4 to the power of `levels` instances of one module.
fn instances(levels: usize) -> Vec<u8> {
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..=levels {
        let inner = std::mem::take(&mut text);
        let _ = write!(text, "(component $c{level} {inner} {})", format!("(instance (instantiate $c{})) ", level - 1).repeat(4));
    }
    component(&format!("{text} (instance (instantiate $c{levels}))"))
}

fn functions(count: usize) -> Vec<u8> {
    component(&format!("(core module {})", "(func)".repeat(count)))
}

/// Types of functions, no two alike.
fn types(count: usize) -> Vec<u8> {
    let mut text = String::new();
    for at in 0..count {
        let arguments: String = (0..20).map(|bit| if at >> bit & 1 == 1 { "i64 " } else { "i32 " }).collect();
        let _ = write!(text, "(type (func (param {arguments})))");
    }
    component(&format!("(core module {text})"))
}

/// One function that is a megabyte long.
fn long() -> Vec<u8> {
    component(&format!("(core module (func {}))", "i32.const 7 drop ".repeat(350_000)))
}

/// Modules by the thousand.
fn modules(count: usize) -> Vec<u8> {
    component(&"(core module (func))".repeat(count))
}

#[test]
fn a_bomb_costs_a_child_and_a_sentence() {
    let host = TestHost::with_config(SOURCES);
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let file = host.dir.path().join("bomb.wasm");
    let push = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let output = signalbox(&["plugin", "push", file.to_str().unwrap(), "--url", &url, "--token-file", &token]);
        (output.status.code(), complaint(&output))
    };
    assert_eq!(push(b"\0asm\x0d\0\x01\0").0, Some(1), "what an upload needs is in place");
    let before = host.rss();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            let mut served = 0;
            while !done.load(Ordering::Relaxed) {
                host.post(event(&fresh("beside"), "the VPN is down")).decision();
                served += 1;
            }
            served
        });
        for (bomb, bytes, words) in [
            ("20,000 nested ifs", nested(20_000), "does not fit the contract"),
            ("4 to the power of 11 instances", instances(11), ""),
            ("70,000 functions", functions(70_000), "at most 60000 are taken"),
            ("50,000 types", types(50_000), ""),
            ("a function of a megabyte", long(), "does not fit the contract"),
            ("1,500 modules", modules(1_500), ""),
        ] {
            let (code, said) = push(&bytes);
            assert_eq!((code, said.lines().count()), (Some(1), 1), "{bomb}: {said}");
            assert!(said.contains(words) && !said.contains("panicked"), "{bomb}: {said}");
        }
        done.store(true, Ordering::Relaxed);
        assert!(served.join().unwrap() > 0, "no event was served beside the bombs");
    });
    let after = host.rss();
    assert!(after < before + HOST_BYTES, "the host had {before} bytes before the bombs and has {after} behind them");
}

#[test]
fn the_childs_limits_are_kept() {
    for (limits, bytes, words) in [
        ("activation_cpu_s = 1", nested(100_000), "needs more than 1 CPU seconds"),
        ("activation_memory_bytes = 268435456", instances(11), "MiB"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bomb.wasm");
        fs::write(&file, bytes).unwrap();
        let said = refused(&format!("[limits]\n{limits}\n{SOURCES}[[steps]]\nfile = \"{}\"\n", file.display()));
        assert!(said.contains(words) && said.lines().count() == 1, "{limits}: {said}");
    }
}
