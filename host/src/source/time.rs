//! Reads the times that desks and networks write, into the contract's UTC milliseconds.
//!
//! Called by the filters `rfc3339`, `unix`, `unix_ms` and `time`. Pure: it never reads a clock or the machine's zone; a time without an
//! offset is read with the one that the adapter gives.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde_json::Value;

use crate::event::Timestamp;

/// From here on a number counts milliseconds: as seconds the year 5138, as milliseconds 1973.
const SURELY_MILLISECONDS: u64 = 100_000_000_000;

/// Local forms. With slashes the month is first (ServiceNow's and X's home), with dots the day (Germany's and its neighbours').
const LOCAL: [&str; 7] = [
    "%Y-%m-%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%B %d, %Y %H:%M:%S",
    "%B %d, %Y, %H:%M",
];
/// Forms with an offset that are not RFC 3339: the first is X's.
const ZONED: [&str; 3] = ["%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z"];

/// A number of seconds since 1970, also as text; a fraction is kept to the millisecond.
pub(super) fn unix(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = whole(value) {
        return seconds.checked_mul(1_000).map(Timestamp);
    }
    let text = text(value)?;
    let (seconds, fraction) = text.split_once('.')?;
    let milliseconds = format!("{:0<3}", fraction.get(..3).unwrap_or(fraction));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    digits(fraction)?;
    Some(Timestamp(digits(seconds)?.checked_mul(1_000)?.checked_add(digits(&milliseconds)?)?))
}

/// A number of milliseconds since 1970, also as text.
pub(super) fn unix_ms(value: &Value) -> Option<Timestamp> {
    whole(value).map(Timestamp)
}

/// RFC 3339.
pub(super) fn rfc3339(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?.trim()).ok()
}

/// Whatever it looks like: a number by its size, then RFC 3339, then the known forms.
pub(super) fn guess(value: &Value, offset: Offset) -> Option<Timestamp> {
    if let Some(number) = whole(value) {
        return if number >= SURELY_MILLISECONDS { unix_ms(value) } else { unix(value) };
    }
    let text = value.as_str().unwrap_or_default().trim();
    let zoned = || ZONED.iter().find_map(|form| strtime::parse(form, text).ok()?.to_timestamp().ok());
    let local = || LOCAL.iter().find_map(|form| offset.to_timestamp(DateTime::strptime(form, text).ok()?).ok());
    rfc3339(value).or_else(|| unix(value)).or_else(|| u64::try_from(zoned().or_else(local)?.as_millisecond()).ok().map(Timestamp))
}

/// An adapter's `offset`, such as `+02:00`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let midnight = format!("1970-01-02T00:00:00{text}").parse::<jiff::Timestamp>().ok()?;
    let seconds = 86_400 - i32::try_from(midnight.as_second()).ok()?;
    Offset::from_seconds(seconds).ok()
}

fn whole(value: &Value) -> Option<u64> {
    let text = value.as_str().map(str::trim);
    value.as_u64().or_else(|| text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?.parse().ok())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(|text| text.trim().to_owned()).or_else(|| value.as_f64().map(|number| number.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn desks_write_times_in_many_ways() {
        for (value, wanted) in [
            (json!("2020-11-13T14:34:35.318Z"), "2020-11-13T14:34:35.318Z"),
            (json!("2025-01-08T10:12:07.672717030Z"), "2025-01-08T10:12:07.672Z"),
            (json!("2019-02-15T19:01:52.971-0800"), "2019-02-16T03:01:52.971Z"),
            (json!("Thu Nov 15 23:31:30 +0000 2018"), "2018-11-15T23:31:30.000Z"),
            (json!("Thu, 15 Nov 2018 23:31:30 +0100"), "2018-11-15T22:31:30.000Z"),
            (json!(1_743_174_783), "2025-03-28T15:13:03.000Z"),
            (json!(1_743_174_783.922), "2025-03-28T15:13:03.922Z"),
            (json!("1542324690116"), "2018-11-15T23:31:30.116Z"),
            (json!(1_550_286_113_023_u64), "2019-02-16T03:01:53.023Z"),
            (json!("12/13/2016 18:46:44"), "2016-12-13T16:46:44.000Z"),
            (json!("13.12.2016 18:46:44"), "2016-12-13T16:46:44.000Z"),
            (json!(" 2016-12-13 18:46:44 "), "2016-12-13T16:46:44.000Z"),
        ] {
            let read = guess(&value, offset("+02:00").unwrap()).unwrap_or_else(|| panic!("{value}"));
            assert_eq!(read.to_string(), wanted, "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for value in [
            json!(""),
            json!("soon"),
            json!("31/12/2016 18:46:44"),
            json!("2016-02-30 00:00:00"),
            json!(-5),
            json!(null),
            json!(true),
            json!([]),
        ] {
            assert_eq!(guess(&value, Offset::UTC), None, "{value}");
        }
        assert_eq!((unix(&json!("12.x")), unix(&json!(u64::MAX)), rfc3339(&json!(5))), (None, None, None));
        assert!(offset("+02:00").is_some() && offset("Z").is_some() && offset("CET").is_none());
    }
}
