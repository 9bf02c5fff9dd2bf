//! Reports over what a real host was told: their sums are those of a count by hand, as JSON, as CSV and on the command line.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{SOON, SOURCES, TestHost, ZAMMAD_KEY, complaint, fresh, prepared, signalbox, until, zammad};
use crate::wire::{Answer, call};

/// The whole bundled chain, with two hours to answer.
const CHAIN: &str = r#"
[[steps]]
plugin = "categorize"
[[steps]]
plugin = "sentiment"
[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "outages"
when = { category = ["outage"] }
then = { queue = "Operations", priority = "high", level = 2, audience = ["on-call"], sla = [{ clock = "first_response", target_seconds = 7200 }] }
[[steps.config.routes]]
id = "all"
then = { queue = "Desk", priority = "normal", sla = [{ clock = "first_response", target_seconds = 7200 }, { clock = "resolution", target_seconds = 86400 }] }
"#;

const OUTAGE: &str = "The VPN has been down since 9am and nobody in the office can work. Unacceptable!";
const THANKS: &str = "Thank you so much, your support team is wonderful, I love it";
const QUESTION: &str = "How do I reset my password?";

/// The same without clocks: nothing is decided again while hours pass.
fn timeless() -> String {
    let lines = CHAIN.lines().map(|line| line.split_once(", sla = ").map_or(line.to_owned(), |(before, _)| format!("{before} }}")));
    lines.collect::<Vec<_>>().join("\n")
}

fn host_at(config: &str, moment: &str) -> TestHost {
    let dir = prepared(Some(config));
    fs::write(dir.path().join("clock"), moment).unwrap();
    TestHost::in_dir(dir)
}

fn now(host: &TestHost, moment: &str) {
    let (new, clock) = (host.dir.path().join("clock.new"), host.dir.path().join("clock"));
    fs::write(&new, moment).unwrap();
    fs::rename(new, clock).unwrap();
}

/// A report's rows.
fn rows(host: &TestHost, path: &str) -> Vec<Value> {
    let answer = host.ask(&format!("/v1/reports/{path}"));
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let report = answer.json();
    assert_eq!(report["behind"], 0);
    report["rows"].as_array().unwrap().clone()
}

/// The rows as sums: by the text of some keys.
fn sums(rows: &[Value], keys: &[&str], count: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let key = keys.iter().map(|key| row[key].as_str().unwrap_or_else(|| panic!("{key} of {row}"))).collect::<Vec<_>>().join(" ");
        *sums.entry(key).or_default() += row[count].as_u64().unwrap();
    }
    sums
}

/// What a report about these decisions must say, worked out from the answers.
#[derive(Default)]
struct ByHand {
    counts: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

impl ByHand {
    fn note(&mut self, what: &'static str, key: String) {
        *self.counts.entry(what).or_default().entry(key).or_default() += 1;
    }

    fn take(&mut self, decision: &Value, hour: &str, network: &str) {
        let text = |pointer: &str| decision.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        self.note("network", format!("{hour} {network}"));
        self.note("category", format!("{hour} {}", text("/category/key")));
        self.note("sentiment", format!("{hour} {}", text("/sentiment/label")));
        self.note("priority", format!("{hour} {}", text("/priority")));
        self.note("source", format!("{hour} {}", text("/source")));
        let level = decision["escalation"]["level"].as_u64().unwrap();
        if level > 0 {
            self.note("escalations", format!("level {level}"));
        }
        for audience in decision["escalation"]["audience"].as_array().into_iter().flatten() {
            self.note("escalations", format!("audience {}", audience.as_str().unwrap()));
        }
        for entry in decision["trace"].as_array().unwrap() {
            let step = entry["plugin"].as_str().unwrap();
            self.note("runs", step.to_owned());
            let set = entry["set"].as_array().cloned().unwrap_or_default();
            if !set.is_empty() {
                self.note("acted", step.to_owned());
            }
            for set in set {
                self.note("reasons", format!("{} {step} {}", set["field"].as_str().unwrap(), set["rule_id"].as_str().unwrap_or_default()));
            }
        }
    }
}

#[test]
fn totals_are_those_of_a_count_by_hand_before_and_after_a_kill() {
    let mut host = host_at(&format!("{SOURCES}{}", timeless()), "2026-03-27T09:10:00Z");
    let mut hand = ByHand::default();
    let hours = [("2026-03-27T09:10:00Z", "2026-03-27T09:00:00.000Z"), ("2026-03-27T23:59:59Z", "2026-03-27T23:00:00.000Z")];
    for (moment, hour) in hours {
        now(&host, moment);
        for (text, network) in [(OUTAGE, "mastodon"), (OUTAGE, "x"), (THANKS, "x"), (QUESTION, "email"), (QUESTION, "x")] {
            let sent = json!({ "id": fresh("event"), "text": text, "network": network }).to_string();
            hand.take(&host.post(sent.clone()).decision(), hour, network);
            assert_eq!(host.post(sent).header("signalbox-duplicate"), Some("true"), "a repeat counts once");
        }
        let id = hand.counts["network"].len() as u32;
        hand.take(&tell(&host, id, &ticket(id, "new", "1 low", "Users"), Some("Customer")).decision(), hour, "email");
    }
    let check = |host: &TestHost, when: &str| {
        let span = "from=2026-03-27T09:00:00Z&to=2026-03-28T00:00:00Z";
        for by in ["network", "category", "sentiment", "priority", "source"] {
            let found = rows(host, &format!("volume?{span}&bucket=hour&by={by}"));
            assert_eq!(sums(&found, &["at", "name"], "messages"), hand.counts[by], "{by}, {when}");
        }
        let of_demo = rows(host, &format!("volume?{span}&source=demo"));
        assert_eq!(sums(&of_demo, &["at"], "messages"), BTreeMap::from([("2026-03-27T00:00:00.000Z".to_owned(), 10)]), "{when}");
        assert_eq!(sums(&rows(host, &format!("escalations?{span}")), &["by", "name"], "decisions"), hand.counts["escalations"], "{when}");
        let rules = rows(host, &format!("rules?{span}"));
        assert_eq!(sums(&rules, &["step"], "runs"), hand.counts["runs"], "{when}");
        assert_eq!(sums(&rules, &["step"], "acted"), hand.counts["acted"], "{when}");
        assert!(rules.iter().all(|row| row["faults"] == 0 && row["mean_micros"].as_u64() > Some(0) && row["mean_fuel"].as_u64() > Some(0)));
        assert_eq!(
            sums(&rows(host, &format!("reasons?{span}&limit=1000")), &["field", "step", "rule"], "times"),
            hand.counts["reasons"],
            "{when}"
        );
        // The last hour of the day, and one with nothing in it.
        assert_eq!(
            rows(host, "volume?from=2026-03-27T23:00:00Z&to=2026-03-28T00:00:00Z&by=source")
                .iter()
                .map(|row| row["messages"].as_u64().unwrap())
                .sum::<u64>(),
            6
        );
        assert_eq!(rows(host, "volume?from=2026-03-27T10:00:00Z&to=2026-03-27T23:00:00Z"), Vec::<Value>::new());
    };
    check(&host, "live");
    host.kill9();
    host.start_again();
    check(&host, "after a kill");
    // In Berlin the second hour is of the next day.
    let days = rows(&host, "volume?from=2026-03-27T09:00:00Z&to=2026-03-28T00:00:00Z&by=source&zone=Europe/Berlin");
    let wanted = [("2026-03-26T23:00:00.000Z", 6), ("2026-03-27T23:00:00.000Z", 6)].map(|(at, n)| (at.to_owned(), n));
    assert_eq!(sums(&days, &["at"], "messages"), BTreeMap::from(wanted));
    // What is forgotten has been counted.
    let id = host.pages("source=demo", 50)[0]["event"]["id"].as_str().unwrap().to_owned();
    let erase =
        crate::wire::Request::new("DELETE", &format!("/v1/events/demo/{id}")).header("authorization", &format!("Bearer {}", host.token()));
    assert_eq!(call(host.admin, &erase).status, 200);
    check(&host, "after one was forgotten");
}

/// A webhook of Zammad's about a ticket, as its people have it.
fn tell(host: &TestHost, id: u32, ticket: &Value, sender: Option<&str>) -> Answer {
    let article = sender.map(
        |sender| json!({ "id": id, "sender": sender, "type": "email", "body": QUESTION, "content_type": "text/plain", "internal": false }),
    );
    let body = json!({ "ticket": ticket, "article": article });
    let answer = call(host.public, &zammad(&format!("delivery-{id}"), ZAMMAD_KEY, body.to_string().as_bytes()));
    assert!(answer.status < 300, "{}", answer.text());
    answer
}

fn ticket(id: u32, state: &str, priority: &str, group: &str) -> Value {
    json!({ "id": id, "state": { "name": state }, "priority": { "name": priority }, "group": { "name": group }, "customer": { "id": 5, "login": "ann@example.com" } })
}

#[test]
fn what_agents_make_of_decisions_is_kept_per_rule_and_hostile_words_stay_text() {
    let host = host_at(&format!("{SOURCES}{CHAIN}"), "2026-03-27T09:00:00Z");
    for id in 1..=4 {
        tell(&host, id, &ticket(id, "new", "1 low", "Users"), Some("Customer"));
    }
    now(&host, "2026-03-27T10:00:00Z");
    // Left as it came; taken as decided; given another priority and, in the end, the decided queue; another queue.
    tell(&host, 11, &ticket(1, "open", "1 low", "Users"), Some("Agent"));
    tell(&host, 12, &ticket(2, "open", "2 normal", "desk"), Some("Agent"));
    tell(&host, 13, &ticket(3, "open", "3 high", "Network"), None);
    tell(&host, 14, &ticket(3, "open", "3 high", "Desk"), None);
    tell(&host, 15, &ticket(4, "closed", "1 low", "=cmd|' /C calc'!A0,\"x\"\r\n@SUM(A1)"), Some("Agent"));
    let agreement: Vec<_> = rows(&host, "agreement")
        .iter()
        .map(|row| {
            (
                format!("{} {}/{}", row["field"], row["step"], row["rule"]).replace('"', ""),
                row["agreed"].as_u64(),
                row["corrected"].as_u64(),
            )
        })
        .collect();
    assert_eq!(agreement, [("queue escalate/all".to_owned(), Some(2), Some(1)), ("priority escalate/all".to_owned(), Some(1), Some(1))]);
    let seen = host.ask("/v1/observations?ticket=3").json();
    assert_eq!(
        (&seen["items"][0]["priority"], &seen["items"][0]["queue"], &seen["items"][0]["category"]),
        (&json!("3 high"), &json!("Desk"), &Value::Null)
    );

    let answer = host.ask("/v1/reports/corrections/csv");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"corrections.csv\""));
    let csv = answer.text();
    assert!(csv.contains("\"queue\",\"escalate\",\"all\",\"Desk\",\"'=cmd|' /C calc'!A0,\"\"x\"\"\r\n@SUM(A1)\",1\r\n"), "{csv}");
    let mut read = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    assert_eq!(read.records().map(Result::unwrap).map(|record| record.len()).collect::<Vec<_>>(), [6, 6], "two rows of six cells: {csv}");

    // The clocks of the same tickets.
    now(&host, "2026-03-28T12:00:00Z");
    until(SOON, "the breaches", || (host.ask("/v1/clocks?state=breached").json()["items"].as_array().unwrap().len() == 4).then_some(()));
    let levels = rows(&host, "service-levels?from=2026-03-27T00:00:00Z");
    let of = |clock: &str, key: &str| {
        levels.iter().filter(|row| row["clock"] == clock).map(|row| row[key].as_u64().unwrap_or_default()).sum::<u64>()
    };
    let told = |clock: &str| ["started", "met", "breached", "warned", "closed", "late"].map(|key| of(clock, key));
    assert_eq!(told("first_response"), [4, 3, 1, 1, 0, 0]);
    assert_eq!(told("resolution"), [4, 1, 3, 3, 0, 0]);
    let answered = levels.iter().find(|row| row["clock"] == "first_response" && row["met"] == 3).unwrap();
    assert_eq!((&answered["mean_seconds"], &answered["met_share"]), (&json!(3600), &json!(0.75)));
    // Being decided again is no message, but may be an escalation.
    assert_eq!(
        sums(&rows(&host, "volume?by=source&from=2026-03-27T00:00:00Z"), &["name"], "messages"),
        BTreeMap::from([("zammad".to_owned(), 4)])
    );
    until(SOON, "the decisions of the clocks", || (host.pages("source=zammad", 200).len() == 12).then_some(()));
    let found = sums(&rows(&host, "escalations?from=2026-03-27T00:00:00Z"), &["by", "name"], "decisions");
    assert_eq!(found, BTreeMap::from([("audience supervisor", 8), ("level 1", 4), ("level 2", 4)].map(|(name, n)| (name.to_owned(), n))));
}

#[test]
fn the_command_line_prints_what_the_host_says() {
    let host = host_at(&format!("{SOURCES}{CHAIN}"), "2026-03-27T09:10:00Z");
    host.decide(OUTAGE);
    let (url, file) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let report = |arguments: &[&str]| signalbox(&[&["report"], arguments, &["--url", &url, "--token-file", &file]].concat());
    let table = report(&["volume", "--by", "category", "--zone", "Europe/Berlin"]);
    assert!(table.status.success(), "{}", complaint(&table));
    let text = String::from_utf8(table.stdout).unwrap();
    let wanted = "2026-03-20 10:00Z up to 2026-03-27 10:00Z\nAT                 NAME    MESSAGES\n2026-03-26 23:00Z  outage  1\n";
    assert_eq!(text, wanted);
    let csv = String::from_utf8(report(&["escalations", "--csv", "--days", "1"]).stdout).unwrap();
    assert_eq!(csv, host.ask("/v1/reports/escalations/csv?days=1").text());
    assert_eq!(csv.lines().next(), Some("\"at\",\"by\",\"name\",\"decisions\""));
    let json: Value = serde_json::from_slice(&report(&["rules", "--json"]).stdout).unwrap();
    assert_eq!(json, host.ask("/v1/reports/rules").json());
    for name in ["service-levels", "spikes", "reasons", "agreement", "corrections"] {
        assert!(report(&[name]).status.success(), "{name}");
    }
    let refused = report(&["volume", "--zone", "Berlin"]);
    assert!(!refused.status.success() && complaint(&refused).contains("Europe/Berlin"), "{}", complaint(&refused));
    host.ask("/v1/reports/volume?by=weather").problem(400);
    host.ask("/v1/reports/rules?bucket=hour").problem(400);
}
