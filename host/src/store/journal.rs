//! The rows of the journal: how an event, its claim keys and its decision are written and found.
//!
//! Called by `claim.rs` (finding) and by [`Store::accept`] and [`Store::record`] (writing, on the writer's thread). It must never
//! overwrite a decision: the earlier one stands and is what the caller gets.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::alerts::{self, NewAlert, Rung};
use super::approvals::{self, NewApproval, Of};
use super::clocks::{By, Happened, NewClock, started};
use super::keys::Key;
use super::outbox::{OutboxRows, Posted, thread};
use super::{Accepted, Mine, Store, StoreError};
use super::{state, sum};
use crate::calendar::Calendars;
use crate::decision::Decision;
use crate::event::{Event, Timestamp};
use crate::state::StateWrite;

/// A decision as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The event's id.
    pub event_id: Arc<str>,
    /// The decision's id.
    pub decision_id: Arc<str>,
    /// The decision, trace included: the same bytes for every repeat, for ever.
    pub decision_json: Arc<str>,
}

/// What is made durable together with a decision.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// The calls that carry it out.
    pub posted: Vec<Posted>,
    /// What its steps asked the host and were told, JSON.
    pub asked: Option<String>,
    /// What its steps remember.
    pub writes: Vec<StateWrite>,
    /// What waits for a person.
    pub approvals: Vec<NewApproval>,
    /// What it raises.
    pub alerts: Vec<NewAlert>,
    /// How long alerts of one key are one alert.
    pub alert_window: Duration,
    /// The clocks that it wants started.
    pub clocks: Vec<NewClock>,
    /// Whether it is about what an author wrote just now, and not about a clock that came due.
    pub message: bool,
    /// What clocks count on.
    pub calendars: Calendars,
}

impl Store {
    /// Makes the event durable before it has a decision, for a sender that gets a receipt. [`Store::record`] completes it; if that
    /// never happens, [`Store::pending`] gives it out again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable; the keys are free again, so that the sender's retry runs it.
    pub async fn accept(&self, mut mine: Mine, event: &Event) -> Result<Mine, StoreError> {
        if mine.accepted.is_some() {
            return Ok(mine);
        }
        let row = EventRow::of(event);
        // The job holds the claim too: when the caller is cancelled, nobody else may run the event before this is durable.
        let hold = Arc::clone(&mine.hold);
        let seq = self.inner.writer.write(move |conn| match owner(conn, hold.keys())? {
            Some(seq) => Ok(seq),
            None => {
                let seq = row.insert(conn, hold.keys())?;
                conn.prepare_cached("INSERT INTO pending (event) VALUES (?1)")?.execute([seq])?;
                Ok(seq)
            }
        });
        mine.accepted = Some(Accepted { seq: seq.await?, event: Box::new(event.clone()) });
        Ok(mine)
    }

    /// Makes event, decision and trace durable, together with what goes with the decision, and only then lets repeats of the event
    /// through: they get what this returns. That is the given decision, unless the event has one already; then the earlier one stands,
    /// with its own calls, clocks and writes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable; the keys are free again, so that the sender's retry runs it. An event that
    /// was accepted before stays pending.
    pub async fn record(&self, mine: Mine, event: &Event, decision: &Decision, besides: Besides) -> Result<Recorded, StoreError> {
        self.record_all(mine, event, decision, besides).await.map(|(recorded, ..)| recorded)
    }

    /// The same, and says what happened to clocks and alerts.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn record_all(
        &self,
        mine: Mine,
        event: &Event,
        decision: &Decision,
        besides: Besides,
    ) -> Result<(Recorded, Vec<Happened>, Vec<Rung>), StoreError> {
        let Besides { posted, asked, writes, approvals, alerts, alert_window, clocks, message, calendars } = besides;
        let (held, window) = (decision.held.is_some(), i64::try_from(alert_window.as_millis()).unwrap_or(i64::MAX));
        let now = decision.head.decided;
        let (subject, ticket, at) = (thread(event), event.ticket.as_ref().map(|ticket| ticket.id.clone()), event.received);
        let outbox = OutboxRows::of(event, &decision.head, posted);
        let (row, decision) = (EventRow::of(event), DecisionRow::of(event, decision));
        let (hold, accepted) = (Arc::clone(&mine.hold), mine.accepted.as_ref().map(|accepted| accepted.seq));
        let write = self.inner.writer.write(move |conn| {
            let earlier = accepted.map_or_else(|| owner(conn, hold.keys()), |seq| Ok(Some(seq)))?;
            let seq = match earlier {
                None => row.insert(conn, hold.keys())?,
                Some(seq) => {
                    if let Some(decided) = decision_of(conn, seq)? {
                        return Ok((decided, Vec::new(), Vec::new()));
                    }
                    claim(conn, seq, hold.keys())?;
                    // The row lists every key of its event: by that list they are found when it is to be forgotten.
                    const KEYS: &str = "UPDATE events SET keys = ?2 WHERE seq = ?1 AND length(keys) < length(?2)";
                    conn.prepare_cached(KEYS)?.execute(params![seq, hold.keys().as_flattened()])?;
                    seq
                }
            };
            decision.insert(conn, seq)?;
            outbox.insert(conn)?;
            state::write(conn, &writes, now)?;
            if let Some(asked) = &asked {
                conn.prepare_cached("INSERT OR REPLACE INTO asked (event, asked) VALUES (?1, ?2)")?.execute(params![seq, asked])?;
            }
            conn.prepare_cached("DELETE FROM pending WHERE event = ?1")?.execute([seq])?;
            let (source, id) = (decision.source.as_str(), &*decision.id);
            let of = Of { decision: id, event: seq, source, thread: &subject, ticket: ticket.as_deref(), made: decision.decided };
            approvals::insert(conn, &approvals, &of)?;
            let rung = alerts::insert(conn, &alerts, &of, window, held)?;
            let by = By { source, subject: &subject, ticket: ticket.as_deref(), decision: id, event: seq, at };
            let happened = if message { started(conn, &clocks, &by, &calendars)? } else { Vec::new() };
            Ok((decision.recorded(), happened, rung))
        });
        write.await
    }
}

/// What the journal knows of an event.
pub(super) enum Found {
    /// Nothing.
    New,
    /// It was accepted and has no decision: its row.
    Accepted(i64),
    /// It was decided.
    Decided(Recorded),
}

/// Looks up to three keys up in one read. When they lead to different events, a decided one wins: its answer has been given.
pub(super) fn find(conn: &Connection, keys: &[Key]) -> rusqlite::Result<Found> {
    const SQL: &str = "SELECT d.event_id, d.id, whole(d.decision, d.sum), c.event FROM claims c LEFT JOIN decisions d ON d.event = c.event \
        WHERE c.key IN (?1, ?2, ?3)";
    let mut statement = conn.prepare_cached(SQL)?;
    let mut rows = statement.query(params![keys.first(), keys.get(1), keys.get(2)])?;
    let mut found = Found::New;
    while let Some(row) = rows.next()? {
        if row.get_ref(1)? != rusqlite::types::ValueRef::Null {
            return Ok(Found::Decided(recorded(row)?));
        }
        found = Found::Accepted(row.get(3)?);
    }
    Ok(found)
}

/// The recorded decision of one event.
pub(super) fn decision_of(conn: &Connection, seq: i64) -> rusqlite::Result<Option<Recorded>> {
    const SQL: &str = "SELECT event_id, id, whole(decision, sum) FROM decisions WHERE event = ?1";
    conn.prepare_cached(SQL)?.query_row([seq], recorded).optional()
}

/// The accepted events without a decision, oldest first.
pub(super) fn pending(conn: &Connection) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached("SELECT event FROM pending ORDER BY event")?.query_map([], |row| row.get(0))?.collect()
}

/// An event's claim keys and its JSON.
pub(super) fn event(conn: &Connection, seq: i64) -> rusqlite::Result<(Vec<Key>, String)> {
    conn.prepare_cached("SELECT keys, whole(event, sum) FROM events WHERE seq = ?1")?.query_row([seq], |row| {
        let keys = row.get_ref(0)?.as_blob()?.as_chunks().0.to_vec();
        Ok((keys, row.get(1)?))
    })
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded { event_id: row.get(0)?, decision_id: row.get(1)?, decision_json: row.get(2)? })
}

/// The event that has one of the keys. Only a second host could have put it there meanwhile; this one runs a key once.
fn owner(conn: &Connection, keys: &[Key]) -> rusqlite::Result<Option<i64>> {
    let mut statement = conn.prepare_cached("SELECT event FROM claims WHERE key = ?1")?;
    for key in keys {
        if let Some(seq) = statement.query_row([key], |row| row.get(0)).optional()? {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

/// Adds the keys that the event does not have yet: a repeat of an accepted event may bring a delivery id of its own.
fn claim(conn: &Connection, seq: i64, keys: &[Key]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached("INSERT INTO claims (key, event) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    keys.iter().try_for_each(|key| statement.execute(params![key, seq]).map(drop))
}

pub(super) struct EventRow {
    received: i64,
    json: String,
}

impl EventRow {
    pub(super) fn of(event: &Event) -> Self {
        Self { received: millis(event.received), json: json(event) }
    }

    pub(super) fn insert(&self, conn: &Connection, keys: &[Key]) -> rusqlite::Result<i64> {
        conn.prepare_cached("INSERT INTO events (received, keys, event, sum) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            self.received,
            keys.as_flattened(),
            self.json,
            sum::of(&self.json)
        ])?;
        let seq = conn.last_insert_rowid();
        claim(conn, seq, keys)?;
        Ok(seq)
    }
}

struct DecisionRow {
    id: Arc<str>,
    source: String,
    event_id: Arc<str>,
    revision: u32,
    ticket_id: Option<String>,
    category: String,
    sentiment: Option<String>,
    priority: Option<String>,
    escalation: u8,
    degraded: bool,
    decided: i64,
    json: Arc<str>,
}

impl DecisionRow {
    fn of(event: &Event, decision: &Decision) -> Self {
        let head = &decision.head;
        Self {
            id: head.id.as_str().into(),
            source: head.source.clone(),
            event_id: head.event_id.as_str().into(),
            revision: head.revision,
            ticket_id: event.ticket.as_ref().map(|ticket| ticket.id.clone()),
            category: decision.category.key.clone(),
            sentiment: decision.sentiment.as_ref().map(|sentiment| word(&sentiment.label)),
            priority: decision.priority.as_ref().map(word),
            escalation: decision.escalation.level,
            degraded: decision.degraded,
            decided: millis(head.decided),
            json: json(decision).into(),
        }
    }

    fn insert(&self, conn: &Connection, event: i64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO decisions (event, id, source, event_id, revision, ticket_id, category, sentiment, priority, \
            escalation, degraded, decided, decision, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        let Self { id, source, event_id, revision, ticket_id, category, sentiment, priority, escalation, degraded, decided, json } = self;
        let sum = sum::of(json);
        let row = params![
            event, id, source, event_id, revision, ticket_id, category, sentiment, priority, escalation, degraded, decided, json, sum
        ];
        conn.prepare_cached(SQL)?.execute(row).map(drop)
    }

    fn recorded(&self) -> Recorded {
        let Self { event_id, id, json, .. } = self;
        Recorded { event_id: Arc::clone(event_id), decision_id: Arc::clone(id), decision_json: Arc::clone(json) }
    }
}

/// A time as a column: SQLite's integers are signed.
pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

/// A closed vocabulary's word as a column: the one of its JSON.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}

fn json<T: serde::Serialize>(value: &T) -> String {
    // Serialising fails only on maps with keys that are not text, and the contract's types have none.
    serde_json::to_string(value).expect("the contract's types have a JSON form")
}
