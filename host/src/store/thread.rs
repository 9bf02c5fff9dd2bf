//! The messages of one thread, as a step asks for them: one bounded read of an index.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::journal::millis;
use super::{Store, StoreError};
use crate::ask::Message;
use crate::event::{Event, Timestamp};

/// Messages of a thread that are looked at at most: the same ids of other sources are passed over.
const LOOKED_AT: u32 = 200;

impl Store {
    /// Messages of a thread of the event's own source that came before it, the latest first, at most `limit`. Reads here and now, on the
    /// thread that runs the chain.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub fn thread(&self, event: &Event, thread: &str, limit: u32) -> Result<Vec<Message>, StoreError> {
        const SQL: &str = "SELECT seq, whole(event, sum) FROM events WHERE json_extract(event, '$.thread_id') = ?1 \
            AND json_extract(event, '$.thread_id') IS NOT NULL ORDER BY seq DESC LIMIT ?2";
        let rows: Vec<(i64, String)> = self.inner.lookups.read(|conn| {
            conn.prepare_cached(SQL)?.query_map(params![thread, LOOKED_AT], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        let read = rows.into_iter().filter_map(|(seq, json)| Some((seq, serde_json::from_str::<Event>(&json).ok()?)));
        let before = read.filter(|(_, other)| other.source == event.source && other.id != event.id && other.received <= event.received);
        Ok(before.take(limit as usize).map(|(seq, other)| Message { seq, event: Some(Arc::new(other)) }).collect())
    }

    /// The latest messages that were taken in since a moment, at most so many, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn latest(&self, most: usize, since: Timestamp) -> Result<Vec<Event>, StoreError> {
        const SQL: &str = "SELECT event FROM events WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - ?1 AND received >= ?2             ORDER BY seq";
        let (most, since) = (i64::try_from(most).unwrap_or(i64::MAX), millis(since));
        let texts: Vec<String> =
            self.read(move |conn| conn.prepare_cached(SQL)?.query_map(params![most, since], |row| row.get(0))?.collect()).await?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// The message at a place of the journal, unless it was forgotten. Reads here and now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub fn message(&self, seq: i64) -> Result<Option<Event>, StoreError> {
        let json = self.inner.pages.read(|conn: &Connection| {
            let row = |row: &Row<'_>| row.get::<_, String>(0);
            conn.prepare_cached("SELECT whole(event, sum) FROM events WHERE seq = ?1")?.query_row([seq], row).optional()
        })?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}
