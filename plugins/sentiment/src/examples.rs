//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 6] = [
    Case {
        name: "a failure and a strong word",
        event: r#"{"id": "1", "text": "VPN down AGAIN, this is unacceptable. Two hours on hold."}"#,
        expect: r#"{"proposals": [{"effect": {"type": "flag_sentiment", "value": {"label": "very_negative", "score": {"max": -0.6}}}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "borrowed praise is sarcasm",
        event: r#"{"id": "2", "text": "Fantastic, another outage."}"#,
        expect: r#"{"proposals": [{"effect": {"type": "flag_sentiment", "value": {"signals": ["sarcasm"], "score": {"max": -0.2}}}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "the sincere twin",
        event: r#"{"id": "3", "text": "Fantastic support, the outage was fixed in ten minutes. Thank you!"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "flag_sentiment", "value": {"signals": ["gratitude"], "score": {"min": 0.5}}}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "nothing felt is neutral",
        event: r#"{"id": "4", "text": "Which port does the printer use?"}"#,
        expect: r#"{"proposals": [{"effect": {"type": "flag_sentiment", "value": {"label": "neutral"}}}]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a rating speaks without words",
        event: r#"{"id": "5", "text": "As described on the box.", "kind": "review", "rating": 0.0}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "flag_sentiment", "value": {"score": {"max": -0.5}}}, "evidence": [{"field": "rating", "text": "0.00"}]}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "a word and a signal of your own",
        event: r#"{"id": "6", "text": "The gizmo went kaboom, calling the press"}"#,
        config: r#"{"words": {"kaboom": -3}, "signals": {"press": ["the press"]}}"#,
        expect: r#"{"proposals": [{"effect": {"type": "flag_sentiment", "value": {"label": "very_negative", "signals": ["press"]}}}]}"#,
        ..Case::EMPTY
    },
];
