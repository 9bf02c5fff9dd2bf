//! Reports: what the counts say about a stretch of time.
//!
//! Called by the admin API. Every one reads sums by the hour and nothing else, so that what it costs depends on the hours and the names, not
//! on how many decisions there were. It must never write.

mod words;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rusqlite::params;

use self::words::{Summed, Words};
use super::journal::millis;
use super::tally::{ACTED, Book, Kind, Line, MORE, SHADOW, Sums};
use super::{Store, StoreError};
use crate::agreement::Field;
use crate::event::Timestamp;
use crate::report::{
    AgreementRow, By, CorrectionRow, EscalationRow, Hour, LOOK_BACK_MS, ListQuery, OverTimeQuery, ReasonRow, Report, Row, RuleRow,
    ServiceLevelRow, SpikeRow, Stretch, VolumeReportQuery, VolumeRow, share, spikes,
};
use crate::verdict::SlaClock;

/// Names that are told apart over time, the most frequent ones: a chart with more says nothing.
const NAMES: usize = 50;

impl Store {
    /// Messages by network, category, sentiment, priority or source, over time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when the journal cannot be read; so for every report.
    pub async fn report_volume(&self, query: VolumeReportQuery, now: Timestamp) -> Result<Report<VolumeRow>, StoreError> {
        let (by, stretch) = (query.by, query.stretch(now));
        self.report(stretch, move |book, stretch| {
            let kind = match by {
                By::Network => Kind::Network,
                By::Category | By::Source => Kind::Category,
                By::Sentiment => Kind::Sentiment,
                By::Priority => Kind::Priority,
            };
            let mut points = Points::new(stretch);
            each(book, kind, stretch, |line| points.add(line, if by == By::Source { line.source } else { line.name }))?;
            Ok(points.rows().map(|(at, name, messages)| VolumeRow { at, name, messages }).collect())
        })
        .await
    }

    /// What became of clocks, over time.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_service_levels(&self, query: OverTimeQuery, now: Timestamp) -> Result<Report<ServiceLevelRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut points: BTreeMap<(Timestamp, SlaClock), BTreeMap<String, Sums>> = BTreeMap::new();
            let mut point = Memo::default();
            each(book, Kind::Clock, stretch, |line| {
                if let Some(clock) = SlaClock::ALL.into_iter().find(|clock| clock.word() == line.name) {
                    let at = point.of(stretch, line.hour);
                    points.entry((at, clock)).or_default().entry(line.part.to_owned()).or_default().add(line.sums);
                }
            })?;
            Ok(points.iter().map(|((at, clock), told)| service_level(*at, *clock, told)).collect())
        })
        .await
    }

    /// Escalations by level and by audience, over time.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_escalations(&self, query: OverTimeQuery, now: Timestamp) -> Result<Report<EscalationRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut rows = Vec::new();
            for (kind, by) in [(Kind::Level, "level"), (Kind::Audience, "audience")] {
                let mut points = Points::new(stretch);
                each(book, kind, stretch, |line| {
                    // Level 0 is not at all.
                    if line.name != "0" || kind != Kind::Level {
                        points.add(line, line.name);
                    }
                })?;
                rows.extend(points.rows().map(|(at, name, decisions)| EscalationRow { at, by, name, decisions }));
            }
            rows.sort_by_key(|row| row.at);
            Ok(rows)
        })
        .await
    }

    /// Hours with more than usual.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_spikes(&self, query: ListQuery, now: Timestamp) -> Result<Report<SpikeRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut hours: BTreeMap<u64, Hour> = BTreeMap::new();
            let span = (millis(stretch.since(LOOK_BACK_MS)), millis(stretch.to));
            for kind in [Kind::Category, Kind::Network, Kind::Sentiment] {
                book.each(kind, span, stretch.source.as_deref(), |line| {
                    let hour = hours.entry(line.hour.unsigned_abs()).or_default();
                    let n = line.sums.n.unsigned_abs();
                    match kind {
                        Kind::Sentiment => hour.negative += if line.name.ends_with("negative") { n } else { 0 },
                        Kind::Network => *hour.networks.entry(line.name.to_owned()).or_default() += n,
                        _ => {
                            hour.messages += n;
                            *hour.categories.entry(line.name.to_owned()).or_default() += n;
                        }
                    }
                })?;
            }
            const FIRST: &str = "SELECT min(hour) FROM tallies WHERE kind = 'category'";
            let first: Option<i64> = book.conn().prepare_cached(FIRST)?.query_row([], |row| row.get(0))?;
            let first = first.map(i64::unsigned_abs).into_iter().chain(hours.keys().next().copied()).min();
            let mut rows = spikes(&hours, (stretch.from, stretch.to), first.unwrap_or(u64::MAX));
            // The newest are what somebody asks about.
            rows.drain(..rows.len().saturating_sub(stretch.limit));
            Ok(rows)
        })
        .await
    }

    /// What each step did and cost.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_rules(&self, query: ListQuery, now: Timestamp) -> Result<Report<RuleRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut steps: BTreeMap<(String, String), BTreeMap<String, Sums>> = BTreeMap::new();
            each(book, Kind::Step, stretch, |line| {
                let step = steps.entry((line.part.to_owned(), line.name.to_owned())).or_default();
                step.entry(line.rule.to_owned()).or_default().add(line.sums);
            })?;
            Ok(steps.into_iter().map(|((chain, step), told)| rule(chain, step, &told)).collect())
        })
        .await
    }

    /// The rules that spoke most often.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_reasons(&self, query: ListQuery, now: Timestamp) -> Result<Report<ReasonRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut rules = Words::new();
            each(book, Kind::Reason, stretch, |line| rules.add([line.part, line.name, line.rule], line.sums.n))?;
            let mut rows = rules.rows();
            let mut fields: BTreeMap<String, u64> = BTreeMap::new();
            for ([field, ..], times) in &rows {
                *fields.entry(field.clone()).or_default() += times.unsigned_abs();
            }
            rows.sort_by_key(|(_, times)| Reverse(*times));
            rows.truncate(stretch.limit);
            let row = |([field, step, rule], times): Summed<3>| {
                let times = times.unsigned_abs();
                let whole = fields.get(&field).copied().unwrap_or(times);
                ReasonRow { field, step, rule, times, share: share(times, whole) }
            };
            Ok(rows.into_iter().map(row).collect())
        })
        .await
    }

    /// How often the desk's people agreed with each rule; those with the most corrections first.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_agreement(&self, query: ListQuery, now: Timestamp) -> Result<Report<AgreementRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let mut rules: BTreeMap<[String; 3], (u64, u64)> = BTreeMap::new();
            for (rule, [ours, theirs], n) in judgements(book, stretch)? {
                let (seen, agreed) = rules.entry(rule).or_default();
                *seen += n;
                *agreed += if ours == theirs { n } else { 0 };
            }
            let row = |([field, step, rule], (seen, agreed)): ([String; 3], (u64, u64))| {
                let field = field_of(&field)?;
                Some(AgreementRow { field, step, rule, seen, agreed, corrected: seen - agreed, share: share(agreed, seen) })
            };
            let mut rows: Vec<_> = rules.into_iter().filter_map(row).collect();
            rows.sort_by_key(|row| Reverse((row.corrected, row.seen)));
            rows.truncate(stretch.limit);
            Ok(rows)
        })
        .await
    }

    /// What the desk's people made of what was decided; the most frequent first.
    ///
    /// # Errors
    /// As [`Store::report_volume`].
    pub async fn report_corrections(&self, query: ListQuery, now: Timestamp) -> Result<Report<CorrectionRow>, StoreError> {
        self.report(query.stretch(now), |book, stretch| {
            let corrected = judgements(book, stretch)?.into_iter().filter(|(_, [ours, theirs], _)| ours != theirs);
            let row = |([field, step, rule], [decided, corrected_to], times): Judged| {
                Some(CorrectionRow { field: field_of(&field)?, step, rule, decided, corrected_to, times })
            };
            let mut rows: Vec<_> = corrected.filter_map(row).collect();
            rows.sort_by_key(|row| Reverse(row.times));
            rows.truncate(stretch.limit);
            Ok(rows)
        })
        .await
    }

    async fn report<R, F>(&self, stretch: Stretch, rows: F) -> Result<Report<R>, StoreError>
    where
        R: Row + Send + 'static,
        F: FnOnce(&Book<'_>, &Stretch) -> rusqlite::Result<Vec<R>> + Send + 'static,
    {
        self.read(move |conn| {
            let book = Book::open(conn)?;
            let rows = rows(&book, &stretch)?;
            Ok(Report::of(&stretch, book.behind, rows))
        })
        .await
    }
}

fn each(book: &Book<'_>, kind: Kind, stretch: &Stretch, take: impl FnMut(&Line<'_>)) -> rusqlite::Result<()> {
    book.each(kind, (millis(stretch.from), millis(stretch.to)), stretch.source.as_deref(), take)
}

/// The point of the hour that was asked last: hours come in order, and a time zone takes a while.
#[derive(Default)]
struct Memo(Option<(i64, Timestamp)>);

impl Memo {
    fn of(&mut self, stretch: &Stretch, hour: i64) -> Timestamp {
        match self.0 {
            Some((known, point)) if known == hour => point,
            _ => {
                let point = stretch.point(Timestamp(hour.unsigned_abs()));
                self.0 = Some((hour, point));
                point
            }
        }
    }
}

/// Counts by name over time.
struct Points<'a> {
    stretch: &'a Stretch,
    point: Memo,
    counts: BTreeMap<String, BTreeMap<Timestamp, u64>>,
}

impl<'a> Points<'a> {
    fn new(stretch: &'a Stretch) -> Self {
        Self { stretch, point: Memo::default(), counts: BTreeMap::new() }
    }

    fn add(&mut self, line: &Line<'_>, name: &str) {
        let at = self.point.of(self.stretch, line.hour);
        // A name is there already, but for its first time.
        if !self.counts.contains_key(name) {
            self.counts.insert(name.to_owned(), BTreeMap::new());
        }
        if let Some(points) = self.counts.get_mut(name) {
            *points.entry(at).or_default() += line.sums.n.unsigned_abs();
        }
    }

    /// From the oldest to the newest; what is rare goes together.
    fn rows(self) -> impl Iterator<Item = (Timestamp, String, u64)> {
        let mut names: Vec<_> = self.counts.into_iter().map(|(name, points)| (points.values().sum::<u64>(), name, points)).collect();
        names.sort_by_key(|(total, ..)| Reverse(*total));
        let mut rows: BTreeMap<(Timestamp, String), u64> = BTreeMap::new();
        for (place, (_, name, points)) in names.into_iter().enumerate() {
            let name = if place < NAMES { name } else { MORE.to_owned() };
            for (at, count) in points {
                *rows.entry((at, name.clone())).or_default() += count;
            }
        }
        rows.into_iter().map(|((at, name), count)| (at, name, count))
    }
}

fn service_level(at: Timestamp, clock: SlaClock, told: &BTreeMap<String, Sums>) -> ServiceLevelRow {
    let of = |what: &str| told.get(what).copied().unwrap_or_default();
    let n = |what| of(what).n.unsigned_abs();
    let (met, breached) = (n("met"), n("breached"));
    ServiceLevelRow {
        at,
        clock,
        started: n("started"),
        met,
        breached,
        warned: n("warned"),
        closed: n("closed"),
        late: n("late"),
        met_share: share(met, met + breached),
        mean_seconds: mean(of("met")).map(|ms| ms / 1_000),
        mean_late_seconds: mean(of("late")).map(|ms| ms / 1_000),
    }
}

fn mean(sums: Sums) -> Option<u64> {
    sums.sum.unsigned_abs().checked_div(sums.n.unsigned_abs())
}

fn rule(chain: String, step: String, told: &BTreeMap<String, Sums>) -> RuleRow {
    let n = |what: &str| told.get(what).map_or(0, |sums| sums.n.unsigned_abs());
    // What was not called ran nothing; everything else is an outcome of a call.
    let (mut all, mut faults) = (Sums::default(), 0);
    for (what, sums) in told.iter().filter(|(what, _)| ![ACTED, SHADOW, "skipped", "quarantined"].contains(&what.as_str())) {
        all.add(*sums);
        faults += if ["ran", "not_applicable"].contains(&what.as_str()) { 0 } else { sums.n.unsigned_abs() };
    }
    let (runs, acted) = (all.n.unsigned_abs(), n(ACTED));
    RuleRow {
        chain,
        step,
        runs,
        acted,
        hit_share: share(acted, runs),
        not_applicable: n("not_applicable"),
        skipped: n("skipped"),
        faults,
        quarantined: n("quarantined"),
        shadow: n(SHADOW),
        mean_micros: mean(all),
        mean_fuel: mean(Sums { sum: all.fuel, ..all }),
    }
}

/// A rule with its field, what it said and what the desk's people said, and how often.
type Judged = ([String; 3], [String; 2], u64);

fn judgements(book: &Book<'_>, stretch: &Stretch) -> rusqlite::Result<Vec<Judged>> {
    const SQL: &str =
        "SELECT field, step, rule, ours, theirs, n FROM agreement WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR source = ?3)";
    let mut statement = book.conn().prepare_cached(SQL)?;
    let mut lines = statement.query(params![millis(stretch.from), millis(stretch.to), stretch.source])?;
    let mut judged = Words::new();
    while let Some(line) = lines.next()? {
        let word = |at| Ok::<_, rusqlite::Error>(line.get_ref(at)?.as_str()?);
        judged.add([word(0)?, word(1)?, word(2)?, word(3)?, word(4)?], line.get(5)?);
    }
    let row = |([field, step, rule, ours, theirs], times): Summed<5>| ([field, step, rule], [ours, theirs], times.unsigned_abs());
    Ok(judged.rows().into_iter().map(row).collect())
}

fn field_of(word: &str) -> Option<&'static str> {
    Field::ALL.into_iter().map(Field::word).find(|known| *known == word)
}
