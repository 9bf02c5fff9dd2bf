//! How much was decided over a stretch of time, and what: counts in parts of equal length, for small charts.
//!
//! Called by the admin API. Reads decisions that are alike by the minute, as they were counted (`tally.rs`); it must never write.

use std::collections::BTreeMap;

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::millis;
use super::tally::{Alike, Book};
use super::{Store, StoreError};
use crate::event::Timestamp;

/// Parts unless the query says otherwise, and at most.
const PARTS: (u32, u32) = (60, 500);
/// Categories that are counted by name, the most frequent ones: a taxonomy has some dozens.
const CATEGORIES: usize = 100;
/// The stretch unless the query says otherwise, and the longest, ms: an hour, and a quarter of a year.
const STRETCH_MS: (u64, u64) = (3_600_000, 92 * 86_400_000);
/// What is counted is counted by the minute.
const MINUTE_MS: u64 = 60_000;

/// Over which stretch.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeQuery {
    /// From the minute of this time on: an hour before `until` if absent, at most 92 days before it.
    pub since: Option<Timestamp>,
    /// Up to the end of the minute of this time: now if absent.
    pub until: Option<Timestamp>,
    /// How many parts of equal length, each of whole minutes: 1 to 500, 60 if absent; anything else is taken to the nearer end. There is
    /// one more where the ends do not lie on whole minutes.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub parts: Option<u32>,
}

/// What there was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Volume {
    /// Beginning of the first part.
    pub since: Timestamp,
    /// End of the last part.
    pub until: Timestamp,
    /// Length of a part, milliseconds.
    pub part_ms: u64,
    /// From the oldest to the newest, empty ones too.
    pub parts: Vec<Part>,
    /// Decisions by category, at most the hundred most frequent.
    pub categories: BTreeMap<String, u64>,
    /// Decisions by sentiment; those without one are left out.
    pub sentiments: BTreeMap<String, u64>,
    /// Decisions by escalation level.
    pub escalations: BTreeMap<u8, u64>,
}

/// One part of the stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "VolumePart")]
pub struct Part {
    /// Decisions.
    pub decisions: u64,
    /// Of those, escalated.
    pub escalated: u64,
    /// Made without a step that misbehaved.
    pub degraded: u64,
    /// With a negative or very negative sentiment.
    pub negative: u64,
}

impl Store {
    /// Counts decisions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn volume(&self, query: &VolumeQuery, now: Timestamp) -> Result<Volume, StoreError> {
        let mut volume = stretch(query, now);
        self.read(move |conn| {
            let book = Book::open(conn)?;
            if book.behind > 0 {
                // For a while after the first start with a journal of an earlier version.
                volume.gather(&book, DECISIONS)?;
            } else {
                volume.gather(&book, MINUTES)?;
                let (since, until) = (millis(volume.since), millis(volume.until));
                let tail = book.tail.minutes.iter().filter(|(alike, _)| (since..until).contains(&alike.minute));
                tail.for_each(|(alike, count)| volume.add(alike.clone(), count.unsigned_abs()));
            }
            volume.shorten();
            Ok(volume)
        })
        .await
    }
}

const MINUTES: &str = "SELECT minute, category, sentiment, escalation, degraded, n FROM minutes WHERE minute >= ?1 AND minute < ?2";
const DECISIONS: &str = "SELECT decided, category, coalesce(sentiment, ''), escalation, degraded, 1 FROM decisions \
    WHERE decided >= ?1 AND decided < ?2";

/// The empty volume of a query. Its parts are as long as the query has it, and cover the minutes of both its ends.
fn stretch(query: &VolumeQuery, now: Timestamp) -> Volume {
    let until = query.until.unwrap_or(Timestamp(now.0 + 1)).0.min(u64::MAX / 4);
    let since = query.since.map_or(until.saturating_sub(STRETCH_MS.0), |since| since.0);
    let since = since.clamp(until.saturating_sub(STRETCH_MS.1), until);
    let minutes = ((until - since + MINUTE_MS / 2) / MINUTE_MS).max(1);
    let parts = u64::from(query.parts.unwrap_or(PARTS.0).clamp(1, PARTS.1));
    let part_ms = minutes.div_ceil(parts) * MINUTE_MS;
    let until = until.next_multiple_of(MINUTE_MS).max(MINUTE_MS);
    let since = query.since.map_or(until.saturating_sub(minutes * MINUTE_MS), |_| since - since % MINUTE_MS);
    let parts = (until - since).div_ceil(part_ms);
    Volume {
        since: Timestamp(since),
        until: Timestamp(until),
        part_ms,
        parts: vec![Part::default(); usize::try_from(parts).unwrap_or_default()],
        categories: BTreeMap::new(),
        sentiments: BTreeMap::new(),
        escalations: BTreeMap::new(),
    }
}

impl Volume {
    fn gather(&mut self, book: &Book<'_>, sql: &str) -> rusqlite::Result<()> {
        let mut statement = book.conn().prepare_cached(sql)?;
        let mut rows = statement.query(params![millis(self.since), millis(self.until)])?;
        while let Some(row) = rows.next()? {
            let [category, sentiment] = [row.get(1)?, row.get(2)?];
            let alike = Alike { minute: row.get(0)?, category, sentiment, escalation: row.get(3)?, degraded: row.get(4)? };
            self.add(alike, row.get::<_, i64>(5)?.unsigned_abs());
        }
        Ok(())
    }

    fn add(&mut self, alike: Alike, count: u64) {
        let Alike { minute, category, sentiment, escalation, degraded } = alike;
        let negative = sentiment.ends_with("negative");
        let part = minute.unsigned_abs().saturating_sub(self.since.0) / self.part_ms;
        if let Some(part) = usize::try_from(part).ok().and_then(|part| self.parts.get_mut(part)) {
            part.decisions += count;
            part.escalated += if escalation > 0 { count } else { 0 };
            part.degraded += if degraded { count } else { 0 };
            part.negative += if negative { count } else { 0 };
        }
        *self.categories.entry(category).or_default() += count;
        *self.escalations.entry(escalation).or_default() += count;
        if !sentiment.is_empty() {
            *self.sentiments.entry(sentiment).or_default() += count;
        }
    }

    /// Keeps the most frequent categories.
    fn shorten(&mut self) {
        if self.categories.len() > CATEGORIES {
            let mut counts: Vec<u64> = self.categories.values().copied().collect();
            counts.sort_unstable_by(|one, other| other.cmp(one));
            let least = counts[CATEGORIES - 1];
            self.categories.retain(|_, count| *count >= least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(minute: u64, category: &str, sentiment: &str, escalation: u8) -> Alike {
        let minute = i64::try_from(minute * MINUTE_MS).unwrap();
        Alike { minute, category: category.to_owned(), sentiment: sentiment.to_owned(), escalation, degraded: escalation > 2 }
    }

    #[test]
    fn what_is_alike_adds_up() {
        let query = VolumeQuery { since: Some(Timestamp(10 * MINUTE_MS)), until: Some(Timestamp(20 * MINUTE_MS)), parts: Some(2) };
        let mut volume = stretch(&query, Timestamp(9_000));
        assert_eq!((volume.since, volume.part_ms, volume.parts.len()), (Timestamp(10 * MINUTE_MS), 5 * MINUTE_MS, 2));
        volume.add(alike(14, "outage", "negative", 2), 3);
        volume.add(alike(15, "outage", "", 0), 4);
        volume.add(alike(19, "how-to", "very_negative", 3), 1);
        assert_eq!(volume.parts[0], Part { decisions: 3, escalated: 3, degraded: 0, negative: 3 });
        assert_eq!(volume.parts[1], Part { decisions: 5, escalated: 1, degraded: 1, negative: 1 });
        assert_eq!((volume.categories["outage"], volume.escalations[&0], volume.sentiments.len()), (7, 4, 2));
    }

    #[test]
    fn a_stretch_that_runs_backwards_or_on_for_ever_is_bounded() {
        let of = |since, until, parts| stretch(&VolumeQuery { since: Some(Timestamp(since)), until, parts }, Timestamp(u64::MAX / 5));
        let backwards = of(9_000, Some(Timestamp(1_000)), Some(0));
        assert_eq!((backwards.since, backwards.part_ms, backwards.parts.len()), (Timestamp(0), MINUTE_MS, 1));
        let long = of(0, None, Some(u32::MAX));
        assert!(long.until.0 - long.since.0 - STRETCH_MS.1 <= 2 * MINUTE_MS && (500..=501).contains(&long.parts.len()));
        assert!(of(0, Some(Timestamp(u64::MAX)), None).until.0 < u64::MAX);
    }

    #[test]
    fn a_part_is_whole_minutes_and_the_stretch_holds_all_that_was_asked_for() {
        let now = Timestamp(100_000 * MINUTE_MS + 12_345);
        for (minutes, parts, wanted) in [(60, 60, (1, 61)), (360, 60, (6, 61)), (7, 60, (1, 8)), (10, 4, (3, 4)), (1_440, 60, (24, 61))] {
            let since = Timestamp(now.0 - minutes * MINUTE_MS);
            let volume = stretch(&VolumeQuery { since: Some(since), until: None, parts: Some(parts) }, now);
            assert_eq!((volume.part_ms / MINUTE_MS, volume.parts.len()), wanted, "{minutes} minutes in {parts} parts");
            assert_eq!((volume.until.0 % MINUTE_MS, volume.since.0), (0, since.0 - 12_345));
            assert!(volume.until > now && volume.until.0 - now.0 <= MINUTE_MS);
        }
        let hour = stretch(&VolumeQuery { parts: Some(4), ..VolumeQuery::default() }, now);
        assert_eq!((hour.part_ms, hour.parts.len(), hour.until.0 - hour.since.0), (15 * MINUTE_MS, 4, 60 * MINUTE_MS));
    }

    #[test]
    fn rare_categories_go_first() {
        let mut volume = stretch(&VolumeQuery::default(), Timestamp(0));
        (0..150).for_each(|at| volume.add(alike(0, &format!("c{at}"), "", 0), at));
        volume.shorten();
        assert!(volume.categories.len() == CATEGORIES && !volume.categories.contains_key("c49") && volume.categories.contains_key("c50"));
    }
}
