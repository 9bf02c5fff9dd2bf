//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

/// What a desk may know: one answer for everybody, one for the author alone.
macro_rules! told {
    ($settled:literal) => {
        concat!(
            r#"{"settled": "#,
            $settled,
            r#", "lookup": {"tables": {"articles": {
                "KB-1": {"title": "Reset your password", "questions": ["How do I reset my password?", "I forgot my password"], "public": true,
                    "reply": "Use the link “Forgot password” on the login page. The mail arrives within five minutes.",
                    "reply_de": "Nutzen Sie den Link „Passwort vergessen“ auf der Anmeldeseite.", "words": "Passwort vergessen zurücksetzen",
                    "url": "https://help.example/1"},
                "KB-2": {"title": "VPN drops on Windows", "words": ["vpn", "disconnects", "drops", "windows"], "known_issue": true,
                    "reply": "Update the client to 5.2; until then choose the profile “stable”."}
            }}}}"#
        )
    };
}

pub(crate) const EXAMPLES: [Case; 6] = [
    Case {
        name: "an answer for everybody, drafted for a person to send",
        event: r#"{"id": "1", "text": "How do I reset my password?", "network": "x", "visibility": "public"}"#,
        services: told!(r#"{"category": {"key": "how-to"}}"#),
        expect: r#"{"proposals": [
            {"effect": {"type": "suggest_article", "value": {"id": "KB-1", "url": "https://help.example/1"}}},
            {"effect": {"type": "draft_reply", "value": {"visibility": "public", "auto": false, "approval": "agent"}},
             "rule_id": "KB-1", "evidence": [{"field": "text", "text": "password"}]}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "in the author's language",
        event: r#"{"id": "2", "text": "Passwort vergessen, wie kann ich es zurücksetzen?", "network": "email", "visibility": "private"}"#,
        services: told!(r#"{"category": {"key": "how-to"}, "language": "de"}"#),
        expect: r#"{"proposals": [
            {"effect": {"type": "draft_reply", "value": {"language": "de", "visibility": "private",
                "body": "Nutzen Sie den Link „Passwort vergessen“ auf der Anmeldeseite."}}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "what is not for the public is offered in private, with an apology, past a supervisor",
        event: r#"{"id": "3", "text": "VPN drops every minute on Windows, great", "network": "mastodon", "visibility": "public"}"#,
        services: told!(
            r#"{"category": {"key": "technical-fault"}, "sentiment": {"label": "negative", "score": -0.5, "signals": ["sarcasm"]}}"#
        ),
        expect: r#"{"proposals": [
            {"effect": {"type": "draft_reply", "value": {"visibility": "public", "approval": "supervisor",
                "body": "Sorry about that. We would like to help: please send us a direct message with the details."}}},
            {"effect": {"type": "note", "value": "For the private answer: VPN drops on Windows (KB-2)."}}
        ]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "never where security, the law or safety is at stake",
        event: r#"{"id": "4", "text": "I forgot my password because I typed it into a phishing page", "network": "x", "visibility": "public"}"#,
        services: told!(r#"{"category": {"key": "how-to"}}"#),
        expect: r#"{"proposals": [], "absent": ["draft-reply", "suggest-article"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "never behind a red flag",
        event: r#"{"id": "5", "text": "How do I reset my password?", "network": "x", "visibility": "public"}"#,
        services: told!(r#"{"category": {"key": "how-to"}, "tags": ["red-flag:security"]}"#),
        expect: r#"{"proposals": [], "absent": ["draft-reply", "suggest-article"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "without a person only where you say so, and only as far as the host grants it",
        event: r#"{"id": "6", "text": "How do I reset my password?", "network": "email", "visibility": "private"}"#,
        config: r#"{"auto": {"on": true, "at": 0.5}}"#,
        services: told!(r#"{"category": {"key": "how-to"}}"#),
        expect: r#"{"proposals": [{"effect": {"type": "draft_reply", "value": {"auto": true, "approval": "none"}}}]}"#,
    },
];
