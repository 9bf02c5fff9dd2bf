//! Tables that desks fill: an incident that is opened there is a row here, until it is closed; nobody who cannot sign changes anything.

use serde_json::{Value, json};

use crate::harness::{SOURCES, TestHost, ZAMMAD_KEY, fresh, prepared, signalbox, zammad};
use crate::tables::{curious_in, note, replay};
use crate::wire::{Answer, Request, call};
use crate::workflow::items;

/// What a desk and a monitoring system tell, beside their presets.
const FEEDS: &str = r#"
[[sources.zammad.feed]]
table = "incidents"
when = { path = "/ticket/tags", contains = ["incident"] }
key = { path = "/ticket/number" }
columns = { title = { path = "/ticket/title" }, state = { first = ["/ticket/state/name", "/ticket/state"] } }
remove_when = { path = "/ticket/state", in = ["closed", "merged"] }
"#;

fn config() -> String {
    let alarms = r#"
[[sources.desk.feed]]
table = "alarms"
when = { path = "/receiver", exists = true }
each = "/alerts"
key = { path = "/fingerprint" }
columns = { name = { path = "/labels/alertname" }, service = { path = "/labels/service" }, since = { path = "/startsAt" } }
remove_when = { path = "/status", equals = "resolved" }
"#;
    format!("{SOURCES}{FEEDS}{alarms}")
}

fn host() -> TestHost {
    curious_in(TestHost::with_config(&config()), json!({ "grants": ["state", "lookup:incidents", "lookup:alarms"] }))
}

fn incident(state: &str, tags: &[&str]) -> Value {
    json!({ "ticket": { "id": 1, "number": "10081", "title": "The VPN is down", "state": state, "tags": tags }, "article": null })
}

fn tell(host: &TestHost, key: &str, body: &Value) -> Answer {
    call(host.public, &zammad(&fresh("delivery"), key, body.to_string().as_bytes()))
}

fn audited(host: &TestHost) -> usize {
    items(host, "/v1/audit?action=table.feed").len()
}

#[test]
fn an_incident_is_a_row_while_it_is_open_and_the_next_decision_sees_it() {
    let host = host();
    assert!(note(&host, "row incidents 10081").contains("there is no table"));
    let opened = tell(&host, ZAMMAD_KEY, &incident("new", &["incident", "vpn"]));
    assert_eq!((opened.status, opened.header("signalbox-fed")), (204, Some("incidents")), "{}", opened.text());
    assert_eq!(note(&host, "row incidents 10081"), "state=new title=The VPN is down");
    tell(&host, ZAMMAD_KEY, &incident("open", &["incident"]));
    assert_eq!(note(&host, "row incidents 10081"), "state=open title=The VPN is down");
    assert_eq!(audited(&host), 2);
    // The same again, in a delivery of its own, is no change.
    tell(&host, ZAMMAD_KEY, &incident("open", &["incident"]));
    assert_eq!(audited(&host), 2);
    assert_eq!(tell(&host, ZAMMAD_KEY, &incident("closed", &["incident"])).status, 204);
    assert_eq!(note(&host, "row incidents 10081"), "nothing");
    assert!(host.rows("zammad:1").is_empty() && host.pages("source=zammad", 50).is_empty(), "none of it was run");
    let entry = &items(&host, "/v1/audit?action=table.feed")[0];
    assert_eq!((&entry["token"], &entry["subject"], &entry["role"]), (&json!("source:zammad"), &json!("incidents"), &json!("operator")));
    let past = host.ask("/v1/tables/incidents/rows/10081").json();
    assert_eq!(past["versions"].as_array().unwrap().len(), 2, "{past}");
}

#[test]
fn who_cannot_sign_changes_nothing_and_other_tickets_are_messages_as_before() {
    let host = host();
    tell(&host, ZAMMAD_KEY, &incident("new", &["incident"]));
    tell(&host, "another key", &incident("closed", &["incident"])).problem(401);
    assert_eq!(note(&host, "row incidents 10081"), "state=new title=The VPN is down");
    let mut message = incident("new", &["question"]);
    message["article"] =
        json!({ "id": 7, "sender": "Customer", "type": "web", "body": "row incidents 10081", "content_type": "text/plain" });
    assert_eq!(tell(&host, ZAMMAD_KEY, &message).decision()["notes"][0], "state=new title=The VPN is down");
    // A delivery that comes again after it was overtaken does not bring the row back.
    let late = zammad("delivery-late", ZAMMAD_KEY, incident("open", &["incident"]).to_string().as_bytes());
    assert_eq!(call(host.public, &late).status, 204);
    tell(&host, ZAMMAD_KEY, &incident("closed", &["incident"]));
    assert_eq!(call(host.public, &late).status, 204);
    assert_eq!(note(&host, "row incidents 10081"), "nothing");
    // A row without a key is refused with the place, and nothing of it is taken.
    let mut nameless = incident("open", &["incident"]);
    nameless["ticket"].as_object_mut().unwrap().remove("number");
    let refused = tell(&host, ZAMMAD_KEY, &nameless).problem(422);
    assert_eq!(refused["pointer"], "/ticket/number");
}

#[test]
fn a_list_of_alarms_is_a_row_each_in_one_change() {
    let host = host();
    let alarm = |key: &str, status: &str| json!({ "status": status, "fingerprint": key, "startsAt": "2026-11-01T09:00:00Z", "labels": { "alertname": "Down", "service": key } });
    let told = |alarms: Value| host.signed(json!({ "receiver": "signalbox", "status": "firing", "alerts": alarms }).to_string());
    assert_eq!(told(json!([alarm("mail", "firing"), alarm("vpn", "firing")])).header("signalbox-fed"), Some("alarms"));
    assert_eq!(note(&host, "row alarms vpn"), "name=Down service=vpn since=2026-11-01T09:00:00Z");
    told(json!([alarm("mail", "firing"), alarm("vpn", "resolved")]));
    assert_eq!((note(&host, "row alarms vpn"), audited(&host)), ("nothing".to_owned(), 2));
    assert!(note(&host, "row alarms mail").starts_with("name=Down"));
}

#[test]
fn a_replay_sees_the_row_as_it_was() {
    let host = host();
    tell(&host, ZAMMAD_KEY, &incident("new", &["incident"]));
    let seen = host.decide("rows incidents 5");
    assert_eq!(seen["notes"][0], "10081: state=new title=The VPN is down");
    tell(&host, ZAMMAD_KEY, &incident("closed", &["incident"]));
    let report = replay(&host, &json!({ "setup": host.ask("/v1/setup").json()["setup"].clone() }));
    assert_eq!((&report["changed"], &report["not_comparable"]), (&json!(0), &json!([])), "{report}");
    assert_eq!(host.decide("rows incidents 5")["notes"][0], "");
}

#[test]
fn source_test_shows_the_row_and_changes_nothing() {
    let dir = prepared(Some(&config()));
    let path = |name: &str| dir.path().join(name).display().to_string();
    for (state, told) in [
        ("new", r#"table         incidents/10081 {"state":"new","title":"The VPN is down"}"#),
        ("closed", "table         incidents/10081 is taken away"),
    ] {
        std::fs::write(dir.path().join("payload.json"), incident(state, &["incident"]).to_string()).unwrap();
        let tried = signalbox(&["source", "test", "zammad", "--config", &path("signalbox.toml"), "--payload", &path("payload.json")]);
        let said = String::from_utf8_lossy(&tried.stdout).into_owned();
        assert!(said.contains(told), "{said}{}", String::from_utf8_lossy(&tried.stderr));
    }
    let host = host();
    let body = json!({ "payload": incident("new", &["incident"]) }).to_string();
    let request = Request::post("/v1/sources/zammad/test", body).json().header("authorization", &format!("Bearer {}", host.token()));
    let shown = call(host.admin, &request).json();
    assert_eq!(shown["fed"][0]["rows"]["10081"]["title"], "The VPN is down", "{shown}");
    assert_eq!(host.ask("/v1/tables/incidents").status, 404);
}
