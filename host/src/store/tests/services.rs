//! What steps remember is committed with the decision; rows of tables keep their past; a thread is found.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::event::Timestamp;
use crate::state::{Cell, Effect, StateRow, StateWrite, Value as Kept};
use crate::table::{Columns, columns};

fn entry() -> Entry {
    let text = str::to_owned;
    let (token, name, role, request) = (text("boot"), text("admin.token"), text("admin"), text("0"));
    let (action, subject) = (text("test"), text("t"));
    Entry { at: Timestamp(5), token, name, role, action, subject, before: None, after: None, why: None, change: None, request }
}

fn write(key: &str, effect: Effect, wrote: i64) -> StateWrite {
    StateWrite { step: "default/step".to_owned(), key: key.to_owned(), effect, wrote }
}

fn put(key: &str, text: &str, wrote: i64) -> StateWrite {
    write(key, Effect::Put(Cell { value: Kept::Bytes(text.as_bytes().to_vec()), expires: None }), wrote)
}

/// A moment so many seconds after the decisions of these tests: what ended long before them is swept.
fn after(seconds: u64) -> Timestamp {
    Timestamp(decision(&event("any")).head.decided.0 + seconds * 1_000)
}

fn add(by: i64, ends_s: u64, wrote: i64) -> StateWrite {
    write("count", Effect::Add { by, expires: Some(after(ends_s)) }, wrote)
}

async fn record(store: &Store, id: &str, writes: Vec<StateWrite>) {
    let event = event(id);
    let besides = Besides { writes, asked: Some(r#"[{"step": "step"}]"#.to_owned()), ..Besides::default() };
    store.record(mine(store, keys(&event)), &event, &decision(&event), besides).await.unwrap();
}

fn held(rows: &[StateRow], key: &str) -> Option<Kept> {
    rows.iter().find(|row| row.key == key).and_then(|row| row.cell.clone()).map(|cell| cell.value)
}

#[tokio::test]
async fn writes_are_added_up_whatever_order_they_are_committed_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // The run that wrote second is committed first.
    record(&store, "m2", vec![put("value", "new", 12), add(2, 60, 13), put("gone", "x", 14)]).await;
    record(&store, "m1", vec![put("value", "old", 10), add(1, 60, 11), write("gone", Effect::Remove, 9)]).await;
    let rows = store.state(after(0)).await.unwrap();
    assert_eq!(held(&rows, "value"), Some(Kept::Bytes(b"new".to_vec())));
    assert_eq!(held(&rows, "count"), Some(Kept::Count(3)), "no increment is lost");
    assert_eq!(held(&rows, "gone"), Some(Kept::Bytes(b"x".to_vec())), "what was removed before it was written is there");
    record(&store, "m3", vec![write("gone", Effect::Remove, 15), add(1, 120, 16)]).await;
    record(&store, "m4", vec![add(5, 60, 14)]).await;
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    let rows = store.state(after(0)).await.unwrap();
    assert_eq!((held(&rows, "gone"), held(&rows, "count")), (None, Some(Kept::Count(1))), "a later window is another count");
    assert_eq!(rows.iter().map(|row| row.wrote).max(), Some(16), "what comes next is later than all of it");
    assert_eq!(held(&store.state(after(120)).await.unwrap(), "count"), None, "its window has ended");
}

#[tokio::test]
async fn a_decision_that_comes_second_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let event = event("m1");
    let held_twice = mine(&store, keys(&event));
    let second = Mine { hold: Arc::clone(&held_twice.hold), accepted: None };
    let besides = |text: &str, wrote| Besides { writes: vec![put("k", text, wrote)], ..Besides::default() };
    store.record(held_twice, &event, &decision(&event), besides("first", 1)).await.unwrap();
    store.record(second, &event, &decision(&event), besides("second", 2)).await.unwrap();
    assert_eq!(held(&store.state(after(0)).await.unwrap(), "k"), Some(Kept::Bytes(b"first".to_vec())));
}

fn row(json: Value) -> Columns {
    columns(json.as_object().unwrap(), None, &crate::config::TableLimits::default()).unwrap()
}

fn edit(set: &[(&str, Value)], unset: &[&str]) -> TableEdit {
    let set = set.iter().map(|(key, json)| ((*key).to_owned(), row(json.clone()))).collect::<BTreeMap<_, _>>();
    TableEdit { name: "t".to_owned(), set, unset: unset.iter().map(|key| (*key).to_owned()).collect(), ..TableEdit::default() }
}

#[tokio::test]
async fn a_row_is_as_it_was_at_every_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let at = |at: u64| Entry { at: Timestamp(at), ..entry() };
    assert_eq!(store.row_at("t", "a", Timestamp(50)).unwrap(), None, "there is no table");
    store.edit_table(edit(&[("a", json!({"n": 1})), ("b", json!({"n": 9}))], &[]), at(100)).await.unwrap();
    store.edit_table(edit(&[("a", json!({"n": 2}))], &[]), at(200)).await.unwrap();
    // The clock was put back.
    store.edit_table(edit(&[("a", json!({"n": 3}))], &["b"]), at(150)).await.unwrap();
    let said = |moment: u64| store.row_at("t", "a", Timestamp(moment)).unwrap();
    assert_eq!((said(99), said(100), said(199)), (None, Some(Some(row(json!({"n": 1})))), Some(Some(row(json!({"n": 1}))))));
    assert_eq!(said(200), Some(Some(row(json!({"n": 3})))), "the latest of one moment");
    assert_eq!(store.rows_at("t", 10, Timestamp(120)).unwrap().unwrap().len(), 2);
    assert_eq!(store.rows_at("t", 1, Timestamp(120)).unwrap().unwrap().len(), 1);
    assert_eq!(store.row_at("t", "b", Timestamp(300)).unwrap(), Some(None), "it was removed");
    assert_eq!(store.tables().await.unwrap().table("t").unwrap().rows.len(), 1);
    store.edit_table(TableEdit { name: "t".to_owned(), gone: true, ..TableEdit::default() }, at(400)).await.unwrap();
    assert!(store.tables().await.unwrap().table("t").is_none());
    assert_eq!((said(399).is_some(), said(400)), (true, None));
    assert_eq!(store.row_versions("t", "a", 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_thread_is_found_by_its_index_and_forgotten_with_its_messages() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let said = |id: &str, thread: &str| Event { thread_id: Some(thread.to_owned()), ..event(id) };
    for (id, thread) in [("m1", "t1"), ("m2", "t2"), ("m3", "t1")] {
        let event = said(id, thread);
        let besides = Besides { asked: Some("[]".to_owned()), ..Besides::default() };
        store.record(mine(&store, keys(&event)), &event, &decision(&event), besides).await.unwrap();
    }
    let found = |limit: u32| {
        let messages = store.thread(&said("m4", "t1"), "t1", limit).unwrap();
        messages.into_iter().map(|message| message.event.unwrap().id.clone()).collect::<Vec<_>>()
    };
    assert_eq!((found(9), found(1)), (vec!["m3".to_owned(), "m1".to_owned()], vec!["m3".to_owned()]));
    let other = Event { source: "elsewhere".to_owned(), ..said("m4", "t1") };
    assert!(store.thread(&other, "t1", 9).unwrap().is_empty(), "another source's thread of the same name");
    let plan = store.inner.lookups.read(|conn| {
        let sql = "EXPLAIN QUERY PLAN SELECT seq, event FROM events WHERE json_extract(event, '$.thread_id') = 'x' \
            AND json_extract(event, '$.thread_id') IS NOT NULL ORDER BY seq DESC LIMIT 9";
        conn.query_row(sql, [], |row| row.get::<_, String>(3))
    });
    assert!(plan.as_ref().unwrap().contains("events_thread"), "{plan:?}");
    let seq = store.thread(&said("m4", "t1"), "t1", 1).unwrap()[0].seq;
    store.erase_event(event("m3").source, "m3".to_owned(), entry()).await.unwrap();
    assert_eq!((found(9), store.message(seq).unwrap()), (vec!["m1".to_owned()], None));
    let asked = store.inner.lookups.read(|conn| conn.query_row("SELECT count(*) FROM asked", [], |row| row.get::<_, i64>(0)));
    assert_eq!(asked.unwrap(), 2);
}
