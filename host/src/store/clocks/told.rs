//! What happened to a clock, counted at its own moment in the commit that makes it so.

use rusqlite::Connection;

use super::super::journal::millis;
use super::super::tally::{HOUR_MS, Key, Kind, Sums, add};
use crate::event::Timestamp;
use crate::sla::{Phase, Timer};
use crate::verdict::SlaClock;

/// Counts that it was started.
pub(super) fn started(conn: &Connection, source: &str, clock: SlaClock, at: Timestamp) -> rusqlite::Result<()> {
    count(conn, source, clock, "started", at, 0)
}

/// Counts what it went through between two states. How long the answer took is told in working time where it came in time, and as the
/// time past the breach where it came late.
pub(super) fn went(conn: &Connection, source: &str, clock: SlaClock, was: &Timer, is: &Timer) -> rusqlite::Result<()> {
    let new = |was: Option<Timestamp>, is: Option<Timestamp>| if was.is_none() { is } else { None };
    if let Some(at) = new(was.warned, is.warned) {
        count(conn, source, clock, "warned", at, 0)?;
    }
    if let Some(at) = new(was.breached, is.breached) {
        count(conn, source, clock, "breached", at, 0)?;
    }
    let Some(at) = new(was.ended, is.ended) else { return Ok(()) };
    match is.phase {
        Phase::Met => count(conn, source, clock, "met", at, is.spent_ms),
        Phase::Breached => count(conn, source, clock, "late", at, at.0.saturating_sub(is.breached.unwrap_or(at).0)),
        Phase::Closed => count(conn, source, clock, "closed", at, 0),
        Phase::Running | Phase::Paused => Ok(()),
    }
}

fn count(conn: &Connection, source: &str, clock: SlaClock, what: &str, at: Timestamp, ms: u64) -> rusqlite::Result<()> {
    let (source, name, part, rule) = (source.to_owned(), clock.word().to_owned(), what.to_owned(), String::new());
    let key = Key { kind: Kind::Clock, hour: millis(at) - millis(at).rem_euclid(HOUR_MS), source, name, part, rule };
    add(conn, key, Sums { n: 1, sum: i64::try_from(ms).unwrap_or(i64::MAX), fuel: 0 })
}
