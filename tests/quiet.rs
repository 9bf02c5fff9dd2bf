//! No memory map changes per event on the fresh path: no `mmap`, `munmap` or `mprotect`.
//!
//! Each is process-wide and stops every other thread for a moment, which keeps fresh instances from scaling. The claim is held
//! by the kernel: a child runs the bundled chain, then forbids itself those calls and runs it on. The first one would kill it.
//! The pair: a plugin that grows its memory in every event does get killed, so the filter is real.
#![expect(clippy::print_stdout, reason = "this binary is its own harness")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use signalbox::chain::{Chain, Step};
use signalbox::config::{Isolation, Limits};
use signalbox::event::{Event, Timestamp};
use signalbox::plugin::{Backing, Sandbox};

/// Said by a child that came through.
const DONE: &str = "came through";
const NOW: Timestamp = Timestamp(1_767_225_600_000);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("child") {
        child(&arguments.next().unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    let cases = [("the_bundled_chain_changes_no_memory_map", "bundled", true), ("a_plugin_that_grows_its_memory_does", "growing", false)];
    let mut failed = 0;
    for (name, case, wanted) in cases {
        let ok = comes_through(case) == wanted;
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        failed += u32::from(!ok);
    }
    println!("\ntest result: {}. {} passed; {failed} failed", if failed == 0 { "ok" } else { "FAILED" }, 2 - failed);
    ExitCode::from(u8::from(failed > 0))
}

fn comes_through(case: &str) -> bool {
    let program = std::env::current_exe().expect("this test has a file");
    let output = Command::new(program).args(["child", case]).output().expect("this test starts itself");
    String::from_utf8_lossy(&output.stdout).contains(DONE)
}

fn child(case: &str) {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quiet-artefacts");
    let limits = Limits::default();
    let sandbox = Sandbox::start(&limits, env!("CARGO_BIN_EXE_signalbox").into(), cache).expect("the sandbox starts");
    let (plugins, text): (Vec<&[u8]>, _) = match case {
        "growing" => (vec![signalbox_test_guests::MISBEHAVE], "grow and grow"),
        _ => (
            signalbox_bundle::PLUGINS.iter().map(|bundled| bundled.wasm).collect(),
            "The VPN is down since 9am, nobody can work! Thanks for nothing.",
        ),
    };
    let steps = plugins.into_iter().map(|wasm| Step::plain(sandbox.load(wasm, None, &limits, Isolation::Fresh).expect("the plugin loads")));
    let chain = Chain::new("quiet".to_owned(), String::new(), steps.collect());
    // Short, usual and longest: what is in place must be enough for any event.
    let events = [text.to_owned(), text.repeat(9), text.repeat(200)].map(|text| {
        let event =
            serde_json::json!({ "id": "1", "text": text, "author": { "handle": "@ann", "followers": 12_000 }, "visibility": "public" });
        Arc::new(Event::from_json(event.to_string().as_bytes()).expect("a canonical event").event)
    });
    let backing = Backing::none();
    let run = |times: usize| {
        for event in events.iter().cycle().take(times) {
            let decision = chain.run(event, NOW, &backing).decision;
            assert!(!decision.degraded, "{:?}", decision.trace);
        }
    };
    run(300);
    forbid();
    run(900);
    // Whatever happens on the way out is not the event path.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(DONE.as_bytes()).and_then(|()| stdout.flush());
}

/// From here on, this thread dies of a change to the memory map.
fn forbid() {
    let calls = [libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mprotect].map(|call| (call, Vec::new()));
    let arch = std::env::consts::ARCH.try_into().expect("a machine that seccomp knows");
    let filter = SeccompFilter::new(calls.into(), SeccompAction::Allow, SeccompAction::KillProcess, arch).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a program");
    apply_filter(&program).expect("the kernel takes the filter");
}
