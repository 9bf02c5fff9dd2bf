//! The journal as a whole: a copy of it while a host runs, a copy put back, and a look at what is there.
//!
//! Called by `signalbox backup`, `restore` and `doctor`, in processes of their own. A copy is one moment of the journal, checked before
//! it gets its name; what takes its place is never the file that a host has open.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::{FILE, StoreError, schema, sum};

/// What a journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Version of its tables.
    pub version: u32,
    /// Events that were accepted.
    pub events: u64,
    /// Those that have a decision.
    pub decisions: u64,
    /// Those that were accepted and wait for their decision.
    pub pending: u64,
    /// Calls that wait to be sent.
    pub waiting: u64,
    /// Calls that need a person: parked, held or dead.
    pub set_aside: u64,
}

/// Writes a copy of the journal in `dir` to `to`, which must not exist. A host may be running.
///
/// # Errors
/// [`StoreError`] when there is no journal, when it or the copy is damaged, or when the copy cannot be written.
pub fn backup(dir: &Path, to: &Path) -> Result<Contents, StoreError> {
    let from = dir.join(FILE);
    if to.exists() {
        return Err(unusable(to, "there is a file of this name", "give another name; a backup overwrites nothing"));
    }
    let conn = existing(&from)?;
    let part = to.with_extension("part");
    let _ = fs::remove_file(&part);
    let text = part.to_str().ok_or_else(|| unusable(to, "its name is not UTF-8", "give another name"))?;
    conn.execute("VACUUM INTO ?1", params![text]).map_err(|error| StoreError::sqlite(&from, &error))?;
    fs::set_permissions(&part, Permissions::from_mode(0o600)).map_err(|error| StoreError::io(&part, &error))?;
    let contents = inspect(&part)?;
    settle(&part, to)?;
    Ok(contents)
}

/// Puts a copy into `dir`, which must hold no journal yet.
///
/// # Errors
/// [`StoreError`] when the copy is damaged or newer than this program, when a host holds the directory, or when it has a journal.
pub fn restore(from: &Path, dir: &Path) -> Result<Contents, StoreError> {
    let contents = inspect(from)?;
    let _lock = schema::lock(dir)?;
    let to = dir.join(FILE);
    if to.exists() {
        return Err(unusable(&to, "there is a journal here already", "move it away first; a restore overwrites nothing"));
    }
    let part = to.with_extension("part");
    fs::copy(from, &part).map_err(|error| StoreError::io(&part, &error))?;
    fs::set_permissions(&part, Permissions::from_mode(0o600)).map_err(|error| StoreError::io(&part, &error))?;
    settle(&part, &to)?;
    Ok(contents)
}

/// Reads a whole journal for damage, and says what is in it. Changes nothing.
///
/// # Errors
/// [`StoreError`] when it cannot be read, is damaged, or is newer than this program.
pub fn inspect(file: &Path) -> Result<Contents, StoreError> {
    let conn = existing(file)?;
    let sqlite = |error: rusqlite::Error| StoreError::sqlite(file, &error);
    let version: u32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sqlite)?;
    if version > schema::VERSION {
        return Err(StoreError::Newer { file: file.to_owned(), found: version, known: schema::VERSION });
    }
    let sound: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if sound != "ok" {
        return Err(StoreError::Corrupt { file: file.to_owned(), problem: sound.replace('\n', " ") });
    }
    if version == 0 {
        return Err(unusable(file, "it is an empty database, and no journal", "name the file that `signalbox backup` wrote"));
    }
    // Older copies have no sums to hold their texts against.
    if version >= schema::SUMMED {
        let texts = "SELECT (SELECT count(whole(event, sum)) FROM events) + (SELECT count(whole(decision, sum)) FROM decisions)";
        conn.query_row(texts, [], |row| row.get::<_, i64>(0)).map_err(sqlite)?;
    }
    // A table that a later version brought is not there in an older copy: then nothing is in it.
    let count = |table: &str, rest: &str| -> Result<u64, StoreError> {
        let there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        if conn.query_row(there, [table], |row| row.get::<_, i64>(0)).map_err(sqlite)? == 0 {
            return Ok(0);
        }
        let count: i64 = conn.query_row(&format!("SELECT count(*) FROM {table} {rest}"), [], |row| row.get(0)).map_err(sqlite)?;
        Ok(count.unsigned_abs())
    };
    Ok(Contents {
        version,
        events: count("events", "")?,
        decisions: count("decisions", "")?,
        pending: count("pending", "")?,
        waiting: count("outbox", "WHERE state IN ('waiting', 'sending')")?,
        set_aside: count("outbox", "WHERE state IN ('parked', 'dead')")?,
    })
}

/// Whether a host holds the directory. `false` also where there is none.
pub fn in_use(dir: &Path) -> bool {
    dir.join(FILE).exists() && matches!(schema::lock(dir), Err(StoreError::Locked(_)))
}

/// Bytes that are left on the disk of a directory.
///
/// # Errors
/// When the system does not say.
pub fn room(dir: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail * disk.f_frsize)
}

fn existing(file: &Path) -> Result<Connection, StoreError> {
    if !file.is_file() {
        return Err(unusable(file, "there is no such file", "name the data directory of a host with --data, or the copy"));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags).map_err(|error| StoreError::sqlite(file, &error))?;
    let set_up = conn.busy_timeout(schema::BUSY).and_then(|()| sum::teach(&conn));
    set_up.map_err(|error| StoreError::sqlite(file, &error))?;
    Ok(conn)
}

/// Gives a finished file its name, durably.
fn settle(part: &Path, to: &Path) -> Result<(), StoreError> {
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    let settled = sync(part).and_then(|()| fs::rename(part, to)).and_then(|()| sync(dir));
    settled.map_err(|error| StoreError::io(to, &error))
}

fn unusable(file: &Path, problem: &str, remedy: &'static str) -> StoreError {
    StoreError::Unavailable { file: file.to_owned(), problem: problem.to_owned(), remedy }
}
