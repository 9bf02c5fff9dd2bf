//! What steps remember, as rows: written with the decision of the run that wrote them, read once at the start.
//!
//! `state.rs` of the host has it in memory. Decisions of one step may be committed in another order than they ran in: additions add up
//! whatever their order, and of two values the one that was written later stays.

use rusqlite::{Connection, Row, params};

use super::journal::millis;
use super::{Store, StoreError};
use crate::event::Timestamp;
use crate::state::{Cell, Effect, StateRow, StateWrite, Value};

/// Ended keys that one commit takes away at most.
const SWEPT: i64 = 64;
/// How long a removed key is remembered as removed, ms: longer than any decision waits for its commit.
const REMOVED_MS: i64 = 3_600_000;

impl Store {
    /// What every step remembers at `now`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn state(&self, now: Timestamp) -> Result<Vec<StateRow>, StoreError> {
        const SQL: &str = "SELECT step, key, value, count, expires, wrote FROM state";
        // What has ended comes without its value: its place among the writes still counts.
        let row = move |row: &Row<'_>| {
            let row = read(row)?;
            Ok(StateRow { cell: row.cell.filter(|cell| cell.expires.is_none_or(|end| end > now)), ..row })
        };
        self.read(move |conn| conn.prepare(SQL)?.query_map([], row)?.collect()).await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<StateRow> {
    let (bytes, count): (Option<Vec<u8>>, Option<i64>) = (row.get(2)?, row.get(3)?);
    let value = bytes.map(Value::Bytes).or(count.map(Value::Count));
    let expires = row.get::<_, Option<i64>>(4)?.map(|end| Timestamp(end.unsigned_abs()));
    let cell = value.map(|value| Cell { value, expires });
    Ok(StateRow { step: row.get(0)?, key: row.get(1)?, cell, wrote: row.get(5)? })
}

/// Writes what a run wrote, in the transaction that is open on `conn`.
pub(super) fn write(conn: &Connection, writes: &[StateWrite], now: Timestamp) -> rusqlite::Result<()> {
    const PUT: &str = "INSERT INTO state (step, key, value, count, expires, wrote) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT DO UPDATE SET value = excluded.value, count = excluded.count, expires = excluded.expires, wrote = excluded.wrote \
        WHERE excluded.wrote > wrote";
    // The row may hold the count of this very window, of an earlier one, of a later one, or no count.
    const ADD: &str = "INSERT INTO state (step, key, count, expires, wrote) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT DO UPDATE SET value = NULL, \
        count = CASE WHEN count IS NOT NULL AND expires IS excluded.expires THEN count + excluded.count ELSE excluded.count END, \
        expires = excluded.expires, wrote = max(wrote, excluded.wrote) \
        WHERE (count IS NOT NULL AND expires IS excluded.expires) OR excluded.wrote > wrote";
    const SWEEP: &str = "DELETE FROM state WHERE rowid IN (SELECT rowid FROM state WHERE expires <= ?1 LIMIT ?2)";
    if writes.is_empty() {
        return Ok(());
    }
    let (mut put, mut add) = (conn.prepare_cached(PUT)?, conn.prepare_cached(ADD)?);
    for StateWrite { step, key, effect, wrote } in writes {
        match effect {
            Effect::Put(Cell { value, expires }) => {
                let (bytes, count) = match value {
                    Value::Bytes(bytes) => (Some(bytes), None),
                    Value::Count(count) => (None, Some(count)),
                };
                put.execute(params![step, key, bytes, count, expires.map(millis), wrote])?;
            }
            Effect::Remove => {
                let (nothing, end) = (None::<i64>, millis(now).saturating_add(REMOVED_MS));
                put.execute(params![step, key, nothing, nothing, end, wrote])?;
            }
            Effect::Add { by, expires } => {
                add.execute(params![step, key, by, expires.map(millis), wrote])?;
            }
        }
    }
    // A row is kept for a while behind its end: an addition to its window may still be on its way.
    conn.prepare_cached(SWEEP)?.execute(params![millis(now).saturating_sub(REMOVED_MS), SWEPT]).map(drop)
}
