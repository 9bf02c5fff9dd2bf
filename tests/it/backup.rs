//! The journal as a whole: copied while a host works, put back, and looked at; what is damaged or in the way is refused.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::harness::{SOURCES, TestHost, complaint, directory, event, fresh, prepared, signalbox};

/// A command about a data directory: its exit code and what it said.
fn typed(arguments: &[&str], data: &Path) -> (Option<i32>, String) {
    let output = signalbox(&[arguments, &["--data", data.to_str().unwrap()]].concat());
    (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap() + &complaint(&output))
}

#[test]
fn a_copy_taken_at_work_becomes_a_host_with_the_same_decisions() {
    let host = TestHost::with_config(SOURCES);
    let decide = |at: usize| host.post(event(&format!("kept-{at}"), &format!("the VPN is down, {at}"))).decision();
    let before: Vec<Value> = (0..20).map(decide).collect();
    let room = directory();
    let copy = room.path().join("copy.db");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                host.post(event(&fresh("beside"), "hello")).decision();
            }
        });
        let (code, said) = typed(&["backup", copy.to_str().unwrap()], &host.data());
        done.store(true, Ordering::Relaxed);
        assert!(code == Some(0) && said.contains("events") && said.contains("decisions"), "{said}");
    });
    let (code, said) = typed(&["doctor"], &host.data());
    assert!(code == Some(0) && said.contains("a host runs on it") && said.contains("the journal is sound"), "{said}");

    let dir = prepared(Some(SOURCES));
    let data = dir.path().join("data");
    let journal = data.join("signalbox.db");
    for file in ["signalbox.db", "signalbox.db-wal", "signalbox.db-shm"] {
        let _ = fs::remove_file(data.join(file));
    }
    assert_eq!(typed(&["restore", copy.to_str().unwrap()], &data).0, Some(0));
    assert!(journal.exists());
    let other = TestHost::in_dir(dir);
    for decision in &before {
        let rows = other.rows(decision["event_id"].as_str().unwrap());
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(&rows[0]["decision"], decision);
    }
    let again = other.post(event("kept-7", "the VPN is down, 7"));
    assert_eq!(again.header("signalbox-duplicate"), Some("true"), "a claim is kept with its decision");
}

#[test]
fn nothing_is_overwritten_and_nothing_damaged_is_put_back() {
    let mut host = TestHost::with_config(SOURCES);
    host.decide("hello");
    let room = directory();
    let (copy, data) = (room.path().join("copy.db"), host.data());
    let backup = ["backup", copy.to_str().unwrap()];
    assert_eq!(typed(&backup, &data).0, Some(0));
    let (code, said) = typed(&backup, &data);
    assert!(code == Some(1) && said.contains("overwrites nothing"), "{said}");
    let restore = ["restore", copy.to_str().unwrap()];
    let (code, said) = typed(&restore, &data);
    assert!(code == Some(1) && said.contains("another"), "a host holds the directory: {said}");
    host.terminate();
    host.ended();
    let (code, said) = typed(&restore, &data);
    assert!(code == Some(1) && said.contains("move it away first"), "{said}");

    let mut bytes = fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    fs::write(&copy, bytes).unwrap();
    let empty = directory();
    let (code, said) = typed(&restore, empty.path());
    assert!(code == Some(1) && !empty.path().join("signalbox.db").exists(), "{said}");
    let (code, said) = typed(&["backup", room.path().join("other.db").to_str().unwrap()], empty.path());
    assert!(code == Some(1) && said.contains("there is no such file"), "{said}");
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let mut host = TestHost::with_config(SOURCES);
    host.decide("hello");
    host.terminate();
    host.ended();
    let (data, journal) = (host.data(), host.data().join("signalbox.db"));
    assert_eq!(typed(&["doctor"], &data).0, Some(0));
    let mut bytes = fs::read(&journal).unwrap();
    bytes[100..4_000].fill(0xff);
    fs::write(&journal, bytes).unwrap();
    let (code, said) = typed(&["doctor"], &data);
    assert!(code == Some(1) && said.contains("WRONG") && said.contains("signalbox restore"), "{said}");
    let (code, said) = typed(&["doctor"], &data.join("nowhere"));
    assert!(code == Some(1) && said.contains("there is no data directory"), "{said}");
}

#[test]
fn a_letter_that_became_another_one_is_an_error_and_never_an_answer() {
    let mut host = TestHost::with_config(SOURCES);
    host.decide("the letter that turns is here");
    host.terminate();
    assert!(host.ended().success());
    let file = host.data().join("signalbox.db");
    assert_eq!(typed(&["doctor"], &host.data()).0, Some(0), "it was sound");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(10).position(|window| window == b"the letter").unwrap();
    bytes[at + 4] = b'b';
    fs::write(&file, bytes).unwrap();
    let (code, said) = typed(&["doctor"], &host.data());
    assert!(code == Some(1) && said.contains("is not what was written"), "{said}");
    host.start_again();
    let refused = host.ask("/v1/decisions");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(!refused.text().contains("better"), "{}", refused.text());
}
