//! What the worker promises, against a real outbox and a real desk of this machine; the black-box suite has the rest.

#[expect(dead_code, reason = "the black-box suite shares this desk and asks more of it")]
#[path = "../../../tests/it/desk.rs"]
mod desk;

use std::sync::atomic::AtomicBool;

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use self::desk::{Call, Desk as FakeDesk, Mood};
use super::*;
use crate::app::Clock;
use crate::event::Event;
use crate::outgoing::{Body, Outgoing, Repeat};
use crate::store::{Besides, Claim, DeliveryQuery, Keys, Posted, State, StoredDelivery};

const RETRY: Retry = Retry { attempts: 5, base: Duration::from_millis(5), max: Duration::from_millis(20) };
const TARGET: &str = "sources.desk";

/// An outbox, a desk, and a worker that can be started and stopped.
struct House {
    _dir: TempDir,
    store: Store,
    desk: FakeDesk,
}

struct Running {
    stop: watch::Sender<()>,
    task: tokio::task::JoinHandle<()>,
    delivery: Arc<Delivery>,
}

impl Running {
    async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }
}

impl House {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { _dir: dir, store, desk: FakeDesk::open() }
    }

    fn start(&self, mode: Mode) -> Running {
        let place = Place { base: self.desk.url(""), allow_private: vec!["127.0.0.1".parse().unwrap()], timeout: Duration::from_secs(5) };
        let desks = BTreeMap::from([(TARGET.to_owned(), Desk { way: Way::Web { place, auth: Auth::None }, mode, retry: RETRY })]);
        let delivery = Delivery::new(self.store.clone(), desks, &Tls::of_nobody().unwrap(), || Clock::System.now()).unwrap();
        let (delivery, (stop, mut stopping)) = (Arc::new(delivery), watch::channel(()));
        let until = async move { while stopping.changed().await.is_ok() {} };
        let task = tokio::spawn(Arc::clone(&delivery).run(until, Duration::from_secs(5)));
        Running { stop, task, delivery }
    }

    /// Records a decision about an event of this ticket, with these calls.
    async fn post(&self, id: &str, ticket: &str, calls: Vec<Outgoing>, shadow: bool) {
        let event = json!({"id": id, "text": "hello", "source": "desk", "ticket": {"id": ticket}});
        let event = Event::from_json(event.to_string().as_bytes()).unwrap().event;
        let decision = serde_json::from_value(json!({
            "id": format!("d-{id}"), "event_id": id, "revision": 0, "source": "desk", "chain": "main", "generation": "g1",
            "decided": "2026-11-01T09:00:01Z", "degraded": false, "category": {"key": "other"}, "crisis": "none", "confidence": {},
            "tags": {}, "escalation": {"level": 0}, "trace": [],
        }));
        let Claim::Mine(mine) = self.store.claim(Keys::of("desk", None, &event)).unwrap() else { panic!("{id} is known") };
        let posted = calls
            .into_iter()
            .map(|call| Posted { target: TARGET.to_owned(), call, state: if shadow { State::Shadow } else { State::Waiting } })
            .collect();
        self.store.record(mine, &event, &decision.unwrap(), Besides { posted, ..Besides::default() }).await.unwrap();
    }

    async fn all(&self) -> Vec<StoredDelivery> {
        self.store.deliveries(&DeliveryQuery { limit: Some(200), ..DeliveryQuery::default() }).await.unwrap().items
    }

    /// Asks again and again, until every delivery is in this state.
    async fn until_all(&self, state: State) -> Vec<StoredDelivery> {
        let asked = async {
            loop {
                let all = self.all().await;
                if all.iter().all(|delivery| delivery.state == state) {
                    return all;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), asked).await.expect("in time")
    }
}

fn keyed(name: &str) -> Outgoing {
    let repeat = Repeat::Keyed { header: "idempotency-key".to_owned() };
    Outgoing {
        name: name.to_owned(),
        method: "PUT".to_owned(),
        path: format!("/{name}"),
        headers: BTreeMap::new(),
        body: Body::Json(json!({"name": name})),
        repeat,
    }
}

fn note(ticket: &str, mark: &str) -> Outgoing {
    let path = format!("/tickets/{ticket}/articles");
    let repeat = Repeat::ReadBack { path: path.clone(), mark: mark.to_owned() };
    Outgoing {
        name: "note".to_owned(),
        method: "POST".to_owned(),
        path,
        headers: BTreeMap::new(),
        body: Body::Json(json!({"body": format!("decided [{mark}]")})),
        repeat,
    }
}

/// Once for each call: what the script says; afterwards well.
fn first(script: impl Fn(&Call) -> Mood + Send + Sync + 'static) -> impl Fn(&Call) -> Mood + Send + Sync + 'static {
    let seen = Mutex::new(std::collections::BTreeSet::new());
    move |call| {
        if call.method != "GET" && seen.lock().unwrap().insert((call.path.clone(), call.body.clone())) { script(call) } else { Mood::Well }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_whose_answer_was_lost_is_read_back_and_not_written_twice() {
    let house = House::open();
    // Half of the notes are written and not confirmed, half are refused without being written.
    house.desk.behave(first(|call| if call.path.contains("/t1") { Mood::Mute } else { Mood::Says(502, "bad gateway") }));
    for at in 0..10 {
        let ticket = format!("t{}{at}", at % 2);
        house.post(&format!("n{at}"), &ticket, vec![note(&ticket, &format!("mark-{at}"))], false).await;
    }
    let running = house.start(Mode::Full);
    let all = house.until_all(State::Delivered).await;
    running.stop().await;
    assert_eq!(house.desk.effects().len(), 10);
    let marks: std::collections::BTreeSet<Vec<u8>> = house.desk.effects().into_iter().map(|call| call.body).collect();
    assert_eq!(marks.len(), 10, "each note once");
    let found = all.iter().filter(|delivery| delivery.answer.as_deref() == Some("read back: it is there already")).count();
    assert_eq!((found, all.len()), (5, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_one_thread_go_in_order_however_often_they_fail() {
    let house = House::open();
    let nth = AtomicUsize::new(0);
    house.desk.behave(first(move |_| if nth.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) { Mood::Says(500, "") } else { Mood::Well }));
    for at in 0..5 {
        for ticket in ["a", "b", "c"] {
            let calls = ["x", "y"].map(|part| keyed(&format!("{ticket}-{at}-{part}"))).to_vec();
            house.post(&format!("{ticket}{at}"), ticket, calls, false).await;
        }
    }
    let running = house.start(Mode::Full);
    let all = house.until_all(State::Delivered).await;
    running.stop().await;
    let effects: Vec<String> = house.desk.effects().into_iter().map(|call| call.path).collect();
    assert_eq!((effects.len(), all.len()), (30, 30));
    for ticket in ["a", "b", "c"] {
        let of_ticket: Vec<&String> = effects.iter().filter(|path| path.starts_with(&format!("/{ticket}"))).collect();
        assert!(of_ticket.is_sorted(), "{of_ticket:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_being_sent_when_the_host_died_is_sent_again_with_the_same_key() {
    let house = House::open();
    house.post("cut", "t", vec![keyed("cut"), keyed("next")], false).await;
    let claimed = house.store.claim_due(vec![(TARGET.to_owned(), 8)], Clock::System.now()).await.unwrap();
    assert_eq!(claimed.iter().map(|due| due.call.name.as_str()).collect::<Vec<_>>(), ["cut"], "only the head of a thread is given out");
    let again = house.store.claim_due(vec![(TARGET.to_owned(), 8)], Clock::System.now()).await.unwrap();
    assert_eq!(again.len(), 0, "and to one sender");
    let running = house.start(Mode::Full);
    let all = house.until_all(State::Delivered).await;
    running.stop().await;
    let keys: Vec<_> = house.desk.calls().iter().map(|call| call.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(keys, ["d-cut-1", "d-cut-2"]);
    assert_eq!(all.iter().map(|delivery| delivery.attempts).collect::<Vec<_>>(), [1, 2], "newest first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_too_often_is_given_up_and_by_hand_it_has_all_its_tries_again() {
    let house = House::open();
    let well = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&well);
    house
        .desk
        .behave(move |call| if call.path == "/bad" && !mended.load(Ordering::Relaxed) { Mood::Says(500, "boom") } else { Mood::Well });
    house.post("bad", "t", vec![keyed("bad"), keyed("good")], false).await;
    let running = house.start(Mode::Full);
    let given_up = timeout(Duration::from_secs(20), async {
        loop {
            let all = house.all().await;
            if all.iter().all(|delivery| matches!(delivery.state, State::Delivered | State::Dead)) {
                return all;
            }
            sleep(Duration::from_millis(5)).await;
        }
    });
    let given_up = given_up.await.unwrap();
    assert_eq!(
        given_up.iter().map(|delivery| (delivery.state, delivery.attempts)).collect::<Vec<_>>(),
        [(State::Delivered, 1), (State::Dead, RETRY.attempts)]
    );
    well.store(true, Ordering::Relaxed);
    house.store.replay("d-bad-1", Clock::System.now()).await.unwrap();
    running.delivery.wake();
    let all = house.until_all(State::Delivered).await;
    assert_eq!(all[1].attempts, RETRY.attempts + 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_shadow_nor_off_sends_what_waits_and_it_is_not_lost() {
    let house = House::open();
    house.post("shadow", "t1", vec![keyed("shadow")], true).await;
    house.post("waits", "t2", vec![keyed("waits")], false).await;
    for mode in [Mode::Shadow, Mode::Off] {
        let running = house.start(mode);
        running.delivery.wake();
        running.stop().await;
        assert_eq!(
            house.all().await.iter().map(|delivery| delivery.state).collect::<Vec<_>>(),
            [State::Waiting, State::Shadow],
            "{mode:?}"
        );
    }
    let running = house.start(Mode::Full);
    timeout(Duration::from_secs(20), async {
        while house.desk.effects().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    running.stop().await;
    assert_eq!(house.all().await.iter().map(|delivery| delivery.state).collect::<Vec<_>>(), [State::Delivered, State::Shadow]);
    assert_eq!(house.desk.calls().len(), 1);
}
