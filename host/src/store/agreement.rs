//! What desks made of decisions, kept per rule: a row for each field of a decision that a ticket had something to say about, and sums by the
//! hour of the decision.
//!
//! Called by `observations.rs` on the writer's thread. A ticket that is seen again with another value moves from one sum to the other, so that
//! each decision counts once, as its ticket was seen last. Rows go with their decision; sums stay.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::tally::{HOUR_MS, MORE};
use crate::agreement::{Field, Judgement, Seen, judge};
use crate::decision::Decision;
use crate::event::Event;

/// Most rows of an hour and a source: categories of a desk may be anything that its people type.
const ROWS: i64 = 500;

/// The latest decision about a message of the ticket; those that a clock has led to are about none.
const LATEST: &str = "SELECT d.id, d.decided, d.decision, e.event FROM decisions d JOIN events e ON e.seq = d.event \
    WHERE d.ticket_id = ?1 AND +d.source = ?2 AND json_extract(d.decision, '$.follows') IS NULL ORDER BY d.decided DESC, d.seq DESC LIMIT 1";

/// Holds a ticket, as it was seen now, against the latest decision about it.
pub(super) fn seen(conn: &Connection, source: &str, ticket: &str, seen: &Seen) -> rusqlite::Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?));
    let Some((id, decided, decision, event)) = conn.prepare_cached(LATEST)?.query_row(params![ticket, source], row).optional()? else {
        return Ok(());
    };
    let read = (serde_json::from_str::<Decision>(&decision), serde_json::from_str::<Event>(&event));
    let (Ok(decision), Ok(event)) = read else {
        tracing::error!(decision = id, "a recorded decision cannot be read, and nobody knows who agrees with it");
        return Ok(());
    };
    let known: Vec<(String, Kept)> = {
        const SQL: &str = "SELECT field, hour, step, rule, ours, theirs FROM judged WHERE decision = ?1";
        let mut statement = conn.prepare_cached(SQL)?;
        let kept = |row: &Row<'_>| {
            let [step, rule, ours, theirs] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            Ok((row.get(0)?, Kept { hour: row.get(1)?, step, rule, ours, theirs }))
        };
        statement.query_map([&id], kept)?.collect::<Result<_, _>>()?
    };
    let before = |field: Field| known.iter().find(|(known, _)| known == field.word()).map(|(_, kept)| kept);
    for Judgement { field, step, rule, ours, theirs } in judge(&decision, &event, seen, |field| before(field).is_some()) {
        let mut now = Kept { hour: decided - decided.rem_euclid(HOUR_MS), step, rule, ours, theirs };
        if before(field).is_some_and(|kept| kept.theirs == now.theirs) {
            continue;
        }
        if let Some(kept) = before(field) {
            kept.count(conn, source, field, -1)?;
        }
        now.fit(conn, source, field)?;
        now.count(conn, source, field, 1)?;
        const KEEP: &str = "INSERT INTO judged (decision, field, hour, source, step, rule, ours, theirs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
            ON CONFLICT DO UPDATE SET theirs = excluded.theirs";
        let Kept { hour, step, rule, ours, theirs } = &now;
        conn.prepare_cached(KEEP)?.execute(params![id, field.word(), hour, source, step, rule, ours, theirs])?;
    }
    Ok(())
}

/// A judgement, as it is summed.
struct Kept {
    hour: i64,
    step: String,
    rule: String,
    ours: String,
    theirs: String,
}

impl Kept {
    /// Where an hour has no room for one more value, a correction is counted as one of many.
    fn fit(&mut self, conn: &Connection, source: &str, field: Field) -> rusqlite::Result<()> {
        const THERE: &str = "SELECT EXISTS (SELECT 1 FROM agreement WHERE hour = ?1 AND source = ?2 AND field = ?3 AND step = ?4 AND rule = ?5 \
            AND ours = ?6 AND theirs = ?7)";
        const ROOM: &str = "SELECT count(*) FROM agreement WHERE hour = ?1 AND source = ?2";
        let Self { hour, step, rule, ours, theirs } = &*self;
        let there = params![hour, source, field.word(), step, rule, ours, theirs];
        if ours != theirs
            && !conn.prepare_cached(THERE)?.query_row(there, |row| row.get::<_, bool>(0))?
            && conn.prepare_cached(ROOM)?.query_row(params![hour, source], |row| row.get::<_, i64>(0))? >= ROWS
        {
            MORE.clone_into(&mut self.theirs);
        }
        Ok(())
    }

    fn count(&self, conn: &Connection, source: &str, field: Field, n: i64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO agreement (hour, source, field, step, rule, ours, theirs, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
            ON CONFLICT DO UPDATE SET n = n + excluded.n";
        let Self { hour, step, rule, ours, theirs } = self;
        conn.prepare_cached(SQL)?.execute(params![hour, source, field.word(), step, rule, ours, theirs, n]).map(drop)
    }
}
