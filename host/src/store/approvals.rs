//! Approvals: what a decision would send and a person must agree to first.
//!
//! A row comes with the commit that records its decision, and holds the calls themselves. Approving it puts them into the outbox, in one
//! commit with the approval and its audit entry: so they leave once, and only after it, whatever the host goes through in between.
//! It must never give out a call of a row that is not approved.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{self, Entry};
use super::clocks::Happened;
use super::journal::{millis, word};
use super::keys::approval_key;
use super::observations::{self, Meaning, Observation};
use super::outbox::{Fresh, State};
use super::page::{Asked, text};
use super::read::Page;
use super::{Store, StoreError};
use crate::calendar::Calendars;
use crate::event::Timestamp;
use crate::outgoing::Outgoing;
use crate::verdict::Approval;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovalKind")]
pub enum Kind {
    /// An answer to the author.
    Reply,
    /// Something to do with the message where it stands.
    Moderation,
    /// A whole decision: a step that it must not be acted on without has faulted.
    Held,
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovalState")]
pub enum Stand {
    /// For a person.
    Waiting,
    /// Its calls are in the outbox.
    Approved,
    /// Nothing is sent.
    Rejected,
    /// Nobody said anything in time: nothing is sent.
    Expired,
}

impl Stand {
    /// Its word, in JSON and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

impl ToSql for Stand {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for Stand {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let all = [Self::Waiting, Self::Approved, Self::Rejected, Self::Expired];
        let word = value.as_str()?;
        all.into_iter().find(|stand| stand.word() == word).ok_or(FromSqlError::InvalidType)
    }
}

/// Something that a decision wants approved.
#[derive(Clone, Debug, PartialEq)]
pub struct NewApproval {
    /// What it is.
    pub kind: Kind,
    /// Who must agree.
    pub needs: Approval,
    /// What a person reads: the reply itself, or what would be done.
    pub text: String,
    /// Who gets the calls.
    pub target: String,
    /// The calls that are sent then; for a held decision none, its calls are in the outbox already, set aside.
    pub calls: Vec<Outgoing>,
    /// From when on it cannot be approved any more.
    pub expires: Timestamp,
}

/// An approval, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
pub struct StoredApproval {
    /// Its id.
    pub id: String,
    /// What waits.
    pub kind: Kind,
    /// Who must agree: "agent", "supervisor" or "pr".
    pub needs: Approval,
    /// Where it stands.
    pub state: Stand,
    /// The source of the event.
    pub source: String,
    /// The desk's key of the ticket, when there is one.
    pub ticket: Option<String>,
    /// What would be said or done.
    pub text: String,
    /// The calls that are sent when it is approved; none for a held decision, whose calls are set aside in the outbox.
    pub calls: Vec<Outgoing>,
    /// The decision that it belongs to.
    pub decision: String,
    /// When it was made.
    pub made: Timestamp,
    /// From when on it cannot be approved any more.
    pub expires: Timestamp,
    /// When somebody said yes or no.
    pub settled: Option<Timestamp>,
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// Which approvals. What is absent does not matter; what is there must all hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalQuery {
    /// In this state.
    pub state: Option<Stand>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Through this source.
    pub source: Option<String>,
    /// Of this ticket.
    pub ticket: Option<String>,
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

/// What came of saying yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruled {
    /// There is no such approval.
    Unknown,
    /// It does not wait any more.
    Not(Stand),
    /// It is settled; an approved reply has answered the author, which clocks hear.
    Done(Vec<Happened>),
}

/// The decision whose approvals are written.
pub(super) struct Of<'a> {
    pub(super) decision: &'a str,
    pub(super) event: i64,
    pub(super) source: &'a str,
    pub(super) thread: &'a str,
    pub(super) ticket: Option<&'a str>,
    pub(super) made: i64,
}

pub(super) fn insert(conn: &Connection, approvals: &[NewApproval], of: &Of<'_>) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO approvals (id, kind, needs, state, decision, event, source, thread, ticket, text, target, calls, made, \
        expires) VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    for (at, approval) in (1..).zip(approvals) {
        let NewApproval { kind, needs, text, target, calls, expires } = approval;
        // A call is plain text all through, so that it always has a JSON form.
        let calls = serde_json::to_string(calls).unwrap_or_default();
        let id = format!("{}-approval-{at}", of.decision);
        let Of { decision, event, source, thread, ticket, made } = of;
        let (kind, needs) = (word(kind), word(needs));
        conn.prepare_cached(SQL)?.execute(params![
            id,
            kind,
            needs,
            decision,
            event,
            source,
            thread,
            ticket,
            text,
            target,
            calls,
            made,
            millis(*expires)
        ])?;
    }
    Ok(())
}

impl Store {
    /// One approval.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read.
    pub async fn approval(&self, id: &str) -> Result<Option<StoredApproval>, StoreError> {
        let id = id.to_owned();
        let one = move |row: &Row<'_>| stored(row).map(|(_, approval)| approval);
        self.read(move |conn| conn.prepare_cached("SELECT * FROM approvals WHERE id = ?1")?.query_row([id], one).optional()).await
    }

    /// Says yes or no to what waits, with its audit entry. Yes puts the calls into the outbox, all in one commit.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable: then nothing was said.
    pub async fn rule(&self, id: &str, approve: bool, entry: Entry, calendars: &Calendars) -> Result<Ruled, StoreError> {
        let (id, calendars) = (id.to_owned(), calendars.clone());
        let write = move |conn: &Connection| {
            let found = conn.prepare_cached("SELECT * FROM approvals WHERE id = ?1")?.query_row([&id], row).optional()?;
            let Some(row) = found else { return Ok(Ruled::Unknown) };
            if row.state != Stand::Waiting {
                return Ok(Ruled::Not(row.state));
            }
            if row.expires <= entry.at {
                row.settle(conn, Stand::Expired, None)?;
                return Ok(Ruled::Not(Stand::Expired));
            }
            row.settle(conn, if approve { Stand::Approved } else { Stand::Rejected }, Some(&entry))?;
            audit::write(conn, &entry)?;
            let answers = approve && row.kind == Kind::Reply;
            if approve {
                row.send(conn, entry.at)?
            } else {
                row.drop_held(conn, &entry)?
            };
            Ok(Ruled::Done(if answers { row.answer(conn, entry.at, &calendars)? } else { Vec::new() }))
        };
        self.inner.writer.write(write).await
    }

    /// Lets expire what nobody has said anything to in time; says how many that were.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn expire_approvals(&self, now: Timestamp) -> Result<usize, StoreError> {
        const SOME: &str = "SELECT EXISTS (SELECT 1 FROM approvals WHERE state = 'waiting' AND expires <= ?1)";
        const SQL: &str = "UPDATE approvals SET state = 'expired' WHERE state = 'waiting' AND expires <= ?1";
        let now = millis(now);
        // A look first: most of the time there is nothing to write.
        match self.read(move |conn| conn.prepare_cached(SOME)?.query_row([now], |row| row.get(0))).await? {
            true => self.inner.writer.write(move |conn| conn.prepare_cached(SQL)?.execute([now])).await,
            false => Ok(0),
        }
    }

    /// How many things of each kind wait for a person.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they cannot be read.
    pub async fn waiting_approvals(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        const SQL: &str = "SELECT count(*) FILTER (WHERE kind = 'reply'), count(*) FILTER (WHERE kind = 'moderation'), \
            count(*) FILTER (WHERE kind = 'held') FROM approvals WHERE state = 'waiting'";
        let counted = |row: &Row<'_>| {
            let count = |at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(vec![("reply", count(0)?), ("moderation", count(1)?), ("held", count(2)?)])
        };
        self.read(move |conn| conn.prepare_cached(SQL)?.query_row([], counted)).await
    }

    /// A page of approvals, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they
    /// cannot be read.
    pub async fn approvals(&self, query: &ApprovalQuery) -> Result<Page<StoredApproval>, StoreError> {
        let filters = [
            ("state = ?", text(query.state.map(Stand::word))),
            ("kind = ?", text(query.kind.as_ref().map(word).as_deref())),
            ("source = ?", text(query.source.as_deref())),
            ("ticket = ?", text(query.ticket.as_deref())),
        ];
        let asked = Asked::of("seq", query.cursor.as_deref(), query.limit, filters)?;
        self.page("SELECT * FROM approvals", asked, stored).await
    }
}

/// The parts of a row that are acted on.
struct ApprovalRow {
    id: String,
    kind: Kind,
    state: Stand,
    decision: String,
    source: String,
    thread: String,
    ticket: Option<String>,
    target: String,
    calls: Vec<Outgoing>,
    expires: Timestamp,
}

impl ApprovalRow {
    fn settle(&self, conn: &Connection, state: Stand, entry: Option<&Entry>) -> rusqlite::Result<()> {
        const SQL: &str = "UPDATE approvals SET state = ?2, settled = ?3, by = ?4, why = ?5 WHERE id = ?1 AND state = 'waiting'";
        let (at, by) = (entry.map(|entry| millis(entry.at)), entry.map(|entry| &entry.name));
        let why = entry.and_then(|entry| entry.why.as_ref());
        conn.prepare_cached(SQL)?.execute(params![self.id, state, at, by, why]).map(drop)
    }

    /// Puts the calls into the outbox; those of a held decision are there, set aside.
    fn send(&self, conn: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        if self.kind == Kind::Held {
            const SQL: &str = "UPDATE outbox SET state = 'waiting', tries = 0, next_at = ?2, updated = ?2 \
                WHERE id > ?1 || '-' AND id < ?1 || '.' AND state = 'parked' AND attempts = 0";
            return conn.prepare_cached(SQL)?.execute(params![self.decision, millis(now)]).map(drop);
        }
        for (position, call) in (1_i64..).zip(&self.calls) {
            let id = format!("{}-{position}", self.id);
            let row = Fresh { id: &id, source: &self.source, target: &self.target, thread: &self.thread, position };
            row.insert(conn, call, State::Waiting, millis(now))?;
        }
        Ok(())
    }

    /// The calls of a held decision that was rejected are given up, and say so.
    fn drop_held(&self, conn: &Connection, entry: &Entry) -> rusqlite::Result<()> {
        if self.kind != Kind::Held {
            return Ok(());
        }
        const SQL: &str = "UPDATE outbox SET state = 'dead', answer = ?2, updated = ?3 \
            WHERE id > ?1 || '-' AND id < ?1 || '.' AND state = 'parked' AND attempts = 0";
        let answer = format!("not sent: rejected by {}", entry.name);
        conn.prepare_cached(SQL)?.execute(params![self.decision, answer, millis(entry.at)]).map(drop)
    }

    /// A person has answered the author: that is what the clocks of responses wait for.
    fn answer(&self, conn: &Connection, at: Timestamp, calendars: &Calendars) -> rusqlite::Result<Vec<Happened>> {
        let what = "an approved reply".to_owned();
        let observation = Observation { reply: true, ..Observation::new(at, self.source.clone(), self.ticket.clone(), what) };
        let meaning = Meaning { thread: self.thread.strip_prefix("thread:").map(str::to_owned), ..Meaning::default() };
        observations::insert(conn, &observation, &meaning, &approval_key(&self.id), calendars)
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: row.get("id")?,
        kind: closed(row, "kind")?,
        state: row.get("state")?,
        decision: row.get("decision")?,
        source: row.get("source")?,
        thread: row.get("thread")?,
        ticket: row.get("ticket")?,
        target: row.get("target")?,
        calls: json(row, "calls")?,
        expires: Timestamp(row.get::<_, i64>("expires")?.unsigned_abs()),
    })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, StoredApproval)> {
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(|at| at.map(|at| Timestamp(at.unsigned_abs())));
    let approval = StoredApproval {
        id: row.get("id")?,
        kind: closed(row, "kind")?,
        needs: closed(row, "needs")?,
        state: row.get("state")?,
        source: row.get("source")?,
        ticket: row.get("ticket")?,
        text: row.get("text")?,
        calls: json(row, "calls")?,
        decision: row.get("decision")?,
        made: time("made")?.unwrap_or(Timestamp(0)),
        expires: time("expires")?.unwrap_or(Timestamp(0)),
        settled: time("settled")?,
        by: row.get("by")?,
        why: row.get("why")?,
    };
    Ok((row.get("seq")?, approval))
}

/// A word of a closed vocabulary.
pub(super) fn closed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    serde_json::from_value(word.into()).map_err(damaged)
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(damaged)
}

fn damaged(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
