//! Every preset against a real payload of its desk, byte for byte: a table of bodies, and the event each must become.
//!
//! Run by `cargo test` only. The bodies are in `tests/fixtures/webhooks`, the events in `tests/fixtures/mapped`; their origins are in
//! `tests/fixtures/README.md`.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::event::{Event, Timestamp};
use crate::source::{MapError, Mapped, Mapping, Settings, Source, presets};

/// The preset, a body of its desk, and the event it becomes.
macro_rules! sample {
    ($preset:literal, $file:literal) => {
        (
            $preset,
            include_str!(concat!("../../../tests/fixtures/webhooks/", $file, ".json")),
            include_str!(concat!("../../../tests/fixtures/mapped/", $file, ".json")),
        )
    };
}

const MAPPED: [(&str, &str, &str); 8] = [
    sample!("zammad", "zammad-ticket-default"),
    sample!("chatwoot", "chatwoot-message_created-telegram"),
    sample!("zendesk-events", "zendesk-event-ticket_created"),
    sample!("zendesk-trigger", "zendesk-trigger-ticket_zulip"),
    sample!("jira", "jira-issue_created"),
    sample!("freshdesk", "freshdesk-automation-ticket_created"),
    sample!("servicenow", "servicenow-incident-display_values"),
    sample!("x", "x-tweet_mention"),
];

const RECEIVED: Timestamp = Timestamp(1_793_000_000_000);

fn source(preset: &str) -> Source {
    // `user:password` is what scheme `basic` wants, and any text does for the others.
    let secret = if matches!(preset, "generic" | "cloudevents") { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" } else { "hook:s3cret" };
    let settings = Settings { secrets: vec![secret.to_owned()], ..Settings::default() };
    Source::new("desk", presets::adapter(preset).unwrap().unwrap(), settings).unwrap()
}

fn headers() -> HeaderMap {
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-zendesk-webhook-invocation-id", "8350205582"),
        ("x-zammad-trigger", "new complaint"),
    ];
    headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn map(preset: &str, body: &str) -> Result<Mapping, MapError> {
    source(preset).map(&headers(), None, body.as_bytes(), RECEIVED)
}

/// The preset's sample with some places changed.
fn changed(preset: &str, changes: &[(&str, Value)]) -> Mapped {
    let (_, body, _) = MAPPED.iter().find(|(name, ..)| *name == preset).unwrap();
    let mut body: Value = serde_json::from_str(body).unwrap();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.insert(key.to_owned(), value.clone())),
            other => panic!("{pointer}: {other}"),
        }
    }
    map(preset, &body.to_string()).unwrap().mapped
}

fn event(mapped: Mapped) -> Event {
    match mapped {
        Mapped::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_preset_resolves_under_its_own_name() {
    for name in presets::names() {
        assert_eq!(presets::adapter(name).unwrap().unwrap().about().name, name);
        source(name);
    }
    assert!(presets::adapter("no-such").is_none());
}

#[test]
fn real_bodies_become_the_events_beside_them() {
    for (preset, body, wanted) in MAPPED {
        let mapping = map(preset, body).unwrap();
        assert!(mapping.left_out.is_empty(), "{preset}: {:?}", mapping.left_out);
        let got = serde_json::to_value(event(mapping.mapped)).unwrap();
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        assert_eq!(got, wanted, "{preset}: {got:#}");
    }
}

#[test]
fn no_truncated_body_of_a_desk_panics() {
    for (preset, body, _) in MAPPED {
        for end in (0..body.len()).step_by(97).filter(|end| body.is_char_boundary(*end)) {
            let _ = map(preset, &body[..end]);
        }
        assert!(map(preset, "{}").is_err() || !matches!(map(preset, "{}").unwrap().mapped, Mapped::Event(_)), "{preset}");
    }
}

#[test]
fn zammad_runs_customers_and_no_one_else() {
    let agent = changed("zammad", &[("/article/sender", json!("Agent"))]);
    assert_eq!(agent, Mapped::Observation { reason: "an agent's reply".to_owned(), ticket: Some("81".to_owned()) });
    for (pointer, value) in [("/article/sender", json!("System")), ("/article/internal", json!(true))] {
        assert!(matches!(changed("zammad", &[(pointer, value.clone())]), Mapped::Dropped { .. }), "{pointer} {value}");
    }
    let changed_alone = map("zammad", r#"{"ticket": {"id": 81, "state": {"name": "pending reminder"}}, "article": null}"#).unwrap();
    assert_eq!(changed_alone.mapped, Mapped::Observation { reason: "a change of the ticket".to_owned(), ticket: Some("81".to_owned()) });
    assert_eq!((changed_alone.deed.reply, changed_alone.deed.status), (false, Some(crate::sla::Status::Pending)));
    let internal = changed("zammad", &[("/article/sender", json!("Agent")), ("/article/internal", json!(true))]);
    assert!(matches!(internal, Mapped::Dropped { reason } if reason == "an internal note"));
}

#[test]
fn zammad_articles_of_every_channel_keep_its_meaning() {
    for (channel, kind, network, visibility) in [
        ("twitter status", "post", "x", "public"),
        ("twitter direct-message", "dm", "x", "private"),
        ("facebook feed comment", "comment", "facebook", "public"),
        ("telegram personal-message", "dm", "telegram", "private"),
        ("whatsapp message", "dm", "whatsapp", "private"),
        ("email", "message", "email", "private"),
        ("web", "message", "web", "private"),
        ("something new", "message", "unknown", "unknown"),
    ] {
        let event = event(changed("zammad", &[("/article/type", json!(channel))]));
        let visible = serde_json::to_value(event.visibility).unwrap();
        assert_eq!((event.kind.as_str(), event.network.as_str(), visible), (kind, network, json!(visibility)), "{channel}");
    }
    let plain = changed("zammad", &[("/article/content_type", json!("text/plain")), ("/article/body", json!("a\n<b> & c"))]);
    assert_eq!(event(plain).text, "a\n<b> & c");
    let nobody = event(changed("zammad", &[("/ticket/owner/login", json!("-"))])).ticket.unwrap();
    assert_eq!(nobody.assignee, None);
    let plain_person =
        [("/ticket/organization/vip", json!(false)), ("/article/origin_by_id", json!(null)), ("/article/attachments", json!([]))];
    let author = event(changed("zammad", &plain_person)).author.unwrap();
    assert_eq!((author.vip, author.id.as_deref()), (Some(false), Some("8")));
}

#[test]
fn chatwoot_runs_contacts_and_no_one_else() {
    for (changes, reason) in [
        (vec![("/message_type", json!("template"))], "a message of the desk itself"),
        (vec![("/private", json!(true))], "an internal note"),
        (vec![("/event", json!("message_updated"))], "not a message"),
        (vec![("/message_type", json!("outgoing")), ("/sender", json!({"type": "agent_bot"}))], "a bot's message"),
        (vec![("/message_type", json!("outgoing")), ("/sender", json!(null))], "a message of the desk itself"),
    ] {
        assert_eq!(changed("chatwoot", &changes), Mapped::Dropped { reason: reason.to_owned() }, "{changes:?}");
    }
    let agent = changed("chatwoot", &[("/message_type", json!("outgoing")), ("/sender", json!({"type": "user", "id": 5}))]);
    assert_eq!(agent, Mapped::Observation { reason: "an agent's reply".to_owned(), ticket: Some("1".to_owned()) });
    let status = map("chatwoot", r#"{"event": "conversation_status_changed", "id": 7, "status": "resolved"}"#).unwrap().mapped;
    assert_eq!(status, Mapped::Observation { reason: "a change of the conversation's status".to_owned(), ticket: Some("7".to_owned()) });
    assert_eq!(event(changed("chatwoot", &[("/content", json!(null))])).text, "");
}

#[test]
fn zendesk_and_jira_tell_messages_from_work() {
    let comment = |staff: bool, public: bool| {
        let author = json!({"id": "1", "name": "Ann", "is_staff": staff});
        let comment = json!({"comment": {"id": "9", "body": "still broken", "is_public": public, "author": author}});
        changed("zendesk-events", &[("/type", json!("zen:event-type:ticket.comment_added")), ("/event", comment)])
    };
    assert_eq!((event(comment(false, true)).text.as_str(), event(comment(false, true)).kind.as_str()), ("still broken", "reply"));
    assert!(matches!(comment(true, true), Mapped::Observation { ticket: Some(ticket), .. } if ticket == "5158"));
    assert!(matches!(comment(false, false), Mapped::Dropped { .. }));
    assert!(matches!(changed("zendesk-events", &[("/type", json!("zen:event-type:ticket.status_changed"))]), Mapped::Observation { .. }));
    assert!(matches!(changed("zendesk-events", &[("/type", json!("zen:event-type:user.created"))]), Mapped::Dropped { .. }));

    let author = json!({"accountId": "a", "displayName": "Ann"});
    let comment = json!({"id": "10100", "body": "me too", "author": author, "created": "2019-02-16T00:00:00.000-0800"});
    let reply = event(changed("jira", &[("/webhookEvent", json!("comment_created")), ("/comment", comment)]));
    assert_eq!((reply.id.as_str(), reply.text.as_str(), reply.kind.as_str()), ("jira:issue:10040:comment:10100", "me too", "reply"));
    let updated = changed("jira", &[("/webhookEvent", json!("jira:issue_updated"))]);
    assert!(matches!(updated, Mapped::Observation { ticket: Some(id), .. } if id == "10040"));
    assert!(matches!(changed("jira", &[("/comment", json!({"jsdPublic": false}))]), Mapped::Dropped { .. }));
}

#[test]
fn x_keeps_every_digit_and_reads_direct_messages() {
    let numeric =
        event(changed("x", &[("/tweet_create_events", json!([{"id": 1_063_212_927_510_081_536_u64, "text": "a &amp; b\n&lt;3"}]))]));
    assert_eq!((numeric.id.as_str(), numeric.text.as_str()), ("x:1063212927510081536", "a & b\n<3"));
    let message = r#"{"for_user_id": "1", "direct_message_events": [{"type": "message_create", "id": "954491830116155396",
        "created_timestamp": "1516403560557", "message_create":
        {"target": {"recipient_id": "1"}, "sender_id": "3001969357", "message_data": {"text": "help"}}}]}"#;
    let message = event(map("x", message).unwrap().mapped);
    assert_eq!((message.kind.as_str(), message.text.as_str(), message.author.unwrap().id.unwrap().as_str()), ("dm", "help", "3001969357"));
    assert!(matches!(map("x", r#"{"for_user_id": "1", "favorite_events": []}"#).unwrap().mapped, Mapped::Dropped { .. }));
}

#[test]
fn a_trial_tells_where_each_field_came_from() {
    let body = json!({
        "ticket": { "id": 7, "title": "Printer", "customer": { "id": 3, "login": "ann", "email": "ann@example.com" } },
        "article": { "id": 1, "sender": "Customer", "type": "email", "subject": " ", "body": "it is broken", "content_type": "text/plain" },
    });
    let source = Source::unsigned("zammad", presets::adapter("zammad").unwrap().unwrap()).unwrap();
    let mut headers = http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
    headers.insert("x-zammad-trigger", http::HeaderValue::from_static("a trigger"));
    let trial = crate::source::trial::Trial::of(&source, &headers, None, body.to_string().as_bytes(), Timestamp(1));
    let of = |field: &str| trial.origins.get(field).map(String::as_str);
    assert_eq!((of("id"), of("text"), of("author.handle")), (Some("/article/id"), Some("/article/body"), Some("/ticket/customer/login")));
    assert_eq!((of("title"), of("attributes.trigger"), of("author.vip")), (Some("/ticket/title"), Some("header x-zammad-trigger"), None));
    let whole = json!({ "signalbox_event": "text", "id": "1", "text": "hello" }).to_string();
    assert!(crate::source::trial::Trial::of(&source, &headers, None, whole.as_bytes(), Timestamp(1)).origins.is_empty());
}
