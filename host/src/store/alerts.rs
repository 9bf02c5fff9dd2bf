//! Alerts: raised with a decision, told once per key and window, held back where a sink has had its fill.
//!
//! Written in the commit of the decision (so that a kill loses none and repeats none), summarised by `app/alerts.rs`, read by the admin API.
//! What is held back keeps its row until a summary of it is in the outbox, in one commit with that.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Of, closed};
use super::journal::{millis, word};
use super::outbox::{self, State};
use super::page::{Asked, text};
use super::read::Page;
use super::{Store, StoreError};
use crate::event::Timestamp;
use crate::outgoing::Outgoing;
use crate::verdict::{Alert, Level};

/// What a sink's bound is counted over.
const HOUR_MS: i64 = 3_600_000;

/// An alert that a decision raises, with what it would have said.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAlert {
    /// Its id.
    pub id: String,
    /// What the rule says.
    pub alert: Alert,
    /// The row of the on-call table, JSON.
    pub on_call: Option<String>,
    /// Who is told, and how.
    pub told: Vec<Told>,
}

/// One sink of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its name in the config.
    pub sink: String,
    /// Who gets the calls: the place in the config.
    pub target: String,
    /// What the calls begin as.
    pub state: State,
    /// The calls.
    pub calls: Vec<Outgoing>,
    /// How many alerts the sink gets in an hour, where there is a bound.
    pub max_per_hour: Option<u32>,
}

/// What became of an alert, or of one of its sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rung {
    /// It is new.
    Raised,
    /// It is one that was raised already.
    Repeated,
    /// No sink hears it.
    Unheard,
    /// This sink is told.
    Sent(String),
    /// This one has had its fill.
    Held(String),
}

/// Where a sink of an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    /// Its calls are in the outbox.
    Sent,
    /// It had had its fill; a summary will tell of it.
    Held,
    /// A summary that tells of it is in the outbox.
    Summarised,
}

/// An alert, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Alerted")]
pub struct StoredAlert {
    /// Its id: the decision's, and its place among the decision's alerts.
    pub id: String,
    /// Whom it is for.
    pub audience: String,
    /// How loud.
    pub level: Level,
    /// What the rule says.
    pub text: String,
    /// Alerts of one audience and key are one alert until `until`.
    pub key: String,
    /// The source of the event.
    pub source: String,
    /// The desk's key of the ticket, when there is one.
    pub ticket: Option<String>,
    /// The decision that raised it.
    pub decision: String,
    /// When.
    pub at: Timestamp,
    /// Until when the same again is this one.
    pub until: Timestamp,
    /// How often it came again.
    pub repeats: u32,
    /// When it last did.
    pub last: Option<Timestamp>,
    /// The row of the on-call table that it was told with.
    pub on_call: Option<serde_json::Value>,
    /// Who was told.
    pub sinks: Vec<Heard>,
}

/// One sink of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heard {
    /// Its name in the config.
    pub sink: String,
    /// Where it stands.
    pub state: Telling,
}

/// Which alerts. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertQuery {
    /// For this audience.
    pub audience: Option<String>,
    /// With this key.
    pub key: Option<String>,
    /// Through this source.
    pub source: Option<String>,
    /// Of this ticket.
    pub ticket: Option<String>,
    /// Raised by this decision.
    pub decision: Option<String>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// What a sink was spared: how many alerts, from when to when, and the loudest kinds of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Spared {
    /// How many.
    pub count: u64,
    /// When the first was raised, and the last.
    pub between: (Timestamp, Timestamp),
    /// Audience, level, key and how many; the loudest first, at most twenty.
    pub named: Vec<(String, Level, String, u64)>,
}

/// Writes the alerts of a decision down and puts into the outbox what is to be told. `held` decisions wait for a person with all their calls:
/// their alerts answer for no key, so that one which is never sent silences nobody.
pub(super) fn insert(conn: &Connection, alerts: &[NewAlert], of: &Of<'_>, window_ms: i64, held: bool) -> rusqlite::Result<Vec<Rung>> {
    let mut rung = Vec::new();
    for new in alerts {
        if !held && repeats(conn, &new.alert, of.made)? {
            rung.push(Rung::Repeated);
            continue;
        }
        const SQL: &str = "INSERT INTO alerts (id, audience, level, text, key, source, ticket, decision, event, at, until, repeats, on_call) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)";
        let Alert { audience, text, dedupe_key, level } = &new.alert;
        let until = of.made.saturating_add(if held { 0 } else { window_ms });
        let row = params![
            new.id,
            audience,
            word(level),
            text,
            dedupe_key,
            of.source,
            of.ticket,
            of.decision,
            of.event,
            of.made,
            until,
            new.on_call
        ];
        conn.prepare_cached(SQL)?.execute(row)?;
        let alert = conn.last_insert_rowid();
        rung.push(if new.told.iter().all(|told| told.calls.is_empty()) { Rung::Unheard } else { Rung::Raised });
        let mut position = 0;
        for told in new.told.iter().filter(|told| !told.calls.is_empty()) {
            let full = match told.max_per_hour.filter(|_| told.state == State::Waiting) {
                Some(most) => sent(conn, &told.sink, of.made)? >= most,
                None => false,
            };
            let state = if full { Telling::Held } else { Telling::Sent };
            const CALL: &str = "INSERT INTO alert_sinks (alert, sink, state, at) VALUES (?1, ?2, ?3, ?4)";
            conn.prepare_cached(CALL)?.execute(params![alert, told.sink, word(&state), of.made])?;
            rung.push(if full { Rung::Held(told.sink.clone()) } else { Rung::Sent(told.sink.clone()) });
            for call in told.calls.iter().filter(|_| !full) {
                position += 1;
                let row = outbox::Fresh {
                    id: &format!("{}-{position}", new.id),
                    source: of.source,
                    target: &told.target,
                    thread: of.thread,
                    position,
                };
                row.insert(conn, call, told.state, of.made)?;
            }
        }
    }
    Ok(rung)
}

/// Counts an alert that is one already. A louder one is another: what was a nuisance and is a danger now is told again.
fn repeats(conn: &Connection, alert: &Alert, now: i64) -> rusqlite::Result<bool> {
    const KNOWN: &str = "SELECT seq, level FROM alerts WHERE audience = ?1 AND key = ?2 AND until > ?3 ORDER BY seq DESC LIMIT 1";
    let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, closed::<Level>(row, "level")?));
    let known = conn.prepare_cached(KNOWN)?.query_row(params![alert.audience, alert.dedupe_key, now], row).optional()?;
    let Some((seq, _)) = known.filter(|(_, level)| alert.level <= *level) else { return Ok(false) };
    conn.prepare_cached("UPDATE alerts SET repeats = repeats + 1, last = ?2 WHERE seq = ?1")?.execute(params![seq, now])?;
    Ok(true)
}

/// How many alerts and summaries a sink was told within the hour.
fn sent(conn: &Connection, sink: &str, now: i64) -> rusqlite::Result<u32> {
    const SQL: &str = "SELECT (SELECT count(*) FROM alert_sinks WHERE sink = ?1 AND state = 'sent' AND at > ?2) \
        + (SELECT count(*) FROM alert_summaries WHERE sink = ?1 AND at > ?2)";
    conn.prepare_cached(SQL)?.query_row(params![sink, now.saturating_sub(HOUR_MS)], |row| row.get(0))
}

impl Store {
    /// The sinks that were spared something that no summary tells of yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn spared(&self) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT DISTINCT sink FROM alert_sinks WHERE state = 'held'";
        self.read(|conn| conn.prepare_cached(SQL)?.query_map([], |row| row.get(0))?.collect()).await
    }

    /// Tells a sink what it was spared, when it has room again: the calls that `make` makes of it are in the outbox then. Says how many alerts
    /// that were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable: then it is told later.
    pub async fn summarise(
        &self,
        sink: &str,
        most: u32,
        now: Timestamp,
        make: impl Fn(&str, &Spared) -> Vec<Outgoing> + Send + 'static,
    ) -> Result<u64, StoreError> {
        let (sink, now) = (sink.to_owned(), millis(now));
        // A look first: while the sink is full there is nothing to write.
        let look = sink.clone();
        if self.read(move |conn| sent(conn, &look, now)).await? >= most {
            return Ok(0);
        }
        let write = move |conn: &Connection| {
            let Some(spared) = of_sink(conn, &sink)? else { return Ok(0) };
            conn.prepare_cached("INSERT INTO alert_summaries (sink, at, count) VALUES (?1, ?2, ?3)")?.execute(params![
                sink,
                now,
                i64::try_from(spared.count).unwrap_or(i64::MAX)
            ])?;
            let id = format!("alerts-{sink}-summary-{}", conn.last_insert_rowid());
            for (position, call) in (1..).zip(make(&id, &spared)) {
                let (target, thread) = (format!("alerts.{sink}"), format!("summary:{sink}"));
                let row = outbox::Fresh { id: &format!("{id}-{position}"), source: "", target: &target, thread: &thread, position };
                row.insert(conn, &call, State::Waiting, now)?;
            }
            conn.prepare_cached("UPDATE alert_sinks SET state = 'summarised' WHERE sink = ?1 AND state = 'held'")?.execute([&sink])?;
            Ok(spared.count)
        };
        self.inner.writer.write(write).await
    }

    /// How many alerts each sink was spared and not yet told of.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn held_alerts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        const SQL: &str = "SELECT sink, count(*) FROM alert_sinks WHERE state = 'held' GROUP BY sink";
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
        self.read(move |conn| conn.prepare_cached(SQL)?.query_map([], row)?.collect()).await
    }

    /// A page of alerts, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they
    /// cannot be read.
    pub async fn alerts(&self, query: &AlertQuery) -> Result<Page<StoredAlert>, StoreError> {
        const SELECT: &str = "SELECT *, (SELECT json_group_array(json_object('sink', sink, 'state', state)) FROM alert_sinks WHERE alert = seq) AS sinks FROM alerts";
        let AlertQuery { audience, key, source, ticket, decision, .. } = query;
        let filters =
            [("audience = ?", audience), ("key = ?", key), ("source = ?", source), ("ticket = ?", ticket), ("decision = ?", decision)];
        let filters = filters.map(|(condition, value)| (condition, text(value.as_deref())));
        self.page(SELECT, Asked::of("seq", query.cursor.as_deref(), query.limit, filters)?, stored).await
    }
}

/// What a sink was spared; nothing when it was not.
fn of_sink(conn: &Connection, sink: &str) -> rusqlite::Result<Option<Spared>> {
    const ALL: &str = "SELECT count(*), min(at), max(at) FROM alert_sinks WHERE sink = ?1 AND state = 'held'";
    const NAMED: &str = "SELECT a.audience AS audience, a.level AS level, a.key AS key, count(*) AS number FROM alert_sinks s \
        JOIN alerts a ON a.seq = s.alert WHERE s.sink = ?1 AND s.state = 'held' GROUP BY a.audience, a.level, a.key \
        ORDER BY CASE a.level WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END, number DESC LIMIT 20";
    let all = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?));
    let (count, Some(first), Some(last)) = conn.prepare_cached(ALL)?.query_row([sink], all)? else { return Ok(None) };
    let row =
        |row: &Row<'_>| Ok((row.get("audience")?, closed(row, "level")?, row.get("key")?, row.get::<_, i64>("number")?.unsigned_abs()));
    let named = conn.prepare_cached(NAMED)?.query_map([sink], row)?.collect::<rusqlite::Result<_>>()?;
    let between = (Timestamp(first.unsigned_abs()), Timestamp(last.unsigned_abs()));
    Ok(Some(Spared { count: count.unsigned_abs(), between, named }))
}

/// Takes out the alerts of an event.
pub(super) fn forget(conn: &Connection, event: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM alert_sinks WHERE alert IN (SELECT seq FROM alerts WHERE event = ?1)")?.execute([event])?;
    conn.prepare_cached("DELETE FROM alerts WHERE event = ?1")?.execute([event])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, StoredAlert)> {
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(|at| at.map(|at| Timestamp(at.unsigned_abs())));
    let json = |column: &str| row.get::<_, Option<String>>(column);
    let alert = StoredAlert {
        id: row.get("id")?,
        audience: row.get("audience")?,
        level: closed(row, "level")?,
        text: row.get("text")?,
        key: row.get("key")?,
        source: row.get("source")?,
        ticket: row.get("ticket")?,
        decision: row.get("decision")?,
        at: time("at")?.unwrap_or(Timestamp(0)),
        until: time("until")?.unwrap_or(Timestamp(0)),
        repeats: row.get("repeats")?,
        last: time("last")?,
        on_call: json("on_call")?.and_then(|text| serde_json::from_str(&text).ok()),
        sinks: json("sinks")?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
    };
    Ok((row.get("seq")?, alert))
}
