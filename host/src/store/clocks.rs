//! Clocks of service levels: one row each, from the decision that starts it until the desk answers or closes it.
//!
//! What can happen to a clock is in `sla.rs`; this keeps it. Everything that happens is one commit with what follows from it: a clock that
//! comes due makes an accepted event (the clock's own, with the attributes `trigger` and `sla-...`), which is decided like any other that
//! was accepted and not decided yet. That event is unique by clock and trigger, so that a warning and a breach are decided once, whatever
//! the host goes through. It must never change a clock without first letting come due what was due.

mod page;
mod told;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::journal::{EventRow, millis};
use super::keys::sla_key;
use super::{Store, StoreError};
use crate::calendar::{Calendar, Calendars};
use crate::event::{Attribute, AttributeValue, Event, MAX_ATTRIBUTES, Timestamp};
use crate::sla::{Phase, Status, Timer, Trigger};
use crate::verdict::SlaClock;
pub use page::{ClockQuery, OpenClocks, StoredClock};

/// Most clocks that come due in one write: each makes an event.
const BATCH: i64 = 64;

/// A clock that a decision wants started.
#[derive(Clone, Debug, PartialEq)]
pub struct NewClock {
    /// What it measures.
    pub clock: SlaClock,
    /// Working seconds.
    pub target_seconds: u32,
    /// Its calendar, one that there is; without it, around the clock.
    pub calendar: Option<String>,
    /// The share of the target at which it warns.
    pub warn_share: f64,
}

/// What the desk did to a ticket or a thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move {
    /// The conversation, as the outbox calls it; nothing happens without one.
    pub subject: Option<String>,
    /// The author was answered.
    pub reply: bool,
    /// How the ticket stands now.
    pub status: Option<Status>,
}

/// What happened to clocks, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Started.
    Started(SlaClock),
    /// Answered in time.
    Met(SlaClock),
    /// Warned.
    Warned(SlaClock),
    /// Breached.
    Breached(SlaClock),
}

impl ToSql for SlaClock {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for SlaClock {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Self::ALL.into_iter().find(|clock| clock.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Phase {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for Phase {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Self::ALL.into_iter().find(|phase| phase.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

impl Store {
    /// Lets come due what is due by now, at most a batch of clocks; says what happened. There may be more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable: then nothing came due.
    pub async fn come_due(&self, now: Timestamp) -> Result<Vec<Happened>, StoreError> {
        let write = self.inner.writer.write(move |conn| {
            let mut happened = Vec::new();
            for mut row in rows(conn, DUE, params![millis(now), BATCH])? {
                let was = row.timer.clone();
                row.advance(conn, now, &mut happened)?;
                row.keep(conn, &was)?;
            }
            Ok(happened)
        });
        write.await
    }

    /// When the next clock comes due.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn next_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT min(next_at) FROM clocks WHERE next_at IS NOT NULL";
        let next = self.read(|conn| conn.prepare_cached(SQL)?.query_row([], |row| row.get::<_, Option<i64>>(0)));
        Ok(next.await?.map(|at| Timestamp(at.unsigned_abs())))
    }
}

/// What the desk did: answers, pauses, resumes or closes the open clocks of its subject.
pub(super) fn moved(
    conn: &Connection,
    source: &str,
    at: Timestamp,
    moved: &Move,
    calendars: &Calendars,
) -> rusqlite::Result<Vec<Happened>> {
    let mut happened = Vec::new();
    let Some(subject) = &moved.subject else { return Ok(happened) };
    for mut row in rows(conn, OPEN, params![source, subject])? {
        let was = row.timer.clone();
        row.advance(conn, at, &mut happened)?;
        let calendar = row.hours(calendars);
        let hours = calendar.as_deref();
        let response = row.clock != SlaClock::Resolution;
        if moved.reply && response {
            row.timer.answer(at, hours);
        }
        match moved.status {
            Some(Status::Pending) => row.timer.pause(at, hours),
            Some(Status::Open) => row.timer.resume(at, hours),
            Some(Status::Closed) if response => row.timer.close(at, hours),
            Some(Status::Closed) => row.timer.answer(at, hours),
            None => {}
        }
        happened.extend((row.timer.phase == Phase::Met).then_some(Happened::Met(row.clock)));
        row.keep(conn, &was)?;
    }
    Ok(happened)
}

/// The decision about an author's message: what stood still runs again, since it is the desk's turn; and what the decision wants starts,
/// where it does not run already. A first response is owed once; the next one when none is; a resolution when none is.
pub(super) fn started(conn: &Connection, wanted: &[NewClock], by: &By<'_>, calendars: &Calendars) -> rusqlite::Result<Vec<Happened>> {
    let resume = Move { subject: Some(by.subject.to_owned()), reply: false, status: Some(Status::Open) };
    let mut happened = moved(conn, by.source, by.at, &resume, calendars)?;
    if wanted.is_empty() {
        return Ok(happened);
    }
    let known: Vec<(SlaClock, bool)> = {
        let mut statement = conn.prepare_cached("SELECT clock, ended IS NULL FROM clocks WHERE source = ?1 AND subject = ?2")?;
        statement.query_map(params![by.source, by.subject], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
    };
    let open = |clock| known.iter().any(|(known, open)| *known == clock && *open);
    let starts = |clock| match clock {
        SlaClock::FirstResponse => known.iter().all(|(known, _)| *known != clock),
        SlaClock::NextResponse => {
            let first =
                wanted.iter().any(|new| new.clock == SlaClock::FirstResponse) && known.iter().all(|(k, _)| *k != SlaClock::FirstResponse);
            !first && !open(SlaClock::FirstResponse) && !open(clock)
        }
        SlaClock::Resolution => !open(clock),
    };
    for new in wanted.iter().filter(|new| starts(new.clock)) {
        let calendar = new.calendar.as_ref().and_then(|name| calendars.get(name));
        let timer = Timer::start(u64::from(new.target_seconds) * 1_000, new.warn_share, by.at, calendar.as_deref());
        insert(conn, new, by, &timer)?;
        told::started(conn, by.source, new.clock, by.at)?;
        happened.push(Happened::Started(new.clock));
    }
    Ok(happened)
}

/// The decision that starts a clock.
pub(super) struct By<'a> {
    pub(super) source: &'a str,
    pub(super) subject: &'a str,
    pub(super) ticket: Option<&'a str>,
    pub(super) decision: &'a str,
    /// The row of its event.
    pub(super) event: i64,
    /// When the event came in.
    pub(super) at: Timestamp,
}

fn insert(conn: &Connection, new: &NewClock, by: &By<'_>, timer: &Timer) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO clocks (id, source, subject, ticket, clock, calendar, decision, event, started, target_ms, warn_ms, \
        phase, spent_ms, since, warn_at, due_at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    let id = format!("{}-{}", by.decision, new.clock.word().replace('_', "-"));
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    conn.prepare_cached(SQL)?
        .execute(params![
            id,
            by.source,
            by.subject,
            by.ticket,
            new.clock,
            new.calendar,
            by.decision,
            by.event,
            millis(by.at),
            ms(timer.target_ms),
            timer.warn_ms.map(ms),
            timer.phase,
            ms(timer.spent_ms),
            timer.since.map(millis),
            timer.warn_at.map(millis),
            timer.due_at.map(millis),
            timer.next_at().map(millis),
        ])
        .map(drop)
}

const DUE: &str = "SELECT * FROM clocks WHERE next_at <= ?1 ORDER BY next_at LIMIT ?2";
const OPEN: &str = "SELECT * FROM clocks WHERE source = ?1 AND subject = ?2 AND ended IS NULL";

struct ClockRow {
    seq: i64,
    id: String,
    source: String,
    clock: SlaClock,
    calendar: Option<String>,
    decision: String,
    event: i64,
    timer: Timer,
}

fn rows(conn: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<ClockRow>> {
    conn.prepare_cached(sql)?.query_map(values, row)?.collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<ClockRow> {
    Ok(ClockRow {
        seq: row.get("seq")?,
        id: row.get("id")?,
        source: row.get("source")?,
        clock: row.get("clock")?,
        calendar: row.get("calendar")?,
        decision: row.get("decision")?,
        event: row.get("event")?,
        timer: timer(row)?,
    })
}

fn timer(row: &Row<'_>) -> rusqlite::Result<Timer> {
    let number = |column: &str| row.get::<_, Option<i64>>(column).map(|value| value.map(i64::unsigned_abs));
    let time = |column: &str| number(column).map(|value| value.map(Timestamp));
    Ok(Timer {
        phase: row.get("phase")?,
        target_ms: number("target_ms")?.unwrap_or_default(),
        warn_ms: number("warn_ms")?,
        spent_ms: number("spent_ms")?.unwrap_or_default(),
        since: time("since")?,
        warn_at: time("warn_at")?,
        due_at: time("due_at")?,
        warned: time("warned")?,
        breached: time("breached")?,
        ended: time("ended")?,
    })
}

impl ClockRow {
    /// A calendar that was taken away meanwhile is around the clock from then on.
    fn hours(&self, calendars: &Calendars) -> Option<std::sync::Arc<Calendar>> {
        self.calendar.as_ref().and_then(|name| calendars.get(name))
    }

    fn advance(&mut self, conn: &Connection, now: Timestamp, happened: &mut Vec<Happened>) -> rusqlite::Result<()> {
        for (trigger, at) in self.timer.advance(now) {
            self.follow_up(conn, trigger, at)?;
            happened.push(match trigger {
                Trigger::SlaWarning => Happened::Warned(self.clock),
                Trigger::SlaBreach => Happened::Breached(self.clock),
            });
        }
        Ok(())
    }

    /// Writes how it stands, and counts what it went through.
    fn keep(&self, conn: &Connection, was: &Timer) -> rusqlite::Result<()> {
        const SQL: &str = "UPDATE clocks SET phase = ?2, spent_ms = ?3, since = ?4, warn_at = ?5, due_at = ?6, warned = ?7, breached = ?8, \
            ended = ?9, next_at = ?10 WHERE seq = ?1";
        let timer = &self.timer;
        let time = |at: Option<Timestamp>| at.map(millis);
        conn.prepare_cached(SQL)?
            .execute(params![
                self.seq,
                timer.phase,
                i64::try_from(timer.spent_ms).unwrap_or(i64::MAX),
                time(timer.since),
                time(timer.warn_at),
                time(timer.due_at),
                time(timer.warned),
                time(timer.breached),
                time(timer.ended),
                time(if timer.is_open() { timer.next_at() } else { None }),
            ])
            .and_then(|_| told::went(conn, &self.source, self.clock, was, timer))
    }

    /// The event of this clock and trigger, accepted and not decided yet.
    fn follow_up(&self, conn: &Connection, trigger: Trigger, at: Timestamp) -> rusqlite::Result<()> {
        const EVENT: &str = "SELECT whole(event, sum) FROM events WHERE seq = ?1";
        let json: Option<String> = conn.prepare_cached(EVENT)?.query_row([self.event], |row| row.get(0)).optional()?;
        // The event may have been erased on somebody's wish: then there is nothing to decide about.
        let Some(mut event) = json.and_then(|json| serde_json::from_str::<Event>(&json).ok()) else { return Ok(()) };
        self.say(&mut event, trigger, at);
        let seq = EventRow::of(&event).insert(conn, &[sla_key(&self.id, trigger.word())])?;
        conn.prepare_cached("INSERT INTO pending (event) VALUES (?1)")?.execute([seq])?;
        const SQL: &str = "INSERT INTO followups (event, clock, trigger) VALUES (?1, ?2, ?3)";
        conn.prepare_cached(SQL)?.execute(params![seq, self.seq, trigger.word()]).map(drop)
    }

    /// Why the chain runs again, as attributes; what the desk had there makes room.
    fn say(&self, event: &mut Event, trigger: Trigger, at: Timestamp) {
        let due = self.timer.due_at.unwrap_or(at).to_string();
        let told = [
            ("trigger", trigger.word().to_owned()),
            ("sla-clock", self.clock.word().replace('_', "-")),
            ("sla-due", due),
            ("sla-decision", self.decision.clone()),
        ];
        event.attributes.retain(|one| told.iter().all(|(key, _)| one.key != *key));
        event.attributes.truncate(MAX_ATTRIBUTES - told.len());
        event.attributes.extend(told.map(|(key, text)| Attribute { key: key.to_owned(), value: AttributeValue::Text(text) }));
    }
}
