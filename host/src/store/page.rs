//! A page of rows by what is asked for: those that all conditions hold for, the latest first, and whether there are more.
//!
//! Used by the lists whose rows are in order of a `seq`. It must never be given a condition that somebody else wrote: those are constants, and
//! what is compared goes in as a parameter.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::read::{LIMIT, Page, before};
use super::{Store, StoreError};

/// What a page is asked for.
pub(super) struct Asked {
    seq: &'static str,
    conditions: Vec<String>,
    values: Vec<Value>,
    limit: u32,
}

impl Asked {
    /// The page after `cursor`, of rows in order of the column `seq`. A condition whose value is absent does not matter.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making.
    pub(super) fn of(
        seq: &'static str,
        cursor: Option<&str>,
        limit: Option<u32>,
        filters: impl IntoIterator<Item = (&'static str, Option<Value>)>,
    ) -> Result<Self, StoreError> {
        let place = (format!("{seq} < ?"), Value::Integer(before(cursor)?));
        let filters = filters.into_iter().filter_map(|(condition, value)| Some((condition.to_owned(), value?)));
        let (conditions, values) = std::iter::once(place).chain(filters).unzip();
        Ok(Self { seq, conditions, values, limit: limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1) })
    }
}

/// A text to compare with, when there is one.
pub(super) fn text(text: Option<&str>) -> Option<Value> {
    text.map(|text| Value::Text(text.to_owned()))
}

impl Store {
    /// The page; `select` is the statement up to its conditions, `row` gives a row's `seq` and what it says.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub(super) async fn page<T: Send + 'static>(
        &self,
        select: &str,
        asked: Asked,
        row: fn(&Row<'_>) -> rusqlite::Result<(i64, T)>,
    ) -> Result<Page<T>, StoreError> {
        let Asked { seq, conditions, mut values, limit } = asked;
        // One row more than the page tells whether there is a next one.
        values.push(Value::Integer(i64::from(limit) + 1));
        let sql = format!("{select} WHERE {} ORDER BY {seq} DESC LIMIT ?", conditions.join(" AND "));
        self.read(move |conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let found = statement.query_map(params_from_iter(values), row)?;
            Ok(Page::of(found.collect::<rusqlite::Result<_>>()?, limit as usize))
        })
        .await
    }
}
