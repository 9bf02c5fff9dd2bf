//! Cases that document the rule and test it: the upload gate runs them, and so do the unit tests.

use signalbox_sdk::Case;

pub(crate) const EXAMPLES: [Case; 6] = [
    Case {
        name: "an open incident, a recent change and the service's state",
        event: r#"{"id": "1", "text": "VPN in Oslo drops me every minute"}"#,
        services: r#"{
            "settled": {"category": {"key": "technical-fault"}, "tags": ["service:vpn"]}, "clock": "2026-01-02T10:00:00Z",
            "lookup": {"tables": {
                "incidents": {"INC-7": {"title": "VPN gateway Oslo drops sessions", "service": "vpn", "status": "open", "since": "09:00"}},
                "changes": {"CHG-3": {"title": "New firmware on the VPN gateway", "service": ["vpn"], "at": "2026-01-02T06:00:00Z"}},
                "services": {"vpn": {"status": "degraded"}}
            }}
        }"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "relate", "value": {"kind": "incident", "id": "INC-7"}}, "evidence": [{"field": "text", "text": "Oslo"}]},
            {"effect": {"type": "relate", "value": {"kind": "change", "id": "CHG-3"}}},
            {"effect": {"type": "relate", "value": {"kind": "service", "id": "vpn"}}},
            {"effect": {"type": "set_impact", "value": "high"}}
        ], "absent": ["set-crisis", "raise-alert"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "what is closed, old or about something else is not linked",
        event: r#"{"id": "2", "text": "VPN in Oslo drops me every minute"}"#,
        services: r#"{
            "settled": {"category": {"key": "technical-fault"}, "tags": ["service:vpn"]}, "clock": "2026-01-02T10:00:00Z",
            "lookup": {"tables": {
                "incidents": {"INC-1": {"title": "VPN Oslo", "service": "vpn", "status": "Closed"}, "INC-2": {"title": "Mail delayed", "service": "email"}},
                "changes": {"CHG-1": {"title": "VPN firmware", "service": "vpn", "at": "2025-12-24T06:00:00Z"}},
                "services": {"vpn": {"status": "up"}}
            }}
        }"#,
        expect: r#"{"proposals": [], "absent": ["relate", "set-impact", "note"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "the fifth conversation within the window is a spike",
        event: r#"{"id": "3", "text": "vpn is gone for me"}"#,
        services: r#"{"settled": {"category": {"key": "outage"}, "tags": ["service:vpn"]}, "state": {"count:vpn": 4}}"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "set_crisis", "value": "watch"}, "evidence": [{"field": "state:count", "text": "5"}]},
            {"effect": {"type": "raise_alert", "value": {"audience": "on-call", "dedupe_key": "spike:vpn"}}}
        ], "absent": ["relate"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "the same conversation counts once",
        event: r#"{"id": "4", "text": "vpn is gone, anyone?", "thread_id": "t1"}"#,
        services: r#"{"settled": {"category": {"key": "outage"}, "tags": ["service:vpn"]}, "state": {"count:vpn": 4, "told:vpn/t1": "1"}}"#,
        expect: r#"{"proposals": [], "absent": ["set-crisis", "raise-alert"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "planned work explains it: nobody is woken up",
        event: r#"{"id": "5", "text": "Checkout does not answer"}"#,
        services: r#"{
            "settled": {"category": {"key": "outage"}, "tags": ["service:checkout"]}, "state": {"count:checkout": 30},
            "lookup": {"tables": {"services": {"checkout": {"status": "maintenance", "planned": true}}}}
        }"#,
        expect: r#"{"proposals": [
            {"effect": {"type": "relate", "value": {"kind": "service", "id": "checkout"}}},
            {"effect": {"type": "set_crisis", "value": "likely"}}
        ], "absent": ["raise-alert", "set-impact"]}"#,
        ..Case::EMPTY
    },
    Case {
        name: "what is no trouble is neither linked nor counted",
        event: r#"{"id": "6", "text": "How do I install the vpn?"}"#,
        services: r#"{"settled": {"category": {"key": "how-to"}, "tags": ["service:vpn"]}, "state": {"count:vpn": 40}}"#,
        expect: r#"{"proposals": [], "absent": ["set-crisis", "relate"]}"#,
        ..Case::EMPTY
    },
];
