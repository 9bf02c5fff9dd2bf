//! What follows from a decision beside its calls: the clocks of its service levels, and deciding again when one comes due.

use std::time::Duration;

use super::App;
use crate::decision::{Decision, Dropped, Follows};
use crate::event::{AttributeValue, Event, Timestamp};
use crate::source::Fed;
use crate::store::{Entry, Happened, Meaning, NewClock, Observation, StoreError};
use crate::tables::TableError;
use crate::token::Role;

/// The longest between two looks for what came due: the machine's clock may jump, and a look costs one short query.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// The shortest, so that a clock which cannot be written does not keep the machine busy.
const SHORTEST_REST: Duration = Duration::from_millis(20);
/// How long decisions gather before they are counted: reports count the rest themselves.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// Between two batches of counting: events come first.
const COUNT_PAUSE: Duration = Duration::from_millis(5);
/// Before it is tried again.
const COUNT_AGAIN: Duration = Duration::from_secs(10);

impl App {
    /// Records what a desk did, and what it does to clocks.
    ///
    /// # Errors
    /// As [`crate::store::Store::observe`].
    pub async fn observe(&self, observation: Observation, meaning: Meaning, key: [u8; 32]) -> Result<(), StoreError> {
        let happened = self.store.observe(observation, meaning, key, &self.calendars).await?;
        self.happened(&happened);
        Ok(())
    }

    /// Lets rows of tables say what a desk tells, each table with its entry in the audit log, and records that it did. A delivery that was
    /// recorded before changes nothing: what it told may have been overtaken.
    ///
    /// # Errors
    /// [`TableError`]: the desk's retry brings it again.
    pub async fn feed(&self, source: &str, fed: Vec<Fed>, key: [u8; 32], request: &str, at: Timestamp) -> Result<(), TableError> {
        if self.store.observed(key).await? {
            return Ok(());
        }
        let mut tables = Vec::new();
        for Fed { table, rows } in fed {
            let entry = Entry {
                at,
                token: format!("source:{source}"),
                name: source.to_owned(),
                // What an operator may do by hand.
                role: Role::Operator.to_string(),
                action: "table.feed".to_owned(),
                subject: table.clone(),
                before: None,
                after: None,
                why: None,
                change: None,
                request: request.to_owned(),
            };
            let told = self.tables.feed(&table, &rows, entry).await?;
            tracing::info!(source, table, added = told.added, changed = told.changed, removed = told.removed, "a table was fed");
            tables.push(table);
        }
        let what = format!("rows of {}", tables.join(", "));
        self.observe(Observation::new(at, source.to_owned(), None, what), Meaning::default(), key).await?;
        Ok(())
    }

    /// Works until it is dropped: lets come due what is due, and has the events that this makes decided.
    pub async fn keep_time(&self) {
        loop {
            let rest = match self.tick().await {
                Ok(rest) => rest,
                Err(error) => {
                    tracing::error!(reason = %error, "clocks wait for the journal");
                    LONGEST_REST
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Works until it is dropped: counts what was decided, so that reports need not. What was decided meanwhile waits a moment and is counted
    /// together; what a journal of an earlier version holds is counted at its first start, beside everything else.
    pub async fn keep_count(&self) {
        let mut turn = self.turn.subscribe();
        loop {
            turn.mark_unchanged();
            match self.store.count(self.clock.now()).await {
                Ok(0) => {
                    // The sender is this host's own: it is there as long as this is.
                    let _ = turn.changed().await;
                    tokio::time::sleep(COUNT_EVERY).await;
                }
                Ok(_) => tokio::time::sleep(COUNT_PAUSE).await,
                Err(error) => {
                    tracing::error!(reason = %error, "decisions wait to be counted");
                    tokio::time::sleep(COUNT_AGAIN).await;
                }
            }
        }
    }

    /// One look; says when the next is due.
    async fn tick(&self) -> anyhow::Result<Duration> {
        let now = self.clock.now();
        let mut came = 0;
        loop {
            let happened = self.store.come_due(now).await?;
            if happened.is_empty() {
                break;
            }
            came += happened.len();
            self.happened(&happened);
        }
        if came > 0 {
            tracing::info!(came, "warnings and breaches of service levels came due");
            self.resume().await?;
        }
        let expired = self.store.expire_approvals(now).await?;
        if expired > 0 {
            tracing::info!(expired, "approvals that nobody has settled in time have expired");
        }
        self.metrics.workflow.expired(expired);
        self.summarise(now).await?;
        let next = self.store.next_clock().await?;
        let rest = next.map_or(LONGEST_REST, |next| Duration::from_millis(next.0.saturating_sub(self.clock.now().0)));
        Ok(rest.clamp(SHORTEST_REST, LONGEST_REST))
    }

    /// Counts what happened to clocks.
    pub fn happened(&self, happened: &[Happened]) {
        for happened in happened {
            let (clock, what) = match happened {
                Happened::Started(clock) => (clock, 0),
                Happened::Met(clock) => (clock, 1),
                Happened::Warned(clock) => (clock, 2),
                Happened::Breached(clock) => (clock, 3),
            };
            self.metrics.clock(*clock as usize, what);
        }
    }

    /// The clocks that a decision wants, each on a calendar that there is. A calendar that is not known is told in the trace and the log,
    /// and the clock runs around the clock: the customer was promised a time, and the stricter reading of it is the honest one.
    pub(super) fn clocks(&self, source: &str, decision: &mut Decision) -> Vec<NewClock> {
        let warn_share = self.warn_shares.get(source).copied().unwrap_or(self.workflow.warn_share);
        let mut clocks = Vec::new();
        for target in &decision.sla {
            let calendar = target.calendar.clone().filter(|name| self.calendars.get(name).is_some());
            if let Some(unknown) = target.calendar.as_ref().filter(|_| calendar.is_none()) {
                tracing::warn!(calendar = unknown, decision = decision.head.id, "a service level names a calendar that is not there");
                let reason = format!("there is no calendar `{unknown}`: the clock runs around the clock");
                let entry = decision.trace.iter_mut().rev().find(|entry| !entry.shadow && entry.set.iter().any(|set| set.field == "/sla"));
                entry.into_iter().for_each(|entry| entry.dropped.push(Dropped { effect: "set-sla".to_owned(), reason: reason.clone() }));
            }
            clocks.push(NewClock { clock: target.clock, target_seconds: target.target_seconds, calendar, warn_share });
        }
        clocks
    }
}

/// What a decision follows, when its event is one that a clock has made.
pub(super) fn follows(event: &Event) -> Option<Follows> {
    let text = |key: &str| {
        event.attributes.iter().find(|one| one.key == key).and_then(|one| match &one.value {
            AttributeValue::Text(text) => Some(text.clone()),
            _ => None,
        })
    };
    let trigger = text("trigger").filter(|trigger| trigger.starts_with("sla-"))?;
    let due = Timestamp::parse(&text("sla-due")?).ok()?;
    Some(Follows { trigger, clock: text("sla-clock")?, due, decision: text("sla-decision")? })
}
