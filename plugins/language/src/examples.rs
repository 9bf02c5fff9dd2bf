//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 4] = [
    Case {
        name: "a language that is served, whatever the source claims",
        event: r#"{"id": "1", "text": "Seit heute früh kommt niemand mehr ins Netz, was ist da los?", "language": "en"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "set_language", "value": "de"}, "rule_id": "model"}], "absent": ["tag"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "words that tell nothing: the source's claim stands",
        event: r#"{"id": "2", "text": "VPN 503 :(", "language": "fi-FI"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "set_language", "value": "fi"}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a language that is not served is left open",
        event: r#"{"id": "3", "text": "Drukarka na drugim piętrze znowu nie działa, czy ktoś może przyjść?"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "tag", "value": "language:unknown"}}], "absent": ["set-language"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "nothing is said of nothing",
        event: r#"{"id": "4", "text": "😡😡 https://a.example"}"#,
        expect: r#"{"proposals": [], "absent": ["set-language", "tag"]}"#,
        ..Case::EMPTY
    },
];
