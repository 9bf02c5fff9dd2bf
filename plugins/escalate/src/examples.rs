//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.
//!
//! `services.settled` is what earlier steps settled.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 6] = [
    Case {
        name: "an outage in public that many feel",
        event: r#"{
            "id": "1", "text": "Checkout is down in all stores, nobody can pay", "visibility": "public", "author": {"followers": 52000}
        }"#,
        services: r#"{"settled": {
            "category": {"key": "outage"}, "sentiment": {"label": "negative", "score": -0.5}, "tags": ["service:checkout"]
        }}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "assign", "value": {"queue": "Service Operations", "on_call": "service-operations"}}, "rule_id": "outage"},
            {"effect": {"type": "set_priority", "value": "critical"}},
            {"effect": {"type": "set_crisis", "value": "likely"}},
            {
                "effect": {"type": "escalate", "value": {"level": 3, "audience": ["pr"]}},
                "evidence": [{"field": "author.followers", "text": "52000"}]
            }
        ], "absent": ["draft-reply", "moderate"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "security is told at once",
        event: r#"{"id": "2", "text": "I think your customers' leaked passwords are on a forum"}"#,
        services: r#"{"settled": {"category": {"key": "security"}}}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "assign", "value": {"queue": "Security"}}},
            {"effect": {"type": "escalate", "value": {"level": 3, "audience": ["security"]}}},
            {"effect": {"type": "raise_alert", "value": {"audience": "security", "level": "critical"}}}
        ], "absent": ["set-crisis"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "praise is answered by a person",
        event: r#"{"id": "3", "text": "Danke an das Team, super Service!", "language": "de-DE", "visibility": "public"}"#,
        services: r#"{"settled": {
            "category": {"key": "praise"}, "sentiment": {"label": "very_positive", "score": 0.8, "signals": ["gratitude"]}
        }}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "draft_reply", "value": {"language": "de", "auto": false, "approval": "agent", "visibility": "public"}}},
            {"effect": {"type": "mark", "value": "thank-you"}},
            {"effect": {"type": "set_priority", "value": "low"}}
        ], "absent": ["escalate", "raise-alert"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a red flag stands above the row",
        event: r#"{"id": "4", "text": "Wrong invoice again. You will hear from my lawyer."}"#,
        services: r#"{"settled": {
            "category": {"key": "billing"}, "sentiment": {"label": "very_negative", "score": -0.8, "signals": ["legal-threat"]}
        }}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "assign", "value": {"queue": "Billing"}}},
            {"effect": {"type": "escalate", "value": {"level": 2, "audience": ["legal"]}}, "rule_id": "legal"},
            {"effect": {"type": "raise_alert", "value": {"audience": "legal"}}},
            {"effect": {"type": "set_priority", "value": "high"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "what is unknown moves nothing",
        event: r#"{"id": "5", "text": "The app is slow", "author": {"handle": "@ann"}}"#,
        services: r#"{"settled": {"category": {"key": "technical-fault"}, "sentiment": {"label": "negative", "score": -0.4}}}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "assign", "value": {"queue": "Service Desk"}}},
            {"effect": {"type": "set_priority", "value": "normal"}}
        ], "absent": ["escalate", "set-crisis", "tag", "raise-alert"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a table of your own",
        event: r#"{"id": "6", "text": "Hello", "network": "mastodon"}"#,
        config: r#"{"routes": [
            {"id": "fediverse", "when": {"networks": ["mastodon"]}, "then": {"queue": "Fediverse", "priority": "low"}}
        ]}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "assign", "value": {"queue": "Fediverse"}}, "rule_id": "fediverse"}
        ], "absent": ["set-urgency"]}"#,
        ..Case::EMPTY
    },
];
