//! What the outbox promises: a call comes with its decision, is given to one sender, in its thread's order, and blocks nobody.

use std::collections::BTreeMap;

use super::*;
use crate::event::Timestamp;
use crate::outgoing::{Body, Outgoing, Repeat};

const LATER: Timestamp = Timestamp(u64::MAX >> 1);
const TARGET: &str = "sources.desk";

fn posted(name: &str) -> Posted {
    let (method, path) = ("POST".to_owned(), format!("/{name}"));
    let call = Outgoing { name: name.to_owned(), method, path, headers: BTreeMap::new(), body: Body::Empty, repeat: Repeat::Harmless };
    Posted { target: TARGET.to_owned(), call, state: State::Waiting }
}

/// Records the decision about an event of one ticket, with these calls.
async fn post(store: &Store, id: &str, calls: &[&str]) -> Event {
    let mut event = event(id);
    event.thread_id = Some("one".to_owned());
    let calls = calls.iter().map(|name| posted(name)).collect();
    store.record(mine(store, keys(&event)), &event, &decision(&event), Besides { posted: calls, ..Besides::default() }).await.unwrap();
    event
}

async fn due(store: &Store) -> Vec<String> {
    let due = store.claim_due(vec![(TARGET.to_owned(), 9), ("sinks.other".to_owned(), 9)], LATER).await.unwrap();
    due.into_iter().map(|due| due.id).collect()
}

async fn settle(store: &Store, id: &str, state: State) {
    let settled = Settled { state, next_at: Timestamp(0), counted: true, status: Some(422), answer: "no".to_owned() };
    store.settle(id, settled, LATER).await.unwrap();
}

#[tokio::test]
async fn only_the_oldest_open_call_of_a_thread_is_given_out_and_to_one_sender() {
    let (_dir, store) = open();
    post(&store, "m1", &["a", "b"]).await;
    post(&store, "m2", &["c"]).await;
    assert_eq!((due(&store).await, due(&store).await), (vec!["d-m1-0-1".to_owned()], vec![]));
    settle(&store, "d-m1-0-1", State::Parked).await;
    assert_eq!(due(&store).await, ["d-m1-0-2"], "what is set aside lets the next one go");
    settle(&store, "d-m1-0-2", State::Waiting).await;
    assert_eq!(due(&store).await, ["d-m1-0-2"], "what waits for another attempt does not");
    settle(&store, "d-m1-0-2", State::Delivered).await;
    assert_eq!(due(&store).await, ["d-m2-0-1"]);
}

#[tokio::test]
async fn the_calls_of_a_decision_are_as_durable_as_the_decision_and_come_once() {
    let (dir, store) = open();
    post(&store, "m1", &["a"]).await;
    assert_eq!(due(&store).await, ["d-m1-0-1"]);
    let image = crashed(dir.path());
    let store = Store::open(image.path()).unwrap();
    assert_eq!(due(&store).await, [""; 0], "it was with a sender when the host died");
    assert_eq!(store.resume_sending().await, Ok(1));
    let resumed = store.claim_due(vec![(TARGET.to_owned(), 9)], LATER).await.unwrap();
    assert_eq!((resumed[0].id.as_str(), resumed[0].attempts), ("d-m1-0-1", 2), "the desk may have it already");
    assert!(matches!(store.claim(keys(&event("m1"))).unwrap(), Claim::Known(_)));
    assert_eq!(store.deliveries(&DeliveryQuery::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_call_is_sent_by_hand_only_when_it_was_set_aside() {
    let (_dir, store) = open();
    post(&store, "m1", &["a"]).await;
    let id = "d-m1-0-1";
    assert_eq!(store.replay(id, LATER).await, Ok(Some(Replay::Not(State::Waiting))));
    for state in [State::Parked, State::Dead] {
        assert_eq!(due(&store).await, [id]);
        assert_eq!(store.replay(id, LATER).await, Ok(Some(Replay::Not(State::Sending))));
        settle(&store, id, state).await;
        assert_eq!(due(&store).await, [""; 0]);
        assert_eq!(store.replay(id, LATER).await, Ok(Some(Replay::Waiting)));
    }
    assert_eq!(due(&store).await, [id]);
    settle(&store, id, State::Delivered).await;
    assert_eq!(store.replay(id, LATER).await, Ok(Some(Replay::Not(State::Delivered))));
    assert_eq!(store.replay("d-m9-0-1", LATER).await, Ok(None));
}

#[tokio::test]
async fn a_call_that_this_version_cannot_read_is_set_aside() {
    let (_dir, store) = open();
    post(&store, "m1", &["a", "b"]).await;
    let foreign = r#"UPDATE outbox SET call = '{"verb":"sing"}' WHERE position = 1"#;
    store.inner.writer.write(move |conn| conn.execute(foreign, [])).await.unwrap();
    assert_eq!(due(&store).await, [""; 0]);
    let row = store.delivery("d-m1-0-1").await.unwrap().unwrap();
    assert_eq!((row.state, row.answer.as_deref()), (State::Parked, Some("not sent: this version cannot read the call")));
    assert_eq!(due(&store).await, ["d-m1-0-2"]);
}
