//! Decisions as they come: what was recorded after a place, oldest first.
//!
//! Called by the admin API's stream, again and again. A place is a row's number, which only grows, so that a follower that comes back
//! with the last one it saw misses nothing.

use rusqlite::params;

use super::read::{decision, stored};
use super::{Store, StoreError, Stored};

impl Store {
    /// The place of the newest decision; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn newest(&self) -> Result<i64, StoreError> {
        self.read(|conn| conn.query_row("SELECT COALESCE(MAX(seq), 0) FROM decisions", [], |row| row.get(0))).await
    }

    /// At most `most` decisions after a place, each with its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn following(&self, place: i64, trace: bool, most: u32) -> Result<Vec<(i64, Stored)>, StoreError> {
        let sql = format!(
            "SELECT whole(e.event, e.sum), {}, d.seq FROM decisions d JOIN events e ON e.seq = d.event WHERE d.seq > ?1 ORDER BY d.seq LIMIT ?2",
            decision(trace)
        );
        self.read(move |conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map(params![place, most], |row| Ok((row.get(2)?, stored(row)?)))?;
            rows.collect()
        })
        .await
    }
}
