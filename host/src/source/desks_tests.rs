//! What desks send beside the samples: other events, agents, bots, notes, edits; and bodies of the wrong desk.
//!
//! Run by `cargo test` only. The bodies are written after the desks' documentation, cut to what the presets read.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::event::{Event, EventError, Timestamp};
use crate::sla::Status;
use crate::source::{MapError, Mapped, Settings, Source, presets};

fn source(preset: &str, own_user: Option<&str>) -> Source {
    let secret = if matches!(preset, "generic" | "cloudevents") { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" } else { "hook:s3cret" };
    let settings = Settings { secrets: vec![secret.to_owned()], own_user: own_user.map(str::to_owned), ..Settings::default() };
    Source::new("desk", presets::adapter(preset).unwrap().unwrap(), settings).unwrap()
}

fn mapped_as(own_user: Option<&str>, preset: &str, more: &[(&'static str, &str)], body: &Value) -> Result<Mapped, MapError> {
    let mut headers = HeaderMap::from_iter([(HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"))]);
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    source(preset, own_user).map(&headers, None, body.to_string().as_bytes(), Timestamp(1_793_000_000_000)).map(|mapping| mapping.mapped)
}

fn mapped(preset: &str, body: &Value) -> Mapped {
    mapped_as(None, preset, &[], body).unwrap()
}

fn event(mapped: Mapped) -> Event {
    match mapped {
        Mapped::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn dropped(mapped: Mapped) -> String {
    match mapped {
        Mapped::Dropped { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn observed(mapped: Mapped) -> (String, Option<String>) {
    match mapped {
        Mapped::Observation { reason, ticket } => (reason, ticket),
        other => panic!("{other:?}"),
    }
}

fn sample(name: &str) -> Value {
    let path = format!("{}/../tests/fixtures/webhooks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Desks whose bodies could be taken for one another's, and a sample of each.
const SAMPLES: [(&str, &str); 8] = [
    ("zammad", "zammad-ticket-default"),
    ("chatwoot", "chatwoot-message_created-telegram"),
    ("zendesk-events", "zendesk-event-ticket_created"),
    ("zendesk-trigger", "zendesk-trigger-ticket_zulip"),
    ("jira", "jira-issue_created"),
    ("freshdesk", "freshdesk-automation-ticket_created"),
    ("servicenow", "servicenow-incident-display_values"),
    ("x", "x-tweet_mention"),
];

#[test]
fn a_body_of_the_wrong_desk_is_refused_with_a_place() {
    for preset in presets::names() {
        for (desk, name) in SAMPLES.iter().filter(|(desk, _)| *desk != preset) {
            let got = mapped_as(None, preset, &[("x-zendesk-webhook-invocation-id", "1")], &sample(name));
            if preset == "cloudevents" {
                assert!(got.is_err());
                continue;
            }
            match got {
                // Of a canonical body it is the whole that lacks a key.
                Err(MapError::Event(EventError::Shape { pointer, .. })) => {
                    assert!(!pointer.is_empty() || matches!(preset, "generic" | "demo"), "{desk} at {preset}");
                }
                // Zendesk's events have a key of the same name as Chatwoot's: a foreign event.
                other => {
                    assert!(preset == "chatwoot" && matches!(other, Err(_) | Ok(Mapped::Dropped { .. })), "{desk} at {preset}: {other:?}")
                }
            }
        }
    }
}

#[test]
fn glpi_runs_new_tickets_and_their_requesters_followups() {
    let ticket = json!({ "id": 42, "name": "Site down?", "content": "<p>@acme your login page is <b>down</b></p>", "urgency": 3, "impact": 3, "priority": 4,
        "status": { "id": 1, "name": "New" }, "user_recipient": { "id": 5, "name": "ann" }, "entity": { "id": 1, "name": "Acme" },
        "date_creation": "2025-11-05T13:47:25+00:00", "team": [{ "id": 5, "role": "requester", "display_name": "Ann Example" }] });
    let new = event(mapped("glpi", &json!({ "event": "new", "item": ticket })));
    assert_eq!((new.id.as_str(), new.text.as_str()), ("glpi:ticket:42", "@acme your login page is down"));
    assert_eq!(new.author.as_ref().unwrap().name.as_deref(), Some("Ann Example"));
    assert_eq!(new.ticket.as_ref().unwrap().status.as_deref(), Some("New"));
    let followup = |user: u32, private: bool| {
        let item = json!({ "id": 9, "content": "<p>still</p>", "is_private": private, "user": { "id": user, "name": "u" } });
        mapped("glpi", &json!({ "event": "new", "item": item, "parent_item": ticket }))
    };
    let reply = event(followup(5, false));
    assert_eq!((reply.id.as_str(), reply.ticket.unwrap().id.as_str()), ("glpi:ticket:42:followup:9", "42"));
    assert_eq!(observed(followup(8, false)), ("an agent's reply".to_owned(), Some("42".to_owned())));
    assert_eq!(dropped(followup(8, true)), "an internal note");
    for event in ["update", "delete"] {
        assert_eq!(observed(mapped("glpi", &json!({ "event": event, "item": ticket }))).1.as_deref(), Some("42"));
    }
    let solution = json!({ "event": "new", "item": { "id": 1, "content": "done", "status": 2 }, "parent_item": ticket });
    assert_eq!(observed(mapped("glpi", &solution)).0, "a solution");
}

#[test]
fn itop_and_alloy_read_the_templates_of_their_descriptions() {
    let request = json!({ "class": "UserRequest", "id": "17", "ref": "R-000017", "title": "VPN", "description": "<p>the VPN is down</p>", "caller_id": "3",
        "caller_name": "Ann Example", "org_name": "Acme", "status": "new", "priority": "3", "origin": "portal", "start_date": "2025-11-05 13:47:25" });
    let new = event(mapped("itop", &request));
    assert_eq!((new.id.as_str(), new.text.as_str(), new.network.as_str()), ("itop:UserRequest:17", "the VPN is down", "web"));
    let mut changed = request.clone();
    changed["event"] = json!("update");
    assert_eq!(observed(mapped("itop", &changed)), ("a change of the ticket".to_owned(), Some("17".to_owned())));
    changed["class"] = json!("Server");
    assert_eq!(dropped(mapped("itop", &changed)), "not about a ticket");

    let incident = json!({ "object": "Incident", "id": 5, "number": "T00005", "summary": "VPN", "description": "down", "requester_name": "Ann", "status": "New" });
    assert_eq!(event(mapped("alloy", &incident)).id, "alloy:Incident:5");
    let mut internal = incident.clone();
    internal["internal"] = json!(true);
    assert_eq!(dropped(mapped("alloy", &internal)), "an internal note");
}

#[test]
fn freescout_tells_by_its_header_and_by_the_newest_thread() {
    let conversation = |kind: &str| {
        json!({ "id": 1, "number": 3, "type": "email", "status": "active", "state": "published", "subject": "Refund", "mailboxId": 15,
            "createdAt": "2020-03-15T22:46:22Z", "customer": { "id": 91, "firstName": "Rod", "email": "rod@example.org" },
            "_embedded": { "threads": [{ "id": 17, "type": kind, "state": "published", "body": "Thank you<br>and <b>please</b>", "createdAt": "2020-06-05T20:18:33Z",
                "createdBy": { "id": 91, "type": "customer", "firstName": "Rod", "email": "rod@example.org" } }], "tags": [{ "id": 9, "name": "vip" }] } })
    };
    let at = |name: &str, kind: &str| mapped_as(None, "freescout", &[("x-freescout-event", name)], &conversation(kind)).unwrap();
    let reply = event(at("convo.customer.reply.created", "customer"));
    assert_eq!(
        (reply.id.as_str(), reply.text.as_str(), reply.kind.as_str()),
        ("freescout:conversation:1:17", "Thank you\nand please", "reply")
    );
    assert_eq!(reply.ticket.unwrap().tags, ["vip"]);
    assert_eq!(event(at("convo.created", "customer")).kind, "message");
    assert_eq!(observed(at("convo.agent.reply.created", "message")), ("an agent's reply".to_owned(), Some("1".to_owned())));
    assert_eq!(observed(at("convo.created", "message")).0, "an agent's reply");
    assert_eq!(observed(at("convo.status", "customer")).0, "a change of the conversation");
    assert_eq!(dropped(at("convo.note.created", "note")), "an internal note");
    assert_eq!(dropped(mapped("freescout", &conversation("note"))), "an internal note");
    assert_eq!(dropped(at("customer.updated", "customer")), "not about a conversation");
}

#[test]
fn telegram_reads_messages_posts_and_edits_and_nothing_else() {
    let from = json!({ "id": 600_000_001, "is_bot": false, "first_name": "Ann", "username": "ann", "language_code": "en" });
    let message = json!({ "message_id": 5, "from": from, "chat": { "id": 600_000_001, "type": "private" }, "date": 1_743_174_783, "text": "the VPN is down" });
    let new = event(mapped("telegram", &json!({ "update_id": 1, "message": message })));
    assert_eq!((new.id.as_str(), new.kind.as_str(), new.action.as_str()), ("telegram:600000001:5", "dm", "created"));
    assert_eq!(new.author.as_ref().unwrap().handle.as_deref(), Some("@ann"));
    let mut edited = message.clone();
    edited["edit_date"] = json!(1_743_174_800);
    let edited = event(mapped("telegram", &json!({ "update_id": 2, "edited_message": edited })));
    assert_eq!((edited.id, edited.action.as_str(), edited.revision), (new.id, "edited", 1_743_174_800));
    let post = json!({ "message_id": 9, "sender_chat": { "id": -100_123, "title": "Acme", "type": "channel" }, "chat": { "id": -100_123, "type": "channel", "title": "Acme" }, "date": 1_743_174_783, "caption": "look" });
    let post = event(mapped("telegram", &json!({ "update_id": 3, "channel_post": post })));
    assert_eq!((post.id.as_str(), post.kind.as_str(), post.text.as_str()), ("telegram:-100123:9", "post", "look"));
    for other in ["callback_query", "my_chat_member", "message_reaction", "inline_query"] {
        assert_eq!(dropped(mapped("telegram", &json!({ "update_id": 4, other: { "id": "1" } }))), "not a message", "{other}");
    }
    let mut bot = message.clone();
    bot["from"]["is_bot"] = json!(true);
    assert_eq!(dropped(mapped("telegram", &json!({ "update_id": 5, "message": bot }))), "a bot's message");
    let mut joined = message;
    joined["new_chat_members"] = json!([{}]);
    assert_eq!(dropped(mapped("telegram", &json!({ "update_id": 6, "message": joined }))), "a message of the network itself");
}

#[test]
fn freshdesk_tells_what_happened_in_a_text_that_is_no_json() {
    let with = |triggered: &str| {
        let mut body = sample("freshdesk-automation-ticket_created");
        body["freshdesk_webhook"]["triggered_event"] = json!(triggered);
        mapped("freshdesk", &body)
    };
    assert_eq!(dropped(with("{note_type:private}")), "an internal note");
    assert_eq!(observed(with("{note_type:public}")), ("an agent's reply".to_owned(), Some("11".to_owned())));
    assert_eq!(observed(with("{status:{from:4,to:2}}")).0, "a change of the ticket");
    assert_eq!(observed(with("{priority:{from:1,to:4}}")).0, "a change of the ticket");
    assert_eq!(event(with("{reply_sent:requester}")).ticket.unwrap().id, "11");
}

#[test]
fn jira_tells_agents_edits_and_deletions_from_messages() {
    let with = |changes: &[(&str, Value)]| {
        let mut body = sample("jira-issue_created");
        for (key, value) in changes {
            body[*key] = value.clone();
        }
        mapped("jira", &body)
    };
    for name in ["jira:issue_deleted", "comment_deleted", "comment_updated", "jira:issue_updated"] {
        assert_eq!(
            observed(with(&[("webhookEvent", json!(name))])),
            ("a change of the issue".to_owned(), Some("10040".to_owned())),
            "{name}"
        );
    }
    for name in ["worklog_updated", "sprint_started", "user_created"] {
        assert_eq!(dropped(with(&[("webhookEvent", json!(name))])), "not about an issue's messages", "{name}");
    }
    let comment = json!({ "id": "1", "body": "me too", "author": { "key": "ann", "name": "ann", "displayName": "Ann" } });
    let server = [("webhookEvent", json!("jira:issue_updated")), ("issue_event_type_name", json!("issue_commented")), ("comment", comment)];
    assert_eq!(event(with(&server)).kind, "reply");
    let mut body = sample("jira-issue_created");
    body["webhookEvent"] = json!("comment_created");
    body["issue"]["fields"]["assignee"] = json!({ "accountId": "agent-1" });
    body["comment"] = json!({ "id": "2", "body": "fixed", "author": { "accountId": "agent-1" } });
    assert_eq!(observed(mapped("jira", &body)).0, "an agent's reply");
}

#[test]
fn chatwoots_automations_send_the_conversation_with_its_newest_message() {
    let mut conversation = sample("chatwoot-message_created-telegram")["conversation"].clone();
    conversation["event"] = json!("automation_event.message_created");
    let message = event(mapped("chatwoot", &conversation));
    assert_eq!((message.id.as_str(), message.text.as_str(), message.network.as_str()), ("chatwoot:message:227051", "Hey", "telegram"));
    assert_eq!(message.ticket.unwrap().id, "1");
    conversation["messages"][0]["message_type"] = json!(3);
    assert_eq!(dropped(mapped("chatwoot", &conversation)), "a message of the desk itself");
    conversation["messages"][0]["message_type"] = json!(1);
    assert_eq!(observed(mapped("chatwoot", &conversation)), ("an agent's reply".to_owned(), Some("1".to_owned())));
    for name in ["webwidget_triggered", "contact_created", "conversation_typing_on", "inbox_updated"] {
        assert_eq!(dropped(mapped("chatwoot", &json!({ "event": name, "id": 1 }))), "not a message", "{name}");
    }
}

#[test]
fn what_our_own_user_did_is_dropped_and_what_others_did_is_not() {
    let mut zammad = sample("zammad-ticket-default");
    zammad["article"]["created_by"] = json!({ "login": "rules@example.com", "id": 77 });
    let by = |own: &str, preset: &str, body: &Value| mapped_as(Some(own), preset, &[], body).unwrap();
    assert_eq!(dropped(by("rules@example.com", "zammad", &zammad)), "our own write-back");
    assert_eq!(dropped(by("77", "zammad", &zammad)), "our own write-back");
    assert!(matches!(by("78", "zammad", &zammad), Mapped::Event(_)));
    let zendesk = sample("zendesk-event-ticket_created");
    assert_eq!(dropped(by("8447388090494", "zendesk-events", &zendesk)), "our own write-back");
    assert_eq!(dropped(by("zammadhq", "x", &sample("x-tweet_mention"))), "our own write-back");
    let note = json!({ "sys_id": "1", "number": "INC1", "short_description": "x", "work_notes": "Signalbox\nsignalbox:01a20456-2dcc-707a-a2ca-064d2ae3461d" });
    assert_eq!(dropped(mapped("servicenow", &note)), "our own write-back");
    let adapter = presets::adapter("generic").unwrap().unwrap();
    let settings = Settings { secrets: vec!["whsec_c2VjcmV0".to_owned()], own_user: Some("me".to_owned()), ..Settings::default() };
    assert!(Source::new("desk", adapter, settings).unwrap_err().to_string().contains("own_user"));
}

#[test]
fn the_brands_own_answers_on_x_are_dropped_and_people_keep_their_names() {
    let mut post = sample("x-tweet_mention");
    assert!(matches!(mapped("x", &post), Mapped::Event(_)));
    post["tweet_create_events"][0]["in_reply_to_status_id_str"] = json!("1");
    assert_eq!(dropped(mapped("x", &post)), "an answer of the account itself");
    let message = |sender: &str| {
        json!({ "for_user_id": "1", "direct_message_events": [{ "type": "message_create", "id": "9", "created_timestamp": "1516403560557",
            "message_create": { "sender_id": sender, "target": { "recipient_id": "1" }, "message_data": { "text": "help" } } }],
            "users": { "3001969357": { "id": "3001969357", "name": "Jordan", "screen_name": "jordan", "followers_count": 22 } } })
    };
    let author = event(mapped("x", &message("3001969357"))).author.unwrap();
    assert_eq!((author.name.as_deref(), author.handle.as_deref(), author.followers), (Some("Jordan"), Some("@jordan"), Some(22)));
    assert_eq!(dropped(mapped("x", &message("1"))), "a direct message of the account itself");
}

#[test]
fn a_body_that_is_the_event_passes_through_every_desk_that_can_write_one() {
    let mut bodies = 0;
    for name in presets::names() {
        let Some(body) = presets::body(name) else { continue };
        bodies += 1;
        let mut body: Value = serde_json::from_str(body).unwrap();
        let marked = body["signalbox_event"].as_str().unwrap().to_owned();
        body["text"] = json!("<p>a &amp; b</p>");
        let taken = event(mapped(name, &body));
        assert_eq!(taken.text, if marked == "html" { "a & b" } else { "<p>a &amp; b</p>" }, "{name}");
        assert!(taken.ticket.is_some() && taken.author.is_some(), "{name}");
        body["author"]["staff"] = json!(true);
        assert_eq!(observed(mapped(name, &body)).0, "an agent's reply", "{name}");
    }
    assert_eq!(bodies, 8);
}

/// How the ticket of an observed call stands.
fn stands(preset: &str, more: &[(&'static str, &str)], body: &Value) -> Option<Status> {
    let mut headers = HeaderMap::from_iter([(HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"))]);
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let mapping = source(preset, None).map(&headers, None, body.to_string().as_bytes(), Timestamp(1_793_000_000_000)).unwrap();
    assert!(matches!(mapping.mapped, Mapped::Observation { .. }), "{preset}: {:?}", mapping.mapped);
    mapping.deed.status
}

#[test]
fn how_a_ticket_stands_is_read_in_each_desks_own_words() {
    use Status::{Closed, Open, Pending};
    let mut servicenow = sample("servicenow-incident-display_values");
    servicenow["operation"] = json!("update");
    for (number, name, status) in
        [("2", "In Progress", Open), ("3", "On Hold", Pending), ("6", "Resolved", Closed), ("7", "Closed", Closed)]
    {
        servicenow["state"] = json!({ "display_value": name, "value": number });
        assert_eq!(stands("servicenow", &[], &servicenow), Some(status), "{name}");
        for flat in [json!(name), json!(number.parse::<u32>().unwrap())] {
            servicenow["state"] = flat;
            assert_eq!(stands("servicenow", &[], &servicenow), Some(status), "{name}");
        }
    }
    servicenow["state"] = json!("Awaiting the moon");
    assert_eq!(stands("servicenow", &[], &servicenow), None, "an admin's own state moves no clock");
    let mut freshdesk = sample("freshdesk-automation-ticket_created");
    freshdesk["freshdesk_webhook"]["triggered_event"] = json!("{status:{from:2,to:4}}");
    for (name, status) in [("Open", Open), ("Waiting on Customer", Pending), ("Resolved", Closed)] {
        freshdesk["freshdesk_webhook"]["ticket_status"] = json!(name);
        assert_eq!(stands("freshdesk", &[], &freshdesk), Some(status), "{name}");
    }
    for (id, status) in [(1, Open), (4, Pending), (5, Closed), (6, Closed)] {
        let ticket = json!({ "id": 42, "name": "n", "content": "c", "status": { "id": id, "name": "in any language" } });
        assert_eq!(stands("glpi", &[], &json!({ "event": "update", "item": ticket })), Some(status), "{id}");
        let solution = json!({ "event": "new", "item": { "id": 1, "content": "done", "status": 3 }, "parent_item": ticket });
        assert_eq!(stands("glpi", &[], &solution), Some(status), "a solution's own status is not the ticket's");
    }
    for (word, status) in [("assigned", Open), ("pending", Pending), ("resolved", Closed)] {
        let ticket = json!({ "class": "UserRequest", "id": "17", "title": "VPN", "description": "d", "status": word, "event": "update" });
        assert_eq!(stands("itop", &[], &ticket), Some(status), "{word}");
    }
    for (word, status) in [("active", Open), ("pending", Pending), ("closed", Closed)] {
        let conversation =
            json!({ "id": 1, "status": word, "_embedded": { "threads": [{ "id": 17, "type": "lineitem", "state": "published" }] } });
        assert_eq!(stands("freescout", &[("x-freescout-event", "convo.status")], &conversation), Some(status), "{word}");
    }
}
