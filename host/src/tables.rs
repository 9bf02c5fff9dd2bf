//! The live tables: what the store has, in memory, and how a change gets into both.
//!
//! Built at boot by `app.rs`. The admin API changes tables here, runs read [`Tables::book`]. One change at a time, recorded first, then swapped
//! in: what rules are told is always what the store says.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::config::TableLimits;
use crate::event::Timestamp;
use crate::store::{Entry, Store, StoreError, TableEdit, digest};
use crate::table::{Book, Columns, Fault, Form, Row, Table, columns, keyed, named, object, rows, validator};

/// Why a table is not changed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// What was given is no table or row.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// It would be too much.
    #[error("{0}")]
    Full(String),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import changed, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Imported {
    /// Rows that were not there.
    pub added: usize,
    /// Rows that said something else.
    pub changed: usize,
    /// Rows that said the same.
    pub unchanged: usize,
    /// Rows that are there no more, with `replace`.
    pub removed: usize,
}

/// Every table, in memory.
pub struct Tables {
    book: RwLock<Arc<Book>>,
    store: Store,
    limits: TableLimits,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Tables {
    /// Reads every table.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(store: Store, limits: TableLimits) -> Result<Self, StoreError> {
        let book = RwLock::new(Arc::new(store.tables().await?));
        Ok(Self { book, store, limits, changing: tokio::sync::Mutex::default() })
    }

    /// Every table as it is now. A run may keep it.
    pub fn book(&self) -> Arc<Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a table, or gives it another schema, which its rows must fit.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn put(&self, name: &str, schema: Option<Value>, entry: Entry) -> Result<Arc<Table>, TableError> {
        named(name)?;
        let _one_at_a_time = self.changing.lock().await;
        let before = self.book().table(name).cloned();
        self.room_for(name)?;
        let checks = schema.as_ref().map(validator).transpose()?;
        for (key, row) in before.iter().flat_map(|table| &table.rows) {
            let fits = columns(&object(&row.columns), checks.as_ref(), &self.limits);
            fits.map_err(|fault| Fault::at("/schema", format!("the row `{key}` would not fit: {}{}", fault.pointer, fault.problem)))?;
        }
        let edit = TableEdit { name: name.to_owned(), schema: Some(schema.clone()), ..TableEdit::default() };
        self.make(edit, entry, before.as_deref()).await
    }

    /// Takes a table away. Replays of the past still see it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove(&self, name: &str, entry: Entry) -> Result<(), TableError> {
        let _one_at_a_time = self.changing.lock().await;
        let before = self.there(name)?;
        let edit = TableEdit { name: name.to_owned(), gone: true, ..TableEdit::default() };
        let entry = Entry { before: Some(told(&before)), ..entry };
        self.store.edit_table(edit, entry).await?;
        self.swap(name, None);
        Ok(())
    }

    /// Lets a row say something else, or adds it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn set(&self, name: &str, key: &str, row: &Map<String, Value>, entry: Entry) -> Result<Row, TableError> {
        keyed(key)?;
        let _one_at_a_time = self.changing.lock().await;
        let before = self.there(name)?;
        let checks = before.schema.as_ref().map(validator).transpose()?;
        let row = columns(row, checks.as_ref(), &self.limits)?;
        if let Some(same) = before.rows.get(key).filter(|known| known.columns == row) {
            return Ok(same.clone());
        }
        let edit = TableEdit { name: name.to_owned(), set: BTreeMap::from([(key.to_owned(), row)]), ..TableEdit::default() };
        let table = self.make(edit, entry, Some(&before)).await?;
        table.rows.get(key).cloned().ok_or_else(|| TableError::NotFound(format!("row `{key}`")))
    }

    /// Takes a row away. Replays of the past still see it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn unset(&self, name: &str, key: &str, entry: Entry) -> Result<(), TableError> {
        let _one_at_a_time = self.changing.lock().await;
        let before = self.there(name)?;
        if !before.rows.contains_key(key) {
            return Err(TableError::NotFound(format!("row `{key}` in the table `{name}`")));
        }
        let edit = TableEdit { name: name.to_owned(), unset: vec![key.to_owned()], ..TableEdit::default() };
        self.make(edit, entry, Some(&before)).await.map(drop)
    }

    /// Takes the rows of a file in, all or none. A table that is not there is made; with `replace`, rows that the file does not
    /// have are taken away.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn import(&self, name: &str, file: &File<'_>, entry: Entry) -> Result<Imported, TableError> {
        named(name)?;
        let _one_at_a_time = self.changing.lock().await;
        let before = self.book().table(name).cloned();
        let schema = before.as_ref().and_then(|table| table.schema.as_ref());
        let checks = schema.map(validator).transpose()?;
        let (mut imported, mut set) = (Imported::default(), BTreeMap::new());
        let read = rows(file.bytes, file.form, file.key, schema)?;
        for (key, row) in &read {
            let row = columns(row, checks.as_ref(), &self.limits)
                .map_err(|fault| Fault::at(fault.pointer, format!("row `{key}`: {}", fault.problem)))?;
            match before.as_ref().and_then(|table| table.rows.get(key)) {
                Some(known) if known.columns == row => imported.unchanged += 1,
                known => {
                    if known.is_some() {
                        imported.changed += 1
                    } else {
                        imported.added += 1
                    }
                    set.insert(key.clone(), row);
                }
            }
        }
        let known = before.iter().filter(|_| file.replace).flat_map(|table| table.rows.keys());
        let unset: Vec<String> = known.filter(|key| !read.contains_key(*key)).cloned().collect();
        imported.removed = unset.len();
        if before.is_some() && set.is_empty() && unset.is_empty() {
            return Ok(imported);
        }
        self.make(TableEdit { name: name.to_owned(), set, unset, ..TableEdit::default() }, entry, before.as_deref()).await?;
        Ok(imported)
    }

    /// Lets rows say something else, or takes them away, as a desk tells of them; a table that is not there is made. What says so already
    /// changes nothing and is no entry.
    ///
    /// # Errors
    /// [`TableError`]; then no row is changed.
    pub async fn feed(
        &self,
        name: &str,
        rows: &BTreeMap<String, Option<Map<String, Value>>>,
        entry: Entry,
    ) -> Result<Imported, TableError> {
        named(name)?;
        let _one_at_a_time = self.changing.lock().await;
        let before = self.book().table(name).cloned();
        let checks = before.as_ref().and_then(|table| table.schema.as_ref()).map(validator).transpose()?;
        let (mut told, mut set, mut unset) = (Imported::default(), BTreeMap::new(), Vec::new());
        for (key, row) in rows {
            keyed(key)?;
            let known = before.as_ref().and_then(|table| table.rows.get(key));
            let row = row.as_ref().map(|row| columns(row, checks.as_ref(), &self.limits)).transpose()?;
            match (known, row) {
                (None, None) => told.unchanged += 1,
                (Some(known), Some(row)) if known.columns == row => told.unchanged += 1,
                (Some(_), None) => {
                    told.removed += 1;
                    unset.push(key.clone());
                }
                (known, Some(row)) => {
                    if known.is_some() {
                        told.changed += 1;
                    } else {
                        told.added += 1;
                    }
                    set.insert(key.clone(), row);
                }
            }
        }
        if !(set.is_empty() && unset.is_empty()) {
            self.make(TableEdit { name: name.to_owned(), set, unset, ..TableEdit::default() }, entry, before.as_deref()).await?;
        }
        Ok(told)
    }

    /// Records an edit and swaps the table in.
    async fn make(&self, edit: TableEdit, entry: Entry, before: Option<&Table>) -> Result<Arc<Table>, TableError> {
        self.room_for(&edit.name)?;
        let after = edited(before, &edit, entry.at);
        if after.rows.len() > self.limits.rows {
            let (rows, most) = (after.rows.len(), self.limits.rows);
            return Err(TableError::Full(format!(
                "the table `{}` would have {rows} rows; at most {most} are taken (`tables.rows`)",
                edit.name
            )));
        }
        let bytes: usize = after.rows.iter().map(|(key, row)| key.len() + Value::Object(object(&row.columns)).to_string().len()).sum();
        if bytes > self.limits.bytes {
            let most = self.limits.bytes;
            return Err(TableError::Full(format!(
                "the table `{}` would have {bytes} bytes; at most {most} are taken (`tables.bytes`)",
                edit.name
            )));
        }
        let entry = Entry { before: before.map(told), after: Some(told(&after)), ..entry };
        let name = edit.name.clone();
        self.store.edit_table(edit, entry).await?;
        self.swap(&name, Some(after));
        self.there(&name)
    }

    fn there(&self, name: &str) -> Result<Arc<Table>, TableError> {
        let missing = || TableError::NotFound(format!("table `{name}`; `signalbox table import {name} FILE` makes one"));
        self.book().table(name).cloned().ok_or_else(missing)
    }

    fn room_for(&self, name: &str) -> Result<(), TableError> {
        let book = self.book();
        if book.table(name).is_none() && book.tables().len() >= self.limits.tables {
            let most = self.limits.tables;
            return Err(TableError::Full(format!("there are {most} tables already, and no more are taken (`tables.tables`); remove one")));
        }
        Ok(())
    }

    fn swap(&self, name: &str, table: Option<Table>) {
        let after = Arc::new(self.book().with(name, table));
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = after;
    }
}

/// A file of rows.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As it came.
    pub bytes: &'a [u8],
    /// How it is written.
    pub form: Form,
    /// The column that a row is known by.
    pub key: &'a str,
    /// Whether rows that it does not have are taken away.
    pub replace: bool,
}

fn edited(before: Option<&Table>, edit: &TableEdit, at: Timestamp) -> Table {
    let mut after = before.cloned().unwrap_or(Table { schema: None, changed: at, rows: BTreeMap::new() });
    after.changed = after.changed.max(at);
    if let Some(schema) = &edit.schema {
        after.schema.clone_from(schema);
    }
    edit.unset.iter().for_each(|key| drop(after.rows.remove(key)));
    let row = |columns: &Columns| Row { columns: columns.clone(), since: at };
    after.rows.extend(edit.set.iter().map(|(key, columns)| (key.clone(), row(columns))));
    after
}

/// A table's digest, for the audit log.
fn told(table: &Table) -> String {
    let rows: BTreeMap<&String, &[crate::event::Attribute]> = table.rows.iter().map(|(key, row)| (key, &*row.columns)).collect();
    digest(&(&table.schema, rows))
}
