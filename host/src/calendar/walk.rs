//! Open spans on the line of time.
//!
//! Between two changes of a zone's offset, the wall clock and the line of time differ by a constant, and a day's open times are plain
//! sums. So time is walked in such stretches; what the wall clock leaves out or shows twice comes out right by itself.

use jiff::Timestamp as Instant;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Calendar;
use super::hours::{DAY_MS, Span};
use crate::event::Timestamp;

/// How far is looked for the end of a working time: what is due later than in forty years is due never.
const HORIZON_MS: i64 = 40 * 366 * DAY_MS as i64;

/// A moment that has a date at all.
pub(super) fn is_reachable(at: Timestamp) -> bool {
    instant(at).is_some()
}

/// What the wall clock shows: the day, and milliseconds since its midnight.
pub(super) fn on_the_wall(zone: &TimeZone, at: Timestamp) -> Option<(Date, u32)> {
    let at = instant(at)?;
    wall(at.as_millisecond().checked_add(offset_ms(zone, at))?)
}

/// The moment at which so many working milliseconds have passed since `start`.
pub(super) fn due(calendar: &Calendar, start: Timestamp, working_ms: u64) -> Option<Timestamp> {
    let start = instant(start)?.as_millisecond();
    let mut left = i64::try_from(working_ms).ok()?;
    let mut due = (left == 0).then_some(start);
    if due.is_none() {
        spans(calendar, start, start.saturating_add(HORIZON_MS), |from, to| {
            if left <= to - from {
                due = Some(from + left);
                return false;
            }
            left -= to - from;
            true
        });
    }
    u64::try_from(due?).ok().map(Timestamp)
}

/// Working milliseconds between two moments.
pub(super) fn working_ms(calendar: &Calendar, from: Timestamp, to: Timestamp) -> u64 {
    let (Some(from), Some(to)) = (instant(from), instant(to)) else { return 0 };
    let mut sum = 0;
    spans(calendar, from.as_millisecond(), to.as_millisecond(), |from, to| {
        sum += to - from;
        true
    });
    u64::try_from(sum).unwrap_or_default()
}

/// Tells every open span between two moments, in order, until `tell` has enough.
fn spans(calendar: &Calendar, from: i64, to: i64, mut tell: impl FnMut(i64, i64) -> bool) {
    let mut at = from;
    while at < to {
        let Ok(instant) = Instant::from_millisecond(at) else { return };
        let offset = offset_ms(&calendar.zone, instant);
        let change = calendar.zone.following(instant).find(|change| offset_ms(&calendar.zone, change.timestamp()) != offset);
        // Offsets change at whole seconds.
        let end = change.map_or(to, |change| change.timestamp().as_millisecond().min(to));
        if !stretch(calendar, at, end, offset, &mut tell) {
            return;
        }
        at = end;
    }
}

/// The open spans of a stretch of one offset; whether more are wanted.
fn stretch(calendar: &Calendar, from: i64, to: i64, offset: i64, tell: &mut impl FnMut(i64, i64) -> bool) -> bool {
    let Some((mut date, since_midnight)) = wall(from + offset) else { return false };
    let mut midnight = from - i64::from(since_midnight);
    while midnight < to {
        for Span { from: opens, to: closes } in calendar.spans(date) {
            let (opens, closes) = ((midnight + i64::from(*opens)).max(from), (midnight + i64::from(*closes)).min(to));
            if opens < closes && !tell(opens, closes) {
                return false;
            }
        }
        midnight += i64::from(DAY_MS);
        let Ok(next) = date.tomorrow() else { return false };
        date = next;
    }
    true
}

fn offset_ms(zone: &TimeZone, at: Instant) -> i64 {
    i64::from(zone.to_offset(at).seconds()) * 1_000
}

/// Local milliseconds since 1970 as a day and a time.
fn wall(local_ms: i64) -> Option<(Date, u32)> {
    let day = i64::from(DAY_MS);
    // The day is the one of UTC once the offset is in the number.
    let midnight = Instant::from_millisecond(local_ms.div_euclid(day) * day).ok()?;
    Some((TimeZone::UTC.to_datetime(midnight).date(), u32::try_from(local_ms.rem_euclid(day)).ok()?))
}

fn instant(at: Timestamp) -> Option<Instant> {
    Instant::from_millisecond(i64::try_from(at.0).ok()?).ok()
}
