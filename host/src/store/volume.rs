//! How much was decided over a stretch of time, and what: counts in parts of equal length, for small charts.
//!
//! Called by the admin API. One pass over the index of moments; it must never write.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::millis;
use super::{Store, StoreError};
use crate::event::Timestamp;

/// Parts unless the query says otherwise, and at most.
const PARTS: (u32, u32) = (60, 500);
/// Categories that are counted by name, the most frequent ones: a taxonomy has some dozens.
const CATEGORIES: usize = 100;
/// The stretch unless the query says otherwise, and the longest, ms: an hour, and a quarter of a year.
const STRETCH_MS: (u64, u64) = (3_600_000, 92 * 86_400_000);

/// Over which stretch.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeQuery {
    /// From this time on: an hour before `until` if absent, at most 92 days before it.
    pub since: Option<Timestamp>,
    /// Before this time: now if absent.
    pub until: Option<Timestamp>,
    /// How many parts of equal length: 1 to 500, 60 if absent; anything else is taken to the nearer end.
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

/// Decisions of one part that are alike.
struct Alike {
    part: usize,
    category: String,
    sentiment: Option<String>,
    escalation: u8,
    degraded: bool,
    count: u64,
}

impl Store {
    /// Counts decisions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read.
    pub async fn volume(&self, query: &VolumeQuery, now: Timestamp) -> Result<Volume, StoreError> {
        const SQL: &str = "SELECT (decided - ?1) / ?3, category, sentiment, escalation, degraded, COUNT(*) FROM decisions \
            WHERE decided >= ?1 AND decided < ?2 GROUP BY 1, 2, 3, 4, 5";
        let mut volume = stretch(query, now);
        let (since, until) = (millis(volume.since), millis(volume.until));
        let part_ms = i64::try_from(volume.part_ms).unwrap_or(i64::MAX);
        let alike = self.read(move |conn| {
            let mut statement = conn.prepare_cached(SQL)?;
            let rows = statement.query_map(params![since, until, part_ms], alike)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        alike.await?.into_iter().for_each(|alike| volume.add(alike));
        volume.shorten();
        Ok(volume)
    }
}

/// The empty volume of a query.
fn stretch(query: &VolumeQuery, now: Timestamp) -> Volume {
    let until = query.until.unwrap_or(Timestamp(now.0 + 1)).0;
    let since = query.since.map_or(until.saturating_sub(STRETCH_MS.0), |since| since.0);
    let since = since.clamp(until.saturating_sub(STRETCH_MS.1), until);
    let parts = query.parts.unwrap_or(PARTS.0).clamp(1, PARTS.1);
    let part_ms = (until - since).div_ceil(u64::from(parts)).max(1);
    Volume {
        since: Timestamp(since),
        until: Timestamp(until),
        part_ms,
        parts: vec![Part::default(); parts as usize],
        categories: BTreeMap::new(),
        sentiments: BTreeMap::new(),
        escalations: BTreeMap::new(),
    }
}

fn alike(row: &Row<'_>) -> rusqlite::Result<Alike> {
    Ok(Alike {
        part: usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX),
        category: row.get(1)?,
        sentiment: row.get(2)?,
        escalation: row.get(3)?,
        degraded: row.get(4)?,
        count: row.get::<_, i64>(5)?.unsigned_abs(),
    })
}

impl Volume {
    fn add(&mut self, alike: Alike) {
        let Alike { part, category, sentiment, escalation, degraded, count } = alike;
        let negative = sentiment.as_deref().is_some_and(|label| label.ends_with("negative"));
        if let Some(part) = self.parts.get_mut(part) {
            part.decisions += count;
            part.escalated += if escalation > 0 { count } else { 0 };
            part.degraded += if degraded { count } else { 0 };
            part.negative += if negative { count } else { 0 };
        }
        *self.categories.entry(category).or_default() += count;
        *self.escalations.entry(escalation).or_default() += count;
        if let Some(sentiment) = sentiment {
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

    fn row(part: usize, category: &str, sentiment: Option<&str>, escalation: u8, count: u64) -> Alike {
        Alike { part, category: category.to_owned(), sentiment: sentiment.map(str::to_owned), escalation, degraded: escalation > 2, count }
    }

    #[test]
    fn what_is_alike_adds_up() {
        let query = VolumeQuery { since: Some(Timestamp(1_000)), until: Some(Timestamp(2_000)), parts: Some(2) };
        let mut volume = stretch(&query, Timestamp(9_000));
        assert_eq!((volume.part_ms, volume.parts.len()), (500, 2));
        volume.add(row(0, "outage", Some("negative"), 2, 3));
        volume.add(row(1, "outage", None, 0, 4));
        volume.add(row(1, "how-to", Some("very_negative"), 3, 1));
        assert_eq!(volume.parts[0], Part { decisions: 3, escalated: 3, degraded: 0, negative: 3 });
        assert_eq!(volume.parts[1], Part { decisions: 5, escalated: 1, degraded: 1, negative: 1 });
        assert_eq!((volume.categories["outage"], volume.escalations[&0], volume.sentiments.len()), (7, 4, 2));
    }

    #[test]
    fn a_stretch_that_runs_backwards_or_on_for_ever_is_bounded() {
        let of = |since, until, parts| stretch(&VolumeQuery { since: Some(Timestamp(since)), until, parts }, Timestamp(u64::MAX / 4));
        let backwards = of(9_000, Some(Timestamp(1_000)), Some(0));
        assert_eq!((backwards.since, backwards.part_ms, backwards.parts.len()), (Timestamp(1_000), 1, 1));
        let long = of(0, None, Some(u32::MAX));
        assert_eq!((long.until.0 - long.since.0, long.parts.len()), (STRETCH_MS.1, 500));
    }

    #[test]
    fn rare_categories_go_first() {
        let mut volume = stretch(&VolumeQuery::default(), Timestamp(0));
        (0..150).for_each(|at| volume.add(row(0, &format!("c{at}"), None, 0, at)));
        volume.shorten();
        assert!(volume.categories.len() == CATEGORIES && !volume.categories.contains_key("c49") && volume.categories.contains_key("c50"));
    }
}
