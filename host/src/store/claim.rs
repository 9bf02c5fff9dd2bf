//! Claims: whoever claims an event first runs it, everyone else gets its decision.
//!
//! Called by the webhook before a run and by whoever resumes accepted events after a start. Which keys run now is a map in this
//! process; which are known is the journal. It must never let two runs of one event overlap, and never keep a key that
//! nobody runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::journal::{self, Found, Recorded};
use super::keys::{Key, Keys};
use super::{Store, StoreError};
use crate::event::Event;

/// What the journal says to an event.
#[derive(Debug)]
pub enum Claim {
    /// It was decided: answer with that.
    Known(Recorded),
    /// It is being run: wait, then claim again.
    Running(Running),
    /// Nobody has it: run it and record it.
    Mine(Mine),
}

/// Somebody else's run.
#[derive(Clone, Debug)]
pub struct Running(watch::Receiver<()>);

impl Running {
    /// Returns when that run has recorded its decision or has given up; a new claim then says which.
    pub async fn wait(mut self) {
        // Nothing is ever sent: the channel closes when the run lets go.
        while self.0.changed().await.is_ok() {}
    }
}

/// The right to run one event. Dropped without [`Store::record`], it is free again and whoever waits claims anew.
#[derive(Debug)]
pub struct Mine {
    pub(super) hold: Arc<Hold>,
    pub(super) accepted: Option<Accepted>,
}

#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) seq: i64,
    pub(super) event: Box<Event>,
}

impl Mine {
    /// The event as it was accepted, if it was: run this one. The copy at hand may be a later telling of it, and the decision
    /// belongs to the event in the journal.
    pub fn accepted(&self) -> Option<&Event> {
        self.accepted.as_ref().map(|accepted| &*accepted.event)
    }
}

impl Store {
    /// Claims an event by its keys.
    ///
    /// The look-up is done here and now, on the caller's thread: three point reads of one small table cost some 10 us, less than
    /// a trip to a blocking thread and back. A page that is not in memory costs a read of the disk once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read: then nothing is claimed.
    pub fn claim(&self, keys: Keys) -> Result<Claim, StoreError> {
        // The keys are taken first and looked up then, and a run lets go of its keys only when its commit is durable: at every
        // moment a key is in the map or in the journal, so that two copies cannot slip past each other.
        let hold = match self.inner.runs.take(keys.0) {
            Ok(hold) => hold,
            Err(running) => return Ok(Claim::Running(running)),
        };
        match self.inner.lookups.read(|conn| journal::find(conn, hold.keys()))? {
            Found::New => Ok(Claim::Mine(Mine { hold: Arc::new(hold), accepted: None })),
            Found::Decided(recorded) => Ok(Claim::Known(recorded)),
            Found::Accepted(seq) => self.resume(hold, seq),
        }
    }

    /// The accepted events that have no decision and are not running, oldest first, at most `limit`: after a start, those that a
    /// crash left behind. Each is [`Mine::accepted`]; run and record it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn pending(&self, limit: usize) -> Result<Vec<Mine>, StoreError> {
        let rows = self.read(journal::pending).await?;
        let mut resumed = Vec::new();
        for seq in rows {
            if resumed.len() == limit {
                break;
            }
            // An event that cannot be read must not keep the others from being run.
            match self.resume(self.inner.runs.hold(), seq) {
                Ok(Claim::Mine(mine)) => resumed.push(mine),
                Ok(Claim::Known(_) | Claim::Running(_)) => {}
                Err(error) => tracing::error!(event = seq, %error, "an accepted event cannot be read; it stays pending"),
            }
        }
        Ok(resumed)
    }

    /// Takes over an accepted event: `hold` gets the event's own keys too, since another copy may come by any of them.
    fn resume(&self, mut hold: Hold, seq: i64) -> Result<Claim, StoreError> {
        let (keys, json) = self.inner.lookups.read(|conn| journal::event(conn, seq))?;
        if let Err(running) = hold.take(&keys) {
            return Ok(Claim::Running(running));
        }
        // Again first taken, then looked up: it may have been decided before its keys were ours.
        if let Some(recorded) = self.inner.lookups.read(|conn| journal::decision_of(conn, seq))? {
            return Ok(Claim::Known(recorded));
        }
        let event = serde_json::from_str(&json).map_err(|error| StoreError::Corrupt {
            file: self.inner.file.to_path_buf(),
            problem: format!("accepted event {seq} is not an event: {error}"),
        })?;
        Ok(Claim::Mine(Mine { hold: Arc::new(hold), accepted: Some(Accepted { seq, event }) }))
    }
}

/// The keys that run now, each with what tells its end.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<HashMap<Key, watch::Receiver<()>>>);

impl Runs {
    /// A hold on nothing yet.
    fn hold(self: &Arc<Self>) -> Hold {
        Hold { runs: Arc::clone(self), keys: Vec::new(), end: watch::Sender::new(()) }
    }

    /// All the keys, or the run that has one of them.
    fn take(self: &Arc<Self>, keys: Vec<Key>) -> Result<Hold, Running> {
        let mut hold = self.hold();
        hold.take(&keys)?;
        Ok(hold)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<()>>> {
        // No code that could panic runs under the lock, so a poisoned map is still a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some keys of the map; they leave it when this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    runs: Arc<Runs>,
    keys: Vec<Key>,
    end: watch::Sender<()>,
}

impl Hold {
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn take(&mut self, keys: &[Key]) -> Result<(), Running> {
        let mut running = self.runs.lock();
        let new: Vec<Key> = keys.iter().copied().filter(|key| !self.keys.contains(key)).collect();
        if let Some(other) = new.iter().find_map(|key| running.get(key)) {
            return Err(Running(other.clone()));
        }
        running.extend(new.iter().map(|key| (*key, self.end.subscribe())));
        self.keys.extend(new);
        Ok(())
    }
}

impl Drop for Hold {
    /// Frees the keys; only then, as the fields are dropped, does the channel close and wake those who wait.
    fn drop(&mut self) {
        let mut running = self.runs.lock();
        for key in &self.keys {
            running.remove(key);
        }
    }
}
