//! The week of a calendar: as it is written ("09:00-17:30"), and as milliseconds of the wall clock.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CalendarError;

/// A day on the wall clock, milliseconds: its hands know no leap seconds and no summer time.
pub(super) const DAY_MS: u32 = 86_400_000;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// An open time: from its first millisecond to before its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Span {
    pub(super) fn holds(&self, time: u32) -> bool {
        (self.from..self.to).contains(&time)
    }
}

/// Open times of each day, Monday first, in order and apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Week([Vec<Span>; 7]);

/// A whole day.
const WHOLE: Span = Span { from: 0, to: DAY_MS };

impl Week {
    /// Every day, all day.
    pub(super) fn always() -> Self {
        Self(std::array::from_fn(|_| vec![WHOLE]))
    }

    pub(super) fn read(hours: &BTreeMap<Weekday, Vec<String>>) -> Result<Self, CalendarError> {
        let mut week: [Vec<Span>; 7] = Default::default();
        for (day, written) in hours {
            let place = format!("/hours/{}", serde_json::to_value(day).ok().as_ref().and_then(|day| day.as_str()).unwrap_or_default());
            let mut spans = written
                .iter()
                .enumerate()
                .map(|(at, text)| span(text).map_err(|problem| CalendarError::at(format!("{place}/{at}"), problem)))
                .collect::<Result<Vec<_>, _>>()?;
            spans.sort();
            if let Some(pair) = spans.windows(2).find(|pair| pair[1].from < pair[0].to) {
                let problem = format!("has two times that overlap at {}; write them as one", time(pair[1].from));
                return Err(CalendarError::at(place, problem));
            }
            week[*day as usize] = spans;
        }
        if week.iter().all(Vec::is_empty) {
            return Err(CalendarError::at("/hours", "has no open time at all; leave it out for a calendar that is open around the clock"));
        }
        Ok(Self(week))
    }

    pub(super) fn on(&self, day: jiff::civil::Weekday) -> &[Span] {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        &self.0[at]
    }
}

/// `09:00-17:30`; the end may be `24:00`.
fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("is `{}`; write two times of one day such as \"09:00-17:30\"", excerpt(text));
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (moment(from.trim()).ok_or_else(wrong)?, moment(to.trim()).ok_or_else(wrong)?);
    if from >= to {
        return Err(format!(
            "is `{}`, whose end is not after its beginning; a night is two times, one up to 24:00 and one of the next day",
            excerpt(text)
        ));
    }
    Ok(Span { from, to })
}

fn moment(text: &str) -> Option<u32> {
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u32>().ok()).flatten();
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let ms = (hours * 60 + minutes) * 60_000;
    (minutes < 60 && ms <= DAY_MS).then_some(ms)
}

fn time(ms: u32) -> String {
    format!("{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60)
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
