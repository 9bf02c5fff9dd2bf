//! What the store promises about forgetting: all of an event goes, nothing of another does, and what is still to be done stays.

use super::*;
use crate::event::Timestamp;

const DECIDED: &str = "2026-11-01T09:00:01Z";

fn entry(action: &str) -> Entry {
    let text = str::to_owned;
    let (token, name, role, request) = (text("boot"), text("admin.token"), text("admin"), text("0"));
    let (action, subject) = (text(action), text("desk"));
    Entry { at: Timestamp(5), token, name, role, action, subject, before: None, after: None, why: None, change: None, request }
}

fn decided() -> Timestamp {
    serde_json::from_value(json!(DECIDED)).unwrap()
}

/// Records an event of an author, with a call in this state.
async fn record(store: &Store, id: &str, author: &str, state: State) -> Event {
    let mut event = event(id);
    event.author.as_mut().unwrap().id = None;
    event.author.as_mut().unwrap().handle = Some(author.to_owned());
    let call = json!({"name": "note", "method": "POST", "path": "/", "body": "empty", "repeat": "harmless"});
    let call = serde_json::from_value(call).unwrap_or_else(|error| panic!("{error}"));
    let posted = Posted { target: "sources.desk".to_owned(), call, state };
    store
        .record(mine(store, keys(&event)), &event, &decision(&event), Besides { posted: vec![posted], ..Besides::default() })
        .await
        .unwrap();
    event
}

/// Every row of the tables that hold what people wrote, or by what it is known.
async fn rows(store: &Store) -> [i64; 4] {
    let count = |conn: &rusqlite::Connection, table| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    let all = move |conn: &rusqlite::Connection| {
        Ok([count(conn, "events")?, count(conn, "claims")?, count(conn, "decisions")?, count(conn, "outbox")?])
    };
    store.read(all).await.unwrap()
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_goes_with_all_that_was_made_of_it() {
    let (_dir, store) = open();
    let event = record(&store, "m1", "@ann", State::Delivered).await;
    assert_eq!(store.sweep(decided()).await, Ok(0), "its age is counted from its decision, to the millisecond");
    assert_eq!(store.sweep(Timestamp(decided().0 + 1)).await, Ok(1));
    assert_eq!(rows(&store).await, [0; 4]);
    drop(mine(&store, keys(&event)));
}

#[tokio::test]
async fn what_is_still_to_be_done_is_never_swept() {
    let (_dir, store) = open();
    record(&store, "m1", "@ann", State::Waiting).await;
    let accepted = event("m2");
    drop(store.accept(mine(&store, keys(&accepted)), &accepted).await.unwrap());
    record(&store, "m3", "@bob", State::Parked).await;
    assert_eq!(store.sweep(Timestamp(u64::MAX >> 1)).await, Ok(1), "what was set aside is past its time too");
    assert_eq!(rows(&store).await[0], 2);
    assert_eq!(store.pending(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_later_delivery_id_of_an_accepted_event_is_forgotten_with_it() {
    let (_dir, store) = open();
    let event = event("m1");
    drop(store.accept(mine(&store, keys(&event)), &event).await.unwrap());
    let again = mine(&store, Keys::of("desk", Some("another delivery"), &event));
    store.record(again, &event, &decision(&event), Besides::default()).await.unwrap();
    assert_eq!(store.erase_event("desk".to_owned(), "m1".to_owned(), entry("event.erase")).await, Ok(Erased::Events(1)));
    assert_eq!(rows(&store).await, [0; 4]);
}

#[tokio::test]
async fn an_author_is_forgotten_and_nobody_else() {
    let (_dir, store) = open();
    for (id, author) in [("m1", "@ann"), ("m2", "@bob"), ("m3", "@ann")] {
        record(&store, id, author, State::Waiting).await;
    }
    let erase = |author: &str| store.erase_author(author.to_owned(), entry("author.erase"));
    assert_eq!(erase("@nobody").await, Ok(Erased::Events(0)));
    assert_eq!(store.audited(&AuditQuery::default()).await.unwrap().items.len(), 0, "nothing was done");
    assert_eq!(erase("@ann").await, Ok(Erased::Events(2)));
    assert_eq!(rows(&store).await, [1, 2, 1, 1]);
    assert!(store.event_decision("desk", "m2").await.unwrap().is_some());
    let log = store.audited(&AuditQuery::default()).await.unwrap().items;
    assert!(log.len() == 1 && !serde_json::to_string(&log).unwrap().contains("@ann"), "{log:?}");
}

#[tokio::test]
async fn an_event_that_is_being_decided_is_not_erased_under_its_run() {
    let (_dir, store) = open();
    let event = event("m1");
    let accepted = store.accept(mine(&store, keys(&event)), &event).await.unwrap();
    assert_eq!(store.erase_event("desk".to_owned(), "m1".to_owned(), entry("event.erase")).await, Ok(Erased::Undecided));
    assert_eq!(store.erase_author("7".to_owned(), entry("author.erase")).await, Ok(Erased::Undecided));
    store.record(accepted, &event, &decision(&event), Besides::default()).await.unwrap();
    assert_eq!(store.erase_author("7".to_owned(), entry("author.erase")).await, Ok(Erased::Events(1)));
}
