//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 4] = [
    Case {
        name: "abuse in public",
        event: r#"{"id": "1", "text": "You fucking idiots, go to hell", "visibility": "public"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "tag", "value": "abuse"}},
            {"effect": {"type": "moderate", "value": "hide"}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "an unhappy customer is no abuser",
        event: r#"{"id": "2", "text": "My order is three weeks late and nobody answers", "visibility": "public"}"#,
        expect: r#"{"proposals": [], "absent": ["moderate", "tag"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "spam is marked by a person",
        event: r#"{"id": "3", "text": "Buy followers cheap!!! Click here https://spam.example", "visibility": "public"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "moderate", "value": "mark_spam"}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a card number in public",
        event: r#"{"id": "4", "text": "Please refund 4111 1111 1111 1111", "visibility": "public"}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "tag", "value": "personal-data"}, "evidence": [{"text": "4111 1111 1111 1111"}]}
        ], "absent": ["moderate"]}"#,
        ..Case::EMPTY
    },
];
