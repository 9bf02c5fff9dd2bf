//! What the store promises about counts: each decision counts once and is counted at every moment, whatever becomes of it.

use super::*;
use crate::agreement::{Said, Seen};
use crate::calendar::Calendars;
use crate::event::Timestamp;
use crate::report::{By, ListQuery, Report, VolumeReportQuery, VolumeRow};

/// When the tests' decisions are made.
const DECIDED: &str = "2026-11-01T09:00:01Z";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-01T10:30:00Z").unwrap()
}

/// Records an event from a network, decided as this category.
async fn record(store: &Store, id: &str, network: &str, category: &str) -> Event {
    let mut event = event(id);
    event.network = network.to_owned();
    let mut decision = decision(&event);
    decision.category.key = category.to_owned();
    store.record(mine(store, keys(&event)), &event, &decision, Besides::default()).await.unwrap();
    event
}

async fn volume(store: &Store, by: By) -> Report<VolumeRow> {
    store.report_volume(VolumeReportQuery { by, ..VolumeReportQuery::default() }, now()).await.unwrap()
}

async fn told(store: &Store, by: By) -> Vec<(String, u64)> {
    volume(store, by).await.rows.into_iter().map(|row| (row.name, row.messages)).collect()
}

fn pairs(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_report_is_the_same_before_during_and_after_counting_and_after_a_crash() {
    let (dir, store) = open();
    for (id, network, category) in [("a", "email", "outage"), ("b", "email", "how-to"), ("c", "x", "outage")] {
        record(&store, id, network, category).await;
    }
    let wanted = (pairs(&[("email", 2), ("x", 1)]), pairs(&[("how-to", 1), ("outage", 2)]));
    let all = async |store: &Store| (told(store, By::Network).await, told(store, By::Category).await);
    assert_eq!(all(&store).await, wanted, "not counted yet");
    let image = crashed(dir.path());
    assert_eq!(store.count(now()).await, Ok(3));
    assert_eq!((store.count(now()).await, all(&store).await), (Ok(0), wanted.clone()));
    record(&store, "d", "x", "outage").await;
    let more = (pairs(&[("email", 2), ("x", 2)]), pairs(&[("how-to", 1), ("outage", 3)]));
    assert_eq!(all(&store).await, more, "half of it counted");
    let counted = crashed(dir.path());
    for (image, wanted) in [(image, wanted), (counted, more)] {
        let store = Store::open(image.path()).unwrap();
        assert_eq!(all(&store).await, wanted);
        while store.count(now()).await.unwrap() > 0 {}
        assert_eq!(all(&store).await, wanted);
    }
    let report = volume(&store, By::Source).await;
    assert_eq!((report.rows.len(), report.rows[0].name.as_str(), report.rows[0].messages, report.behind), (1, "desk", 4, 0));
    assert_eq!(report.rows[0].at, Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
}

#[tokio::test]
async fn what_is_forgotten_was_counted_and_is_not_counted_again() {
    let (_dir, store) = open();
    record(&store, "a", "email", "outage").await;
    assert_eq!(store.count(now()).await, Ok(1));
    record(&store, "b", "email", "outage").await;
    record(&store, "c", "x", "outage").await;
    assert_eq!(store.sweep(now()).await, Ok(3), "one that was counted, and two that were not");
    assert_eq!(told(&store, By::Network).await, pairs(&[("email", 2), ("x", 1)]));
    record(&store, "d", "x", "outage").await;
    while store.count(now()).await.unwrap() > 0 {}
    assert_eq!(told(&store, By::Network).await, pairs(&[("email", 2), ("x", 2)]));
    let volume =
        store.volume(&VolumeQuery { since: Some(Timestamp::parse(DECIDED).unwrap()), ..VolumeQuery::default() }, now()).await.unwrap();
    assert_eq!(volume.parts.iter().map(|part| part.decisions).sum::<u64>(), 4);
}

#[tokio::test]
async fn names_without_end_do_not_fill_the_disk_and_none_is_lost_from_the_sum() {
    let (_dir, store) = open();
    for at in 0..550 {
        record(&store, &format!("m{at}"), "email", &format!("made-up-{at}")).await;
    }
    while store.count(now()).await.unwrap() > 0 {}
    let rows = store.read(|conn| conn.query_row("SELECT count(*) FROM tallies WHERE kind = 'category'", [], |row| row.get::<_, i64>(0)));
    assert_eq!(rows.await, Ok(501));
    let found = told(&store, By::Category).await;
    assert_eq!((found.len(), found.iter().map(|(_, count)| count).sum::<u64>()), (50, 550), "and a report has the most frequent by name");
    assert!(found.iter().any(|(name, count)| name == "(more)" && *count >= 50), "{found:?}");
}

#[tokio::test]
async fn a_volume_counts_the_same_from_minutes_and_from_decisions() {
    let (_dir, store) = open();
    for at in 0..30 {
        let mut event = event(&format!("m{at}"));
        event.revision = 1;
        let mut decision = decision(&event);
        decision.head.decided = Timestamp(Timestamp::parse(DECIDED).unwrap().0 + at * 100_000);
        decision.category.key = format!("c{}", at % 3);
        decision.escalation.level = (at % 5) as u8;
        decision.degraded = at % 7 == 0;
        decision.sentiment = (at % 2 == 0).then(|| serde_json::from_value(json!({"label": "very_negative", "score": -0.9})).unwrap());
        store.record(mine(&store, keys(&event)), &event, &decision, Besides::default()).await.unwrap();
        if at == 17 {
            store.count(now()).await.unwrap();
        }
    }
    let query = VolumeQuery { since: Some(Timestamp::parse("2026-11-01T09:10:00Z").unwrap()), until: None, parts: Some(8) };
    let before = store.volume(&query, now()).await.unwrap();
    while store.count(now()).await.unwrap() > 0 {}
    assert_eq!(store.volume(&query, now()).await.unwrap(), before);
    // Decisions from 09:10 on: the sixth has been made at 09:10:01.
    let (sum, escalated, degraded, negative) = before.parts.iter().fold((0, 0, 0, 0), |(sum, escalated, degraded, negative), part| {
        (sum + part.decisions, escalated + part.escalated, degraded + part.degraded, negative + part.negative)
    });
    assert_eq!((sum, escalated, degraded, negative), (24, 20, 4, 12));
    assert_eq!((before.categories.values().sum::<u64>(), before.escalations[&0], before.sentiments["very_negative"]), (24, 4, 12));
}

/// An agent's look at ticket 1, which shows this category.
async fn looked(store: &Store, key: u8, category: &str) {
    let seen = Seen { category: Some(Said::plainly(category.to_owned())), ..Seen::default() };
    let told = Observation::new(now(), "desk".to_owned(), Some("1".to_owned()), "an agent's reply".to_owned());
    let told = Observation { category: Some(category.to_owned()), ..told };
    store.observe(told, Meaning { thread: None, seen }, [key; 32], &Calendars::default()).await.unwrap();
}

async fn corrections(store: &Store) -> Vec<(String, String, u64)> {
    let report = store.report_corrections(ListQuery::default(), now()).await.unwrap();
    report.rows.into_iter().map(|row| (row.decided, row.corrected_to, row.times)).collect()
}

#[tokio::test]
async fn a_decision_is_agreed_with_or_not_as_its_ticket_was_seen_last() {
    let (_dir, store) = open();
    let mut event = event("m1");
    event.ticket = Some(serde_json::from_value(json!({"id": "1"})).unwrap());
    store.record(mine(&store, keys(&event)), &event, &decision(&event), Besides::default()).await.unwrap();
    let agreement = async |store: &Store| {
        let report = store.report_agreement(ListQuery::default(), now()).await.unwrap();
        report.rows.into_iter().map(|row| (row.field, row.seen, row.agreed, row.corrected)).collect::<Vec<_>>()
    };
    assert_eq!(agreement(&store).await, []);
    looked(&store, 1, "other").await;
    assert_eq!(agreement(&store).await, [("category", 1, 1, 0)]);
    for key in [2, 2, 3] {
        looked(&store, key, "hardware").await;
    }
    assert_eq!(agreement(&store).await, [("category", 1, 0, 1)], "seen thrice, counted once");
    assert_eq!(corrections(&store).await, [("other".to_owned(), "hardware".to_owned(), 1)]);
    looked(&store, 4, "=cmd").await;
    assert_eq!(corrections(&store).await, [("other".to_owned(), "=cmd".to_owned(), 1)]);
    assert_eq!(store.sweep(now()).await, Ok(1));
    assert_eq!(corrections(&store).await.len(), 1, "the sum stays");
    looked(&store, 5, "software").await;
    assert_eq!(corrections(&store).await.len(), 1, "and there is no decision to hold the ticket against");
    let kept = store.observations(&ObservationQuery::default()).await.unwrap().items;
    assert_eq!(kept[0].category.as_deref(), Some("software"));
}
