//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 7] = [
    Case {
        name: "numbers that it names become fields",
        event: r#"{"id": "7", "text": "Error 0x80070005 again, as in ticket INC0010023"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_field", "value": {"field": "error-code"}}, "evidence": [{"field": "text", "text": "0x80070005"}]},
            {"effect": {"type": "set_field", "value": {"field": "ticket-number"}}, "evidence": [{"text": "INC0010023"}]}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "an outage that many feel",
        event: r#"{"id": "1", "text": "VPN is down since 9am and nobody can log in. Anyone else?"}"#,
        expect: r#"{"proposals": [
            {
                "effect": {"type": "categorize", "value": {"key": "outage", "path": ["Incident", "Outage"]}},
                "confidence": {"min": 0.6, "max": 1}
            },
            {"effect": {"type": "set_intent", "value": "fault-report"}},
            {"effect": {"type": "tag", "value": "service:vpn"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "the same words, but it is over",
        event: r#"{"id": "2", "text": "The VPN was down this morning but it works again, thanks!"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "praise"}}},
            {"effect": {"type": "tag", "value": "resolved"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a question is a how-to",
        event: r#"{"id": "3", "text": "How do I reset my password on the new portal?"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "how-to"}}},
            {"effect": {"type": "set_intent", "value": "question"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "nothing to go by",
        event: r#"{"id": "4", "text": "Tuesday again."}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "other"}}, "confidence": {"min": 0, "max": 0.4}}
        ], "absent": ["tag"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a taxonomy of your own, with a product",
        event: r#"{"id": "5", "text": "The Turbo 3000 makes a strange noise", "kind": "review"}"#,
        config: r#"{
            "categories": [
                {"key": "noise", "label": "Noise", "path": ["Hardware"], "intent": "fault-report", "strong": ["strange noise", "rattl*"]}
            ],
            "products": [{"key": "turbo", "words": ["turbo 3000"]}]
        }"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "noise"}}},
            {"effect": {"type": "tag", "value": "product:turbo"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "German, from the title",
        event: r#"{"id": "6", "title": "Totalausfall", "text": "Keiner kann sich anmelden."}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"field": "title", "text": "Totalausfall"}]}
        ]}"#,
        ..Case::EMPTY
    },
];
