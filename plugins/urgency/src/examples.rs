//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 5] = [
    Case {
        name: "people in danger come first",
        event: r#"{"id": "1", "text": "The battery of my laptop caught fire while charging"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_urgency", "value": "critical"}, "evidence": [{"field": "text", "text": "caught fire"}]},
            {"effect": {"type": "tag", "value": "safety"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "many, and now",
        event: r#"{"id": "2", "text": "VPN is down since 9am and nobody in the office can work"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_impact", "value": "high"}},
            {"effect": {"type": "set_urgency", "value": "high"}}
        ], "absent": ["tag"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "no hurry",
        event: r#"{"id": "3", "text": "No rush: how do I add a printer?"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "set_urgency", "value": "low"}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a figure of speech is no danger",
        event: r#"{"id": "4", "text": "The new phone is fire, love it"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "set_urgency", "value": "low"}}], "absent": ["tag"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "your own words",
        event: r#"{"id": "5", "text": "Conveyor seven has a jam"}"#,
        config: r#"{"extra": {"safety": ["conveyor * jam"]}}"#,
        expect: r#"{"proposals": [{"effect": {"type": "set_urgency", "value": "critical"}}, {"effect": {"type": "tag", "value": "safety"}}]}"#,
        ..Case::EMPTY
    },
];
