//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 4] = [
    Case {
        name: "what is critical is promised around the clock",
        event: r#"{"id": "1", "text": "Checkout is down in all stores", "network": "x", "visibility": "public"}"#,
        config: r#"{"calendar": "office"}"#,
        services: r#"{"settled": {"category": {"key": "outage"}, "priority": "critical"}}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_sla", "value": {"clock": "first_response", "target_seconds": 900}}, "rule_id": "critical",
             "evidence": [{"field": "priority", "text": "critical"}]},
            {"effect": {"type": "set_sla", "value": {"clock": "resolution", "target_seconds": 14400}}}
        ], "absent": ["escalate", "set-priority"]}"#,
    },
    Case {
        name: "each network has its calendar, and a later row fills in what an earlier one leaves open",
        event: r#"{"id": "2", "text": "How do I add a second user?", "network": "mastodon", "visibility": "public"}"#,
        config: r#"{"calendars": {"mastodon": "social"}, "calendar": "office"}"#,
        services: r#"{"settled": {"category": {"key": "how-to"}, "priority": "low"}}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_sla", "value": {"clock": "first_response", "target_seconds": 3600, "calendar": "social"}}, "rule_id": "in-public"},
            {"effect": {"type": "set_sla", "value": {"clock": "resolution", "target_seconds": 144000, "calendar": "social"}}, "rule_id": "low"}
        ]}"#,
    },
    Case {
        name: "spam is promised nothing",
        event: r#"{"id": "3", "text": "Buy followers", "network": "x"}"#,
        services: r#"{"settled": {"category": {"key": "spam"}, "priority": "low"}}"#,
        expect: r#"{"proposals": [], "absent": ["set-sla"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a table of your own",
        event: r#"{"id": "4", "text": "The report is slow", "network": "email", "author": {"vip": true}}"#,
        config: r#"{"targets": [
            {"id": "board", "when": {"vip": true}, "first_response": 600, "calendar": "board"},
            {"id": "rest", "resolution": 172800}
        ]}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_sla", "value": {"clock": "first_response", "target_seconds": 600, "calendar": "board"}}, "rule_id": "board",
             "evidence": [{"field": "author.vip", "text": "true"}]},
            {"effect": {"type": "set_sla", "value": {"clock": "resolution", "target_seconds": 172800}}, "rule_id": "rest"}
        ]}"#,
        ..Case::EMPTY
    },
];
