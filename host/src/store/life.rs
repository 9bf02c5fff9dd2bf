//! The plugins' life: uploaded bytes, generations, every change of what is live, and replays.
//!
//! Called by the registry and the replay runner. Nothing here is ever edited: a plugin is its digest, a generation its id, and a
//! change is one more row, so that the newest one says what is live.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::audit::{self, Entry};
use super::journal::millis;
use super::{Store, StoreError};
use crate::ask::Asked;
use crate::event::Timestamp;

/// An uploaded plugin without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginRow {
    /// SHA-256 of the bytes, hex.
    pub digest: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was uploaded.
    pub uploaded: Timestamp,
    /// Who uploaded it.
    pub by: String,
    /// The gate's report, JSON.
    pub report: String,
}

/// One change of what is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// Counts changes: what `If-Match` names.
    pub revision: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// "config", "apply" or "rollback".
    pub action: String,
    /// The generation that went live.
    pub generation: String,
    /// The one before it.
    pub before: Option<String>,
    /// Why, in the words of who did it.
    pub why: Option<String>,
    /// The desk's change ticket.
    pub ticket: Option<String>,
    /// For "config": the digest of what the config file said.
    #[serde(skip)]
    pub seed: Option<String>,
}

/// A replay as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// Its id.
    pub id: String,
    /// When it was asked for.
    pub made: Timestamp,
    /// By whom.
    pub by: String,
    /// "running", "done" or "failed".
    pub state: String,
    /// What was asked, JSON.
    pub request: String,
    /// What came of it: the report's JSON, or why it failed.
    pub report: Option<String>,
}

/// A run as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRun {
    /// Event and decision.
    pub stored: super::Stored,
    /// What its steps asked the host and were told.
    pub asked: Vec<Asked>,
}

impl Store {
    /// Keeps a plugin, with its entry in the audit log when somebody brought it. The same digest again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn keep_plugin(&self, plugin: PluginRow, bytes: std::sync::Arc<[u8]>, entry: Option<Entry>) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT OR IGNORE INTO plugins (digest, name, version, uploaded, by, report, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let write = move |conn: &Connection| {
            let PluginRow { digest, name, version, uploaded, by, report } = &plugin;
            let kept = conn.execute(SQL, params![digest, name, version, millis(*uploaded), by, report, &*bytes])?;
            match &entry {
                Some(entry) if kept > 0 => audit::write(conn, entry),
                _ => Ok(()),
            }
        };
        self.inner.writer.write(write).await
    }

    /// Every kept plugin, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn plugins(&self) -> Result<Vec<PluginRow>, StoreError> {
        const SQL: &str = "SELECT digest, name, version, uploaded, by, report FROM plugins ORDER BY uploaded, rowid";
        let row = |row: &Row<'_>| {
            Ok(PluginRow {
                digest: row.get(0)?,
                name: row.get(1)?,
                version: row.get(2)?,
                uploaded: time(row.get(3)?),
                by: row.get(4)?,
                report: row.get(5)?,
            })
        };
        self.read(move |conn| conn.prepare_cached(SQL)?.query_map([], row)?.collect()).await
    }

    /// A kept plugin's bytes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn plugin_bytes(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let digest = digest.to_owned();
        self.read(move |conn| {
            conn.prepare_cached("SELECT bytes FROM plugins WHERE digest = ?1")?.query_row([digest], |row| row.get(0)).optional()
        })
        .await
    }

    /// Forgets a plugin; whether it was there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn remove_plugin(&self, digest: &str, entry: Entry) -> Result<bool, StoreError> {
        let digest = digest.to_owned();
        let removed = self.change(entry, move |conn, _| {
            let removed = conn.execute("DELETE FROM plugins WHERE digest = ?1", [&digest])?;
            Ok((removed > 0).then_some(()))
        });
        Ok(removed.await?.is_some())
    }

    /// Keeps a generation, the change that puts it live and its audit entry, together; answers the change's revision.
    /// `change.revision` does not matter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn put_live(&self, change: ChangeRow, setup: String, entry: Entry) -> Result<i64, StoreError> {
        const SQL: &str =
            "INSERT INTO changes (at, by, action, generation, before, why, ticket, seed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let write = move |conn: &Connection| {
            let ChangeRow { revision: _, at, by, action, generation, before, why, ticket, seed } = &change;
            conn.execute(
                "INSERT OR IGNORE INTO generations (id, made, setup) VALUES (?1, ?2, ?3)",
                params![generation, millis(*at), setup],
            )?;
            conn.execute(SQL, params![millis(*at), by, action, generation, before, why, ticket, seed])?;
            let revision = conn.last_insert_rowid();
            audit::write(conn, &entry)?;
            Ok(revision)
        };
        self.inner.writer.write(write).await
    }

    /// A generation's set-up, JSON.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn generation(&self, id: &str) -> Result<Option<String>, StoreError> {
        let id = id.to_owned();
        self.read(move |conn| {
            conn.prepare_cached("SELECT setup FROM generations WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()
        })
        .await
    }

    /// The set-ups of every kept generation, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn generations(&self) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT id, setup FROM generations ORDER BY made DESC";
        self.read(|conn| conn.prepare_cached(SQL)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()).await
    }

    /// Changes, newest first, before a revision.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn changes(&self, before: Option<i64>, limit: u32) -> Result<Vec<ChangeRow>, StoreError> {
        const SQL: &str = "SELECT revision, at, by, action, generation, before, why, ticket, seed FROM changes WHERE revision < ?1 ORDER BY revision DESC LIMIT ?2";
        let before = before.unwrap_or(i64::MAX);
        self.read(move |conn| conn.prepare_cached(SQL)?.query_map(params![before, limit], change_row)?.collect()).await
    }

    /// The newest change that came from the config file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn last_config(&self) -> Result<Option<ChangeRow>, StoreError> {
        const SQL: &str = "SELECT revision, at, by, action, generation, before, why, ticket, seed FROM changes WHERE action = 'config' ORDER BY revision DESC LIMIT 1";
        self.read(|conn| conn.prepare_cached(SQL)?.query_row([], change_row).optional()).await
    }

    /// Keeps a replay, or what became of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn keep_replay(&self, replay: ReplayRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT OR REPLACE INTO replays (id, made, by, state, request, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let write = move |conn: &Connection| {
            let ReplayRow { id, made, by, state, request, report } = &replay;
            conn.execute(SQL, params![id, millis(*made), by, state, request, report]).map(drop)
        };
        self.inner.writer.write(write).await
    }

    /// One replay.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn replay_of(&self, id: &str) -> Result<Option<ReplayRow>, StoreError> {
        const SQL: &str = "SELECT id, made, by, state, request, report FROM replays WHERE id = ?1";
        let id = id.to_owned();
        let row = |row: &Row<'_>| {
            Ok(ReplayRow {
                id: row.get(0)?,
                made: time(row.get(1)?),
                by: row.get(2)?,
                state: row.get(3)?,
                request: row.get(4)?,
                report: row.get(5)?,
            })
        };
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row([id], row).optional()).await
    }

    /// Recorded events with their decisions for a replay, oldest first: the newest `limit` of those decided in a span of time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn recorded(&self, since: Option<Timestamp>, until: Option<Timestamp>, limit: u32) -> Result<Vec<RecordedRun>, StoreError> {
        const SQL: &str = "SELECT whole(e.event, e.sum), whole(d.decision, d.sum), a.asked FROM decisions d JOIN events e ON e.seq = d.event \
            LEFT JOIN asked a ON a.event = d.event WHERE d.decided >= ?1 AND d.decided < ?2 ORDER BY d.decided DESC, d.seq DESC LIMIT ?3";
        let span = (since.map_or(0, millis), until.map_or(i64::MAX, millis));
        let read = move |conn: &Connection| {
            let row = |row: &Row<'_>| {
                let asked = row.get::<_, Option<String>>(2)?.and_then(|asked| serde_json::from_str(&asked).ok());
                let stored = super::Stored { event: row.get(0)?, decision: row.get(1)? };
                Ok(RecordedRun { stored, asked: asked.unwrap_or_default() })
            };
            let mut rows: Vec<RecordedRun> =
                conn.prepare_cached(SQL)?.query_map(params![span.0, span.1, limit], row)?.collect::<Result<_, _>>()?;
            rows.reverse();
            Ok(rows)
        };
        self.read(read).await
    }
}

fn change_row(row: &Row<'_>) -> rusqlite::Result<ChangeRow> {
    Ok(ChangeRow {
        revision: row.get(0)?,
        at: time(row.get(1)?),
        by: row.get(2)?,
        action: row.get(3)?,
        generation: row.get(4)?,
        before: row.get(5)?,
        why: row.get(6)?,
        ticket: row.get(7)?,
        seed: row.get(8)?,
    })
}

fn time(column: i64) -> Timestamp {
    Timestamp(u64::try_from(column).unwrap_or(0))
}
