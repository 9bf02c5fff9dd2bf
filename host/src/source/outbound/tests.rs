//! The claims of writing back: what is sent in which mode, and that no text of a stranger is ever more than a value.
//!
//! Run by `cargo test` only, over every preset that writes back.

use crate::decision::Decision;
use crate::event::Event;
use crate::outgoing::{Body, Mode, Outgoing, Repeat};
use crate::retry::Retry;
use crate::source::outbound::{Desk, Hidden, Outbound, OutboundAuth, mark};
use crate::source::{Adapter, Settings, Source, presets};
use serde_json::{Value, json};

const ID: &str = "01a20456-2dcc-707a-a2ca-064d2ae3461d";
const SECRET: &str = "api-s3cret";

/// Everything that a stranger could write, in one text.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)> {{decision.note}} {{secret}} #{ticket.title} $this->id$ \
    \"},\"admin\":true,{\"\r\nX-Evil: 1\r\n\r\nGET / HTTP/1.1 ../../etc/passwd?a=b#c SELECT User WHERE 1 \u{202e}\u{0}%0d%0a signalbox:";

fn writing_back() -> impl Iterator<Item = (&'static str, Adapter)> {
    presets::names().map(|name| (name, presets::adapter(name).unwrap().unwrap())).filter(|(_, adapter)| adapter.writes_back())
}

fn desk(mode: Mode) -> Desk {
    Desk {
        base: "https://desk.example.com/".to_owned(),
        secret: Some(Hidden::new(SECRET.to_owned())),
        user: Some("7".to_owned()),
        client_id: Some("client".to_owned()),
        mode,
        queues: [("network".to_owned(), "12".to_owned())].into(),
        ..Desk::default()
    }
}

fn way(adapter: Adapter, mode: Mode) -> Outbound {
    let settings = Settings { secrets: vec!["hook:s3cret".to_owned()], outbound: Some(desk(mode)), ..Settings::default() };
    Source::new("desk", adapter, settings).unwrap().outbound().unwrap().clone()
}

/// An event whose every text is `text`, on ticket `ticket`.
fn event(ticket: &str, text: &str) -> Event {
    let words = |key: &str| if key == "class" { "UserRequest" } else { text }; // iTop's calls are about known classes only
    let attributes =
        ["account", "class", "object", "category"].map(|key| json!({ "key": key, "value": { "type": "text", "value": words(key) } }));
    let body = json!({
        "id": "e", "text": text, "title": text, "permalink": text, "thread_id": "t",
        "author": { "id": text, "handle": text, "name": text, "organisation": text },
        "ticket": { "id": ticket, "number": ticket, "status": text, "priority": text, "queue": text, "assignee": text, "tags": ["old", "gone"] },
        "attributes": attributes,
    });
    serde_json::from_value(body).unwrap()
}

/// A decision whose every text is `text`, but for the words that tables know.
fn decision(text: &str) -> Decision {
    let change = |field: &str, to: Value| json!({ "field": field, "to": to, "reason": text, "confidence": 0.9 });
    let set = [change("/category", json!({ "key": text })), change("/assignment", json!({ "queue": text }))];
    let entry = json!({ "step": 1, "plugin": text, "version": "1", "digest": "d", "outcome": "ran", "set": set, "micros": 1, "fuel": 1, "memory_bytes": 1 });
    serde_json::from_value(json!({
        "id": ID, "event_id": "e", "revision": 0, "source": "desk", "chain": "default", "generation": "g", "decided": "2026-01-01T00:00:00Z",
        "degraded": false, "category": { "key": text }, "crisis": "none", "confidence": {}, "escalation": { "level": 2, "audience": [text] },
        "tags": { "add": ["new", "OLD", text], "remove": ["gone", "never"] }, "priority": "high", "urgency": "high", "impact": "critical",
        "assignment": { "queue": "network", "assignee": text }, "notes": [text], "trace": [entry],
        "replies": [{ "body": text, "visibility": "private", "auto": false, "approval": "agent" }],
        "alerts": [{ "audience": text, "text": text, "dedupe_key": "k", "level": "high" }],
    }))
    .unwrap()
}

/// A body without its values: what must be the same whatever a stranger writes.
fn skeleton(body: &Body) -> Value {
    fn bare(value: &Value) -> Value {
        match value {
            Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), bare(value))).collect(),
            Value::Array(list) => list.iter().map(bare).collect(),
            Value::String(_) => json!("text"),
            _ => json!("other"),
        }
    }
    match body {
        Body::Empty | Body::Mail(_) => Value::Null,
        Body::Json(json) => bare(json),
        Body::Form(pairs) => pairs.iter().map(|(key, text)| json!([key, bare(&serde_json::from_str(text).unwrap_or_default())])).collect(),
    }
}

/// Every text of a body.
fn texts(body: &Body) -> Vec<String> {
    fn of(value: &Value) -> Vec<String> {
        match value {
            Value::Object(object) => object.values().flat_map(of).collect(),
            Value::Array(list) => list.iter().flat_map(of).collect(),
            Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    }
    match body {
        Body::Empty | Body::Mail(_) => Vec::new(),
        Body::Json(json) => of(json),
        Body::Form(pairs) => pairs.iter().flat_map(|(_, text)| of(&serde_json::from_str(text).unwrap_or_default())).collect(),
    }
}

fn named<'a>(calls: &'a [Outgoing], name: &str) -> Vec<&'a Outgoing> {
    calls.iter().filter(|call| call.name == name).collect()
}

#[test]
fn hostile_text_is_a_value_in_every_call_of_every_preset() {
    for (name, adapter) in writing_back() {
        let way = way(adapter, Mode::Full);
        let plain = way.calls(&event("7", "plain"), &decision("plain"));
        let hostile = way.calls(&event("7", HOSTILE), &decision(HOSTILE));
        assert_eq!(plain.len(), hostile.len(), "{name}");
        for (plain, hostile) in plain.iter().zip(&hostile) {
            let call = format!("{name}, {}", plain.name);
            assert_eq!((&plain.method, &plain.headers), (&hostile.method, &hostile.headers), "{call}");
            assert_eq!(skeleton(&plain.body), skeleton(&hostile.body), "{call}");
            let pieces = |path: &str| [path.matches('/').count(), path.matches('?').count(), path.matches('&').count()];
            assert_eq!(pieces(&plain.path), pieces(&hostile.path), "{call}: {}", hostile.path);
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%?=&".contains(&b);
            assert!(hostile.path.starts_with('/') && hostile.path.bytes().all(allowed), "{call}: {}", hostile.path);
            let whole = json!(hostile).to_string();
            assert!(!whole.contains(SECRET), "{call}");
            for text in texts(&hostile.body).iter().filter(|text| text.contains("<br>")) {
                assert!(!text.replace("<br>", "").contains(['<', '>', '"', '\'']) && text.contains("&lt;script&gt;"), "{call}: {text}");
            }
            if hostile.name == "note" {
                assert!(whole.contains("{{decision.note}} {{secret}}"), "{call}: braces of a stranger stay braces: {whole}");
                assert_eq!(whole.matches(&format!("signalbox:{ID}")).count(), if whole.contains("read_back") { 2 } else { 1 }, "{call}");
            }
        }
    }
}

#[test]
fn a_hostile_ticket_stays_one_piece_of_the_path() {
    for (name, adapter) in writing_back() {
        let way = way(adapter, Mode::Full);
        let calls = |ticket| way.calls(&event(ticket, "x"), &decision("x"));
        let plain = calls("7");
        for hostile in calls("7/../../admin?x=1#y") {
            let same = named(&plain, &hostile.name);
            assert_eq!(same[0].path.matches('/').count(), hostile.path.matches('/').count(), "{name}: {}", hostile.path);
            let Body::Json(body) = &hostile.body else { panic!("{name}: a key that is no number could be a query") };
            assert_eq!(skeleton(&Body::Json(body.clone())), skeleton(&same[0].body), "{name}");
        }
        let climbing = way.calls(&event("..", "x"), &decision("x"));
        assert!(climbing.iter().all(|call| !call.path.contains("..")), "{name}");
        let mut nowhere = event("7", "x");
        nowhere.ticket = None;
        assert_eq!(way.calls(&nowhere, &decision("x")), [], "{name}: no ticket, no call");
    }
}

#[test]
fn each_mode_sends_what_it_says() {
    for (name, adapter) in writing_back() {
        let calls = |mode| way(adapter.clone(), mode).calls(&event("7", "x"), &decision("x"));
        assert_eq!(calls(Mode::Off), []);
        let notes = calls(Mode::NoteOnly);
        assert!(notes.len() == 1 && notes[0].name == "note", "{name}: {notes:?}");
        assert!(calls(Mode::Full).len() > 1 && calls(Mode::Shadow) == calls(Mode::Full), "{name}");
    }
}

#[test]
fn a_note_can_be_read_back_by_its_mark() {
    for (name, adapter) in writing_back() {
        let calls = way(adapter, Mode::NoteOnly).calls(&event("7", "x"), &decision("x"));
        match &calls[0].repeat {
            Repeat::ReadBack { path, mark: sought } => {
                assert_eq!(*sought, mark(&decision("x")));
                assert!(path.starts_with('/') && path.contains('7'), "{name}: {path}");
            }
            Repeat::Harmless | Repeat::Keyed { .. } => panic!("{name}"),
        }
    }
}

#[test]
fn tags_are_added_removed_and_replaced_as_the_desk_wants_them() {
    let calls = |preset: &str| way(presets::adapter(preset).unwrap().unwrap(), Mode::Full).calls(&event("7", "x"), &decision("x"));
    let items = |calls: &[Outgoing], name: &str| -> Vec<Value> {
        named(calls, name).iter().map(|call| if let Body::Json(body) = &call.body { body["item"].clone() } else { Value::Null }).collect()
    };
    let zammad = calls("zammad");
    assert_eq!((items(&zammad, "tag"), items(&zammad, "untag")), (vec![json!("new"), json!("x")], vec![json!("gone")]));
    assert_eq!(named(&calls("chatwoot"), "labels")[0].body, Body::Json(json!({ "labels": ["old", "new", "x"] })));
    assert_eq!(named(&calls("zendesk-events"), "tags")[0].body, Body::Json(json!({ "tags": ["new", "x"] })));
    let ticket = Body::Json(json!({ "priority": 3, "group_id": 12, "tags": ["old", "new", "x"] }));
    assert_eq!(named(&calls("freshdesk"), "ticket")[0].body, ticket);
    let mut untold = event("7", "x");
    untold.ticket.as_mut().unwrap().tags.clear();
    let freshdesk = way(presets::adapter("freshdesk").unwrap().unwrap(), Mode::Full).calls(&untold, &decision("x"));
    let Body::Json(ticket) = &named(&freshdesk, "ticket")[0].body else { panic!() };
    assert_eq!(ticket, &json!({ "priority": 3, "group_id": 12 }), "tags that were not told are not replaced");
}

#[test]
fn what_a_desk_takes_is_what_its_api_says() {
    let calls = |preset: &str| way(presets::adapter(preset).unwrap().unwrap(), Mode::Full).calls(&event("7", "x"), &decision("x"));
    let zammad = calls("zammad");
    assert_eq!((named(&zammad, "ticket")[0].method.as_str(), named(&zammad, "ticket")[0].path.as_str()), ("PUT", "/api/v1/tickets/7"));
    assert_eq!(named(&zammad, "ticket")[0].body, Body::Json(json!({ "priority": "3 high", "group": "12", "owner": "x" })));
    assert_eq!(named(&zammad, "tag")[0].body, Body::Json(json!({ "object": "Ticket", "o_id": 7, "item": "new" })));
    let itop = calls("itop");
    let Body::Form(form) = &named(&itop, "ticket")[0].body else { panic!() };
    let data: Value = serde_json::from_str(&form[0].1).unwrap();
    assert_eq!((form[0].0.as_str(), &data["key"]), ("json_data", &json!(7)));
    assert_eq!(data["fields"], json!({ "urgency": "2", "impact": "1", "team_id": 12 }));
    assert_eq!(named(&calls("glpi"), "ticket")[0].body, Body::Json(json!({ "urgency": 4, "impact": 5, "priority": 4 })));
    assert_eq!(
        named(&calls("servicenow"), "incident")[0].body,
        Body::Json(json!({ "impact": "1", "urgency": "1", "assignment_group": "12" }))
    );
}

#[test]
fn the_secret_is_in_the_auth_and_shown_nowhere() {
    for (name, adapter) in writing_back() {
        let way = way(adapter, Mode::Full);
        let secret = match &way.auth {
            OutboundAuth::Header { value, .. } => value.expose().to_owned(),
            OutboundAuth::ClientCredentials { client_secret, client_id, token_path, .. } => {
                assert!(client_id == "client" && token_path.starts_with('/'), "{name}");
                client_secret.expose().to_owned()
            }
            OutboundAuth::None => panic!("{name} proves itself by nothing"),
        };
        assert!(secret.contains(SECRET) || secret.starts_with("Basic "), "{name}");
        assert!(!format!("{way:?}").contains(&secret) && !format!("{way:?}").contains(SECRET), "{name}");
        assert_eq!(way.base, "https://desk.example.com");
        assert!(way.retry.attempts > 1 && way.retry == Retry::default(), "{name}");
    }
}

#[test]
fn a_way_back_that_cannot_work_is_refused_with_the_key() {
    let refused = |preset: &str, desk: Desk| {
        let settings = Settings { secrets: vec!["hook:s3cret".to_owned()], outbound: Some(desk), ..Settings::default() };
        Source::new("desk", presets::adapter(preset).unwrap().unwrap(), settings).unwrap_err().to_string()
    };
    for base in [
        "",
        "desk.example.com",
        "ftp://desk",
        "https://",
        "https:///x",
        "https://u:p@desk",
        "https://desk/?q=1",
        "https://de sk",
        "https://d#f",
    ] {
        let said = refused("zammad", Desk { base: base.to_owned(), ..desk(Mode::Full) });
        assert!(said.contains("`base`"), "{base}: {said}");
    }
    assert!(refused("zammad", Desk { secret: None, ..desk(Mode::Full) }).contains("`secret`"));
    for preset in ["zendesk-events", "freescout"] {
        assert!(refused(preset, Desk { user: None, ..desk(Mode::Full) }).contains("`user`"), "{preset}");
    }
    assert!(refused("glpi", Desk { client_id: None, ..desk(Mode::Full) }).contains("`client_id`"));
    let said = refused("zammad", Desk { secret: Some(Hidden::new("a\r\nX-Evil: 1".to_owned())), ..desk(Mode::Full) });
    assert!(said.contains("cannot stand in a header") && !said.contains("Evil"), "{said}");
    let said = Source::new(
        "desk",
        presets::adapter("telegram").unwrap().unwrap(),
        Settings { secrets: vec!["t".to_owned()], outbound: Some(desk(Mode::Full)), ..Settings::default() },
    );
    assert!(said.unwrap_err().to_string().contains("no calls"));
}
