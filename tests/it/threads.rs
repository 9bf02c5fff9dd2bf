//! Messages in company: those of one thread are decided in the order they came, those that say the same are related to the first, and those
//! that name an open incident to that.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{SOON, SOURCES, TestHost, event, fresh, signed, steps, until};
use crate::tables::replay;
use crate::wire::{Request, call};
use crate::workflow::{host_at, now, send, tell};

/// A message of a thread by an author.
fn message(id: &str, thread: &str, author: &str, text: &str) -> String {
    json!({ "id": id, "thread_id": thread, "author": { "id": author }, "text": text }).to_string()
}

/// A host on which the text `spin` takes a while to be decided.
fn slow() -> TestHost {
    let config = steps("").replace("[sources.desk]", "[limits]\nfuel = 1000000000000\nwall_ms = 1500\n[sources.desk]");
    TestHost::with_config(&config)
}

fn free(host: &TestHost) -> u64 {
    let page = host.ask("/metrics").text();
    page.lines().find_map(|line| line.strip_prefix("signalbox_places_free ")).unwrap().parse().unwrap()
}

#[test]
fn messages_of_one_thread_and_author_are_decided_in_order_and_others_do_not_wait() {
    let host = slow();
    let all = free(&host);
    let (first, second, other) = (fresh("first"), fresh("second"), fresh("other"));
    let answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let told = host.post(message(&first, "t", "ann", "spin"));
            assert!(told.status == 200 || told.status == 202, "{}", told.text());
            answered.store(true, Ordering::Relaxed);
        });
        until(SOON, "the first is in work", || (free(&host) < all).then_some(()));
        // Another author, another thread, no thread at all: none of them waits.
        for free in [message(&other, "t", "bob", "hello"), message(&fresh("other"), "u", "ann", "hello"), event(&fresh("other"), "hello")] {
            assert_eq!(host.post(free).status, 200);
        }
        assert!(!answered.load(Ordering::Relaxed) && host.rows(&first).is_empty(), "the first one takes its time");
        host.post(message(&second, "t", "ann", "hello"));
        assert_eq!(host.rows(&first).len(), 1, "the second was decided behind the first");
    });
    let outcome = &host.rows(&first)[0]["decision"]["trace"][2]["outcome"];
    assert_eq!(outcome, "timed_out", "it was slow indeed");
}

#[test]
fn receipts_do_not_wait_for_their_turn_and_the_order_outlives_a_kill() {
    let mut host = slow();
    let ids: Vec<String> = (0..3).map(|_| fresh("message")).collect();
    let texts = ["spin", "hello", "hello again"];
    for (id, text) in ids.iter().zip(texts).take(2) {
        let told = call(host.public, &signed("receipts", id, message(id, "t", "ann", text)));
        assert_eq!(told.status, 202, "{}", told.text());
    }
    assert!(host.rows(&ids[0]).is_empty(), "both have their receipts before anything is decided");
    host.kill9();
    host.start_again();
    assert_eq!(call(host.public, &signed("receipts", &ids[2], message(&ids[2], "t", "ann", texts[2]))).status, 202);
    for at in [1, 2] {
        until(SOON, "the next decision", || (!host.rows(&ids[at]).is_empty()).then_some(()));
        assert_eq!(host.rows(&ids[at - 1]).len(), 1, "{at} came behind the one before it");
    }
}

const OUTAGE: &str = "the VPN has been down since nine and nobody in the office can work";

/// What an event's decision is linked to: kind and id.
fn links(decision: &Value) -> Vec<(String, String)> {
    let word = |link: &Value, key: &str| link[key].as_str().unwrap_or_default().to_owned();
    decision["links"].as_array().into_iter().flatten().map(|link| (word(link, "kind"), word(link, "id"))).collect()
}

fn say(host: &TestHost, id: &str, author: &str, text: &str) -> Value {
    host.post(json!({ "id": id, "author": { "id": author }, "text": text }).to_string()).decision()
}

/// No link at all.
fn none() -> Vec<(String, String)> {
    Vec::new()
}

fn like(kind: &str, id: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), id.to_owned())]
}

/// An attribute of an event, as it was recorded.
fn attribute(host: &TestHost, id: &str, key: &str) -> Value {
    let row = &host.rows(id)[0]["event"]["attributes"];
    let found = row.as_array().into_iter().flatten().find(|one| one["key"] == key);
    found.map(|one| one["value"]["value"].clone()).unwrap_or_default()
}

#[test]
fn what_says_the_same_is_related_to_the_first_and_what_a_desk_says_of_that_is_not_believed() {
    let mut host = TestHost::with_config(&format!("{SOURCES}[[steps]]\nplugin = \"escalate\"\n"));
    let [first, second, third, twice, own] = ["first", "second", "third", "twice", "own"].map(fresh);
    assert_eq!(links(&say(&host, &first, "ann", &format!("@acme {OUTAGE}!"))), none());
    let shouted = format!("RT @bob: {} https://example.com/i/7", OUTAGE.to_uppercase());
    assert_eq!(links(&say(&host, &second, "bob", &shouted)), like("similar", &first));
    assert_eq!(links(&say(&host, &own, "ann", "the printer on the third floor eats paper and nobody can print")), none());
    host.kill9();
    host.start_again();
    assert_eq!(links(&say(&host, &third, "cho", OUTAGE)), like("similar", &first), "also after a restart");
    assert_eq!(attribute(&host, &third, "similar-to"), json!(first));
    assert_eq!((attribute(&host, &third, "similar-count"), attribute(&host, &third, "similar-score")), (json!(2), json!(1.0)));
    assert_eq!(links(&say(&host, &twice, "ann", OUTAGE)), like("duplicate_of", &first), "its own author says it again");
    // The same event is the same decision, and a desk cannot say what is like what.
    assert_eq!(links(&say(&host, &second, "bob", &shouted)), like("similar", &first));
    let spoofed = json!({ "id": fresh("spoof"), "text": "hello there", "attributes": [{ "key": "similar-to", "value": { "type": "text", "value": "x" } }] });
    assert_eq!(links(&host.post(spoofed.to_string()).decision()), none());
    // A replay is told the same, and what was erased is nobody's first.
    let report = replay(&host, &json!({ "setup": host.ask("/v1/setup").json()["setup"].clone() }));
    assert_eq!(report["changed"], 0, "{report}");
    for id in [&first, &second, &third, &twice] {
        let request = Request::new("DELETE", &format!("/v1/events/demo/{id}")).header("authorization", &format!("Bearer {}", host.token()));
        assert_eq!(call(host.admin, &request).status, 200);
    }
    assert_eq!(links(&say(&host, &fresh("later"), "dee", OUTAGE)), none());
}

#[test]
fn the_window_ends_a_ticket_is_linked_by_its_own_key_and_zero_hours_are_none() {
    let host = host_at(&format!("{SOURCES}[[steps]]\nplugin = \"escalate\"\n"), "2026-03-27T09:00:00Z");
    for ticket in [11, 12] {
        let zammad = tell(&host, ticket, ticket, "new", Some("Customer")).decision();
        assert_eq!(links(&zammad), if ticket == 11 { Vec::new() } else { like("duplicate_of", "11") });
    }
    now(&host, "2026-03-28T09:00:01Z");
    assert_eq!(links(&tell(&host, 13, 13, "new", Some("Customer")).decision()), none(), "a day later it is another matter");
    let off = TestHost::with_config(&format!("{SOURCES}[workflow]\nsimilar_hours = 0\n[[steps]]\nplugin = \"escalate\"\n"));
    for _ in 0..2 {
        assert_eq!(links(&say(&off, &fresh("event"), "ann", OUTAGE)), none());
    }
}

#[test]
fn a_known_outage_groups_its_complaints_while_it_is_open() {
    let host = TestHost::with_config(&format!("{SOURCES}[[steps]]\nplugin = \"escalate\"\n"));
    assert_eq!(send(&host, "PUT", "/v1/tables/incidents", r#"{"schema": null}"#).status, 200);
    let row = r#"{"title": "VPN gateway", "service": "VPN", "words": ["remote access"]}"#;
    assert_eq!(send(&host, "PUT", "/v1/tables/incidents/rows/INC-7", row).status, 200);
    let named = fresh("named");
    assert_eq!(links(&say(&host, &named, "ann", "My vpn is gone again!")), like("incident", "INC-7"));
    assert_eq!(attribute(&host, &named, "incidents"), json!(["INC-7"]));
    assert_eq!(links(&say(&host, &fresh("other"), "bob", "No remote-access since nine")), like("incident", "INC-7"));
    for unlike in ["the mail is slow", "vpns are a fine thing"] {
        assert_eq!(links(&say(&host, &fresh("unlike"), "cho", unlike)), none(), "{unlike}");
    }
    assert_eq!(send(&host, "DELETE", "/v1/tables/incidents/rows/INC-7", "").status, 204);
    assert_eq!(links(&say(&host, &fresh("later"), "dee", "Has anybody else lost the VPN today?")), none());
    let report = replay(&host, &json!({ "setup": host.ask("/v1/setup").json()["setup"].clone() }));
    assert_eq!(report["changed"], 0, "{report}");
}
