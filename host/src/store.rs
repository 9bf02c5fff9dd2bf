//! The journal: events, claims and decisions, durable in one SQLite file under the data directory.
//!
//! The webhook claims, accepts and records; the admin API reads; `app.rs` opens it at boot and closes it at the end. All SQL of the
//! host is below this module. It must never say that something is recorded before it is on the disk, never hand one event to
//! two runs, and never change a decision.
//!
//! - `keys.rs`: by what an event is known again.
//! - `claim.rs`: Known, Running or Mine.
//! - `journal.rs`: the rows, accept and record.
//! - `outbox.rs`, `deliveries.rs`: the calls that carry decisions out, and pages of them.
//! - `writer.rs`: one thread that writes, one flush for all that wait.
//! - `read.rs`: single decisions and pages of them.
//! - `follow.rs`: decisions as they come. `volume.rs`: how many there were.
//! - `observations.rs`: what desks did afterwards. `agreement.rs`: whether they agree with what was decided.
//! - `tally.rs`: what decisions count for, by the hour. `reports.rs`: what is told of it.
//! - `life.rs`: plugins, generations, changes, replays.
//! - `erase.rs`: forgetting, by age, by event and by author.
//! - `tokens.rs`, `audit.rs`: who may change the host, and who did.
//! - `backup.rs`: the file as a whole: copied, put back, looked at.
//! - `state.rs`: what steps remember. `thread.rs`: the messages of one thread.
//! - `tables.rs`: the admin's tables, every version of a row.
//! - `approvals.rs`: what a person must agree to before it leaves.
//! - `alerts.rs`: who was told of what, once per key.
//! - `clocks.rs`: service levels that were promised, and what became of them.
//! - `calendars.rs`: business calendars, as they were written.
//! - `schema.rs`: the file, its lock, its tables.
//!
//! Several hosts on one database are not here yet. The seam is this: the map of running keys would move into the database (a claim row
//! with a lease); the unique keys of `claims` and `decisions` already hold what must never happen twice.

mod agreement;
mod alerts;
mod approvals;
mod audit;
mod backup;
mod calendars;
mod claim;
mod clocks;
mod deliveries;
mod erase;
mod error;
mod follow;
mod journal;
mod keys;
mod life;
mod observations;
mod outbox;
mod page;
mod read;
mod reports;
mod schema;
mod state;
mod sum;
mod tables;
mod tally;
#[cfg(test)]
mod tests;
mod thread;
mod tokens;
mod volume;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use alerts::{AlertQuery, NewAlert, Rung, Spared, StoredAlert, Told};
pub use approvals::{ApprovalQuery, Kind as ApprovalKind, NewApproval, Ruled, Stand, StoredApproval};
pub use audit::{AuditQuery, Audited, Entry, digest};
pub use backup::{Contents, backup, in_use, inspect, restore, room};
pub use calendars::CalendarRow;
pub use claim::{Claim, Mine, Running};
pub use clocks::{ClockQuery, Happened, NewClock, OpenClocks, StoredClock};
pub use deliveries::{Backlog, Deliveries, DeliveryQuery, StoredDelivery};
pub use erase::Erased;
pub use error::StoreError;
pub use journal::{Besides, Recorded};
pub use keys::{Keys, delivery_key};
pub use life::{ChangeRow, PluginRow, RecordedRun, ReplayRow};
pub use observations::{Meaning, Observation, ObservationQuery};
pub use outbox::{Due, Posted, Replay, Settled, State};
pub use read::{Page, Query, Stored};
pub use tables::{TableEdit, Version};
pub use tokens::{Token, TokenQuery};
pub use volume::{Volume, VolumeQuery};

use claim::{Accepted, Runs};
use read::Readers;
use writer::Writer;

/// The database inside the data directory.
const FILE: &str = "signalbox.db";
/// Connections for the admin's pages: enough for a few people, too few to starve the host of blocking threads or file handles.
const PAGE_READERS: usize = 4;

/// The journal. Clones share one.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Dropped from top to bottom: the writer ends in order, then the readers close, and the lock goes last.
#[derive(Debug)]
struct Inner {
    writer: Writer,
    lookups: Readers,
    pages: Readers,
    runs: Arc<Runs>,
    file: Arc<Path>,
    _lock: File,
}

impl Store {
    /// Opens the journal in `dir`, which is made if it is not there, and keeps every other host out of it. After an unclean stop
    /// the whole file is checked first.
    ///
    /// # Errors
    /// [`StoreError`]: locked, newer, damaged, or not to be read or written; nothing is changed then.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let lock = schema::lock(dir)?;
        let file: Arc<Path> = dir.join(FILE).into();
        let conn = schema::open(&file)?;
        // One look-up connection per worker, so that claims never wait for each other.
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let (lookups, pages) = (Readers::open(&file, workers)?, Readers::open(&file, PAGE_READERS)?);
        let writer = Writer::start(Arc::clone(&file), conn)?;
        Ok(Self { inner: Arc::new(Inner { writer, lookups, pages, runs: Arc::default(), file, _lock: lock }) })
    }

    /// Writes what waits, moves the log into the database and marks the file as left in order. Other clones can still read; the
    /// directory is free when the last one is gone. Dropping the last clone does the same without saying how it went.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when that fails; what was recorded is safe and the next start checks the file.
    pub async fn close(self) -> Result<(), StoreError> {
        self.inner.writer.close().await
    }

    /// Whether the last commit failed, and how many have since the start. Asks nothing of the disk.
    pub fn faults(&self) -> (bool, u64) {
        (self.inner.writer.fault().is_some(), self.inner.writer.faults())
    }

    /// Whether it can write now. After a failed commit this tries one, so that a host without traffic finds out that it is well again.
    ///
    /// # Errors
    /// What the last commit failed with, if it still does.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        // As large as an event and a decision get: a full disk takes a page or two long before it takes an event.
        const PROBE: &str = "INSERT OR REPLACE INTO probe (id, fill) VALUES (1, randomblob(131072))";
        match self.inner.writer.fault() {
            None => Ok(()),
            Some(_) => self.inner.writer.write(|conn| conn.execute(PROBE, []).map(drop)).await,
        }
    }
}
