//! A fault at every system call by which something becomes durable or leaves: the host dies there, or the call fails.
//!
//! `strace` puts the fault in, so that nothing of the host is built for it. One event goes in at the hook and out to a desk; the fault moves
//! one call further each round, from the host's start on, until the whole way is behind it.

use std::fs;
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::figure;
use crate::harness::{SOON, SOURCES, TestHost, event, prepared, signalbox, until};
use crate::wire::{Connection, Request};

/// Calls that make something durable, or carry an answer or a decision out.
const CALLS: [&str; 7] = ["pwrite64", "fsync", "fdatasync", "ftruncate", "writev", "sendto", "unlink"];
/// Rounds of one call; the way of one event is far shorter.
const MOST: usize = 80;

/// A host with a desk, whose journal is in place.
fn host() -> (Desk, TestHost) {
    let desk = Desk::open();
    let retry = "retry = { attempts = 1000, base_s = 0.01, max_s = 0.05 }";
    let sink =
        format!("[sinks.desk]\nurl = \"{}\"\nsecret = \"file:desk.secret\"\nallow_private = [\"127.0.0.1\"]\n{retry}\n", desk.url("/in"));
    let mut host = TestHost::in_dir(prepared(Some(&format!("{SOURCES}{sink}"))));
    host.decide("all is well");
    host.terminate();
    assert!(host.ended().success());
    (desk, host)
}

/// Effects at the desk that are about this event.
fn told(desk: &Desk, id: &str) -> usize {
    desk.effects().iter().filter(|call| call.json()["subject"] == id).count()
}

/// Sends one event; the decision's id, when there was an answer with one.
fn send(host: &TestHost, id: &str) -> Option<String> {
    let request = Request::post("/hooks/demo", event(id, "the VPN is down")).json();
    let answer = Connection::open(host.public).and_then(|mut connection| connection.call(&request)).ok()??;
    assert!(matches!(answer.status, 200 | 503), "{}", answer.text());
    (answer.status == 200).then(|| answer.json()["id"].as_str().unwrap().to_owned())
}

/// Lets one event go its way with a fault at the `nth` of these calls of any thread, and sees that it is decided and told once in the
/// end. Says whether the fault came to be.
fn round(desk: &Desk, host: &mut TestHost, call: &str, fault: &str, nth: usize) -> bool {
    let (under, log) = (host.dir.path().join("under"), host.dir.path().join("strace"));
    let log_name = log.display().to_string();
    // Words are told apart by spaces there, and the suite's directories have one in their name.
    let short = std::env::temp_dir().join(format!("signalbox-strace-{}", std::process::id()));
    let _ = fs::remove_file(&short);
    std::os::unix::fs::symlink(&log, &short).unwrap();
    let _ = fs::remove_file(&log_name);
    fs::write(&under, format!("strace -D -f -qq -o {} -e trace={call} -e inject={call}:{fault}:when={nth}", short.display())).unwrap();
    let id = format!("{call}-{}-{nth}", fault.replace([':', '='], "-"));
    let mut answered = None;
    if host.try_again() {
        answered = send(host, &id);
        let end = Instant::now() + Duration::from_secs(if answered.is_some() { 3 } else { 0 });
        while told(desk, &id) == 0 && !host.has_ended() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        // What the host writes down of the delivery comes behind it.
        std::thread::sleep(Duration::from_millis(150));
        if fault.starts_with("error") && !host.has_ended() {
            // One call has failed and the next do not: the host goes on by itself.
            until(SOON, "a calm answer", || send(host, &format!("{id}-after")));
        }
    }
    let hit = fault.starts_with("signal") && host.has_ended() || fs::read_to_string(&log).unwrap_or_default().contains("(INJECTED)");
    if !host.has_ended() {
        host.kill9();
    }
    fs::remove_file(&under).unwrap();
    fs::remove_file(&short).unwrap();
    host.start_again();
    // A desk that saw no answer sends again.
    let decision = until(SOON, "a decision", || send(host, &id));
    assert!(answered.is_none_or(|answered| answered == decision), "{id} was answered with another decision");
    assert_eq!(host.rows(&id).len(), 1, "{id} is decided once");
    until(SOON, "the delivery", || (told(desk, &id) > 0).then_some(()));
    host.kill9();
    assert_eq!(told(desk, &id), 1, "{id} is told once");
    hit
}

/// Every round of every call with one fault; how many there were.
fn sweep(fault: &str) -> usize {
    let (desk, mut host) = host();
    let mut rounds = 0;
    for call in CALLS {
        // Each thread counts its own calls, so that a number may be nobody's and the next one somebody's again.
        let mut missed = 0;
        for nth in 1..=MOST {
            if round(&desk, &mut host, call, fault, nth) {
                rounds += 1;
                missed = 0;
            } else {
                missed += 1;
            }
            if missed == 3 {
                break;
            }
        }
    }
    let output = signalbox(&["doctor", "--data", &host.data().display().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    rounds
}

#[test]
fn a_kill_at_every_call_loses_and_doubles_nothing() {
    let rounds = sweep("signal=KILL");
    assert!(rounds > 20, "{rounds}");
    figure(
        "`kill -9` at every single write, sync, truncation and send from start to delivery: points; lost; doubled",
        &format!("{rounds}; 0; 0"),
    );
}

#[test]
fn a_failure_of_every_call_is_answered_and_survived() {
    let mut rounds = 0;
    for error in ["error=EIO", "error=ENOSPC"] {
        rounds += sweep(error);
    }
    assert!(rounds > 40, "{rounds}");
    figure(
        "the Nth write, sync, truncation or send fails (EIO, ENOSPC): points; lost; doubled; hosts that did not go on by themselves",
        &format!("{rounds}; 0; 0; 0"),
    );
}
