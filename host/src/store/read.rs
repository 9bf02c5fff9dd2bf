//! Reading the journal: one decision, or a page of them by what the admin asks for.
//!
//! Called by the admin API and the console; [`Readers`] also by `claim.rs`. It must never write, and never run a page on a thread
//! that serves requests.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::{millis, word};
use super::{Store, StoreError, schema};
use crate::event::Timestamp;
use crate::verdict::{Level, SentimentLabel};

/// Records of a page unless the query says otherwise, and at most: 200 full decisions with their traces are some megabytes.
pub(super) const LIMIT: (u32, u32) = (50, 200);

/// An event and its decision, as they were recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The event's JSON.
    pub event: String,
    /// The decision's JSON, trace included.
    pub decision: String,
}

/// Which decisions. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// Through this source.
    pub source: Option<String>,
    /// Of this category, by its key.
    pub category: Option<String>,
    /// With this sentiment.
    pub sentiment: Option<SentimentLabel>,
    /// With this priority.
    pub priority: Option<Level>,
    /// Escalated at least this far.
    pub min_escalation: Option<u8>,
    /// Made without a step that misbehaved, or not.
    pub degraded: Option<bool>,
    /// About this event, every revision of it.
    pub event_id: Option<String>,
    /// About an event of this ticket.
    pub ticket_id: Option<String>,
    /// Decided at this time or later.
    pub since: Option<Timestamp>,
    /// Decided before this time.
    pub until: Option<Timestamp>,
    /// With the trace, unless this is `false`: most of a decision's bytes are its trace, and a list seldom shows it.
    pub trace: Option<bool>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}-[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// Some records, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// At most the query's limit.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one. What is recorded meanwhile moves nothing on the pages that follow.
    pub next: Option<String>,
}

impl Store {
    /// The decision with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn decision(&self, id: &str) -> Result<Option<Stored>, StoreError> {
        const SQL: &str =
            "SELECT whole(e.event, e.sum), whole(d.decision, d.sum) FROM decisions d JOIN events e ON e.seq = d.event WHERE d.id = ?1";
        let id = id.to_owned();
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row([id], stored).optional()).await
    }

    /// The decision about the latest revision of an event.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn event_decision(&self, source: &str, event_id: &str) -> Result<Option<Stored>, StoreError> {
        const SQL: &str = "SELECT whole(e.event, e.sum), whole(d.decision, d.sum) FROM decisions d JOIN events e ON e.seq = d.event \
            WHERE d.event_id = ?2 AND +d.source = ?1 ORDER BY d.revision DESC, d.seq DESC LIMIT 1";
        let (source, event_id) = (source.to_owned(), event_id.to_owned());
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row(params![source, event_id], stored).optional()).await
    }

    /// A page of decisions.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the
    /// journal cannot be read.
    pub async fn decisions(&self, query: &Query) -> Result<Page<Stored>, StoreError> {
        let (sql, values, limit) = select(query)?;
        self.read(move |conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let (mut page, mut last) = (Page { items: Vec::new(), next: None }, None);
            while let Some(row) = rows.next()? {
                if page.items.len() == limit {
                    page.next = last.map(|(decided, seq): (i64, i64)| format!("{decided:x}-{seq:x}"));
                    break;
                }
                page.items.push(stored(row)?);
                last = Some((row.get(2)?, row.get(3)?));
            }
            Ok(page)
        })
        .await
    }

    /// Reads on a blocking thread.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || inner.pages.read(read)).await;
        done.unwrap_or_else(|_| Err(StoreError::stopped(&self.inner.file)))
    }
}

/// The statement of a query: one condition per filter, so that each combination gets a plan with the index that fits it. One
/// row more than the page tells whether there is a next one.
fn select(query: &Query) -> Result<(String, Vec<Value>, usize), StoreError> {
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    let number = |number: Option<i64>| number.map(Value::Integer);
    let equal = [
        ("d.source = ?", text(&query.source)),
        ("d.event_id = ?", text(&query.event_id)),
        ("d.ticket_id = ?", text(&query.ticket_id)),
        ("d.category = ?", text(&query.category)),
        ("d.sentiment = ?", query.sentiment.as_ref().map(|label| Value::Text(word(label)))),
        ("d.priority = ?", query.priority.as_ref().map(|level| Value::Text(word(level)))),
    ];
    // SQLite would rather read all decisions in order than the few escalated ones, unless it is told; any equality serves better.
    let escalated = query.min_escalation.filter(|level| *level > 0);
    let alone = escalated.is_some() && equal.iter().all(|(_, value)| value.is_none());
    let hint = if alone { "INDEXED BY decisions_escalated" } else { "" };
    let ranges = [
        // The literal is what lets SQLite see that the partial index holds every row that is asked for.
        ("d.escalation > 0 AND d.escalation >= ?", number(escalated.map(i64::from))),
        ("d.decided >= ?", number(query.since.map(millis))),
        ("d.decided < ?", number(query.until.map(millis))),
    ];
    let (mut conditions, mut values) = (vec!["TRUE"], Vec::new());
    for (condition, value) in equal.into_iter().chain(ranges) {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    }
    conditions.extend(query.degraded.map(|degraded| if degraded { "d.degraded = 1" } else { "d.degraded = 0" }));
    if let Some(cursor) = &query.cursor {
        let (decided, seq) = place(cursor).ok_or(StoreError::Cursor)?;
        conditions.push("(d.decided, d.seq) < (?, ?)");
        values.extend([Value::Integer(decided), Value::Integer(seq)]);
    }
    let limit = query.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
    values.push(Value::Integer(i64::from(limit) + 1));
    let sql = format!(
        "SELECT whole(e.event, e.sum), {}, d.decided, d.seq FROM decisions d {hint} JOIN events e ON e.seq = d.event WHERE {} \
         ORDER BY d.decided DESC, d.seq DESC LIMIT ?",
        decision(query.trace.unwrap_or(true)),
        conditions.join(" AND ")
    );
    Ok((sql, values, limit as usize))
}

/// The column of a decision, with its trace or without.
pub(super) fn decision(trace: bool) -> &'static str {
    if trace { "whole(d.decision, d.sum)" } else { "json_remove(whole(d.decision, d.sum), '$.trace')" }
}

impl<T> Page<T> {
    /// A page of at most `limit` from one record more than that, each with its place. The cursor is the place of the last one.
    pub(super) fn of(mut found: Vec<(i64, T)>, limit: usize) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(seq, _)| format!("{seq:x}"));
        Self { items: found.into_iter().map(|(_, item)| item).collect(), next }
    }
}

/// The place that a cursor of [`Page::of`] names; without one, a place that is behind every record.
pub(super) fn before(cursor: Option<&str>) -> Result<i64, StoreError> {
    cursor.map_or(Ok(i64::MAX), |cursor| i64::from_str_radix(cursor, 16).map_err(|_| StoreError::Cursor))
}

fn place(cursor: &str) -> Option<(i64, i64)> {
    let (decided, seq) = cursor.split_once('-')?;
    Some((i64::from_str_radix(decided, 16).ok()?, i64::from_str_radix(seq, 16).ok()?))
}

pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored { event: row.get(0)?, decision: row.get(1)? })
}

/// Connections that only read, as many as may read at once.
#[derive(Debug)]
pub(super) struct Readers {
    file: Arc<Path>,
    conns: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Readers {
    pub(super) fn open(file: &Arc<Path>, count: usize) -> Result<Self, StoreError> {
        let conns = (0..count).map(|_| schema::reader(file).map(Mutex::new)).collect::<Result<_, _>>();
        let conns = conns.map_err(|error| StoreError::sqlite(file, &error))?;
        Ok(Self { file: Arc::clone(file), conns, turn: AtomicUsize::new(0) })
    }

    /// Reads with a free connection, or waits for one in turn.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let free = self.conns.iter().find_map(|conn| match conn.try_lock() {
            Ok(conn) => Some(conn),
            Err(TryLockError::Poisoned(conn)) => Some(conn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let conn = free.unwrap_or_else(|| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.conns.len();
            self.conns[turn].lock().unwrap_or_else(PoisonError::into_inner)
        });
        read(&conn).map_err(|error| StoreError::sqlite(&self.file, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(query: &Query) -> String {
        let dir = tempfile::tempdir().unwrap();
        let conn = schema::open(&dir.path().join("signalbox.db")).unwrap();
        let (sql, values, _) = select(query).unwrap();
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_filter_is_served_in_order_by_its_index() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("decided", Query::default()),
            ("decided", Query { since: Some(Timestamp(1)), until: Some(Timestamp(9)), ..Query::default() }),
            ("source", Query { source: some("desk"), since: Some(Timestamp(1)), ..Query::default() }),
            ("event_id", Query { event_id: some("m1"), ..Query::default() }),
            ("ticket", Query { ticket_id: some("42"), ..Query::default() }),
            ("category", Query { category: some("other"), until: Some(Timestamp(9)), ..Query::default() }),
            ("sentiment", Query { sentiment: Some(SentimentLabel::Negative), ..Query::default() }),
            ("priority", Query { priority: Some(Level::High), ..Query::default() }),
            ("escalated", Query { min_escalation: Some(2), ..Query::default() }),
            ("escalated", Query { min_escalation: Some(2), since: Some(Timestamp(1)), degraded: Some(false), ..Query::default() }),
            ("category", Query { min_escalation: Some(2), category: some("other"), ..Query::default() }),
            ("degraded", Query { degraded: Some(true), ..Query::default() }),
        ];
        for (index, query) in cases {
            for cursor in [None, some("64-1f")] {
                let plan = plan(&Query { cursor, ..query.clone() });
                assert!(plan.contains(&format!("INDEX decisions_{index}")) && !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
            }
        }
    }

    #[test]
    fn a_cursor_of_ones_own_making_is_refused() {
        for cursor in ["", "12", "x-1", "1-", "1-2-3", "ffffffffffffffffff-1"] {
            let query = Query { cursor: Some(cursor.to_owned()), ..Query::default() };
            assert_eq!(select(&query).unwrap_err(), StoreError::Cursor, "{cursor}");
        }
    }
}
