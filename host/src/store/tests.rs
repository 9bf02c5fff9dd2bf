//! What the journal promises about claims, each promise against a real file in a temporary directory; faults and pages below.
//!
//! Whatever concerns one file alone is tested in that file. It must never sleep, nor put a mock in the place of the disk.

mod counts;
mod erase;
mod faults;
mod outbox;
mod pages;
mod people;
mod services;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::decision::Decision;
use crate::event::Event;

fn event(id: &str) -> Event {
    let author = json!({"id": "7", "handle": "@ann"});
    let (text, occurred) = (format!("it is broken, {id}"), "2026-11-01T09:00:00Z");
    let event = json!({"id": id, "text": text, "source": "desk", "author": author, "occurred": occurred});
    Event::from_json(event.to_string().as_bytes()).unwrap().event
}

fn decision(event: &Event) -> Decision {
    serde_json::from_value(json!({
        "id": format!("d-{}-{}", event.id, event.revision), "event_id": event.id, "revision": event.revision, "source": event.source,
        "chain": "main", "generation": "g1", "decided": "2026-11-01T09:00:01Z", "degraded": false, "category": {"key": "other"},
        "crisis": "none", "confidence": {"category": 0.1}, "tags": {}, "escalation": {"level": 0}, "trace": [],
    }))
    .unwrap()
}

fn keys(event: &Event) -> Keys {
    Keys::of(&event.source, None, event)
}

#[track_caller]
fn mine(store: &Store, keys: Keys) -> Mine {
    match store.claim(keys).unwrap() {
        Claim::Mine(mine) => mine,
        other => panic!("expected Mine, got {other:?}"),
    }
}

#[track_caller]
fn known(store: &Store, keys: Keys) -> Recorded {
    match store.claim(keys).unwrap() {
        Claim::Known(recorded) => recorded,
        other => panic!("expected Known, got {other:?}"),
    }
}

#[track_caller]
fn running(store: &Store, keys: Keys) -> Running {
    match store.claim(keys).unwrap() {
        Claim::Running(running) => running,
        other => panic!("expected Running, got {other:?}"),
    }
}

async fn run(store: &Store, event: &Event) -> Result<Recorded, StoreError> {
    store.record(mine(store, keys(event)), event, &decision(event), Besides::default()).await
}

fn open() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// The files as a crash would leave them: everything that was written, nothing that closing would add.
fn crashed(dir: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    for name in ["signalbox.db", "signalbox.db-wal"] {
        std::fs::copy(dir.join(name), image.path().join(name)).unwrap();
    }
    image
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_copies_at_once_one_is_run_and_all_get_its_answer() {
    let (dir, store) = open();
    let event = event("m1");
    let runs = Arc::new(AtomicUsize::new(0));
    let copies: Vec<_> = (0..100)
        .map(|_| {
            let (store, event, runs) = (store.clone(), event.clone(), Arc::clone(&runs));
            tokio::spawn(async move {
                loop {
                    match store.claim(keys(&event)).unwrap() {
                        Claim::Known(recorded) => return recorded,
                        Claim::Running(running) => running.wait().await,
                        Claim::Mine(mine) => {
                            runs.fetch_add(1, Ordering::SeqCst);
                            return store.record(mine, &event, &decision(&event), Besides::default()).await.unwrap();
                        }
                    }
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for copy in copies {
        answers.push(copy.await.unwrap());
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(store.decisions(&Query::default()).await.unwrap().items.len(), 1);
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(known(&store, keys(&event)), answers[0]);
    assert_eq!(*answers[0].decision_json, *serde_json::to_string(&decision(&event)).unwrap());
}

#[tokio::test]
async fn a_run_that_is_given_up_goes_to_the_next_copy() {
    let (_dir, store) = open();
    let first = mine(&store, keys(&event("m1")));
    let waiting = running(&store, keys(&event("m1")));
    drop(first);
    waiting.wait().await;
    mine(&store, keys(&event("m1")));
}

#[tokio::test]
async fn each_of_the_three_keys_is_enough() {
    let (_dir, store) = open();
    let first = event("m1");
    let held = mine(&store, Keys::of("desk", Some("d1"), &first));
    let recorded = store.record(held, &first, &decision(&first), Besides::default()).await.unwrap();
    let other = event("m2");
    let renamed = Event { id: "m9".into(), ..first.clone() };
    let retold = Event { text: "reworded by the desk".into(), ..first.clone() };
    for repeat in [Keys::of("desk", Some("d1"), &other), Keys::of("desk", Some("d2"), &retold), Keys::of("desk", Some("d3"), &renamed)] {
        assert_eq!(known(&store, repeat), recorded);
    }
    mine(&store, Keys::of("desk", Some("d4"), &other));
    mine(&store, Keys::of("other", Some("d1"), &first));
}

#[tokio::test]
async fn an_edit_and_the_same_words_of_another_author_are_run() {
    let (_dir, store) = open();
    let first = event("m1");
    run(&store, &first).await.unwrap();
    let edited = Event { revision: 1, ..first.clone() };
    assert_eq!(&*run(&store, &edited).await.unwrap().decision_id, "d-m1-1");
    let mut another = Event { id: "m2".into(), ..first.clone() };
    another.author.as_mut().unwrap().id = Some("8".into());
    assert_eq!(&*run(&store, &another).await.unwrap().decision_id, "d-m2-0");
    let latest = store.event_decision("desk", "m1").await.unwrap().unwrap();
    assert!(latest.decision.contains("d-m1-1") && latest.event.contains(r#""revision":1"#));
    assert_eq!(store.event_decision("other", "m1").await, Ok(None));
}

#[tokio::test]
async fn an_accepted_event_outlives_a_crash_and_is_run_once() {
    let (dir, store) = open();
    let first = event("m1");
    let accepted = store.accept(mine(&store, Keys::of("desk", Some("d1"), &first)), &first).await.unwrap();
    assert_eq!(accepted.accepted(), Some(&first));
    assert!(store.pending(10).await.unwrap().is_empty(), "it is running");

    let image = crashed(dir.path());
    let store = Store::open(image.path()).unwrap();
    let mut pending = store.pending(10).await.unwrap();
    assert_eq!((pending.len(), pending[0].accepted()), (1, Some(&first)));
    assert!(store.pending(10).await.unwrap().is_empty());
    running(&store, Keys::of("desk", Some("d1"), &event("m2")));
    let recorded = store.record(pending.remove(0), &first, &decision(&first), Besides::default()).await.unwrap();
    assert!(store.pending(10).await.unwrap().is_empty());
    assert_eq!(known(&store, keys(&first)), recorded);
}

#[tokio::test]
async fn a_copy_takes_over_an_accepted_event_that_nobody_runs() {
    let (_dir, store) = open();
    let first = event("m1");
    drop(store.accept(mine(&store, Keys::of("desk", Some("d1"), &first)), &first).await.unwrap());
    let renamed = Event { id: "m9".into(), ..first.clone() };
    let taken = mine(&store, Keys::of("desk", Some("d2"), &renamed));
    assert_eq!(taken.accepted(), Some(&first));
    running(&store, Keys::of("desk", Some("d1"), &event("m2")));
    let recorded = store.record(taken, &first, &decision(&first), Besides::default()).await.unwrap();
    assert_eq!(known(&store, Keys::of("desk", Some("d2"), &event("m3"))), recorded);
}

#[tokio::test]
async fn a_caller_that_hangs_up_while_it_is_recorded_leaves_no_gap() {
    let (_dir, store) = open();
    let first = event("m1");
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let busy = tokio::spawn({
        let store = store.clone();
        async move { store.inner.writer.write(move |_| Ok(gate.recv().ok())).await }
    });
    tokio::task::yield_now().await;
    {
        let (held, decision) = (mine(&store, keys(&first)), decision(&first));
        let mut record = std::pin::pin!(store.record(held, &first, &decision, Besides::default()));
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(record.as_mut().poll(cx).is_pending())).await);
    }
    let waiting = running(&store, keys(&first));
    drop(go);
    busy.await.unwrap().unwrap();
    waiting.wait().await;
    known(&store, keys(&first));
}

#[tokio::test]
async fn the_earlier_decision_stands() {
    let (_dir, store) = open();
    let earlier = run(&store, &event("m1")).await.unwrap();
    let second = event("m2");
    let held = mine(&store, keys(&second));
    // What another host on the same database would have done meanwhile.
    let stolen = keys(&second).0;
    store.inner.writer.write(move |conn| conn.execute("INSERT INTO claims (key, event) VALUES (?1, 1)", [stolen[0]])).await.unwrap();
    assert_eq!(store.record(held, &second, &decision(&second), Besides::default()).await.unwrap(), earlier);
    assert_eq!(store.decisions(&Query::default()).await.unwrap().items.len(), 1);
}
