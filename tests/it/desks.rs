//! The example chains of a brand's social desk and of an internal IT desk, each in a real host with tables of its own.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{SOURCES, TestHost, fresh, repository, signalbox};
use crate::tables::send;

const ARTICLES: &str = r#"[
    {"key": "KB-1", "title": "Change the address on an invoice", "questions": ["How do I change the address on my invoice?"], "public": true,
     "reply": "Open Billing, choose Address, and save. The next invoice has it."},
    {"key": "KB-2", "title": "VPN drops", "words": ["vpn", "drops", "disconnects"], "known_issue": true, "reply": "Choose the profile “stable”."}
]"#;
const INCIDENTS: &str = r#"[{"key": "INC-7", "title": "VPN gateway drops sessions", "service": "vpn", "status": "open"}]"#;
const SERVICES: &str = r#"[{"key": "vpn", "status": "degraded"}]"#;

/// A host with an example chain, and the tables that it looks up.
fn desk(example: &str) -> TestHost {
    let file = repository("examples/chains").join(example);
    let checked = signalbox(&["check", "--config", &file.display().to_string()]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let host = TestHost::with_config(&format!("{SOURCES}{}", fs::read_to_string(file).unwrap()));
    for (table, rows) in [("articles", ARTICLES), ("incidents", INCIDENTS), ("services", SERVICES), ("changes", "[]")] {
        let kept = send(&host, "POST", &format!("/v1/tables/{table}/import"), "application/json", rows);
        assert_eq!(kept.status, 200, "{}", kept.text());
    }
    host
}

fn decide(host: &TestHost, text: &str, visibility: &str) -> Value {
    let event = json!({ "id": fresh("event"), "text": text, "network": "x", "visibility": visibility });
    let decision = host.post(event.to_string()).decision();
    assert_eq!(decision["degraded"], false, "{decision}");
    for step in decision["trace"].as_array().unwrap() {
        assert!(matches!(step["outcome"].as_str(), Some("ran" | "skipped")), "{step}");
        assert!(step.get("log").is_none_or(Value::is_null) || step["log"].as_array().unwrap().is_empty(), "nothing was refused: {step}");
    }
    decision
}

fn has(list: &Value, what: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|one| one == what))
}

#[test]
fn a_brands_desk_answers_what_it_may_and_keeps_silent_where_it_must() {
    let host = desk("brand-social.toml");
    let asked = decide(&host, "How do I change the address on my invoice?", "public");
    assert_eq!(asked["language"], "en");
    let reply = &asked["replies"][0];
    assert_eq!((&reply["article"], &reply["auto"], &reply["approval"]), (&json!("KB-1"), &json!(false), &json!("agent")), "{asked}");
    assert!(asked["sla"].as_array().unwrap().iter().any(|target| target["target_seconds"] == 3600 && target["calendar"] == "social"));

    let grave = decide(
        &host,
        "How do I change the address on my invoice? Your page let me see other customers' data, this is a data leak",
        "public",
    );
    assert!(grave["escalation"]["level"].as_u64().unwrap() >= 2 && has(&grave["tags"]["add"], "red-flag:security"), "{grave}");
    assert!(grave["replies"].as_array().is_none_or(Vec::is_empty), "no canned words for a leak: {grave}");

    let german = decide(&host, "Wie ändere ich die Adresse auf meiner Rechnung?", "public");
    assert_eq!(german["language"], "de");
}

#[test]
fn an_it_desk_links_what_is_known_and_notices_when_many_write() {
    let host = desk("internal-it.toml");
    let first = decide(&host, "The VPN drops every few minutes, nobody on my floor can work", "private");
    let links = first["links"].as_array().unwrap();
    let linked = |kind: &str, id: &str| links.iter().any(|link| link["kind"] == kind && link["id"] == id);
    assert!(linked("incident", "INC-7") && linked("service", "vpn"), "{first}");
    assert!(!has(&first["tags"]["add"], "spike"), "one is no spike");
    let others = ["VPN is down for the whole team", "vpn down again, nobody can work", "Our VPN is down in the entire office"];
    let last = others.map(|text| decide(&host, text, "private")).into_iter().next_back().unwrap();
    assert!(has(&last["tags"]["add"], "spike") && last["crisis"] != "none", "{last}");
    assert!(
        last["alerts"].as_array().is_none_or(|alerts| !alerts.iter().any(|alert| alert["dedupe_key"] == "spike:vpn")),
        "the incident is known"
    );

    let calm = decide(&host, "How do I print on both sides of the paper?", "private");
    assert_eq!((&calm["escalation"]["level"], has(&calm["tags"]["add"], "spike")), (&json!(0), false), "{calm}");
}
