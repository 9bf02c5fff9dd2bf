//! Claims about links, spikes and duplicates, through the rule as it runs.

use serde_json::{Value, json};
use signalbox_sdk::Rule;
use signalbox_sdk::testing::{event, run, set_services, settled};

use super::*;
use crate::Outage;

/// Judges posts one after the other; state goes on from one to the next.
fn judge(config: &str, posts: &[(&str, &str)], so_far: &Value) -> Vec<Vec<Proposal>> {
    let rule = Outage::configure(config).unwrap();
    let so_far = settled(so_far);
    let one = |(id, text): &(&str, &str)| {
        let proposals = rule.evaluate(&event(&json!({"id": id, "text": text})), &so_far).unwrap().proposals;
        for evidence in proposals.iter().flat_map(|p| &p.evidence) {
            if let Some(span) = evidence.span {
                assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
            }
        }
        proposals
    };
    posts.iter().map(one).collect()
}

fn duplicate(proposals: &[Proposal]) -> Option<&str> {
    proposals.iter().find_map(|p| match &p.effect {
        Effect::Relate(link) if link.kind == LinkKind::DuplicateOf => Some(link.id.as_str()),
        _ => None,
    })
}

#[test]
fn what_says_the_same_is_grouped_and_what_does_not_is_not() {
    set_services(&json!({}));
    let posts = [
        ("a", "The mail server in Lyon has been silent since nine"),
        ("b", "the mail server in Lyon has been silent since nine!!"),
        ("c", "My scanner in room four prints stripes and noise"),
        ("a", "The mail server in Lyon has been silent since nine"),
    ];
    let judged = judge("{}", &posts, &json!({"category": {"key": "outage"}}));
    let grouped: Vec<Option<&str>> = judged.iter().map(|proposals| duplicate(proposals)).collect();
    assert_eq!(grouped, [None, Some("a"), None, Some("b")], "a conversation is no duplicate of itself");
}

#[test]
fn many_conversations_are_a_spike_and_one_that_writes_often_is_not() {
    let so_far = json!({"category": {"key": "outage"}, "tags": ["service:wifi"]});
    let spikes = |posts: &[(&str, &str)]| {
        set_services(&json!({}));
        let judged = judge(r#"{"spike": {"count": 3, "likely": 4}}"#, posts, &so_far);
        let crisis = |p: &Proposal| if let Effect::SetCrisis(crisis) = p.effect { Some(crisis) } else { None };
        judged.iter().map(|proposals| proposals.iter().find_map(crisis)).collect::<Vec<_>>()
    };
    let (one, two, three, four) = (("a", "wifi"), ("b", "wifi"), ("c", "wifi"), ("d", "wifi"));
    assert_eq!(spikes(&[one, two, three, four]), [None, None, Some(Crisis::Watch), Some(Crisis::Likely)]);
    assert_eq!(spikes(&[one, one, one, one]), [None; 4]);
}

use signalbox_sdk::Crisis;

#[test]
fn a_trouble_that_is_over_is_not_counted() {
    set_services(&json!({"state": {"count:wifi": 9}}));
    let judged = judge("{}", &[("a", "wifi is back")], &json!({"category": {"key": "outage"}, "tags": ["service:wifi", "resolved"]}));
    assert!(judged[0].is_empty());
}

#[test]
fn words_alone_can_link_and_general_words_cannot() {
    let row = |title: &str| json!({"lookup": {"tables": {"incidents": {"I1": {"title": title}}}}});
    let linked = |title: &str| {
        set_services(&row(title));
        let judged =
            judge("{}", &[("a", "no dial tone on any desk phone in Porto since this morning")], &json!({"category": {"key": "outage"}}));
        judged[0].iter().any(|p| matches!(&p.effect, Effect::Relate(link) if link.kind == LinkKind::Incident))
    };
    assert!(linked("Desk phone exchange Porto: no dial tone"));
    assert!(!linked("Service down since this issue with users"));
}

#[test]
fn without_tables_and_with_long_names_it_still_works() {
    set_services(&json!({}));
    let long = "ü".repeat(300);
    let judged = judge("{}", &[(long.as_str(), "mail does not work at all today")], &json!({"category": {"key": "outage"}}));
    assert!(judged[0].is_empty());
}

#[test]
fn the_examples_hold() {
    for example in &Outage::describe().examples {
        run::<Outage>(example).unwrap();
    }
}
