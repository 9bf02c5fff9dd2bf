//! The audit log: who changed what, when, why, and what it was before. Append-only; the tables' own triggers hold to that.
//!
//! Every change of the host's set-up writes its entry in the transaction that makes the change: [`Store::change`]. What changes
//! nothing in the database, such as a refusal, is written by [`Store::audit`]. It must never hold a secret: what
//! something was is told by a digest.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::journal::millis;
use super::page::{Asked, text};
use super::read::Page;
use super::{Store, StoreError};
use crate::event::Timestamp;
use crate::token::Role;

/// One change, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The id of the token that did it; `boot` for the one in the data directory.
    pub token: String,
    /// What that token is called.
    pub name: String,
    /// Its role at that time.
    #[schemars(with = "Role")]
    pub role: String,
    /// What was done: the thing and a verb, such as `token.create`.
    pub action: String,
    /// What it was done to: a name or an id.
    pub subject: String,
    /// Digest of what it was, if it was there.
    pub before: Option<String>,
    /// Digest of what it is now, if it still is there.
    pub after: Option<String>,
    /// The reason that was given.
    pub why: Option<String>,
    /// The number of the change ticket that was given.
    pub change: Option<String>,
    /// The request that did it, as in the host's log.
    pub request: String,
}

/// An entry and its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Audited {
    /// Its place: the log has no gaps, so a missing number is a missing entry.
    pub seq: i64,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// Which entries. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// By this token: its id or its name.
    pub actor: Option<String>,
    /// Of this kind, such as `token.create`.
    pub action: Option<String>,
    /// About this name or id.
    pub subject: Option<String>,
    /// With this change ticket.
    pub change: Option<String>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// The digest of something as it is written in JSON, for `before` and `after`.
pub fn digest<T: Serialize>(thing: &T) -> String {
    let json = serde_json::to_vec(thing).expect("what the store keeps has a JSON form");
    format!("sha256:{}", hex::encode(Sha256::digest(json)))
}

impl Store {
    /// Writes an entry by itself, for what changes nothing in the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn audit(&self, entry: Entry) -> Result<(), StoreError> {
        self.inner.writer.write(move |conn| write(conn, &entry)).await
    }

    /// Makes a change and writes its entry, both or neither. `work` may complete the entry with what it finds, such as `before`;
    /// when it gives nothing, nothing was changed and nothing is written. It may be run twice, each time with the entry as given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub(super) async fn change<T, F>(&self, entry: Entry, mut work: F) -> Result<Option<T>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection, &mut Entry) -> rusqlite::Result<Option<T>> + Send + 'static,
    {
        let change = self.inner.writer.write(move |conn| {
            let mut entry = entry.clone();
            let done = work(conn, &mut entry)?;
            if done.is_some() {
                write(conn, &entry)?;
            }
            Ok(done)
        });
        change.await
    }

    /// A page of the log, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the
    /// log cannot be read.
    pub async fn audited(&self, query: &AuditQuery) -> Result<Page<Audited>, StoreError> {
        const SELECT: &str = "SELECT seq, at, token, name, role, action, subject, before, after, why, change, request FROM audit";
        let time = |time: Option<Timestamp>| time.map(|time| Value::Integer(millis(time)));
        let filters = [
            ("? IN (token, name)", text(query.actor.as_deref())),
            ("action = ?", text(query.action.as_deref())),
            ("subject = ?", text(query.subject.as_deref())),
            ("change = ?", text(query.change.as_deref())),
            ("at >= ?", time(query.since)),
            ("at < ?", time(query.until)),
        ];
        let asked = Asked::of("seq", query.cursor.as_deref(), query.limit, filters)?;
        self.page(SELECT, asked, |row| audited(row).map(|found| (found.seq, found))).await
    }
}

/// Writes an entry in the transaction that is open on `conn`.
pub(super) fn write(conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO audit (at, token, name, role, action, subject, before, after, why, change, request) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let Entry { at, token, name, role, action, subject, before, after, why, change, request } = entry;
    let row = params![millis(*at), token, name, role, action, subject, before, after, why, change, request];
    conn.prepare_cached(SQL)?.execute(row).map(drop)
}

fn audited(row: &Row<'_>) -> rusqlite::Result<Audited> {
    let at: i64 = row.get(1)?;
    let entry = Entry {
        at: Timestamp(at.unsigned_abs()),
        token: row.get(2)?,
        name: row.get(3)?,
        role: row.get(4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        before: row.get(7)?,
        after: row.get(8)?,
        why: row.get(9)?,
        change: row.get(10)?,
        request: row.get(11)?,
    };
    Ok(Audited { seq: row.get(0)?, entry })
}
