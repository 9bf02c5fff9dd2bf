//! An alert on its way out: as a `CloudEvent` for a url, as a mail, as lines of an internal note.
//!
//! Made by `app/alerts.rs` when a decision is recorded; the outbox keeps the calls and the delivery worker sends them like every other. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::decision::Decision;
use crate::event::Event;
use crate::outgoing::{Body, Letter, Outgoing, Repeat};
use crate::verdict::{Alert, Level};

/// The type of the event, in the sense of `CloudEvents`.
const TYPE: &str = "social.alert.raised.v1";
/// The type of a summary of what was held back.
const SUMMARY: &str = "social.alert.held-back.v1";
/// Where they come from, in the same sense.
const SOURCE: &str = "/hosts/signalbox";
/// Characters of a mail's subject.
const SUBJECT_CHARS: usize = 120;

/// One alert, with the decision that raised it and who is on call for it.
pub struct Raised<'a> {
    /// Its id, the same for every sink.
    pub id: &'a str,
    /// What the rule says.
    pub alert: &'a Alert,
    /// What it is about.
    pub event: &'a Event,
    /// The decision that raised it.
    pub decision: &'a Decision,
    /// The row of the on-call table, when there is one.
    pub on_call: Option<&'a OnCall>,
}

/// A row of the on-call table.
#[derive(Clone, Debug, PartialEq)]
pub struct OnCall {
    /// Its key: an audience or a rota.
    pub key: String,
    /// What it says.
    pub columns: Map<String, Value>,
}

impl OnCall {
    /// The addresses of its column `email`: a text, or a list of them.
    pub fn emails(&self) -> Vec<String> {
        let listed = |value: &Value| match value {
            Value::String(one) => vec![one.clone()],
            Value::Array(some) => some.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        self.columns.get("email").map(listed).unwrap_or_default()
    }

    /// As JSON: the columns, and the key they were found by.
    pub fn json(&self) -> Value {
        json!({ "key": self.key, "columns": self.columns })
    }
}

/// What a sink was spared while it had its fill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// How many alerts.
    pub count: u64,
    /// When the first of them was raised, and the last; RFC 3339.
    pub between: (String, String),
    /// The loudest of them first: audience, level, key, how many. At most so many are named.
    pub named: Vec<(String, Level, String, u64)>,
}

impl Raised<'_> {
    /// The call that tells a url. `path` is the url's path and query.
    pub fn webhook(&self, path: &str) -> Outgoing {
        let head = &self.decision.head;
        cloud_event(
            path,
            &json!({
                "specversion": "1.0",
                "id": self.id,
                "type": TYPE,
                "source": SOURCE,
                "subject": head.event_id,
                "time": head.decided,
                "datacontenttype": "application/json",
                "data": self.data(),
            }),
        )
    }

    fn data(&self) -> Value {
        let Decision { head, escalation, category, priority, follows, .. } = self.decision;
        let ticket = self.event.ticket.as_ref();
        let all = json!({
            "id": self.id,
            "audience": self.alert.audience,
            "level": self.alert.level,
            "text": self.alert.text,
            "key": self.alert.dedupe_key,
            "on_call": self.on_call.map(OnCall::json),
            "source": head.source,
            "event_id": head.event_id,
            "permalink": self.event.permalink,
            "ticket": ticket.map(|ticket| json!({ "id": ticket.id, "number": ticket.number })),
            "decision": head.id,
            "category": category.key,
            "priority": priority,
            "escalation": escalation,
            "follows": follows,
        });
        // What nobody said is absent, as everywhere.
        let Value::Object(all) = all else { return all };
        all.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
    }

    /// The mail to one address.
    pub fn mail(&self, to: &str) -> Outgoing {
        let Alert { audience, level, text, .. } = self.alert;
        mail(to, &format!("[{}] {audience}: {text}", word(*level)), &self.lines().join("\n"))
    }

    /// The alert in plain sentences, one per line.
    pub fn lines(&self) -> Vec<String> {
        let Decision { head, escalation, category, follows, .. } = self.decision;
        let mut lines = vec![format!("Alert for {} ({}): {}", self.alert.audience, word(self.alert.level), self.alert.text)];
        if let Some(on_call) = self.on_call {
            let said = on_call.columns.iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            lines.push(format!("On call ({}): {}", on_call.key, said.collect::<Vec<_>>().join(", ")));
        }
        if let Some(follows) = follows {
            lines.push(format!("After: {} of the clock {}, due {}", follows.trigger, follows.clock, follows.due));
        }
        if let Some(ticket) = &self.event.ticket {
            lines.push(format!("Ticket: {}", ticket.number.as_ref().unwrap_or(&ticket.id)));
        }
        lines.extend(self.event.permalink.as_ref().map(|link| format!("Message: {link}")));
        lines.push(format!("Category: {}, escalation: level {}", category.key, escalation.level));
        lines.push(format!("Decision: {} (source {}, event {})", head.id, head.source, head.event_id));
        lines
    }
}

impl HeldBack {
    /// The call that tells a url of them.
    pub fn webhook(&self, path: &str, id: &str, now: &str) -> Outgoing {
        let named = self.named.iter();
        let named: Vec<Value> = named
            .map(|(audience, level, key, count)| json!({ "audience": audience, "level": level, "key": key, "count": count }))
            .collect();
        cloud_event(
            path,
            &json!({
                "specversion": "1.0",
                "id": id,
                "type": SUMMARY,
                "source": SOURCE,
                "time": now,
                "datacontenttype": "application/json",
                "data": { "count": self.count, "from": self.between.0, "to": self.between.1, "alerts": named },
            }),
        )
    }

    /// The mail that tells an address of them.
    pub fn mail(&self, to: &str) -> Outgoing {
        let what = format!("{} alerts were held back, {} to {}", self.count, self.between.0, self.between.1);
        let named = self.named.iter().map(|(audience, level, key, count)| format!("{count} x [{}] {audience}, key {key}", word(*level)));
        let lines: Vec<String> =
            std::iter::once(format!("{what}: this sink had had its fill of the hour (`max_per_hour`).")).chain(named).collect();
        mail(to, &format!("[summary] {what}"), &lines.join("\n"))
    }
}

fn cloud_event(path: &str, event: &Value) -> Outgoing {
    Outgoing {
        name: "alert".to_owned(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: BTreeMap::from([("content-type".to_owned(), "application/cloudevents+json".to_owned())]),
        body: Body::Json(event.clone()),
        repeat: Repeat::Keyed { header: "webhook-id".to_owned() },
    }
}

fn mail(to: &str, subject: &str, text: &str) -> Outgoing {
    let subject = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT_CHARS).collect();
    Outgoing {
        name: "alert".to_owned(),
        method: "MAIL".to_owned(),
        path: String::new(),
        headers: BTreeMap::new(),
        body: Body::Mail(Letter { to: to.to_owned(), subject, text: text.to_owned() }),
        repeat: Repeat::Keyed { header: "message-id".to_owned() },
    }
}

/// A column's value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(some) => some.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A level's word, as it is in JSON.
pub const fn word(level: Level) -> &'static str {
    match level {
        Level::Low => "low",
        Level::Normal => "normal",
        Level::High => "high",
        Level::Critical => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision() -> Decision {
        serde_json::from_value(json!({
            "id": "d-1", "event_id": "m1", "revision": 0, "source": "desk", "chain": "main", "generation": "g1",
            "decided": "2026-11-01T09:00:01Z", "degraded": false, "category": {"key": "other"}, "crisis": "none",
            "confidence": {}, "tags": {}, "escalation": {"level": 2, "audience": ["security"]}, "trace": [],
        }))
        .unwrap()
    }

    fn event() -> Event {
        Event::from_json(br#"{"id": "m1", "text": "hello"}"#).unwrap().event
    }

    #[test]
    fn an_alert_is_told_with_who_is_on_call_and_without_what_nobody_said() {
        let (decision, event) = (decision(), event());
        let alert = Alert {
            audience: "security".into(),
            text: "a leak\r\nBcc: all@example.com".into(),
            dedupe_key: "k".into(),
            level: Level::Critical,
        };
        let columns = json!({ "name": "Ann", "email": ["ann@example.com", "bob@example.com"] }).as_object().unwrap().clone();
        let on_call = OnCall { key: "security".into(), columns };
        let raised = Raised { id: "d-1-alert-1", alert: &alert, event: &event, decision: &decision, on_call: Some(&on_call) };
        let Body::Json(told) = raised.webhook("/in").body else { panic!() };
        assert_eq!((&told["type"], &told["id"], &told["data"]["level"]), (&json!(TYPE), &json!("d-1-alert-1"), &json!("critical")));
        assert_eq!(told["data"]["on_call"]["columns"]["name"], "Ann");
        assert!(told["data"].get("ticket").is_none() && told["data"].get("follows").is_none());
        assert_eq!(on_call.emails(), ["ann@example.com", "bob@example.com"]);
        let Body::Mail(letter) = raised.mail("ann@example.com").body else { panic!() };
        assert_eq!(letter.subject, "[critical] security: a leak  Bcc: all@example.com");
        assert!(letter.text.contains("On call (security): email: ann@example.com bob@example.com, name: Ann"), "{}", letter.text);
    }
}
