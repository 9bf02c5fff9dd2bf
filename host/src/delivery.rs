//! Carries decisions out: takes what is due from the outbox, sends it, and writes down what came of it.
//!
//! Started by `serve` and woken whenever a decision with calls is recorded. At least once, and not twice where the desk honours a key or can
//! be read: before an attempt that may repeat one whose answer was lost, the desk is asked whether it has the call already. Calls of one
//! thread go in order; desks do not wait for each other, and a call that a desk does not take blocks nobody. It must never hold
//! truth that is not in the outbox: a kill at any moment costs an attempt, not a decision.

mod answer;
mod health;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

use crate::egress::{Auth, Egress, Place, Post, Postbox, Tls};
use crate::event::Timestamp;
use crate::journey;
use crate::outgoing::Mode;
use crate::retry::Retry;
use crate::store::{Due, Store, StoreError};
pub use health::Health;

/// After the journal has refused: long enough not to fill the log.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);
/// Longest sleep: a look at an empty outbox costs little, and a machine's clock may jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// One desk or sink, as the config has it.
#[derive(Debug)]
pub struct Desk {
    /// Where it is.
    pub way: Way,
    /// How much is sent.
    pub mode: Mode,
    /// How often and how long.
    pub retry: Retry,
}

/// How a desk or sink is reached.
#[derive(Debug)]
pub enum Way {
    /// By calls.
    Web {
        /// Where it is.
        place: Place,
        /// How calls prove themselves.
        auth: Auth,
    },
    /// By mail.
    Mail(Postbox),
}

/// The same, open.
enum Line {
    Web(Egress),
    Mail(Post),
}

impl Way {
    fn open(self, tls: &Tls) -> Result<(String, Line), String> {
        match self {
            Self::Web { place, auth } => Ok((place.base.clone(), Line::Web(Egress::new(place, auth, tls)?))),
            Self::Mail(postbox) => Ok((format!("smtp://{}:{}", postbox.host, postbox.port), Line::Mail(Post::new(postbox, tls)?))),
        }
    }
}

/// The worker, and what it knows of every desk.
pub struct Delivery {
    store: Store,
    outlets: BTreeMap<String, Arc<Outlet>>,
    news: Notify,
    now: Now,
}

/// Where the worker gets the time from.
type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// One target and the way to it.
struct Outlet {
    name: String,
    base: String,
    line: Line,
    mode: Mode,
    retry: Retry,
    health: Mutex<Health>,
    under_way: AtomicUsize,
}

impl Outlet {
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is sent. What waits for a target that is switched off stays where it is.
    fn sends(&self) -> bool {
        matches!(self.mode, Mode::NoteOnly | Mode::Full)
    }
}

impl Delivery {
    /// Opens the ways to all desks, by the names that the outbox knows them by.
    ///
    /// # Errors
    /// A sentence that names the desk and what is wrong with its place.
    pub fn new(
        store: Store,
        desks: BTreeMap<String, Desk>,
        tls: &Tls,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let mut outlets = BTreeMap::new();
        for (name, Desk { way, mode, retry }) in desks {
            let (base, line) = way.open(tls).map_err(|problem| anyhow::anyhow!("{name}: {problem}"))?;
            let (health, under_way) = (Mutex::default(), AtomicUsize::new(0));
            outlets.insert(name.clone(), Arc::new(Outlet { name, base, line, mode, retry, health, under_way }));
        }
        Ok(Self { store, outlets, news: Notify::new(), now: Box::new(now) })
    }

    /// Says that there is something new in the outbox.
    pub fn wake(&self) {
        self.news.notify_one();
    }

    /// Tries a target at once, though it may be paused: somebody has asked for it by hand.
    pub fn try_now(&self, target: &str) {
        if let Some(outlet) = self.outlets.get(target) {
            outlet.health().paused_until = None;
        }
        self.wake();
    }

    /// Every target: its place, its mode and how it fares.
    pub fn targets(&self) -> BTreeMap<&str, Value> {
        let target = |outlet: &Outlet| json!({ "base": outlet.base, "mode": outlet.mode, "health": *outlet.health() });
        self.outlets.values().map(|outlet| (outlet.name.as_str(), target(outlet))).collect()
    }

    /// Works until `stop` ends, and then lets the calls under way finish within `drain`. What is cut off is taken up again at the next
    /// start.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>, drain: Duration) {
        let mut under_way = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        tokio::select! {
            () = self.resume() => {}
            () = &mut stop => return,
        }
        loop {
            while under_way.try_join_next().is_some() {}
            let rest = match self.turn(&mut under_way).await {
                Ok(rest) => rest,
                Err(error) => {
                    tracing::error!(reason = %error, "deliveries wait for the journal");
                    JOURNAL_PAUSE
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.news.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = sleep(rest) => {}
            }
        }
        let finished = timeout(drain, async { while under_way.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!(
                calls = under_way.len(),
                "some deliveries were still under way at the end of the drain time; they are resumed at the next start"
            );
        }
    }

    async fn resume(&self) {
        loop {
            match self.store.resume_sending().await {
                Ok(0) => return,
                Ok(calls) => return tracing::info!(calls, "deliveries that were cut off are taken up again"),
                Err(error) => tracing::error!(reason = %error, "deliveries wait for the journal"),
            }
            sleep(JOURNAL_PAUSE).await;
        }
    }

    /// Sends what is due and has a place; says how long nothing else will be.
    async fn turn(self: &Arc<Self>, under_way: &mut JoinSet<()>) -> Result<Duration, StoreError> {
        let now = (self.now)();
        let free = |outlet: &Outlet| outlet.health().places(outlet.under_way.load(Ordering::Relaxed), now);
        let places: Vec<(String, usize)> =
            self.outlets.values().filter(|outlet| outlet.sends()).map(|o| (o.name.clone(), free(o))).collect();
        let places: Vec<_> = places.into_iter().filter(|(_, free)| *free > 0).collect();
        let due = if places.is_empty() { Vec::new() } else { self.store.claim_due(places, now).await? };
        for due in due {
            let Some(outlet) = self.outlets.get(&due.target).cloned() else { continue };
            outlet.under_way.fetch_add(1, Ordering::Relaxed);
            let worker = Arc::clone(self);
            under_way.spawn(async move {
                worker.deliver(&outlet, &due).await;
                outlet.under_way.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let mut next: Option<Timestamp> = None;
        for outlet in self.outlets.values().filter(|outlet| outlet.sends()) {
            let paused = outlet.health().paused_until.filter(|until| now < *until);
            let due = match paused {
                Some(until) => Some(until),
                // All places taken: the end of one of those calls is the next moment that matters.
                None if free(outlet) == 0 => None,
                None => self.store.next_due(&outlet.name, now).await?,
            };
            next = next.into_iter().chain(due).min();
        }
        let rest = next.map_or(LONGEST_SLEEP, |next| Duration::from_millis(next.0.saturating_sub(now.0)));
        Ok(rest.min(LONGEST_SLEEP))
    }

    async fn deliver(&self, outlet: &Outlet, due: &Due) {
        let seen = outlet.health().failures;
        let settled = send::attempt(outlet, due, seen, &self.now).instrument(journey::delivery(&outlet.name, &due.id, &due.call)).await;
        // As long as it takes: the desk has answered, and to forget that would be to ask it again.
        while let Err(error) = self.store.settle(&due.id, settled.clone(), (self.now)()).await {
            tracing::error!(reason = %error, delivery = due.id, "how a delivery ended cannot be written down yet");
            sleep(JOURNAL_PAUSE).await;
        }
    }
}
