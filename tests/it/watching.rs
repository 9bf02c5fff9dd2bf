//! What an admin sees of a running host, and what it forgets: counters under names that no caller can add to, and erasure.

use std::fs;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use crate::desk::Desk;
use crate::harness::{SOON, SOURCES, TestHost, event, fresh, outage, prepared, until};
use crate::wire::{Request, call};

/// A sample's value; its labels as they are written.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn scrape(host: &TestHost) -> String {
    let answer = host.ask("/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    answer.text()
}

#[test]
fn every_call_and_every_step_is_counted() {
    let host = TestHost::with_misbehave("limits = { fuel = 5000000 }");
    let before = scrape(&host);
    assert_eq!(sample(&before, "signalbox_calls_total{source=\"demo\",result=\"decided\",reason=\"\"}"), Some(0.0));
    let repeated = event(&fresh("counted"), "hello");
    (0..2).for_each(|_| drop(host.post(repeated.clone()).decision()));
    host.decide("trap");
    host.decide("spin");
    host.post("no json").problem(400);
    let text = scrape(&host);
    let calls = |result: &str, reason: &str| {
        sample(&text, &format!("signalbox_calls_total{{source=\"demo\",result=\"{result}\",reason=\"{reason}\"}}"))
    };
    assert_eq!((calls("decided", ""), calls("repeated", ""), calls("refused", "syntax")), (Some(3.0), Some(1.0), Some(1.0)), "{text}");
    let step = |step: &str, outcome: &str| {
        sample(&text, &format!("signalbox_step_runs_total{{chain=\"default\",step=\"{step}\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!(
        (step("sentiment", "ran"), step("misbehave.wasm", "trapped"), step("misbehave.wasm", "out_of_fuel")),
        (Some(3.0), Some(1.0), Some(1.0)),
        "{text}"
    );
    let of = "{chain=\"default\",step=\"misbehave.wasm\"}";
    assert!(sample(&text, &format!("signalbox_step_fuel_total{of}")) > Some(5_000_000.0));
    assert_eq!(sample(&text, &format!("signalbox_step_seconds_count{of}")), Some(3.0));
    assert_eq!(sample(&text, "signalbox_call_seconds_count{source=\"demo\"}"), Some(4.0));
    assert_eq!(sample(&text, "signalbox_degraded_decisions_total{chain=\"default\"}"), Some(2.0));
    assert_eq!(sample(&text, &format!("signalbox_step_quarantined{of}")), Some(0.0));
    assert_eq!((sample(&text, "signalbox_places"), sample(&text, "signalbox_places_free")), (Some(256.0), Some(256.0)));
    assert_eq!((sample(&text, "signalbox_journal_faults_total"), sample(&text, "signalbox_setup_revision")), (Some(0.0), Some(1.0)));
    assert!(sample(&text, "process_resident_memory_bytes") > Some(1e6));
    // Whatever reads it, each family is declared once and before its samples.
    let families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let plain = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(families.contains(&name) || families.contains(&plain), "{line}");
    }
    assert!((1..families.len()).all(|at| !families[..at].contains(&families[at])));
}

#[test]
fn nobody_without_a_token_reads_them_and_no_caller_adds_a_name() {
    let host = TestHost::with_config(SOURCES);
    call(host.admin, &Request::new("GET", "/metrics")).problem(401);
    call(host.admin, &Request::new("GET", "/metrics").header("authorization", "Bearer guessed")).problem(401);
    assert_eq!(call(host.public, &Request::new("GET", "/metrics")).status, 404, "desks have no business with them");
    let lines = scrape(&host).lines().count();
    for n in 0..20 {
        call(host.public, &Request::post(&format!("/hooks/made-up-{n}"), "{}").json()).problem(404);
        let body = json!({ "id": fresh("named"), "text": "hi", "network": format!("made-up-{n}"), "kind": format!("made-up-{n}"), "author": { "handle": format!("made-up-{n}") } });
        host.post(body.to_string()).decision();
    }
    let text =
        until(SOON, "the counts", || Some(scrape(&host)).filter(|text| sample(text, "signalbox_unrouted_calls_total") == Some(20.0)));
    assert!(!text.contains("made-up"), "{text}");
    // The chain and its three steps have begun to count.
    let added = text.lines().filter(|line| line.contains("chain=\"default\"")).count();
    assert!(text.lines().count() <= lines + added, "{text}");
}

#[test]
fn an_admin_erases_an_event_and_an_author_and_the_log_does_not_say_whom() {
    let host = TestHost::with_config(SOURCES);
    let erase = |path: &str| call(host.admin, &Request::new("DELETE", path).header("authorization", &format!("Bearer {}", host.token())));
    let write =
        |id: &str, handle: &str| host.post(json!({ "id": id, "text": "hi", "author": { "handle": handle } }).to_string()).decision();
    let ids = [fresh("erased"), fresh("erased"), fresh("kept")];
    let handle = format!("@{}", fresh("ann"));
    let first = write(&ids[0], &handle);
    write(&ids[1], &handle);
    write(&ids[2], "@bob");
    assert_eq!(erase(&format!("/v1/events/demo/{}", ids[0])).json(), json!({ "events": 1 }));
    assert_eq!(host.rows(&ids[0]).len(), 0);
    host.ask(&format!("/v1/decisions/{}", first["id"].as_str().unwrap())).problem(404);
    erase(&format!("/v1/events/demo/{}", ids[0])).problem(404);
    erase(&format!("/v1/events/desk/{}", ids[1])).problem(404);
    assert_ne!(write(&ids[0], &handle)["id"], first["id"], "nothing knows it any more");
    assert_eq!(erase(&format!("/v1/authors/{}", handle.replace('@', "%40"))).json(), json!({ "events": 2 }));
    assert_eq!((host.rows(&ids[1]).len(), host.rows(&ids[2]).len()), (0, 1));
    let log = host.ask("/v1/audit?action=author.erase").text();
    assert!(log.contains("events of one author") && !log.contains(&handle), "{log}");
    assert!(!host.log().contains(&handle), "{}", host.log());
}

#[test]
fn events_are_kept_for_ever_unless_the_config_says_how_long() {
    let id = fresh("old");
    let mut host = TestHost::with_config(SOURCES);
    host.post(event(&id, "hello")).decision();
    host.restart();
    assert_eq!(host.rows(&id).len(), 1);
    // A day is the shortest there is, and today's event is younger.
    std::fs::write(host.dir.path().join("signalbox.toml"), format!("{SOURCES}[retention]\nevents_days = 1\n")).unwrap();
    host.restart();
    assert_eq!(host.rows(&id).len(), 1);
}

/// Every span that a collector got, with its attributes.
fn spans(collector: &Desk) -> Vec<Span> {
    let requests = collector.calls().into_iter().map(|call| {
        assert_eq!((call.path.as_str(), call.header("authorization")), ("/v1/traces", Some("Bearer of the collector")));
        ExportTraceServiceRequest::decode(call.body.as_slice()).unwrap()
    });
    requests.flat_map(|request| request.resource_spans).flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect()
}

#[test]
fn a_collector_gets_the_journey_of_an_event_and_none_of_its_words() {
    let collector = Desk::open();
    let traces = format!(
        "{SOURCES}[traces]\nurl = \"{}\"\nauthorization = \"file:collector.secret\"\nallow_private = [\"127.0.0.0/8\"]\n",
        collector.url("/v1/traces")
    );
    let dir = prepared(Some(&traces));
    fs::write(dir.path().join("collector.secret"), "Bearer of the collector").unwrap();
    let mut host = TestHost::in_dir(dir);
    let event = outage(&fresh("traced"));
    let decided = host.post(event.to_string()).decision();
    host.terminate();
    assert!(host.ended().success());
    let spans = spans(&collector);
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["chain", "claim", "event", "map", "record", "step", "step", "step"]);
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "one journey");
    let root = spans.iter().find(|span| span.name == "event").unwrap();
    let text = format!("{spans:?}");
    for word in [decided["id"].as_str().unwrap(), decided["generation"].as_str().unwrap(), "categorize@0.1.0", "demo"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    assert!(root.parent_span_id.is_empty() && root.end_time_unix_nano > root.start_time_unix_nano);
    for word in [event["text"].as_str().unwrap(), event["author"]["handle"].as_str().unwrap()] {
        assert!(!text.contains(word), "{word}");
    }
    let log = host.log();
    assert!(!log.contains("journey") && !log.contains("of the collector"), "{log}");
}

#[test]
fn a_collector_that_is_down_costs_traces_and_nothing_else() {
    let collector = Desk::open();
    collector.shut();
    let url = collector.url("/v1/traces");
    let mut host = TestHost::with_config(&format!("{SOURCES}[traces]\nurl = \"{url}\"\nallow_private = [\"127.0.0.0/8\"]\n"));
    (0..50).for_each(|_| drop(host.decide("all is well")));
    host.terminate();
    assert!(host.ended().success());
    assert_eq!(host.log().matches("traces do not arrive").count(), 1, "{}", host.log());
    assert!(collector.calls().is_empty());
}
