//! Pages of clocks for the admin, and how many are open.

use rusqlite::Row;
use rusqlite::types::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::journal::millis;
use super::super::page::{Asked, text};
use super::super::read::Page;
use super::super::{Store, StoreError};
use super::timer;
use crate::event::Timestamp;
use crate::sla::Phase;
use crate::verdict::SlaClock;

/// A clock, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Clock")]
pub struct StoredClock {
    /// Its id.
    pub id: String,
    /// The source of the event that started it.
    pub source: String,
    /// The ticket, the thread or the event that it belongs to, such as `ticket:42`.
    pub subject: String,
    /// The desk's key of the ticket, when there is one.
    pub ticket: Option<String>,
    /// What it measures.
    pub clock: SlaClock,
    /// Where it stands.
    pub state: Phase,
    /// Its calendar; without one it runs around the clock.
    pub calendar: Option<String>,
    /// Working seconds that it has.
    pub target_s: u64,
    /// When it was started.
    pub started: Timestamp,
    /// When it warns, if it still does.
    pub warns: Option<Timestamp>,
    /// When it is, or was, due; null while it stands still.
    pub due: Option<Timestamp>,
    /// When it warned.
    pub warned: Option<Timestamp>,
    /// When it breached.
    pub breached: Option<Timestamp>,
    /// When the answer came, or it was closed.
    pub ended: Option<Timestamp>,
    /// The decision that started it.
    pub decision: String,
    /// The decision that its warning led to.
    pub warning_decision: Option<String>,
    /// The decision that its breach led to.
    pub breach_decision: Option<String>,
}

/// Which clocks. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClockQuery {
    /// In this state.
    pub state: Option<Phase>,
    /// Of this kind.
    pub clock: Option<SlaClock>,
    /// Through this source.
    pub source: Option<String>,
    /// Of this ticket.
    pub ticket: Option<String>,
    /// Due before this time.
    pub due_before: Option<Timestamp>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// How many clocks of a kind are open, by where they stand.
pub type OpenClocks = Vec<(SlaClock, Phase, u64)>;

impl Store {
    /// A page of clocks, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they
    /// cannot be read.
    pub async fn clocks(&self, query: &ClockQuery) -> Result<Page<StoredClock>, StoreError> {
        let filters = [
            ("c.phase = ?", text(query.state.map(Phase::word))),
            ("c.clock = ?", text(query.clock.map(SlaClock::word))),
            ("c.source = ?", text(query.source.as_deref())),
            ("c.ticket = ?", text(query.ticket.as_deref())),
            ("c.due_at < ?", query.due_before.map(|at| Value::Integer(millis(at)))),
        ];
        let led = |trigger: &str| {
            format!(
                "(SELECT d.id FROM followups f JOIN decisions d ON d.event = f.event WHERE f.clock = c.seq AND f.trigger = '{trigger}')"
            )
        };
        let select =
            format!("SELECT c.*, {} AS warning_decision, {} AS breach_decision FROM clocks c", led("sla-warning"), led("sla-breach"));
        self.page(&select, Asked::of("c.seq", query.cursor.as_deref(), query.limit, filters)?, stored).await
    }

    /// How many clocks are open. What has ended is not counted here: it only grows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn open_clocks(&self) -> Result<OpenClocks, StoreError> {
        const SQL: &str = "SELECT clock, phase, count(*) FROM clocks WHERE ended IS NULL GROUP BY clock, phase";
        let count = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs()));
        self.read(move |conn| conn.prepare_cached(SQL)?.query_map([], count)?.collect()).await
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, StoredClock)> {
    let timer = timer(row)?;
    let clock = StoredClock {
        id: row.get("id")?,
        source: row.get("source")?,
        subject: row.get("subject")?,
        ticket: row.get("ticket")?,
        clock: row.get("clock")?,
        state: timer.phase,
        calendar: row.get("calendar")?,
        target_s: timer.target_ms / 1_000,
        started: Timestamp(row.get::<_, i64>("started")?.unsigned_abs()),
        warns: timer.warn_at,
        due: timer.due_at,
        warned: timer.warned,
        breached: timer.breached,
        ended: timer.ended,
        decision: row.get("decision")?,
        warning_decision: row.get("warning_decision")?,
        breach_decision: row.get("breach_decision")?,
    };
    Ok((row.get("seq")?, clock))
}
