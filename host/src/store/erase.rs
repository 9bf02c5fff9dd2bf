//! Forgetting: events and all that was made of them, by age, by event and by author.
//!
//! Called by `app.rs` (the sweep) and by the admin API (by hand). What goes with an event: its claim keys, its decision, its deliveries, its
//! clocks and alerts, and the replays that tell of it. What stays is that it was counted. It must never take an event that has no decision
//! yet, and never hold the writer for longer than a batch.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::alerts;
use super::audit::{self, Entry};
use super::journal::millis;
use super::{Store, StoreError, tally};
use crate::event::Timestamp;

/// Most events of one write: some ten milliseconds, which is what a commit of the journal may take anyhow.
const BATCH: usize = 100;

/// What came of forgetting by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// So many events are gone, with all that was made of them.
    Events(usize),
    /// One of them has no decision yet: nothing was erased.
    Undecided,
}

impl Store {
    /// Forgets at most a batch of what was decided before `before`, oldest first; says how many events that were. What still has calls to
    /// be sent stays until they are: a desk that is down must not lose them. So does what has a clock
    /// that is still to come due.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the journal cannot be written; nothing is forgotten then.
    pub async fn sweep(&self, before: Timestamp) -> Result<usize, StoreError> {
        let before = millis(before);
        let sweep = move |conn: &Connection| {
            let old: Vec<i64> =
                conn.prepare_cached(OLD)?.query_map(params![before, BATCH as i64], |row| row.get(0))?.collect::<Result<_, _>>()?;
            old.iter().try_for_each(|seq| forget(conn, *seq))?;
            conn.execute("DELETE FROM replays WHERE made < ?1", [before])?;
            // Nothing that is left to be replayed was told these.
            conn.execute("DELETE FROM table_rows WHERE until < ?1", [before])?;
            Ok(old.len())
        };
        self.inner.writer.write(sweep).await
    }

    /// Forgets every revision of an event.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read or written; an entry in the audit log is then a
    /// try that did not go to its end.
    pub async fn erase_event(&self, source: String, event_id: String, entry: Entry) -> Result<Erased, StoreError> {
        let found = self.read(move |conn| {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, true));
            let mut found: Vec<(i64, bool)> = conn
                .prepare_cached("SELECT event FROM decisions WHERE event_id = ?2 AND +source = ?1")?
                .query_map(params![source, event_id], row)?
                .collect::<Result<_, _>>()?;
            let undecided: Option<i64> =
                conn.prepare_cached(UNDECIDED)?.query_row(params![source, event_id], |row| row.get(0)).optional()?;
            found.extend(undecided.map(|seq| (seq, false)));
            Ok(found)
        });
        self.erase(found.await?, entry).await
    }

    /// Forgets every event whose author has this id or handle. Reads the whole journal for it, beside the writer and not through it.
    ///
    /// # Errors
    /// As [`Store::erase_event`].
    pub async fn erase_author(&self, author: String, entry: Entry) -> Result<Erased, StoreError> {
        let found = self.read(move |conn| {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            conn.prepare_cached(OF_AUTHOR)?.query_map([&author], row)?.collect()
        });
        self.erase(found.await?, entry).await
    }

    /// Forgets these rows of `events`, batch by batch. The entry goes in with the first batch: that it was tried is known from then on.
    async fn erase(&self, found: Vec<(i64, bool)>, entry: Entry) -> Result<Erased, StoreError> {
        if found.iter().any(|(_, decided)| !decided) {
            return Ok(Erased::Undecided);
        }
        let mut entry = Some(entry);
        for batch in found.chunks(BATCH) {
            let (batch, entry) = (batch.to_vec(), entry.take());
            let write = self.inner.writer.write(move |conn| {
                batch.iter().try_for_each(|(seq, _)| told_of(conn, *seq).and_then(|()| forget(conn, *seq)))?;
                entry.iter().try_for_each(|entry| audit::write(conn, entry))
            });
            write.await?;
        }
        Ok(Erased::Events(found.len()))
    }
}

const OLD: &str = "SELECT d.event FROM decisions d WHERE d.decided < ?1 AND NOT EXISTS (SELECT 1 FROM outbox o \
    WHERE o.id > d.id || '-' AND o.id < d.id || '.' AND o.state IN ('waiting', 'sending')) \
    AND NOT EXISTS (SELECT 1 FROM clocks c WHERE c.event = d.event AND c.next_at IS NOT NULL) ORDER BY d.decided LIMIT ?2";
const UNDECIDED: &str = "SELECT e.seq FROM pending p JOIN events e ON e.seq = p.event \
    WHERE json_extract(e.event, '$.source') = ?1 AND json_extract(e.event, '$.id') = ?2 LIMIT 1";
const OF_AUTHOR: &str = "SELECT e.seq, EXISTS (SELECT 1 FROM decisions d WHERE d.event = e.seq) FROM events e \
    WHERE ?1 IN (json_extract(e.event, '$.author.id'), json_extract(e.event, '$.author.handle'))";

/// Takes an event out, with its keys, its decision and its deliveries.
fn forget(conn: &Connection, seq: i64) -> rusqlite::Result<()> {
    let keys: Option<Vec<u8>> =
        conn.prepare_cached("SELECT keys FROM events WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()?;
    let mut claim = conn.prepare_cached("DELETE FROM claims WHERE key = ?1 AND event = ?2")?;
    for key in keys.unwrap_or_default().chunks(size_of::<super::keys::Key>()) {
        claim.execute(params![key, seq])?;
    }
    const DECISION: &str = "SELECT id, seq FROM decisions WHERE event = ?1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
    if let Some((decision, place)) = conn.prepare_cached(DECISION)?.query_row([seq], row).optional()? {
        tally::before_forgotten(conn, place)?;
        conn.prepare_cached("DELETE FROM judged WHERE decision = ?1")?.execute([&decision])?;
        // A delivery's id is its decision's, `-` and a number; `.` comes next after `-`.
        conn.prepare_cached("DELETE FROM outbox WHERE id > ?1 || '-' AND id < ?1 || '.'")?.execute([decision])?;
    }
    conn.prepare_cached("DELETE FROM asked WHERE event = ?1")?.execute([seq])?;
    conn.prepare_cached("DELETE FROM clocks WHERE event = ?1")?.execute([seq])?;
    conn.prepare_cached("DELETE FROM approvals WHERE event = ?1")?.execute([seq])?;
    alerts::forget(conn, seq)?;
    conn.prepare_cached("DELETE FROM followups WHERE event = ?1")?.execute([seq])?;
    conn.prepare_cached("DELETE FROM decisions WHERE event = ?1")?.execute([seq])?;
    conn.prepare_cached("DELETE FROM events WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// Takes out the replays that tell of an event: they are made again in a minute.
fn told_of(conn: &Connection, seq: i64) -> rusqlite::Result<()> {
    const ID: &str = "SELECT json_extract(event, '$.id') FROM events WHERE seq = ?1";
    let Some(id) = conn.prepare_cached(ID)?.query_row([seq], |row| row.get::<_, String>(0)).optional()? else { return Ok(()) };
    let word = serde_json::to_string(&id).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    conn.prepare_cached("DELETE FROM replays WHERE instr(request, ?1) OR instr(coalesce(report, ''), ?1)")?.execute([word])?;
    Ok(())
}
