//! A sink: any url that gets decisions, as CloudEvents signed in the form of Standard Webhooks.
//!
//! Makes the call, as data; the outbox keeps it and the delivery worker sends it like every other. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::decision::Decision;
use crate::outgoing::{Body, Outgoing, Repeat};

/// The type of the event, in the sense of `CloudEvents`.
const TYPE: &str = "social.decision.made.v1";
/// Where it comes from, in the same sense.
const SOURCE: &str = "/hosts/signalbox";

/// The call that tells a sink of a decision. `path` is the path and query of the sink's url.
pub fn told(path: &str, decision: &Decision) -> Outgoing {
    let head = &decision.head;
    let event = json!({
        "specversion": "1.0",
        "id": head.id,
        "type": TYPE,
        "source": SOURCE,
        "subject": head.event_id,
        "time": head.decided,
        "datacontenttype": "application/json",
        "data": plain(decision),
    });
    Outgoing {
        name: "decision".to_owned(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: BTreeMap::from([("content-type".to_owned(), "application/cloudevents+json".to_owned())]),
        body: Body::Json(event),
        repeat: Repeat::Keyed { header: "webhook-id".to_owned() },
    }
}

/// The decision as it is recorded: by way of its text, since a confidence of 0.8 would otherwise grow the digits of its binary form.
fn plain(decision: &Decision) -> Value {
    serde_json::to_string(decision).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_told_as_a_cloud_event_with_the_numbers_it_was_recorded_with() {
        let decision: Decision = serde_json::from_value(json!({
            "id": "d-1", "event_id": "m1", "revision": 0, "source": "desk", "chain": "main", "generation": "g1",
            "decided": "2026-11-01T09:00:01Z", "degraded": false, "category": {"key": "other"}, "crisis": "none",
            "confidence": {"category": 0.1}, "tags": {}, "escalation": {"level": 0}, "trace": [],
        }))
        .unwrap();
        let call = told("/in?from=signalbox", &decision);
        let Body::Json(event) = &call.body else { panic!("{call:?}") };
        assert_eq!((&event["type"], &event["subject"], &event["id"]), (&json!(TYPE), &json!("m1"), &json!("d-1")));
        assert_eq!(event["time"], "2026-11-01T09:00:01.000Z");
        assert_eq!(event["data"]["confidence"].to_string(), r#"{"category":0.1}"#);
        assert_eq!(call.path, "/in?from=signalbox");
    }
}
