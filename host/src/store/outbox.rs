//! The outbox: one row per outbound call, from the commit that records its decision until the desk has taken it.
//!
//! Called by [`Store::record`] (the rows come with the decision, so that none is lost in between) and by the delivery worker:
//! claim, send, settle. Order holds within one target and thread: only the oldest open row of each is given out. A row that is set aside,
//! parked or dead, is no longer open, so it blocks nobody. It must never give one row to two senders.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::journal::millis;
use super::{Store, StoreError};
use crate::event::{Event, Timestamp};
use crate::outgoing::Outgoing;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be sent when it is due and its thread's earlier calls are done.
    Waiting,
    /// With a sender; after a crash it is taken up again.
    Sending,
    /// The desk has it.
    Delivered,
    /// What would have been sent.
    Shadow,
    /// The desk does not take it as it is; its answer says why. Sent again by hand only.
    Parked,
    /// Given up: not there, or too many attempts. Sent again by hand only.
    Dead,
}

impl State {
    /// Its word, in JSON, in the database and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Shadow => "shadow",
            Self::Parked => "parked",
            Self::Dead => "dead",
        }
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let all = [Self::Waiting, Self::Sending, Self::Delivered, Self::Shadow, Self::Parked, Self::Dead];
        let word = value.as_str()?;
        all.into_iter().find(|state| state.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

/// A call on its way into the outbox, with its decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Who gets it: the place in the config, such as `sources.zammad` or `sinks.audit`.
    pub target: String,
    /// The call.
    pub call: Outgoing,
    /// What it begins as: waiting to be sent, in shadow, or parked until a person says so.
    pub state: State,
}

/// A call that is to be sent now.
#[derive(Clone, Debug)]
pub struct Due {
    /// The delivery's id, the same on every attempt.
    pub id: String,
    /// Who gets it.
    pub target: String,
    /// The call.
    pub call: Outgoing,
    /// Attempts ever, this one included. From the second on, the desk may have it already.
    pub attempts: u32,
    /// Attempts that count, since it was made or last sent by hand, this one included.
    pub tries: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Where the call stands now.
    pub state: State,
    /// When it is sent again, if it waits.
    pub next_at: Timestamp,
    /// Whether the attempt counts against the retries.
    pub counted: bool,
    /// The desk's status, if it gave one.
    pub status: Option<u16>,
    /// The desk's answer, or what stood in the way.
    pub answer: String,
}

/// What came of sending by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It waits, and is due at once.
    Waiting,
    /// It is in a state from which nothing is sent by hand.
    Not(State),
}

/// The rows of one decision.
pub(super) struct OutboxRows {
    decision: String,
    source: String,
    thread: String,
    made: i64,
    posted: Vec<(Posted, String)>,
}

impl OutboxRows {
    pub(super) fn of(event: &Event, decision: &crate::decision::Head, posted: Vec<Posted>) -> Self {
        let posted = posted.into_iter().map(|posted| {
            // A call is plain text all through, so that it always has a JSON form.
            let call = serde_json::to_string(&posted.call).unwrap_or_default();
            (posted, call)
        });
        let made = millis(decision.decided);
        Self { decision: decision.id.clone(), source: decision.source.clone(), thread: thread(event), made, posted: posted.collect() }
    }

    pub(super) fn insert(&self, conn: &Connection) -> rusqlite::Result<()> {
        for (position, (posted, call)) in (1_i64..).zip(&self.posted) {
            let id = format!("{}-{position}", self.decision);
            let row = Fresh { id: &id, source: &self.source, target: &posted.target, thread: &self.thread, position };
            row.written(conn, call, posted.state, self.made)?;
        }
        Ok(())
    }
}

/// A row that was not there before.
pub(super) struct Fresh<'a> {
    /// Unlike every other.
    pub(super) id: &'a str,
    pub(super) source: &'a str,
    pub(super) target: &'a str,
    pub(super) thread: &'a str,
    pub(super) position: i64,
}

impl Fresh<'_> {
    pub(super) fn insert(&self, conn: &Connection, call: &Outgoing, state: State, made: i64) -> rusqlite::Result<()> {
        // A call is plain text all through, so that it always has a JSON form.
        self.written(conn, &serde_json::to_string(call).unwrap_or_default(), state, made)
    }

    fn written(&self, conn: &Connection, call: &str, state: State, made: i64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO outbox (id, source, target, thread, position, call, state, attempts, tries, next_at, made, updated) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, ?8, ?8)";
        let Self { id, source, target, thread, position } = self;
        conn.prepare_cached(SQL)?.execute(params![id, source, target, thread, position, call, state, made]).map(drop)
    }
}

/// What a desk sees as one conversation, and so must see in order.
pub(super) fn thread(event: &Event) -> String {
    match (&event.ticket, &event.thread_id) {
        (Some(ticket), _) => format!("ticket:{}", ticket.id),
        (None, Some(thread)) => format!("thread:{thread}"),
        (None, None) => format!("event:{}", event.id),
    }
}

impl Store {
    /// Takes up again what was being sent when the host last stopped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the journal cannot be written.
    pub async fn resume_sending(&self) -> Result<usize, StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'waiting' WHERE state = 'sending'";
        self.inner.writer.write(|conn| conn.execute(SQL, [])).await
    }

    /// Gives out what is due, at most so many calls per target, oldest due time first. Each is the head of its thread.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the journal cannot be written: then nothing is given out.
    pub async fn claim_due(&self, places: Vec<(String, usize)>, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let now = millis(now);
        let claim = move |conn: &Connection| {
            let mut due = Vec::new();
            for (target, places) in &places {
                let mut statement = conn.prepare_cached(CLAIM)?;
                let mut rows = statement.query(params![target, now, i64::try_from(*places).unwrap_or(i64::MAX)])?;
                while let Some(row) = rows.next()? {
                    let call: String = row.get(2)?;
                    let id: String = row.get(0)?;
                    // Written by a later host, perhaps: set aside like what a desk does not take, so that it blocks nobody.
                    let Ok(call) = serde_json::from_str(&call) else {
                        conn.prepare_cached(UNREADABLE)?.execute([id])?;
                        continue;
                    };
                    due.push(Due { id, target: row.get(1)?, call, attempts: row.get(3)?, tries: row.get(4)? });
                }
            }
            Ok(due)
        };
        self.inner.writer.write(claim).await
    }

    /// When the next call of a target falls due after `now`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn next_due(&self, target: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (target, now) = (target.to_owned(), millis(now));
        let next = self.read(move |conn| conn.prepare_cached(NEXT)?.query_row(params![target, now], |row| row.get::<_, Option<i64>>(0)));
        Ok(next.await?.map(|at| Timestamp(at.unsigned_abs())))
    }

    /// Writes down how an attempt ended.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable; the call is then still `sending`.
    pub async fn settle(&self, id: &str, settled: Settled, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = ?2, next_at = ?3, tries = tries - ?4, status = ?5, answer = ?6, updated = ?7 \
            WHERE id = ?1 AND state = 'sending'";
        let id = id.to_owned();
        let write = self.inner.writer.write(move |conn| {
            let Settled { state, next_at, counted, status, answer } = &settled;
            let row = params![id, state, millis(*next_at), u8::from(!counted), status, answer, millis(now)];
            conn.prepare_cached(SQL)?.execute(row).map(drop)
        });
        write.await
    }

    /// Sends a parked or dead call again, with all its retries; none when there is no such call.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the journal cannot be written.
    pub async fn replay(&self, id: &str, now: Timestamp) -> Result<Option<Replay>, StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'waiting', tries = 0, next_at = ?2, updated = ?2 \
            WHERE id = ?1 AND state IN ('parked', 'dead')";
        let (id, now) = (id.to_owned(), millis(now));
        let write = self.inner.writer.write(move |conn| {
            if conn.execute(SQL, params![id, now])? == 1 {
                return Ok(Some(Replay::Waiting));
            }
            let state = conn.query_row("SELECT state FROM outbox WHERE id = ?1", [&id], |row| row.get(0));
            Ok(state.optional()?.map(Replay::Not))
        });
        write.await
    }
}

const CLAIM: &str = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, tries = tries + 1, updated = ?2 WHERE seq IN ( \
        SELECT seq FROM outbox AS o WHERE target = ?1 AND state = 'waiting' AND next_at <= ?2 AND NOT EXISTS ( \
            SELECT 1 FROM outbox AS e WHERE e.target = o.target AND e.thread = o.thread AND e.seq < o.seq \
                AND e.state IN ('waiting', 'sending')) \
        ORDER BY next_at, seq LIMIT ?3) \
    RETURNING id, target, call, attempts, tries";
const UNREADABLE: &str = "UPDATE outbox SET state = 'parked', answer = 'not sent: this version cannot read the call' WHERE id = ?1";
const NEXT: &str = "SELECT min(next_at) FROM outbox WHERE target = ?1 AND state = 'waiting' AND next_at > ?2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_reads_indexes_only() {
        let dir = tempfile::tempdir().unwrap();
        let conn = super::super::schema::open(&dir.path().join("signalbox.db")).unwrap();
        for (sql, wanted) in [(CLAIM, ["outbox_due", "outbox_open"].as_slice()), (NEXT, &["outbox_due"])] {
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = ["sinks.audit", "1", "8"];
            let given = rusqlite::params_from_iter(&values[..statement.parameter_count()]);
            let steps: Vec<String> = statement.query_map(given, |row| row.get::<_, String>(3)).unwrap().map(Result::unwrap).collect();
            let plan = steps.join("; ");
            assert!(wanted.iter().all(|index| plan.contains(index)), "{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
    }
}
