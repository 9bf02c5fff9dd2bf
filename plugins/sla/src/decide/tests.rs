//! Claims about the table, in pairs where a twin must differ.

use serde_json::json;
use signalbox_sdk::Rule;
use signalbox_sdk::testing::{event, run, settled};

use super::*;
use crate::Sla;

/// The targets as `clock seconds calendar`.
fn targets(config: &str, post: serde_json::Value, so_far: serde_json::Value) -> Vec<String> {
    let verdict = Sla::configure(config).unwrap().evaluate(&event(&post), &settled(&so_far)).unwrap();
    let one = |p: Proposal| {
        assert!(!p.reason.is_empty() && p.rule_id.is_some());
        match p.effect {
            Effect::SetSla(t) => format!("{:?} {} {}", t.clock, t.target_seconds, t.calendar.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    };
    verdict.proposals.into_iter().map(one).collect()
}

#[test]
fn a_fact_that_is_unknown_never_fits() {
    let config = r#"{"targets": [{"id": "a", "when": {"vip": false}, "resolution": 60}, {"id": "b", "when": {"priority": ["low"]}, "resolution": 90}]}"#;
    assert!(targets(config, json!({"id": "1", "text": "t"}), json!({})).is_empty());
    assert_eq!(targets(config, json!({"id": "1", "text": "t", "author": {"vip": false}}), json!({}))[0], "SlaClock::Resolution 60 ");
    assert_eq!(targets(config, json!({"id": "1", "text": "t"}), json!({"priority": "low"}))[0], "SlaClock::Resolution 90 ");
}

#[test]
fn the_rows_calendar_stands_above_the_networks() {
    let config = |own: &str| {
        format!(r#"{{"targets": [{{"id": "a", "resolution": 60{own}}}], "calendars": {{"x": "social"}}, "calendar": "office"}}"#)
    };
    let on = |network: &str, own: &str| targets(&config(own), json!({"id": "1", "text": "t", "network": network}), json!({})).remove(0);
    assert!(on("x", "").ends_with("60 social") && on("email", "").ends_with("60 office"));
    assert!(on("x", r#", "calendar": "board""#).ends_with("60 board") && on("x", r#", "calendar": """#).ends_with("60 "));
}

#[test]
fn a_row_without_a_promise_ends_the_table() {
    let config = |first: &str| {
        format!(r#"{{"targets": [{{"id": "a", "when": {{"kinds": ["{first}"]}}, "none": true}}, {{"id": "b", "resolution": 60}}]}}"#)
    };
    assert!(targets(&config("review"), json!({"id": "1", "text": "t", "kind": "review"}), json!({})).is_empty());
    assert_eq!(targets(&config("post"), json!({"id": "1", "text": "t", "kind": "review"}), json!({})).len(), 1);
}

#[test]
fn times_are_spoken() {
    assert_eq!([1, 60, 90, 3_600, 7_200].map(spoken), ["1 second", "1 minute", "90 seconds", "1 hour", "2 hours"]);
}

#[test]
fn the_examples_hold() {
    for example in &Sla::describe().examples {
        run::<Sla>(example).unwrap();
    }
}
