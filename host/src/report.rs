//! Reports: what can be asked about a stretch of time, and the shape of each answer.
//!
//! The store adds up, the admin API serves, the console draws and the command line prints. Pure. Every report is flat: rows with the same
//! columns, so that the JSON, the CSV and the table say the same.
//!
//! - `rows.rs`: the rows of each report.
//! - `spikes.rs`: when there was more than usual.

mod rows;
mod spikes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use rows::{AgreementRow, CorrectionRow, EscalationRow, ReasonRow, Row, RuleRow, ServiceLevelRow, SpikeRow, VolumeRow};
pub use spikes::{Hour, LOOK_BACK_MS, spikes};

use crate::calendar::Zone;
use crate::event::Timestamp;
use crate::sheet;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The stretch unless the query says otherwise, days.
const DAYS: u32 = 7;
/// The longest stretch by the hour and by the day, days: a quarter of a year and five years are some thousand points.
const MOST_DAYS: (u64, u64) = (92, 1_830);
/// Rows of a list unless the query says otherwise, and at most.
const ROWS: (u32, u32) = (50, 1_000);

/// How long a point of a report is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// An hour, by the clock of UTC.
    Hour,
    /// A day of the zone.
    #[default]
    Day,
}

/// What messages are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Where they were written.
    Network,
    /// What they are about.
    #[default]
    Category,
    /// How their authors feel.
    Sentiment,
    /// How soon they need somebody.
    Priority,
    /// Through which desk they came.
    Source,
}

/// Which stretch of time, for a report over time that counts by something.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeReportQuery {
    /// What messages are counted by: category if absent.
    pub by: By,
    /// From the hour of this time on: `days` before `to` if absent.
    pub from: Option<Timestamp>,
    /// Up to the end of the hour of this time: now if absent.
    pub to: Option<Timestamp>,
    /// How many days, without `from`: 7 if absent.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub days: Option<u32>,
    /// How long a point is: a day if absent.
    pub bucket: Bucket,
    /// Whose days: those of UTC if absent.
    pub zone: Zone,
    /// Through this source only.
    pub source: Option<String>,
}

/// Which stretch of time, for a report over time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OverTimeQuery {
    /// From the hour of this time on: `days` before `to` if absent.
    pub from: Option<Timestamp>,
    /// Up to the end of the hour of this time: now if absent.
    pub to: Option<Timestamp>,
    /// How many days, without `from`: 7 if absent.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub days: Option<u32>,
    /// How long a point is: a day if absent.
    pub bucket: Bucket,
    /// Whose days: those of UTC if absent.
    pub zone: Zone,
    /// Through this source only.
    pub source: Option<String>,
}

/// Which stretch of time, for a report that is one list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListQuery {
    /// From the hour of this time on: `days` before `to` if absent.
    pub from: Option<Timestamp>,
    /// Up to the end of the hour of this time: now if absent.
    pub to: Option<Timestamp>,
    /// How many days, without `from`: 7 if absent.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub days: Option<u32>,
    /// Through this source only.
    pub source: Option<String>,
    /// Most rows: 1 to 1,000, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
}

/// A stretch of whole hours, and how it is parted.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Beginning of the first hour.
    pub from: Timestamp,
    /// End of the last one.
    pub to: Timestamp,
    bucket: Bucket,
    zone: Zone,
    /// Through this source only.
    pub source: Option<String>,
    /// Most rows of a list.
    pub limit: usize,
}

impl Stretch {
    /// The hours of a query about a moment. A stretch that is too long loses its beginning.
    fn new(from: Option<Timestamp>, to: Option<Timestamp>, days: Option<u32>, (bucket, zone): (Bucket, Zone), now: Timestamp) -> Self {
        // What is decided at this very moment counts. Beyond the bound no timestamp can be written; it leaves room for an hour after it.
        let to = to.map_or(now.0.saturating_add(1), |to| to.0).min(u64::MAX / 4).next_multiple_of(HOUR_MS);
        let most = if bucket == Bucket::Hour { MOST_DAYS.0 } else { MOST_DAYS.1 };
        let days = u64::from(days.unwrap_or(DAYS).max(1)).min(most);
        let from = from.map_or_else(|| to.saturating_sub(days * DAY_MS), |from| from.0);
        let from = from.clamp(to.saturating_sub(most * DAY_MS), to);
        let from = Timestamp(from - from % HOUR_MS);
        Self { from, to: Timestamp(to), bucket, zone, source: None, limit: usize::MAX }
    }

    /// The beginning of the point that an hour belongs to. The first point begins with the stretch.
    pub fn point(&self, hour: Timestamp) -> Timestamp {
        match self.bucket {
            Bucket::Hour => hour,
            Bucket::Day => self.zone.day(hour),
        }
    }

    /// The stretch and the longest look back before it.
    pub fn since(&self, before_ms: u64) -> Timestamp {
        Timestamp(self.from.0.saturating_sub(before_ms))
    }
}

impl VolumeReportQuery {
    /// The hours that are asked for.
    pub fn stretch(&self, now: Timestamp) -> Stretch {
        let stretch = Stretch::new(self.from, self.to, self.days, (self.bucket, self.zone.clone()), now);
        Stretch { source: self.source.clone(), ..stretch }
    }
}

impl OverTimeQuery {
    /// The hours that are asked for.
    pub fn stretch(&self, now: Timestamp) -> Stretch {
        let stretch = Stretch::new(self.from, self.to, self.days, (self.bucket, self.zone.clone()), now);
        Stretch { source: self.source.clone(), ..stretch }
    }
}

impl ListQuery {
    /// The hours that are asked for.
    pub fn stretch(&self, now: Timestamp) -> Stretch {
        let limit = self.limit.unwrap_or(ROWS.0).clamp(1, ROWS.1) as usize;
        let stretch = Stretch::new(self.from, self.to, self.days, (Bucket::Day, Zone::default()), now);
        Stretch { source: self.source.clone(), limit, ..stretch }
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{R}s")]
pub struct Report<R> {
    /// Beginning of the first hour that was counted.
    pub from: Timestamp,
    /// End of the last one.
    pub to: Timestamp,
    /// Decisions that are not counted yet. Not 0 only for a while after the first start with a journal of an earlier version.
    pub behind: u64,
    /// The keys of a row, in the order of the CSV.
    pub columns: Vec<String>,
    /// What there was; of what there was nothing, there is no row.
    pub rows: Vec<R>,
}

impl<R: Row> Report<R> {
    /// Rows about a stretch.
    pub fn of(stretch: &Stretch, behind: u64, rows: Vec<R>) -> Self {
        Self { from: stretch.from, to: stretch.to, behind, columns: R::COLUMNS.iter().map(|&name| name.to_owned()).collect(), rows }
    }

    /// The same as CSV.
    pub fn csv(&self) -> String {
        let rows: Vec<Value> = self.rows.iter().map(|row| serde_json::to_value(row).unwrap_or_default()).collect();
        sheet::csv(&self.columns, &rows)
    }
}

/// A part of a whole, to four digits; nothing of nothing is nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_stretch_is_whole_hours_and_has_an_end() {
        let query =
            OverTimeQuery { from: Some(at("2026-11-01T09:59:59Z")), to: Some(at("2026-11-01T11:00:00.001Z")), ..Default::default() };
        let stretch = query.stretch(Timestamp(0));
        assert_eq!((stretch.from, stretch.to), (at("2026-11-01T09:00:00Z"), at("2026-11-01T12:00:00Z")));
        let week = OverTimeQuery::default().stretch(at("2026-11-08T00:00:00Z"));
        assert_eq!((week.from, week.to), (at("2026-11-01T01:00:00Z"), at("2026-11-08T01:00:00Z")), "this very moment is in it");
        let hours =
            OverTimeQuery { bucket: Bucket::Hour, from: Some(Timestamp(0)), ..Default::default() }.stretch(at("2026-11-08T00:00:00Z"));
        assert_eq!(hours.to.0 - hours.from.0, 92 * DAY_MS);
        let backwards = ListQuery { from: Some(Timestamp(u64::MAX)), to: Some(Timestamp(5)), limit: Some(0), ..Default::default() };
        let stretch = backwards.stretch(Timestamp(u64::MAX));
        assert_eq!((stretch.from, stretch.to, stretch.limit), (Timestamp(HOUR_MS), Timestamp(HOUR_MS), 1));
        assert!(ListQuery { days: Some(u32::MAX), ..Default::default() }.stretch(Timestamp(u64::MAX)).to.0 < u64::MAX / 2);
    }

    #[test]
    fn a_point_is_an_hour_or_a_day_of_the_zone() {
        let query = |bucket| OverTimeQuery { bucket, zone: Zone::named("Europe/Berlin").unwrap(), ..Default::default() };
        let hour = at("2026-11-01T23:00:00Z");
        assert_eq!(query(Bucket::Day).stretch(hour).point(hour), hour, "midnight in Berlin");
        assert_eq!(query(Bucket::Day).stretch(hour).point(at("2026-11-01T22:00:00Z")), at("2026-10-31T23:00:00Z"));
        assert_eq!(query(Bucket::Hour).stretch(hour).point(hour), hour);
    }
}
