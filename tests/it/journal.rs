//! What the host has told a desk is durable: through a kill at any moment, and told plainly where a disk makes it impossible.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::harness::{SOON, SOURCES, TestHost, event, prepared, refused_in, signed, until};
use crate::wire::Connection;

/// What clients were told, over all rounds.
#[derive(Default)]
struct Told {
    /// Event to decision, for those that were answered with one.
    decided: BTreeMap<String, String>,
    /// Events that were answered with a receipt.
    accepted: BTreeSet<String>,
    /// Events that were sent and not answered.
    unanswered: BTreeSet<String>,
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_answered() {
    let mut host = TestHost::with_config(SOURCES);
    let told = Mutex::new(Told::default());
    // The moment of the kill, in answers since the start.
    for (round, moment) in [1, 2, 3, 7, 20, 45, 80, 121, 200, 333].into_iter().enumerate() {
        let answers = AtomicUsize::new(0);
        let public = host.public;
        std::thread::scope(|scope| {
            for (client, source) in ["desk", "receipts", "desk"].into_iter().enumerate() {
                let (answers, told) = (&answers, &told);
                scope.spawn(move || {
                    let Ok(mut connection) = Connection::open(public) else { return };
                    for at in 0..100_000 {
                        let id = format!("kill-{round}-{client}-{at}");
                        let answer = connection.call(&signed(source, &id, event(&id, "the VPN is down")));
                        let mut told = told.lock().unwrap();
                        let Ok(Some(answer)) = answer else {
                            told.unanswered.insert(id);
                            return;
                        };
                        match answer.status {
                            200 => drop(told.decided.insert(id, answer.json()["id"].as_str().unwrap().to_owned())),
                            202 => drop(told.accepted.insert(id)),
                            _ => panic!("{}", answer.text()),
                        }
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            until(SOON, "answers", || (answers.load(Ordering::Relaxed) >= moment).then_some(()));
            host.kill9();
        });
        host.start_again();
        intact(&host, &told.lock().unwrap());
    }

    let told = told.into_inner().unwrap();
    assert!(told.decided.len() > 300 && told.accepted.len() > 50, "{} decided, {} accepted", told.decided.len(), told.accepted.len());
    // A desk that saw no answer sends again: it gets a decision, and there is one.
    let again =
        |id: &str| Connection::open(host.public).unwrap().call(&signed(source(id), id, event(id, "the VPN is down"))).unwrap().unwrap();
    for id in &told.unanswered {
        assert!(matches!(again(id).status, 200 | 202), "{id}");
        until(SOON, "its decision", || (host.rows(id).len() == 1).then_some(()));
    }
    for (id, decision) in told.decided.iter().step_by(17) {
        let answer = again(id);
        assert_eq!(
            (answer.header("signalbox-duplicate"), answer.decision()["id"].as_str()),
            (Some("true"), Some(decision.as_str())),
            "{id}"
        );
    }
    host.restart();
    intact(&host, &told);
}

fn source(id: &str) -> &'static str {
    if id.split('-').nth(2) == Some("1") { "receipts" } else { "desk" }
}

/// Everything that was answered is in the journal once, as it was answered.
fn intact(host: &TestHost, told: &Told) {
    // Accepted events are decided after the start, in the background.
    let rows = until(SOON, "the accepted events' decisions", || {
        let rows = host.pages("", 200);
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["event"]["id"].as_str().unwrap()).collect();
        told.accepted.iter().all(|id| ids.contains(id.as_str())).then(|| rows.clone())
    });
    let mut kept = BTreeMap::new();
    for row in &rows {
        let word = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(kept.insert(word("/event/id"), word("/decision/id")), None, "{} is there twice", row["event"]["id"]);
    }
    for (id, decision) in &told.decided {
        assert_eq!(kept.get(id), Some(decision), "{id} was answered");
    }
    for id in kept.keys() {
        let known = told.decided.contains_key(id) || told.accepted.contains(id) || told.unanswered.contains(id);
        assert!(known, "{id} was never sent");
    }
}

#[test]
fn a_second_host_is_kept_out_of_the_directory() {
    let host = TestHost::start();
    let dir = prepared(None);
    let link = dir.path().join("data");
    fs::remove_dir_all(&link).unwrap();
    std::os::unix::fs::symlink(host.data(), &link).unwrap();
    let said = refused_in(&dir);
    assert!(said.contains("is in use by another signalbox"), "{said}");
    assert_eq!(host.post(event("still", "here")).status, 200);
}

#[test]
fn a_directory_that_cannot_be_one_is_told_with_its_name() {
    let dir = prepared(None);
    let data = dir.path().join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "a file").unwrap();
    let said = refused_in(&dir);
    assert!(said.contains(data.to_str().unwrap()) && said.contains("must be a directory"), "{said}");
    assert_eq!(fs::read_to_string(&data).unwrap(), "a file");
}

#[test]
fn a_directory_that_cannot_be_written_is_told_with_its_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = prepared(None);
    let data = dir.path().join("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(data.join("probe"), "").is_ok() {
        return; // the superuser is denied nothing
    }
    let said = refused_in(&dir);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(said.contains(data.to_str().unwrap()), "{said}");
}

#[test]
fn a_journal_that_is_none_is_not_overwritten() {
    let dir = prepared(None);
    let file = dir.path().join("data/signalbox.db");
    let foreign = "this is somebody's letter, not a database\n".repeat(200);
    fs::write(&file, &foreign).unwrap();
    let said = refused_in(&dir);
    assert!(said.contains("is damaged") && said.contains("restore a backup"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), foreign);
}

#[test]
fn a_port_that_is_taken_is_told_at_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = crate::harness::directory();
    let data = dir.path().join("data").display().to_string();
    for key in ["listen", "admin_listen"] {
        let other = if key == "listen" { "--admin-listen" } else { "--listen" };
        let output = crate::harness::signalbox(&[&format!("--{}", key.replace('_', "-")), &address, other, "127.0.0.1:0", "--data", &data]);
        let said = crate::harness::complaint(&output);
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains(&format!("cannot listen on {address}")) && said.contains(&format!("`{key}`")), "{said}");
    }
}

#[test]
fn artefacts_that_were_tampered_with_are_made_again() {
    let mut host = TestHost::start();
    let first = host.post(event("before", "the VPN is down")).decision();
    host.terminate();
    host.ended();
    for file in fs::read_dir(host.data().join("artefacts"))
        .unwrap()
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|end| end == "cwasm"))
    {
        let mut bytes = fs::read(file.path()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        // The file may be a link to the suite's own: it is replaced, not written into.
        fs::remove_file(file.path()).unwrap();
        fs::write(file.path(), bytes).unwrap();
    }
    host.start_again();
    assert!(host.log().contains("does not match its digest"), "{}", host.log());
    let second = host.post(event("after", "the VPN is down")).decision();
    assert_eq!((&second["generation"], &second["category"]), (&first["generation"], &first["category"]));
}
