//! The database file: its lock, its connections and settings, its tables and how they move forward.
//!
//! Called by [`super::Store::open`] and, for a new connection after an IO error, by `writer.rs`. It must never change a
//! database that is damaged or newer than itself, and never leave a migration half done.

mod counts;
mod workflow;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{StoreError, sum};
use workflow::ALERTS;

/// One step per schema version, from an empty file on. A step that has been released is never edited: add the next one.
const MIGRATIONS: [&str; 12] =
    [V1, LIFE, PEOPLE, OUTBOX, OBSERVATIONS, SERVICES, CALENDARS, CLOCKS, APPROVALS, SUMS, ALERTS, counts::COUNTS];

/// The version of the tables that this program writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// - `meta`: facts about the file itself, such as whether it was closed in order.
/// - `probe`: one row of the size of a large event, written to see whether the disk takes writes again.
/// - `events`: one row per event, as it was mapped; `keys` are its claim keys in a row.
/// - `claims`: which event has which claim key. It has no foreign key: checking one costs a scan of it whenever an event is
///   deleted, and its rows are only ever written together with their event.
/// - `pending`: events that were accepted and have no decision yet.
/// - `decisions`: at most one per event, which the table itself holds to. The columns between `id` and `decided` repeat
///   parts of the two JSON texts for the indexes; every index ends in `decided`, so that a page needs no sorting.
const V1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE probe (id INTEGER PRIMARY KEY, fill BLOB NOT NULL) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    keys BLOB NOT NULL,
    event TEXT NOT NULL
) STRICT;
CREATE TABLE claims (key BLOB PRIMARY KEY, event INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE pending (event INTEGER PRIMARY KEY REFERENCES events (seq)) STRICT;
CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event INTEGER NOT NULL UNIQUE REFERENCES events (seq),
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    ticket_id TEXT,
    category TEXT NOT NULL,
    sentiment TEXT,
    priority TEXT,
    escalation INTEGER NOT NULL,
    degraded INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    decision TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_decided ON decisions (decided);
CREATE INDEX decisions_source ON decisions (source, decided);
CREATE INDEX decisions_event_id ON decisions (event_id, decided);
CREATE INDEX decisions_ticket ON decisions (ticket_id, decided) WHERE ticket_id IS NOT NULL;
CREATE INDEX decisions_category ON decisions (category, decided);
CREATE INDEX decisions_sentiment ON decisions (sentiment, decided) WHERE sentiment IS NOT NULL;
CREATE INDEX decisions_priority ON decisions (priority, decided) WHERE priority IS NOT NULL;
CREATE INDEX decisions_escalated ON decisions (decided) WHERE escalation > 0;
CREATE INDEX decisions_degraded ON decisions (decided) WHERE degraded = 1;
";

/// - `plugins`: uploaded bytes by digest, with the gate's report.
/// - `generations`: every set-up that was ever live, plugins pinned.
/// - `changes`: what went live when, by whom and why; the newest row is what is live.
/// - `replays`: what was asked and what came of it.
const LIFE: &str = "
CREATE TABLE plugins (
    digest TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    uploaded INTEGER NOT NULL,
    by TEXT NOT NULL,
    report TEXT NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE TABLE generations (id TEXT PRIMARY KEY, made INTEGER NOT NULL, setup TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    generation TEXT NOT NULL REFERENCES generations (id),
    before TEXT,
    why TEXT,
    ticket TEXT,
    seed TEXT
) STRICT;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes are never edited'); END;
CREATE TRIGGER changes_stay_all BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes are never removed'); END;
CREATE TABLE replays (
    id TEXT PRIMARY KEY,
    made INTEGER NOT NULL,
    by TEXT NOT NULL,
    state TEXT NOT NULL,
    request TEXT NOT NULL,
    report TEXT
) STRICT;
";

/// - `tokens`: who may call the admin API; `hash` is the SHA-256 of the token, `used` is exact to some minutes.
/// - `audit`: what was changed, by whom. Triggers hold it to be append-only; the one on INSERT is there because `INSERT OR
///   REPLACE` deletes a row without asking the one on DELETE.
const PEOPLE: &str = "
CREATE TABLE tokens (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash BLOB NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    used INTEGER
) STRICT;
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT,
    after TEXT,
    why TEXT,
    change TEXT,
    request TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
";

/// - `outbox`: one row per outbound call. `thread` is what a desk sees as one conversation; `seq` is the order within it.
///   `attempts` are all there were, `tries` those that count against the retries. The first index is the worker's queue, the second
///   tells the oldest open call of a thread; both hold open calls only, so that they stay small.
const OUTBOX: &str = "
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    thread TEXT NOT NULL,
    position INTEGER NOT NULL,
    call TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    status INTEGER,
    answer TEXT,
    made INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (target, next_at, seq) WHERE state = 'waiting';
CREATE INDEX outbox_open ON outbox (target, thread, seq) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_state ON outbox (state, seq);
CREATE INDEX outbox_target ON outbox (target, state, seq);
CREATE INDEX outbox_source ON outbox (source, seq);
";

/// - `observations`: what desks did afterwards; `key` makes a repeat of one delivery the same row.
const OBSERVATIONS: &str = "
CREATE TABLE observations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    ticket TEXT,
    what TEXT NOT NULL
) STRICT;
CREATE INDEX observations_ticket ON observations (ticket, seq) WHERE ticket IS NOT NULL;
";

/// - `tables`, `table_rows`: what the admin keeps for rules to look up. Every version of a row has its own row, valid from `since` to
///   before `until`; one without `until` is how it is now.
/// - `state`: what steps remember; one of `value` and `count` is there, or neither when the key was removed. `wrote` orders the
///   writes of one key, whatever order they are committed in.
/// - `asked`: what the steps of a run asked the host and were told.
/// - `events_thread`: finds the messages of one thread.
const SERVICES: &str = "
CREATE TABLE tables (name TEXT PRIMARY KEY, schema TEXT, made INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE table_rows (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    columns TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER
) STRICT;
CREATE UNIQUE INDEX table_rows_now ON table_rows (name, key) WHERE until IS NULL;
CREATE INDEX table_rows_then ON table_rows (name, key, since);
CREATE INDEX table_rows_closed ON table_rows (until) WHERE until IS NOT NULL;
CREATE TABLE state (
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB,
    count INTEGER,
    expires INTEGER,
    wrote INTEGER NOT NULL,
    PRIMARY KEY (step, key)
) STRICT;
CREATE INDEX state_expires ON state (expires) WHERE expires IS NOT NULL;
CREATE TABLE asked (event INTEGER PRIMARY KEY, asked TEXT NOT NULL) STRICT;
CREATE INDEX events_thread ON events (json_extract(event, '$.thread_id'), seq) WHERE json_extract(event, '$.thread_id') IS NOT NULL;
";

/// - `calendars`: business calendars by name, as an admin wrote them.
const CALENDARS: &str = "
CREATE TABLE calendars (name TEXT PRIMARY KEY, changed INTEGER NOT NULL, spec TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// - `clocks`: service levels that were promised; `event` is the row of the event whose decision started it, `next_at` the next moment at
///   which it comes due. The times between `since` and `next_at` are absolute: a restart changes none.
/// - `followups`: the event that a clock's coming due has made, unique by clock and trigger.
const CLOCKS: &str = "
CREATE TABLE clocks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    ticket TEXT,
    clock TEXT NOT NULL,
    calendar TEXT,
    decision TEXT NOT NULL,
    event INTEGER NOT NULL,
    started INTEGER NOT NULL,
    target_ms INTEGER NOT NULL,
    warn_ms INTEGER,
    phase TEXT NOT NULL,
    spent_ms INTEGER NOT NULL,
    since INTEGER,
    warn_at INTEGER,
    due_at INTEGER,
    warned INTEGER,
    breached INTEGER,
    ended INTEGER,
    next_at INTEGER
) STRICT;
CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX clocks_subject ON clocks (source, subject);
CREATE INDEX clocks_open ON clocks (clock, phase) WHERE ended IS NULL;
CREATE INDEX clocks_phase ON clocks (phase, seq);
CREATE INDEX clocks_ticket ON clocks (ticket, seq) WHERE ticket IS NOT NULL;
CREATE INDEX clocks_event ON clocks (event);
CREATE TABLE followups (
    event INTEGER PRIMARY KEY,
    clock INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    UNIQUE (clock, trigger)
) STRICT;
ALTER TABLE observations ADD COLUMN reply INTEGER NOT NULL DEFAULT 0;
ALTER TABLE observations ADD COLUMN status TEXT;
";

/// - `approvals`: what a person must agree to before it leaves; `calls` are what is sent then.
const APPROVALS: &str = "
CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    needs TEXT NOT NULL,
    state TEXT NOT NULL,
    decision TEXT NOT NULL,
    event INTEGER NOT NULL,
    source TEXT NOT NULL,
    thread TEXT NOT NULL,
    ticket TEXT,
    text TEXT NOT NULL,
    target TEXT NOT NULL,
    calls TEXT NOT NULL,
    made INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    settled INTEGER,
    by TEXT,
    why TEXT
) STRICT;
CREATE INDEX approvals_waiting ON approvals (expires) WHERE state = 'waiting';
CREATE INDEX approvals_state ON approvals (state, seq);
CREATE INDEX approvals_event ON approvals (event);
";

/// The version from which on texts have sums.
pub(super) const SUMMED: u32 = 10;

/// `sum` is the CRC-32 of the JSON text beside it (`sum.rs`); rows from before this step have none.
const SUMS: &str = "
ALTER TABLE events ADD COLUMN sum INTEGER;
ALTER TABLE decisions ADD COLUMN sum INTEGER;
";

/// FULL: a commit is on the disk when it returns, also through a power cut. The pages copied per checkpoint (16 MiB) keep
/// checkpoints rare next to commits; the limit (64 MiB) gives the disk back after a burst. What is
/// deleted is overwritten: somebody has asked to be forgotten.
const SETTINGS: &str = "
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
PRAGMA secure_delete = ON;
PRAGMA cell_size_check = ON;
PRAGMA trusted_schema = OFF;
PRAGMA wal_autocheckpoint = 4096;
PRAGMA journal_size_limit = 67108864;
";

/// KiB of pages that the writer keeps: claim keys are spread over their whole table, so each write touches pages all over it.
/// A reader keeps SQLite's 2 MiB: its pages are stale after every commit anyhow, and the system's cache has them.
const WRITER_CACHE: i64 = 32 * 1_024;

/// How long a statement waits for another connection. Readers and the writer do not wait for each other in WAL mode; what is
/// left is an admin's own `sqlite3` or backup tool.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Makes the directory when it is not there, readable by this user only since it holds what customers wrote, and locks it.
pub(super) fn lock(dir: &Path) -> Result<File, StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| StoreError::io(dir, &error))?;
    let path = dir.join("signalbox.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| StoreError::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::io(&path, &error)),
    }
}

/// Opens the database for writing: checked after an unclean stop, in the latest schema, marked as in use.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    let sqlite = |error: rusqlite::Error| StoreError::sqlite(file, &error);
    let mut conn = writer(file).map_err(sqlite)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sqlite)?;
    if mode != "wal" {
        let (problem, remedy) = (format!("its disk has no write-ahead log (mode {mode})"), "put the data directory on a local disk");
        return Err(StoreError::Unavailable { file: file.to_owned(), problem, remedy });
    }
    let version: u32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sqlite)?;
    let known = MIGRATIONS.len() as u32;
    if version > known {
        return Err(StoreError::Newer { file: file.to_owned(), found: version, known });
    }
    if version > 0 && !closed_in_order(&conn).map_err(sqlite)? {
        check(&conn, file)?;
    }
    migrate(&mut conn, version).map_err(sqlite)?;
    set_clean(&conn, false).map_err(sqlite)?;
    // The file is new to its directory perhaps, and a name is durable only when its directory is.
    let dir = file.parent().map_or_else(PathBuf::new, Path::to_owned);
    File::open(&dir).and_then(|dir| dir.sync_all()).map_err(|error| StoreError::io(&dir, &error))?;
    Ok(conn)
}

/// A connection that may write, to a database that [`open`] has seen.
pub(super) fn writer(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = set_up(Connection::open_with_flags(file, flags)?)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    Ok(conn)
}

/// A connection that cannot write.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    set_up(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

fn set_up(conn: Connection) -> rusqlite::Result<Connection> {
    conn.busy_timeout(BUSY)?;
    conn.execute_batch(SETTINGS)?;
    conn.set_prepared_statement_cache_capacity(64);
    sum::teach(&conn)?;
    Ok(conn)
}

/// Marks whether the file was left in order.
pub(super) fn set_clean(conn: &Connection, clean: bool) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO meta (name, value) VALUES ('clean', ?1) ON CONFLICT DO UPDATE SET value = excluded.value";
    conn.execute(SQL, [clean]).map(drop)
}

fn closed_in_order(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'clean'", [], |row| row.get(0))
}

/// Reads the whole file for damage: about a second per GiB from a fast disk, so only when the last stop was unclean.
fn check(conn: &Connection, file: &Path) -> Result<(), StoreError> {
    let started = Instant::now();
    let answer: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| StoreError::sqlite(file, &error))?;
    if answer != "ok" {
        let problem = answer.replace('\n', " ");
        return Err(StoreError::Corrupt { file: file.to_owned(), problem });
    }
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(file = %file.display(), millis, "the last stop was unclean; the journal has been checked and is sound");
    Ok(())
}

/// Each step and its version number are one transaction: after a crash the file is before the step or behind it.
fn migrate(conn: &mut Connection, from: u32) -> rusqlite::Result<()> {
    for (step, version) in MIGRATIONS.iter().zip(1_u32..).skip(from as usize) {
        let tx = Transaction::new(conn, TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
