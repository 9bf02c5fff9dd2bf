//! What the journal promises to whoever reads it: pages, filters, and every byte as it was.
//!
//! Run by `cargo test`, with the harness of `tests.rs`. It must never depend on the order of two decisions of one moment.

use super::*;
use crate::event::Timestamp;
use crate::verdict::{Level, SentimentLabel};

#[tokio::test]
async fn pages_enumerate_everything_once_while_more_is_recorded() {
    let (_dir, store) = open();
    // Three decisions share each moment, so that pages end inside one.
    let record = async |n: u64| {
        let event = event(&format!("m{n}"));
        let mut decision = decision(&event);
        decision.head.decided = Timestamp(1_000 + n / 3);
        store.record(mine(&store, keys(&event)), &event, &decision, Besides::default()).await.unwrap();
    };
    for n in 0..50 {
        record(n).await;
    }
    let mut query = Query { limit: Some(7), ..Query::default() };
    let (mut seen, mut next) = (Vec::new(), 50);
    loop {
        let page = store.decisions(&query).await.unwrap();
        seen.extend(page.items.iter().map(|item| serde_json::from_str::<Event>(&item.event).unwrap().id));
        record(next).await;
        next += 1;
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..50).rev().map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_query_finds_what_it_asks_for() {
    let (_dir, store) = open();
    for n in 0..12_u8 {
        let mut event = event(&format!("m{n}"));
        event.source = if n % 2 == 0 { "even" } else { "odd" }.into();
        let mut decision = decision(&event);
        decision.escalation.level = n % 5;
        decision.degraded = n == 3;
        decision.priority = (n > 9).then_some(Level::Critical);
        decision.sentiment = (n == 4).then(|| serde_json::from_value(json!({"label": "very_negative", "score": -0.7})).unwrap());
        decision.head.decided = Timestamp(u64::from(n));
        store.record(mine(&store, keys(&event)), &event, &decision, Besides::default()).await.unwrap();
    }
    let cases = [
        (r#"{"source": "odd"}"#, "11 9 7 5 3 1"),
        (r#"{"min_escalation": 3}"#, "9 8 4 3"),
        (r#"{"degraded": true}"#, "3"),
        (r#"{"priority": "critical", "source": "even"}"#, "10"),
        (r#"{"sentiment": "very_negative"}"#, "4"),
        (r#"{"since": "1970-01-01T00:00:00.002Z", "until": "1970-01-01T00:00:00.005Z", "degraded": false}"#, "4 2"),
        (r#"{"event_id": "m6", "category": "other"}"#, "6"),
        (r#"{"ticket_id": "1"}"#, ""),
    ];
    for (query, found) in cases {
        let page = store.decisions(&serde_json::from_str(query).unwrap()).await.unwrap();
        let ids = page.items.iter().map(|item| serde_json::from_str::<Event>(&item.event).unwrap().id[1..].to_owned());
        assert_eq!(ids.collect::<Vec<_>>().join(" "), found, "{query}");
    }
    assert_eq!(serde_json::from_str::<Query>(r#"{"sentiment": "very_negative"}"#).unwrap().sentiment, Some(SentimentLabel::VeryNegative));
}

#[tokio::test]
async fn hostile_text_comes_back_byte_for_byte() {
    let (dir, store) = open();
    let long = "\u{1f6a8}ä'\"".repeat(1_000);
    let texts = ["'; DROP TABLE events; --", "\"?1 :a @b $c\\", "%_*[", &long, "\u{202e}\u{feff}\u{1f468}\u{200d}\u{1f469}\u{7f}\r\n\t"];
    let mut told = Vec::new();
    for (n, text) in texts.into_iter().enumerate() {
        let mut event = event(&format!("'{n}\" OR 1=1"));
        (event.text, event.title) = (text.to_owned(), Some(text.chars().take(20).collect()));
        let mut decision = decision(&event);
        decision.category.key = text.chars().take(60).collect();
        decision.notes.push(text.to_owned());
        let recorded = store.record(mine(&store, keys(&event)), &event, &decision, Besides::default()).await.unwrap();
        told.push((event, decision, recorded));
    }
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    for (event, decision, recorded) in told {
        assert_eq!(known(&store, keys(&event)), recorded);
        let stored = store.decision(&recorded.decision_id).await.unwrap().unwrap();
        assert_eq!((stored.event, &*stored.decision), (serde_json::to_string(&event).unwrap(), &*recorded.decision_json));
        assert_eq!(stored.decision, serde_json::to_string(&decision).unwrap());
        let query = Query { category: Some(decision.category.key), event_id: Some(event.id), ..Query::default() };
        assert_eq!(store.decisions(&query).await.unwrap().items.len(), 1);
    }
}
