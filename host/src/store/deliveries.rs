//! Reading the outbox: one delivery, a page of them, and how many there are of each kind.
//!
//! Called by the admin API. It must never write, and never run a page on a thread that serves requests.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::outbox::State;
use super::{Store, StoreError};
use crate::event::Timestamp;

/// Deliveries of a page unless the query says otherwise, and at most.
const LIMIT: (u32, u32) = (50, 200);

/// One outbound call and where it stands.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct StoredDelivery {
    /// Its id: the decision's, and its place among the decision's calls.
    pub id: String,
    /// The source that the event came through.
    pub source: String,
    /// Who gets it: the place in the config.
    pub target: String,
    /// What it must stay in order with.
    pub thread: String,
    /// Where it stands.
    pub state: State,
    /// Attempts ever.
    pub attempts: u32,
    /// When it is sent next, if it waits.
    pub next_at: Option<Timestamp>,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// The last answer, or what stood in the way.
    pub answer: Option<String>,
    /// When it was made.
    pub made: Timestamp,
    /// When its state was last written.
    pub updated: Timestamp,
    /// The call itself, as it was made.
    #[schemars(with = "crate::outgoing::Outgoing")]
    pub call: Box<RawValue>,
}

/// Which deliveries. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryQuery {
    /// In this state.
    pub state: Option<State>,
    /// For an event of this source.
    pub source: Option<String>,
    /// To this target.
    pub target: Option<String>,
    /// Of this decision, by its id.
    pub decision: Option<String>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// [`Deliveries::next`] of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// Some deliveries, newest first.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Deliveries {
    /// At most the query's limit.
    pub items: Vec<StoredDelivery>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

const COLUMNS: &str = "id, source, target, thread, state, attempts, next_at, status, answer, made, updated, call, seq";

impl Store {
    /// The delivery with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn delivery(&self, id: &str) -> Result<Option<StoredDelivery>, StoreError> {
        let (id, sql) = (id.to_owned(), format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"));
        self.read(move |conn| conn.prepare_cached(&sql)?.query_row([id], stored).optional()).await
    }

    /// A page of deliveries.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the
    /// journal cannot be read.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Deliveries, StoreError> {
        let before = match &query.cursor {
            None => None,
            Some(cursor) => Some(i64::from_str_radix(cursor, 16).map_err(|_| StoreError::Cursor)?),
        };
        let (mut conditions, mut values) = (vec!["TRUE"], Vec::new());
        for (condition, value) in [
            ("state = ?", query.state.map(|state| Value::Text(super::journal::word(&state)))),
            ("target = ?", query.target.clone().map(Value::Text)),
            // A delivery's id is its decision's, `-` and a number; `.` is the character after `-`.
            ("id > ?", query.decision.as_ref().map(|id| Value::Text(format!("{id}-")))),
            ("id < ?", query.decision.as_ref().map(|id| Value::Text(format!("{id}.")))),
            ("source = ?", query.source.clone().map(Value::Text)),
            ("seq < ?", before.map(Value::Integer)),
        ] {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(value);
            }
        }
        let limit = query.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
        // One row more than the page tells whether there is a next one.
        values.push(Value::Integer(i64::from(limit) + 1));
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE {} ORDER BY seq DESC LIMIT ?", conditions.join(" AND "));
        self.read(move |conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let (mut page, mut last) = (Deliveries { items: Vec::new(), next: None }, 0);
            while let Some(row) = rows.next()? {
                if page.items.len() == limit as usize {
                    page.next = Some(format!("{last:x}"));
                    break;
                }
                page.items.push(stored(row)?);
                last = row.get::<_, i64>("seq")?;
            }
            Ok(page)
        })
        .await
    }

    /// How many deliveries each target has in each state.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn delivery_counts(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT target, state, count(*) FROM outbox GROUP BY target, state")?;
            let mut rows = statement.query([])?;
            let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                counts.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs());
            }
            Ok(counts)
        })
        .await
    }

    /// How many open deliveries a target has in each state, and when the oldest one that waits was made. Delivered ones and shadows are
    /// not counted: they only grow, and counting them reads them all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn backlog(&self, targets: Vec<String>) -> Result<Vec<Backlog>, StoreError> {
        self.read(move |conn| targets.into_iter().map(|target| backlog(conn, target)).collect()).await
    }
}

/// What a target still has to get, or never got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Who gets it.
    pub target: String,
    /// How many are in each state.
    pub counts: Vec<(State, u64)>,
    /// When the oldest that waits was made.
    pub oldest: Option<Timestamp>,
}

fn backlog(conn: &Connection, target: String) -> rusqlite::Result<Backlog> {
    const COUNT: &str = "SELECT count(*) FROM outbox WHERE target = ?1 AND state = ?2";
    const OLDEST: &str = "SELECT made FROM outbox WHERE target = ?1 AND state = 'waiting' ORDER BY seq LIMIT 1";
    let mut counts = Vec::new();
    for state in [State::Waiting, State::Sending, State::Parked, State::Dead] {
        let count: i64 = conn.prepare_cached(COUNT)?.query_row(params![target, state], |row| row.get(0))?;
        counts.push((state, count.unsigned_abs()));
    }
    let oldest: Option<i64> = conn.prepare_cached(OLDEST)?.query_row([&target], |row| row.get(0)).optional()?;
    Ok(Backlog { target, counts, oldest: oldest.map(|at| Timestamp(at.unsigned_abs())) })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    let time = |column: &str| row.get::<_, i64>(column).map(|at| Timestamp(at.unsigned_abs()));
    let state: State = row.get("state")?;
    let call: String = row.get("call")?;
    let damaged = |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(11, rusqlite::types::Type::Text, Box::new(error));
    Ok(StoredDelivery {
        id: row.get("id")?,
        source: row.get("source")?,
        target: row.get("target")?,
        thread: row.get("thread")?,
        state,
        attempts: row.get("attempts")?,
        next_at: if state == State::Waiting { Some(time("next_at")?) } else { None },
        status: row.get("status")?,
        answer: row.get("answer")?,
        made: time("made")?,
        updated: time("updated")?,
        call: RawValue::from_string(call).map_err(damaged)?,
    })
}
