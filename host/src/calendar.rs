//! Business calendars: when somebody is there to answer, and when so many working seconds will have passed.
//!
//! An admin keeps calendars by name ([`Spec`]); [`Calendars`] has them in memory, for the clocks of service levels and for rules that ask.
//! A calendar is open while the clock on the wall in its time zone shows an open time, and nothing else: an hour that the wall clock
//! leaves out in spring is no working time, one that it shows twice in autumn counts twice. Pure: time is a value.
//!
//! - `hours.rs`: the week, as it is written and as seconds.
//! - `walk.rs`: open spans on the line of time, exact across changes of the zone's offset.
//! - `ical.rs`: holidays out of an iCalendar file.
//! - `zone.rs`: a time zone, for days.

mod hours;
mod ical;
#[cfg(test)]
mod tests;
mod walk;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use hours::Weekday;
pub use ical::holidays;
pub use zone::Zone;

use crate::event::Timestamp;
use hours::{Span, Week};

/// Most holidays of one calendar: twenty years of a country's, with room.
pub const MAX_HOLIDAYS: usize = 1_000;
/// Longest name of a calendar or a holiday, characters.
const MAX_NAME_CHARS: usize = 100;

/// A calendar, as an admin writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Calendar")]
pub struct Spec {
    /// The IANA name of its time zone, such as "Europe/Berlin".
    pub time_zone: String,
    /// Open times by day of the week, such as "09:00-17:30"; a day that is not there is closed. Without `hours` it is open around the
    /// clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<BTreeMap<Weekday, Vec<String>>>,
    /// Days on which it stays closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_HOLIDAYS))]
    pub holidays: Vec<Holiday>,
}

impl Spec {
    /// Reads a calendar file.
    ///
    /// # Errors
    /// A sentence with the line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

/// A day off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The day, such as "2026-12-25".
    pub date: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Every year from then on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_year: bool,
}

/// What is wrong with a calendar, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pointer}` {problem}")]
pub struct CalendarError {
    /// A JSON Pointer into the [`Spec`].
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl CalendarError {
    fn at(pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), problem: problem.into() }
    }
}

/// A calendar, ready to be asked.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// Open around the clock, but for holidays.
    always: bool,
    week: Week,
    holidays: BTreeSet<Date>,
    /// Month and day, and the first year.
    yearly: BTreeMap<(i8, i8), i16>,
}

impl Calendar {
    /// Reads what an admin wrote.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn new(spec: &Spec) -> Result<Self, CalendarError> {
        let zone = TimeZone::get(&spec.time_zone).map_err(|_| {
            let problem =
                format!("is `{}`, which is no time zone; write an IANA name such as \"Europe/Berlin\" or \"UTC\"", spec.time_zone);
            CalendarError::at("/time_zone", problem)
        })?;
        let week = spec.hours.as_ref().map_or_else(|| Ok(Week::always()), Week::read)?;
        if spec.holidays.len() > MAX_HOLIDAYS {
            let problem = format!("has {} days; at most {MAX_HOLIDAYS} are kept", spec.holidays.len());
            return Err(CalendarError::at("/holidays", problem));
        }
        let (mut holidays, mut yearly) = (BTreeSet::new(), BTreeMap::new());
        for (at, holiday) in spec.holidays.iter().enumerate() {
            let date: Date = holiday
                .date
                .parse()
                .ok()
                .filter(|date: &Date| date.to_string() == holiday.date)
                .ok_or_else(|| CalendarError::at(format!("/holidays/{at}/date"), "is no day; write one such as \"2026-12-25\""))?;
            if holiday.name.chars().count() > MAX_NAME_CHARS || holiday.name.chars().any(char::is_control) {
                let problem = format!("is no name; write at most {MAX_NAME_CHARS} plain characters");
                return Err(CalendarError::at(format!("/holidays/{at}/name"), problem));
            }
            if holiday.every_year {
                let first = yearly.entry((date.month(), date.day())).or_insert_with(|| date.year());
                *first = (*first).min(date.year());
            } else {
                holidays.insert(date);
            }
        }
        Ok(Self { zone, always: spec.hours.is_none(), week, holidays, yearly })
    }

    /// Whether it is open at a moment.
    pub fn open_at(&self, at: Timestamp) -> bool {
        let Some((date, time)) = walk::on_the_wall(&self.zone, at) else { return false };
        self.spans(date).iter().any(|span| span.holds(time))
    }

    /// The moment at which so many working seconds have passed since `start`; nothing when that is more than forty years away.
    pub fn due_at(&self, start: Timestamp, working_seconds: u64) -> Option<Timestamp> {
        self.due_after(start, working_seconds.saturating_mul(1_000))
    }

    /// The same in milliseconds: what a clock has left when it goes on after a pause is seldom whole seconds.
    pub fn due_after(&self, start: Timestamp, working_ms: u64) -> Option<Timestamp> {
        if self.is_always_open() {
            return start.0.checked_add(working_ms).map(Timestamp).filter(|due| walk::is_reachable(*due));
        }
        walk::due(self, start, working_ms)
    }

    /// Working milliseconds between two moments; none when `to` is not after `from`.
    pub fn working_ms(&self, from: Timestamp, to: Timestamp) -> u64 {
        if self.is_always_open() {
            return to.0.saturating_sub(from.0);
        }
        walk::working_ms(self, from, to)
    }

    fn is_always_open(&self) -> bool {
        self.always && self.holidays.is_empty() && self.yearly.is_empty()
    }

    /// The open times of a day, in milliseconds of its wall clock.
    fn spans(&self, date: Date) -> &[Span] {
        let yearly = self.yearly.get(&(date.month(), date.day())).is_some_and(|first| *first <= date.year());
        if yearly || self.holidays.contains(&date) { &[] } else { self.week.on(date.weekday()) }
    }
}

/// Whether a text can be a calendar's name.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

/// Every calendar of the host, by name. Clones share one; a look-up takes no more than a lock's time.
#[derive(Clone, Debug, Default)]
pub struct Calendars(Arc<RwLock<BTreeMap<String, Arc<Calendar>>>>);

impl Calendars {
    /// The calendar of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Calendar>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Puts a calendar in the place of an earlier one of this name.
    pub fn put(&self, name: String, calendar: Calendar) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(calendar));
    }

    /// Takes a calendar away.
    pub fn remove(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
