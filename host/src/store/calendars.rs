//! Business calendars as they are kept: a name, what the admin wrote, and when.
//!
//! Called by `app.rs` at the start and by the admin API. What a calendar means is not known here.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::audit::{Entry, digest};
use super::journal::millis;
use super::{Store, StoreError};
use crate::event::Timestamp;

/// A kept calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRow {
    /// Its name.
    pub name: String,
    /// When it was last changed.
    pub changed: Timestamp,
    /// What the admin wrote, JSON.
    pub spec: String,
}

impl Store {
    /// Every calendar, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn calendars(&self) -> Result<Vec<CalendarRow>, StoreError> {
        const SQL: &str = "SELECT name, changed, spec FROM calendars ORDER BY name";
        self.read(|conn| conn.prepare_cached(SQL)?.query_map([], row)?.collect()).await
    }

    /// One calendar.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn calendar(&self, name: &str) -> Result<Option<CalendarRow>, StoreError> {
        const SQL: &str = "SELECT name, changed, spec FROM calendars WHERE name = ?1";
        let name = name.to_owned();
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row([name], row).optional()).await
    }

    /// When a calendar was last changed; nothing when there is none. Reads here and now: for replays, never on the event path.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub fn calendar_changed(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT name, changed, spec FROM calendars WHERE name = ?1";
        let found = self.inner.pages.read(|conn| conn.prepare_cached(SQL)?.query_row([name], row).optional())?;
        Ok(found.map(|calendar| calendar.changed))
    }

    /// Keeps a calendar in the place of an earlier one of its name, with its audit entry.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn put_calendar(&self, calendar: CalendarRow, entry: Entry) -> Result<(), StoreError> {
        const SQL: &str = "INSERT OR REPLACE INTO calendars (name, changed, spec) VALUES (?1, ?2, ?3)";
        let put = self.change(entry, move |conn, entry| {
            let CalendarRow { name, changed, spec } = &calendar;
            entry.before = before(conn, name)?;
            entry.after = Some(digest(spec));
            conn.execute(SQL, params![name, millis(*changed), spec]).map(Some)
        });
        put.await.map(drop)
    }

    /// Takes a calendar away; says whether it was there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn remove_calendar(&self, name: &str, entry: Entry) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let removed = self.change(entry, move |conn, entry| {
            entry.before = before(conn, &name)?;
            Ok((conn.execute("DELETE FROM calendars WHERE name = ?1", [&name])? > 0).then_some(()))
        });
        Ok(removed.await?.is_some())
    }
}

fn before(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let spec = conn.query_row("SELECT spec FROM calendars WHERE name = ?1", [name], |row| row.get::<_, String>(0));
    Ok(spec.optional()?.map(|spec| digest(&spec)))
}

fn row(row: &Row<'_>) -> rusqlite::Result<CalendarRow> {
    let changed: i64 = row.get(1)?;
    Ok(CalendarRow { name: row.get(0)?, changed: Timestamp(changed.unsigned_abs()), spec: row.get(2)? })
}
