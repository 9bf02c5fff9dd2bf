//! The commands for the workflow, typed against a running host: calendar, clock, approval, alert.

use std::fs;

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::harness::{SOON, SOURCES, TestHost, complaint, signalbox, until};
use crate::workflow::{host_at, items, now, tell};

const OFFICE: &str = "time_zone = \"Europe/Berlin\"\nholidays = [{ date = \"2026-12-25\", name = \"Christmas Day\", every_year = true }]\n\
    [hours]\nmonday = [\"09:00-17:00\"]\nwednesday = [\"09:00-17:00\"]\n";
const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:Christmas Eve\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

/// Types a command; gives its code and what it printed, complaints included.
fn enter(host: &TestHost, arguments: &[&str]) -> (Option<i32>, String) {
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let output = signalbox(&[arguments, &["--url", &url, "--token-file", &token]].concat());
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), complaint(&output)))
}

fn well(host: &TestHost, arguments: &[&str]) -> String {
    let (code, said) = enter(host, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    said
}

fn refused(host: &TestHost, arguments: &[&str], words: &str) {
    let (code, said) = enter(host, arguments);
    assert!(code == Some(1) && said.contains(words), "{arguments:?}: {said}");
}

#[test]
fn a_calendar_is_set_shown_added_to_and_removed_and_nonsense_is_refused() {
    let host = host_at(SOURCES, "2026-12-23T14:00:00Z");
    let file = |name: &str, text: &str| {
        let path = host.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let office = file("office.toml", OFFICE);
    assert_eq!(well(&host, &["calendar", "set", "office", &office]), "office is set: Europe/Berlin, 2 days a week, 1 holidays\n");
    let added = well(&host, &["calendar", "import", "office", &file("holidays.ics", HOLIDAYS)]);
    assert_eq!(added, "office is set: Europe/Berlin, 2 days a week, 2 holidays\n");
    let shown = well(&host, &["calendar", "show", "office", "--at", "2026-12-23T15:00:00Z", "--seconds", "7200"]);
    for line in [
        "  monday     09:00-17:00\n",
        "  tuesday    closed\n",
        "  2026-12-24  Christmas Eve\n",
        "2026-12-23T15:00:00.000Z  open; 7200 working",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(well(&host, &["calendar", "list"]).contains("office"));
    let listed: Value = serde_json::from_str(&well(&host, &["calendar", "list", "--json"])).unwrap();
    assert!(listed.to_string().contains("Europe/Berlin"), "{listed}");
    refused(&host, &["calendar", "set", "office", &file("wrong.toml", "time_zone = \"Europe/Nowhere\"")], "Europe/Nowhere");
    refused(&host, &["calendar", "show", "nope"], "no calendar of this name");
    well(&host, &["calendar", "remove", "office"]);
    refused(&host, &["calendar", "show", "office"], "no calendar of this name");
}

/// A host whose every message starts a clock, drafts a reply and alerts; and a desk to write back to.
fn busy(desk: &Desk) -> TestHost {
    let back = format!("base = \"{}\"\nsecret = \"file:api.secret\"\nallow_private = [\"127.0.0.1\"]\nmode = \"full\"", desk.url(""));
    let sources = SOURCES.replace("[sources.demo]", &format!("[sources.zammad.outbound]\n{back}\n[sources.demo]"));
    let rules = "[[steps]]\nplugin = \"escalate\"\n[[steps.config.routes]]\nid = \"all\"\nthen = { queue = \"Desk\", priority = \"low\", \
        reply = \"thanks\", alert = { audience = \"security\", level = \"high\" }, sla = [{ clock = \"first_response\", target_seconds = 3600 }] }\n";
    host_at(&format!("{sources}[alerts.note]\nnote = true\n{rules}"), "2026-03-27T09:00:00Z")
}

#[test]
fn clocks_are_listed_by_state_and_ticket() {
    let desk = Desk::open();
    let host = busy(&desk);
    for ticket in [1, 2] {
        assert_eq!(tell(&host, ticket, ticket, "new", Some("Customer")).status, 200);
    }
    tell(&host, 3, 2, "open", Some("Agent"));
    let running = well(&host, &["clock", "list", "--state", "running"]);
    let head = "SUBJECT   CLOCK           STATE    CALENDAR  STARTED               DUE                   WARNED  BREACHED  ENDED\n";
    assert_eq!(
        running,
        format!("{head}ticket:1  first_response  running  -         2026-03-27 09:00:00Z  2026-03-27 10:00:00Z  -       -         -\n")
    );
    assert!(well(&host, &["clock", "list", "--ticket", "2"]).contains("met"));
    let all: Value = serde_json::from_str(&well(&host, &["clock", "list", "--json", "--limit", "1"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1);
    refused(&host, &["clock", "list", "--state", "nope"], "nope");
}

#[test]
fn approvals_are_listed_and_settled_with_a_reason() {
    let desk = Desk::open();
    let host = busy(&desk);
    for ticket in [1, 2] {
        assert_eq!(tell(&host, ticket, ticket, "new", Some("Customer")).status, 200);
    }
    let ids: Vec<String> = items(&host, "/v1/approvals").iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let listed = well(&host, &["approval", "list"]);
    assert!(ids.iter().all(|id| listed.contains(id)) && listed.starts_with("ID ") && listed.contains("Thank you"), "{listed}");
    assert_eq!(well(&host, &["approval", "approve", &ids[0], "--why", "kind"]), format!("{} is approved\n", ids[0]));
    let (code, said) = enter(&host, &["approval", "reject", &ids[1]]);
    assert!(code == Some(2) && said.contains("--why"), "a no says why: {said}");
    assert_eq!(well(&host, &["approval", "reject", &ids[1], "--why", "not our words"]), format!("{} is rejected\n", ids[1]));
    refused(&host, &["approval", "approve", &ids[1]], "rejected");
    refused(&host, &["approval", "approve", "nope"], "no approval");
    assert_eq!(well(&host, &["approval", "list"]).lines().count(), 1);
    let rejected: Value = serde_json::from_str(&well(&host, &["approval", "list", "--state", "rejected", "--json"])).unwrap();
    assert_eq!(rejected[0]["why"], "not our words");
}

#[test]
fn alerts_are_listed_with_who_was_told() {
    let desk = Desk::open();
    let host = busy(&desk);
    tell(&host, 1, 1, "new", Some("Customer"));
    tell(&host, 2, 1, "new", Some("Customer"));
    tell(&host, 3, 2, "new", Some("Customer"));
    let listed = well(&host, &["alert", "list"]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["RAISED", "AUDIENCE", "LEVEL", "KEY", "REPEATS", "TOLD"]);
    let told = |key: &str, repeats: &str| {
        vec![
            "2026-03-27".to_owned(),
            "09:00:00Z".into(),
            "security".into(),
            "high".into(),
            key.to_owned(),
            repeats.to_owned(),
            "note".into(),
            "sent".into(),
        ]
    };
    assert_eq!(lines[1..], [told("security:all:2", "0"), told("security:all:1", "1")], "{listed}");
    assert_eq!(well(&host, &["alert", "list", "--audience", "legal"]).lines().count(), 1);
    let one: Value = serde_json::from_str(&well(&host, &["alert", "list", "--ticket", "2", "--json"])).unwrap();
    assert_eq!((one.as_array().unwrap().len(), &one[0]["sinks"]), (1, &json!([{ "sink": "note", "state": "sent" }])));
    now(&host, "2026-03-27T09:30:00Z");
    until(SOON, "the notes", || (desk.effects().len() >= 2).then_some(()));
}
