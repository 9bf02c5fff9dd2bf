//! Holidays out of an iCalendar file (RFC 5545): whole days, once or every year.
//!
//! It reads what public holiday calendars are made of and refuses the rest by name: a holiday that is silently not there costs a
//! promise to a customer. Other components (alarms, to-dos, time zones) and properties that do not move a day are passed over.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Holiday, MAX_HOLIDAYS, MAX_NAME_CHARS};

/// Longest row of days that one event may be: a company's summer closing, with room.
const MAX_DAYS: i32 = 366;

/// Properties that would move, add or take away days in ways that are not read here.
const REFUSED: [&str; 5] = ["RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DURATION"];

/// The holidays of a file, in order.
///
/// # Errors
/// The first thing that is not understood, with its event or line.
pub fn holidays(text: &str) -> Result<Vec<Holiday>, String> {
    let lines = unfolded(text);
    if !lines.iter().any(|(_, line)| line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("this is no iCalendar file: it has no line BEGIN:VCALENDAR".to_owned());
    }
    let (mut found, mut open, mut event) = (Vec::new(), Vec::<String>::new(), None);
    for (number, line) in lines {
        let Some((property, value)) = line.split_once(':') else {
            return Err(format!("line {number} is no iCalendar line: it has no `:`"));
        };
        let mut parts = property.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_uppercase();
        match name.as_str() {
            "BEGIN" => {
                open.push(value.trim().to_ascii_uppercase());
                if open.last().is_some_and(|component| component == "VEVENT") {
                    event = Some(Event { line: number, ..Event::default() });
                }
            }
            "END" => {
                if open.pop().is_none_or(|component| !component.eq_ignore_ascii_case(value.trim())) {
                    return Err(format!("line {number} ends what is not open"));
                }
                if value.trim().eq_ignore_ascii_case("VEVENT") {
                    found.extend(event.take().map(Event::days).transpose()?.unwrap_or_default());
                }
            }
            _ if open.last().is_some_and(|component| component == "VEVENT") => {
                if let Some(event) = &mut event {
                    event.read(&name, value.trim())?;
                }
            }
            _ => {}
        }
        if found.len() > MAX_HOLIDAYS {
            return Err(format!("the file has more than {MAX_HOLIDAYS} days"));
        }
    }
    if !open.is_empty() {
        return Err(format!("the file breaks off: {} is never ended", open.join(", ")));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Lines with their continuations, and the number at which each begins.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, line))) => line.push_str(more),
            _ if line.trim().is_empty() => {}
            _ => lines.push((at + 1, line.to_owned())),
        }
    }
    lines
}

#[derive(Default)]
struct Event {
    line: usize,
    summary: String,
    start: Option<String>,
    end: Option<String>,
    rule: Option<String>,
    cancelled: bool,
}

impl Event {
    fn read(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "SUMMARY" => self.summary = plain(value),
            "DTSTART" => self.start = Some(value.to_owned()),
            "DTEND" => self.end = Some(value.to_owned()),
            "RRULE" => self.rule = Some(value.to_ascii_uppercase()),
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            refused if REFUSED.contains(&refused) => {
                return Err(format!("{} has {refused}, which is not read; write its days one by one", self.named()));
            }
            _ => {}
        }
        Ok(())
    }

    fn named(&self) -> String {
        format!("the event \"{}\" (line {})", self.summary, self.line)
    }

    fn days(self) -> Result<Vec<Holiday>, String> {
        if self.cancelled {
            return Ok(Vec::new());
        }
        let day = |key: &str, text: &str| {
            date(text).ok_or_else(|| {
                format!("{} has the {key} `{text}`, which is no whole day; only days such as 20261225 are read", self.named())
            })
        };
        let start = self.start.as_deref().ok_or_else(|| format!("{} has no DTSTART", self.named()))?;
        let first = day("DTSTART", start)?;
        // The end is the first day after it; without one it is a single day.
        let end = self.end.as_deref().map(|text| day("DTEND", text)).transpose()?;
        let end = end.unwrap_or_else(|| first.saturating_add(1.day()));
        let length = first.until(end).map(|span| span.get_days()).unwrap_or_default().max(i32::from(end == first));
        if !(1..=MAX_DAYS).contains(&length) {
            return Err(format!("{} is {length} days long; 1 to {MAX_DAYS} are read", self.named()));
        }
        let years = self.rule.as_deref().map_or(Ok(Years::Once), |rule| {
            years(rule, first).ok_or_else(|| {
                format!("{} has the RRULE `{rule}`; only plain yearly ones are read, so write its days one by one", self.named())
            })
        })?;
        let days = (0..length).map(|more| first.saturating_add(more.days()));
        let holiday = |date: Date, every_year| Holiday { date: date.to_string(), name: self.summary.clone(), every_year };
        Ok(match years {
            Years::Once => days.map(|date| holiday(date, false)).collect(),
            Years::Ever => days.map(|date| holiday(date, true)).collect(),
            Years::Until(last) => {
                let same_day =
                    |year| days.clone().filter_map(move |date| Date::new(date.year() - first.year() + year, date.month(), date.day()).ok());
                (first.year()..=last.year()).flat_map(same_day).filter(|date| *date <= last).map(|date| holiday(date, false)).collect()
            }
        })
    }
}

enum Years {
    Once,
    Ever,
    Until(Date),
}

/// `FREQ=YEARLY` on the day of the event, for ever, up to a day, or so many times.
fn years(rule: &str, first: Date) -> Option<Years> {
    let (mut yearly, mut years) = (false, Years::Ever);
    for part in rule.split(';') {
        let (key, value) = part.split_once('=')?;
        match key {
            "FREQ" => yearly = value == "YEARLY",
            "INTERVAL" if value == "1" => {}
            "WKST" => {}
            "BYMONTH" if value.parse() == Ok(first.month()) => {}
            "BYMONTHDAY" if value.parse() == Ok(first.day()) => {}
            "UNTIL" => years = Years::Until(date(value.get(..8)?)?),
            "COUNT" => {
                let more = value.parse::<i16>().ok().filter(|count| (1..=100).contains(count))? - 1;
                years = Years::Until(Date::new(first.year().checked_add(more)?, 12, 31).ok()?);
            }
            _ => return None,
        }
    }
    yearly.then_some(years)
}

/// `20261225`.
fn date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok()
}

/// A text without its escapes, as one line.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => ' ',
                Some(other) => other,
            },
            c if c.is_control() => ' ',
            c => c,
        });
    }
    plain.trim().chars().take(MAX_NAME_CHARS).collect()
}
