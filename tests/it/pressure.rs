//! More than fits, longer than a caller waits, and a stop in the middle: what is promised is kept, the rest is told at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::bad_call::lines;
use crate::harness::{SOON, SOURCES, TestHost, event, fresh, signed, steps, until};
use crate::wire::{Answer, Connection, Request};

/// A chain that takes far longer than its callers wait: the misbehaving step burns its fuel, some 50 to 200 ms.
fn sluggish() -> TestHost {
    TestHost::with_config(&format!("[server]\ninline_budget_ms = 10\n[limits]\nfuel = 1000000000\nwall_ms = 5000\n{}", steps("")))
}

/// Sends everything but the body, and returns when the host has asked for it: from then on the request is under way.
fn under_way(host: &TestHost, request: &Request) -> (Connection, Vec<u8>) {
    let mut connection = Connection::open(host.public).unwrap();
    let mut bytes = request.clone().header("expect", "100-continue").bytes();
    let body = bytes.split_off(bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4);
    connection.write(&bytes).unwrap();
    assert_eq!(connection.read().unwrap().unwrap().status, 100);
    (connection, body)
}

#[test]
fn what_a_flood_was_told_is_true() {
    const CONNECTIONS: usize = 8;
    let host = TestHost::with_config(&SOURCES.replacen("max_per_second = 100000", "max_per_second = 1500", 1));
    let line = lines().find(|line| line.group == "rate").unwrap();
    let next = AtomicUsize::new(0);
    let answered: Vec<(String, Answer)> = std::thread::scope(|scope| {
        let stream = || {
            let mut connection = Connection::open(host.public).unwrap();
            let mut answered = Vec::new();
            while let copy @ ..5_000 = next.fetch_add(1, Ordering::Relaxed) {
                let id = format!("flood-{copy}");
                let request = signed("desk", &fresh("flood"), line.text().replace("evt-1", &id).replace("\"a1\"", &format!("\"{id}\"")));
                answered.push((id, connection.call(&request).unwrap().unwrap()));
            }
            answered
        };
        let streams: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(stream)).collect();
        streams.into_iter().flat_map(|stream| stream.join().unwrap()).collect()
    });
    assert_eq!(answered.len(), line.repeat);
    let (taken, shed): (Vec<_>, Vec<_>) = answered.into_iter().partition(|(_, answer)| answer.status == 200);
    for (id, answer) in &shed {
        assert!(matches!(answer.status, 429 | 503), "{id}: {} {}", answer.status, answer.text());
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let key = |id: &Value, decision: &Value| format!("{id} {decision}");
    let told: BTreeSet<String> = taken.iter().map(|(id, answer)| key(&json!(id), &answer.json()["id"])).collect();
    let rows = host.pages("source=desk", 200);
    let kept: BTreeSet<String> = rows.iter().map(|row| key(&row["event"]["id"], &row["decision"]["id"])).collect();
    assert_eq!((told.len(), rows.len()), (taken.len(), taken.len()), "nothing twice");
    assert!(told == kept, "lost: {:?}", told.difference(&kept).take(3).collect::<Vec<_>>());
    assert!(taken.len() >= 3_000, "the burst alone is 3,000, and {} were taken", taken.len());
    eprintln!("flood: {} taken, {} shed", taken.len(), shed.len());
}

#[test]
fn when_all_places_are_taken_the_next_caller_is_told_to_come_again() {
    // One place, and a plugin that holds it for some seconds.
    let host = TestHost::with_config(&format!(
        "[server]\nmax_in_flight = 1\n[limits]\nfuel = 100000000000\nwall_ms = 3000\n{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\n"
    ));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| host.signed(event("held", "spin")));
        until(SOON, "no place left", || (host.ask("/readyz").status == 503).then_some(()));
        let shed = host.signed(event("shed", "hi"));
        shed.problem(503);
        assert_eq!(shed.header("retry-after"), Some("1"));
        assert_eq!(host.ask("/v1/about").status, 200, "the admin's door is another one");
        assert!(matches!(held.join().unwrap().status, 200 | 202));
    });
    until(SOON, "a free place", || (host.signed(event("shed", "hi")).status == 200).then_some(()));
    until(SOON, "both decisions", || (host.pages("", 200).len() == 2).then_some(()));
}

#[test]
fn a_caller_that_has_not_proved_itself_takes_no_place() {
    let host = TestHost::with_config(&format!("[server]\nmax_in_flight = 1\n{SOURCES}"));
    let slow: Vec<_> = (0..4).map(|at| under_way(&host, &signed("desk", &fresh("slow"), event(&format!("slow-{at}"), "hi")))).collect();
    host.signed(event("quick", "hi")).decision();
    for (mut connection, body) in slow {
        connection.write(&body).unwrap();
        connection.read().unwrap().unwrap().decision();
    }
}

#[test]
fn when_all_connections_are_taken_the_next_one_waits_and_is_served() {
    let host = TestHost::with_config(&format!("[server]\nmax_connections = 2\n{SOURCES}"));
    let held: Vec<Connection> = (0..2)
        .map(|_| {
            let mut connection = Connection::open(host.public).unwrap();
            connection.call(&Request::new("GET", "/healthz")).unwrap().unwrap();
            connection
        })
        .collect();
    let mut waiting = Connection::open(host.public).unwrap();
    waiting.write(&Request::new("GET", "/healthz").bytes()).unwrap();
    assert!(!waiting.stirs(Duration::from_millis(200)), "there is no place yet");
    drop(held);
    assert_eq!(waiting.read().unwrap().unwrap().status, 200);
}

#[test]
fn requests_of_one_connection_are_answered_in_their_order() {
    let host = TestHost::with_config(SOURCES);
    let mut connection = Connection::open(host.public).unwrap();
    let ids: Vec<String> = (0..20).map(|at| format!("pipe-{at}")).collect();
    let bytes: Vec<u8> = ids.iter().flat_map(|id| signed("desk", id, event(id, "hi")).bytes()).collect();
    connection.write(&bytes).unwrap();
    for id in ids {
        assert_eq!(connection.read().unwrap().unwrap().decision()["event_id"], id);
    }
}

#[test]
fn a_caller_that_cannot_wait_gets_a_receipt_and_the_decision_later() {
    let host = sluggish();
    let id = fresh("slow");
    let receipt = host.post(event(&id, "spin"));
    assert_eq!((receipt.status, &receipt.json()["status"]), (202, &json!("accepted")), "{}", receipt.text());
    // A copy that comes meanwhile is no second run: it is told to come again, or finds the decision made.
    let copy = host.post(event(&id, "spin"));
    assert!(matches!(copy.status, 200 | 503), "{} {}", copy.status, copy.text());
    let row = until(SOON, "its decision", || host.rows(&id).pop());
    assert_eq!((&row["decision"]["trace"][2]["outcome"], host.rows(&id).len()), (&json!("out_of_fuel"), 1));
    let again = host.post(event(&id, "spin"));
    assert_eq!((again.header("signalbox-duplicate"), again.decision()), (Some("true"), row["decision"].clone()));
}

#[test]
fn what_was_accepted_before_a_stop_is_decided_after_it() {
    let mut host = sluggish();
    let ids: Vec<String> = (0..12).map(|_| fresh("accepted")).collect();
    for id in &ids {
        let answer = host.post(event(id, "spin"));
        assert!(matches!(answer.status, 200 | 202), "{} {}", answer.status, answer.text());
    }
    host.restart();
    for id in &ids {
        let rows: Vec<Value> = until(SOON, "its decision", || Some(host.rows(id)).filter(|rows| !rows.is_empty()));
        assert_eq!(rows.len(), 1, "{id}");
    }
}

#[test]
fn a_stop_lets_the_request_under_way_finish_and_takes_no_other() {
    let mut host = TestHost::with_config(SOURCES);
    let request = signed("desk", "last", event("last", "the last word"));
    let (mut connection, body) = under_way(&host, &request);
    host.terminate();
    until(SOON, "a closed door", || Connection::open(host.public).err());
    connection.write(&body).unwrap();
    let answer = connection.read().unwrap().unwrap();
    assert_eq!(answer.decision()["event_id"], "last");
    assert!(connection.stirs(Duration::from_secs(5)) && connection.read().unwrap().is_none(), "the connection ends after it");
    assert_eq!(host.ended().code(), Some(0), "{}", host.log());
    host.start_again();
    assert_eq!(host.rows("last")[0]["decision"], answer.decision());
    assert!(!host.log().contains("unclean"), "{}", host.log());
}

#[test]
fn a_stop_right_after_the_start_is_orderly_too() {
    let mut host = TestHost::start();
    host.terminate();
    assert_eq!(host.ended().code(), Some(0), "{}", host.log());
}
