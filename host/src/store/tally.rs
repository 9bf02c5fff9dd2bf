//! What decisions count for: narrow facts, summed by the hour, so that no report ever reads a decision.
//!
//! [`Store::count`] reads, beside the writer, what was recorded since the last place that was counted, and commits the sums together with
//! the new place: each decision counts once, whatever the host goes through, and recording one costs nothing more. What is not counted yet
//! is a few seconds' worth, which a [`Book`] adds as it reads: a report is right at every moment. A name is one of the set-up or of a closed
//! list, never a word that somebody wrote to the desk; so counts stay when an event is forgotten.

mod facts;

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::journal::millis;
use super::{Store, StoreError};
use crate::event::Timestamp;

pub(super) const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// Decisions of one reading: some ten milliseconds of it, and one of writing.
const BATCH: i64 = 500;
/// Most decisions that are counted while a report waits. More are there only after a start with a journal that was never counted.
const TAIL: i64 = 2_000;
/// How long minutes are kept: what `/v1/volume` can reach, and a little.
const MINUTES_KEPT: Duration = Duration::from_secs(93 * 86_400);
/// Most rows of a kind, an hour and a source. A set-up has some dozens of names; a plugin that makes one up for every event shall not fill
/// the disk with them: what goes beyond is counted under [`MORE`].
const ROWS: i64 = 500;
/// The name of what has no room for its own.
pub(super) const MORE: &str = "(more)";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Messages by network.
    Network,
    /// Messages by category.
    Category,
    /// Messages by sentiment.
    Sentiment,
    /// Messages by priority.
    Priority,
    /// Decisions by escalation level.
    Level,
    /// Decisions by audience of their escalation.
    Audience,
    /// What became of steps: the step, its chain, and the outcome, or one of [`ACTED`] and [`SHADOW`].
    Step,
    /// What was set and by whom: the step, the field, the rule.
    Reason,
    /// What happened to clocks: the clock, and what happened.
    Clock,
}

/// Among the outcomes of a step: it ran and changed something.
pub(super) const ACTED: &str = "acted";
/// Among the outcomes of a step: it had no say.
pub(super) const SHADOW: &str = "shadow";

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Category => "category",
            Self::Sentiment => "sentiment",
            Self::Priority => "priority",
            Self::Level => "level",
            Self::Audience => "audience",
            Self::Step => "step",
            Self::Reason => "reason",
            Self::Clock => "clock",
        }
    }
}

/// What a sum belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) hour: i64,
    pub(super) source: String,
    pub(super) name: String,
    pub(super) part: String,
    pub(super) rule: String,
}

/// How many, how long, how much fuel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) n: i64,
    pub(super) sum: i64,
    pub(super) fuel: i64,
}

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        self.n += other.n;
        self.sum = self.sum.saturating_add(other.sum);
        self.fuel = self.fuel.saturating_add(other.fuel);
    }
}

/// Decisions that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alike {
    pub(super) minute: i64,
    pub(super) category: String,
    /// Empty for none.
    pub(super) sentiment: String,
    pub(super) escalation: u8,
    pub(super) degraded: bool,
}

/// What some decisions come to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    tallies: BTreeMap<Key, Sums>,
    pub(super) minutes: BTreeMap<Alike, i64>,
    /// The place of the last of them, and how many they are.
    last: i64,
    read: i64,
}

/// How far it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    counted: i64,
    early: i64,
}

impl Place {
    fn of(conn: &Connection) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        let mut value = |name: &str| statement.query_row([name], |row| row.get(0)).optional().map(Option::unwrap_or_default);
        Ok(Self { counted: value("counted")?, early: value("counted_early")? })
    }

    fn keep(conn: &Connection, name: &str, value: i64) -> rusqlite::Result<()> {
        const SQL: &str = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        conn.prepare_cached(SQL)?.execute(params![name, value]).map(drop)
    }
}

impl Store {
    /// Counts at most a batch of the decisions that were recorded and not counted yet; says how many it looked at. At 0 all are counted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read or written; nothing is counted then.
    pub async fn count(&self, now: Timestamp) -> Result<usize, StoreError> {
        let found = self.read(|conn| {
            let conn = conn.unchecked_transaction()?;
            let place = Place::of(&conn)?;
            Ok((place, Counts::of(&conn, place.counted, i64::MAX, BATCH)?))
        });
        let (place, counts) = found.await?;
        let read = usize::try_from(counts.read).unwrap_or_default();
        if read == 0 {
            return Ok(0);
        }
        let old = millis(now).saturating_sub(i64::try_from(MINUTES_KEPT.as_millis()).unwrap_or(i64::MAX));
        let write = move |conn: &Connection| {
            // One of them was counted and forgotten meanwhile: the next look does without it.
            if Place::of(conn)? != place {
                return Ok(());
            }
            counts.put(conn)?;
            Place::keep(conn, "counted", counts.last)?;
            // An hour's worth at a time: this goes on for ever.
            const OLD: &str = "DELETE FROM minutes WHERE minute < ?1 AND minute < (SELECT min(minute) FROM minutes) + 3600000";
            conn.prepare_cached(OLD)?.execute([old]).map(drop)
        };
        self.inner.writer.write(write).await?;
        Ok(read)
    }
}

/// Counts a decision that is about to be forgotten, unless it was counted.
pub(super) fn before_forgotten(conn: &Connection, seq: i64) -> rusqlite::Result<()> {
    let place = Place::of(conn)?;
    if seq <= place.counted {
        return Ok(());
    }
    Counts::of(conn, seq - 1, seq, 1)?.put(conn)?;
    Place::keep(conn, "counted_early", place.early + 1)
}

/// Counts one thing that has happened, in the commit that makes it so.
pub(super) fn add(conn: &Connection, key: Key, sums: Sums) -> rusqlite::Result<()> {
    Counts { tallies: BTreeMap::from([(key, sums)]), ..Counts::default() }.put(conn)
}

impl Counts {
    /// What the decisions after a place come to, up to another, at most so many.
    fn of(conn: &Connection, after: i64, until: i64, most: i64) -> rusqlite::Result<Self> {
        const SQL: &str = "SELECT d.seq, d.source, d.decided, d.decision, e.event FROM decisions d JOIN events e ON e.seq = d.event \
            WHERE d.seq > ?1 AND d.seq <= ?2 ORDER BY d.seq LIMIT ?3";
        let mut counts = Self::default();
        let mut statement = conn.prepare_cached(SQL)?;
        let mut rows = statement.query(params![after, until, most])?;
        while let Some(row) = rows.next()? {
            counts.last = row.get(0)?;
            counts.read += 1;
            let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
            if let Err(error) = facts::take(&mut counts, text(1)?, row.get(2)?, text(3)?, text(4)?) {
                tracing::error!(place = counts.last, reason = %error, "a recorded decision cannot be read, and is not counted");
            }
        }
        Ok(counts)
    }

    fn note(&mut self, key: Key, sums: Sums) {
        self.tallies.entry(key).or_default().add(sums);
    }

    /// Adds all of it to what is there.
    fn put(&self, conn: &Connection) -> rusqlite::Result<()> {
        const MORE_OF: &str = "UPDATE tallies SET n = n + ?7, sum = sum + ?8, fuel = fuel + ?9 \
            WHERE kind = ?1 AND hour = ?2 AND source = ?3 AND name = ?4 AND part = ?5 AND rule = ?6";
        const NEW: &str =
            "INSERT INTO tallies (kind, hour, source, name, part, rule, n, sum, fuel) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        const ROOM: &str = "SELECT count(*) FROM tallies WHERE kind = ?1 AND hour = ?2 AND source = ?3";
        const MINUTE: &str = "INSERT INTO minutes (minute, category, sentiment, escalation, degraded, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
            ON CONFLICT DO UPDATE SET n = n + excluded.n";
        let (mut more_of, mut new, mut room) = (conn.prepare_cached(MORE_OF)?, conn.prepare_cached(NEW)?, conn.prepare_cached(ROOM)?);
        for (key, sums) in &self.tallies {
            let Key { kind, hour, source, name, part, rule } = key;
            let kind = kind.word();
            if more_of.execute(params![kind, hour, source, name, part, rule, sums.n, sums.sum, sums.fuel])? > 0 {
                continue;
            }
            let full = room.query_row(params![kind, hour, source], |row| row.get::<_, i64>(0))? >= ROWS;
            let (name, part, rule) = if full { (MORE, "", "") } else { (name.as_str(), part.as_str(), rule.as_str()) };
            let row = params![kind, hour, source, name, part, rule, sums.n, sums.sum, sums.fuel];
            if !full || more_of.execute(row)? == 0 {
                new.execute(row)?;
            }
        }
        let mut minute = conn.prepare_cached(MINUTE)?;
        for (Alike { minute: at, category, sentiment, escalation, degraded }, n) in &self.minutes {
            minute.execute(params![at, category, sentiment, escalation, degraded, n])?;
        }
        Ok(())
    }
}

/// The counts as a report reads them: what was summed, and what is not summed yet.
pub(super) struct Book<'a> {
    conn: rusqlite::Transaction<'a>,
    pub(super) tail: Counts,
    /// Decisions that it does not know of.
    pub(super) behind: u64,
}

/// One sum.
pub(super) struct Line<'a> {
    pub(super) hour: i64,
    pub(super) source: &'a str,
    pub(super) name: &'a str,
    pub(super) part: &'a str,
    pub(super) rule: &'a str,
    pub(super) sums: Sums,
}

impl<'a> Book<'a> {
    /// Opens it as it is at this moment.
    pub(super) fn open(conn: &'a Connection) -> rusqlite::Result<Self> {
        let conn = conn.unchecked_transaction()?;
        let place = Place::of(&conn)?;
        let newest: i64 = conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM decisions")?.query_row([], |row| row.get(0))?;
        let behind = newest.saturating_sub(place.counted).max(0);
        let (tail, behind) = match behind {
            0 => (Counts::default(), 0),
            1..=TAIL => (Counts::of(&conn, place.counted, newest, TAIL)?, 0),
            more => (Counts::default(), more.unsigned_abs()),
        };
        Ok(Self { conn, tail, behind })
    }

    /// The database at the same moment.
    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Reads every sum of a kind from an hour on and before another, of one source or of all; in no order.
    pub(super) fn each(
        &self,
        kind: Kind,
        (from, to): (i64, i64),
        source: Option<&str>,
        mut take: impl FnMut(&Line<'_>),
    ) -> rusqlite::Result<()> {
        const SQL: &str = "SELECT hour, source, name, part, rule, n, sum, fuel FROM tallies \
            WHERE kind = ?1 AND hour >= ?2 AND hour < ?3 AND (?4 IS NULL OR source = ?4)";
        let mut statement = self.conn.prepare_cached(SQL)?;
        let mut rows = statement.query(params![kind.word(), from, to, source])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column).and_then(|value| Ok(value.as_str()?));
            let sums = Sums { n: row.get(5)?, sum: row.get(6)?, fuel: row.get(7)? };
            take(&Line { hour: row.get(0)?, source: text(1)?, name: text(2)?, part: text(3)?, rule: text(4)?, sums });
        }
        let fits = |key: &&Key| key.kind == kind && (from..to).contains(&key.hour) && source.is_none_or(|source| source == key.source);
        for key in self.tail.tallies.keys().filter(fits) {
            let Key { hour, source, name, part, rule, .. } = key;
            take(&Line { hour: *hour, source, name, part, rule, sums: self.tail.tallies[key] });
        }
        Ok(())
    }
}
