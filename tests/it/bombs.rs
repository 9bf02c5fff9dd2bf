//! Bytes that are made to hurt whoever compiles them: they cost a killed child and one sentence, and nobody else notices.
//!
//! Every bomb passes the cheap checks at the door: its exports have the right names. A host serves events beside each of them.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::{SOURCES, TestHost, event, fresh, refused, until};

/// A child is given this long, with a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(150);
/// What the process that asked for a check may need, KiB: it only looks at headers, whatever the child goes through.
const PARENT_KIB: u64 = 160 << 10;

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

/// Highest resident memory of a running process, KiB.
fn high_water(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Puts bytes through the gate; gives the exit code, what was said, and the highest memory of the process that asked.
fn gate(bytes: &[u8]) -> (Option<i32>, String, u64) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bomb.wasm");
    fs::write(&file, bytes).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["plugin", "check"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut high = 0;
    let status = until(PATIENCE, "the end of the check", || {
        high = high.max(high_water(&child));
        child.try_wait().unwrap()
    });
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said, high)
}

#[test]
fn a_bomb_costs_a_child_and_a_sentence() {
    let host = TestHost::with_config(SOURCES);
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
        ] {
            let (code, said, high) = gate(&bytes);
            assert_eq!((code, said.lines().count()), (Some(1), 1), "{bomb}: {said}");
            assert!(said.contains(words) && !said.contains("panicked"), "{bomb}: {said}");
            assert!(high < PARENT_KIB, "{bomb}: the parent needed {high} KiB");
        }
        done.store(true, Ordering::Relaxed);
        assert!(served.join().unwrap() > 0, "no event was served beside the bombs");
    });
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
