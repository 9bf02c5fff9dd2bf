//! Observations: what a desk did afterwards (an agent's reply, a change of status), recorded against its ticket and never run.
//!
//! Written by the webhook before it answers; read by the admin API.

use rusqlite::{Connection, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement;
use super::clocks::{Happened, Move, moved};
use super::journal::{millis, word};
use super::read::{LIMIT, Page, before};
use super::{Store, StoreError};
use crate::agreement::Seen;
use crate::calendar::Calendars;
use crate::event::Timestamp;
use crate::sla::Status;

/// One thing that a desk did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Observation {
    /// When the host was told.
    pub at: Timestamp,
    /// The source it came through.
    pub source: String,
    /// The desk's key of the ticket, when it said so.
    pub ticket: Option<String>,
    /// What it was, in the words of the adapter: "an agent's reply", ...
    pub what: String,
    /// Whether the author was answered.
    pub reply: bool,
    /// How the ticket stood then, as far as clocks care.
    pub status: Option<Status>,
    /// What it was about, as the desk had it.
    pub category: Option<String>,
    /// How soon, as the desk had it.
    pub priority: Option<String>,
    /// Who worked on it, as the desk had it.
    pub queue: Option<String>,
}

impl Observation {
    /// What the host was told, and when, with nothing of what it means yet.
    pub fn new(at: Timestamp, source: String, ticket: Option<String>, what: String) -> Self {
        Self { at, source, ticket, what, reply: false, status: None, category: None, priority: None, queue: None }
    }
}

/// What an observation means beside what is kept of it.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// The conversation, where there is no ticket.
    pub thread: Option<String>,
    /// What the ticket shows, to be held against what was decided.
    pub seen: Seen,
}

/// Which observations. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObservationQuery {
    /// Through this source.
    pub source: Option<String>,
    /// On this ticket.
    pub ticket: Option<String>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

impl Store {
    /// Records an observation, what it does to the clocks of its ticket, or of its thread when it has no ticket, and what it says about the
    /// ticket's decision. `key` is what makes a repeat of the same delivery the same observation; it moves nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable: the desk's retry brings it again.
    pub async fn observe(
        &self,
        observation: Observation,
        meaning: Meaning,
        key: [u8; 32],
        calendars: &Calendars,
    ) -> Result<Vec<Happened>, StoreError> {
        let calendars = calendars.clone();
        let write = move |conn: &Connection| insert(conn, &observation, &meaning, &key, &calendars);
        self.inner.writer.write(write).await
    }

    /// Whether a delivery was recorded before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn observed(&self, key: [u8; 32]) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM observations WHERE key = ?1)";
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row([key], |row| row.get(0))).await
    }

    /// A page of observations, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they
    /// cannot be read.
    pub async fn observations(&self, query: &ObservationQuery) -> Result<Page<Observation>, StoreError> {
        const SQL: &str = "SELECT seq, at, source, ticket, what, reply, status, category, priority, queue FROM observations WHERE seq < ?1 AND (?2 IS NULL OR source = ?2) \
            AND (?3 IS NULL OR ticket = ?3) ORDER BY seq DESC LIMIT ?4";
        let limit = query.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
        let (before, source, ticket) = (before(query.cursor.as_deref())?, query.source.clone(), query.ticket.clone());
        let row = |row: &Row<'_>| {
            let at: i64 = row.get(1)?;
            let at = Timestamp(at.unsigned_abs());
            let status: Option<String> = row.get(6)?;
            let status = status.and_then(|word| serde_json::from_value(word.into()).ok());
            let told = Observation::new(at, row.get(2)?, row.get(3)?, row.get(4)?);
            let (category, priority, queue) = (row.get(7)?, row.get(8)?, row.get(9)?);
            Ok((row.get(0)?, Observation { reply: row.get(5)?, status, category, priority, queue, ..told }))
        };
        self.read(move |conn| {
            let mut statement = conn.prepare_cached(SQL)?;
            let found = statement.query_map(params![before, source, ticket, limit + 1], row)?;
            Ok(Page::of(found.collect::<rusqlite::Result<_>>()?, limit as usize))
        })
        .await
    }
}

/// Writes it down, moves the clocks and notes who agrees, unless it was there already.
pub(super) fn insert(
    conn: &Connection,
    observation: &Observation,
    meaning: &Meaning,
    key: &[u8; 32],
    calendars: &Calendars,
) -> rusqlite::Result<Vec<Happened>> {
    const SQL: &str = "INSERT OR IGNORE INTO observations (key, at, source, ticket, what, reply, status, category, priority, queue) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let Observation { at, source, ticket, what, reply, status, category, priority, queue } = observation;
    let row = params![key, millis(*at), source, ticket, what, reply, status.as_ref().map(word), category, priority, queue];
    if conn.prepare_cached(SQL)?.execute(row)? == 0 {
        return Ok(Vec::new());
    }
    if let Some(ticket) = ticket {
        agreement::seen(conn, source, ticket, &meaning.seen)?;
    }
    let subject = match (ticket, &meaning.thread) {
        (Some(ticket), _) => Some(format!("ticket:{ticket}")),
        (None, thread) => thread.as_ref().map(|thread| format!("thread:{thread}")),
    };
    moved(conn, source, *at, &Move { subject, reply: *reply, status: *status }, calendars)
}
