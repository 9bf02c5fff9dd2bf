//! The admin's tables and every version of their rows.
//!
//! Called by `tables.rs`, which has what is here in memory, and by replays, which ask what a row said at a moment of the past. It must never
//! change a version: a change closes it and writes the next one, together with the entry in the audit log.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};
use serde_json::{Map, Value};

use super::audit::Entry;
use super::journal::millis;
use super::{Store, StoreError};
use crate::config::TableLimits;
use crate::event::Timestamp;
use crate::table::{Book, Columns, Row, Table, columns, object};

/// A change of one table.
#[derive(Clone, Debug, Default)]
pub struct TableEdit {
    /// The table.
    pub name: String,
    /// Its schema from now on; the outer absence leaves it as it is.
    pub schema: Option<Option<Value>>,
    /// Rows that say something else from now on.
    pub set: BTreeMap<String, Columns>,
    /// Rows that are there no more.
    pub unset: Vec<String>,
    /// The table itself is there no more.
    pub gone: bool,
}

/// One version of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// What it said.
    pub columns: Map<String, Value>,
    /// From then on.
    pub since: Timestamp,
    /// Until before then; without it, now.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Every table as it is now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn tables(&self) -> Result<Book, StoreError> {
        self.read(|conn| {
            let row = |row: &SqlRow<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, time(row.get(2)?)));
            let tables: Vec<_> = conn
                .prepare("SELECT name, schema, changed FROM tables WHERE removed IS NULL")?
                .query_map([], row)?
                .collect::<rusqlite::Result<_>>()?;
            let mut book = BTreeMap::new();
            for (name, schema, changed) in tables {
                let row = |row: &SqlRow<'_>| Ok((row.get(0)?, Row { columns: read(&row.get::<_, String>(1)?), since: time(row.get(2)?) }));
                let rows = conn
                    .prepare_cached("SELECT key, columns, since FROM table_rows WHERE name = ?1 AND until IS NULL")?
                    .query_map([&name], row)?
                    .collect::<rusqlite::Result<_>>()?;
                let schema = schema.and_then(|schema| serde_json::from_str(&schema).ok());
                book.insert(name, Arc::new(Table { schema, changed, rows }));
            }
            Ok(Book::of(book))
        })
        .await
    }

    /// Makes a change of a table and its entry in the audit log, both or neither. A table that is not there is made.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn edit_table(&self, edit: TableEdit, entry: Entry) -> Result<(), StoreError> {
        let at = millis(entry.at);
        let change = self.change(entry, move |conn, _| write(conn, &edit, at).map(Some));
        change.await.map(drop)
    }

    /// The versions of a row, the latest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn row_versions(&self, table: &str, key: &str, limit: u32) -> Result<Vec<Version>, StoreError> {
        const SQL: &str =
            "SELECT columns, since, until FROM table_rows WHERE name = ?1 AND key = ?2 ORDER BY since DESC, seq DESC LIMIT ?3";
        let (table, key) = (table.to_owned(), key.to_owned());
        self.read(move |conn| {
            let row = |row: &SqlRow<'_>| {
                let columns = serde_json::from_str(&row.get::<_, String>(0)?).unwrap_or_default();
                Ok(Version { columns, since: time(row.get(1)?), until: row.get::<_, Option<i64>>(2)?.map(time) })
            };
            conn.prepare_cached(SQL)?.query_map(params![table, key, limit], row)?.collect()
        })
        .await
    }

    /// What a row said at a moment; nothing inside when it was not there, nothing at all when the table was not. Reads here and
    /// now: for replays, never on the event path.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub fn row_at(&self, table: &str, key: &str, at: Timestamp) -> Result<Option<Option<Columns>>, StoreError> {
        const SQL: &str = "SELECT columns FROM table_rows WHERE name = ?1 AND key = ?2 AND since <= ?3 AND (until IS NULL OR until > ?3) \
            ORDER BY since DESC, seq DESC LIMIT 1";
        self.inner.pages.read(|conn| {
            if !there(conn, table, at)? {
                return Ok(None);
            }
            let row = |row: &SqlRow<'_>| Ok(read(&row.get::<_, String>(0)?));
            conn.prepare_cached(SQL)?.query_row(params![table, key, millis(at)], row).optional().map(Some)
        })
    }

    /// The rows of a table at a moment, by key, at most `limit`; nothing when the table was not there. As [`Store::row_at`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub fn rows_at(&self, table: &str, limit: u32, at: Timestamp) -> Result<Option<Vec<(String, Columns)>>, StoreError> {
        const SQL: &str = "SELECT key, columns FROM table_rows WHERE name = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2) \
            ORDER BY key LIMIT ?3";
        self.inner.pages.read(|conn| {
            if !there(conn, table, at)? {
                return Ok(None);
            }
            let row = |row: &SqlRow<'_>| Ok((row.get(0)?, read(&row.get::<_, String>(1)?)));
            conn.prepare_cached(SQL)?.query_map(params![table, millis(at), limit], row)?.collect::<Result<_, _>>().map(Some)
        })
    }
}

fn there(conn: &Connection, table: &str, at: Timestamp) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT count(*) FROM tables WHERE name = ?1 AND made <= ?2 AND (removed IS NULL OR removed > ?2)";
    conn.prepare_cached(SQL)?.query_row(params![table, millis(at)], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

fn write(conn: &Connection, edit: &TableEdit, at: i64) -> rusqlite::Result<()> {
    const MAKE: &str = "INSERT INTO tables (name, schema, made, changed) VALUES (?1, NULL, ?2, ?2) \
        ON CONFLICT DO UPDATE SET changed = max(changed, excluded.changed), removed = NULL";
    // A clock that was put back must not make a version end before it began.
    const CLOSE: &str = "UPDATE table_rows SET until = max(since, ?3) WHERE name = ?1 AND key = ?2 AND until IS NULL";
    const OPEN: &str = "INSERT INTO table_rows (name, key, columns, since) VALUES (?1, ?2, ?3, max(?4, \
        coalesce((SELECT max(until) FROM table_rows WHERE name = ?1 AND key = ?2), 0)))";
    let TableEdit { name, schema, set, unset, gone } = edit;
    if *gone {
        conn.execute("UPDATE table_rows SET until = max(since, ?2) WHERE name = ?1 AND until IS NULL", params![name, at])?;
        conn.execute("UPDATE tables SET removed = max(changed, ?2), schema = NULL WHERE name = ?1", params![name, at])?;
        return Ok(());
    }
    conn.prepare_cached(MAKE)?.execute(params![name, at])?;
    if let Some(schema) = schema {
        let schema = schema.as_ref().map(Value::to_string);
        conn.prepare_cached("UPDATE tables SET schema = ?2 WHERE name = ?1")?.execute(params![name, schema])?;
    }
    let mut close = conn.prepare_cached(CLOSE)?;
    for key in unset {
        close.execute(params![name, key, at])?;
    }
    let mut open = conn.prepare_cached(OPEN)?;
    for (key, columns) in set {
        close.execute(params![name, key, at])?;
        open.execute(params![name, key, Value::Object(object(columns)).to_string(), at])?;
    }
    Ok(())
}

/// Columns as they were kept: they were held against every limit then.
fn read(text: &str) -> Columns {
    const LIFTED: TableLimits = TableLimits { tables: usize::MAX, rows: usize::MAX, row_bytes: usize::MAX, bytes: usize::MAX };
    let object: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    columns(&object, None, &LIFTED).unwrap_or_default()
}

fn time(column: i64) -> Timestamp {
    Timestamp(column.unsigned_abs())
}
