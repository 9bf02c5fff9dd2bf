//! Moments as tables write them: RFC 3339 in UTC, or seconds since 1970. Pure.

use signalbox_sdk::AttributeValue;
use signalbox_sdk::lookup::Row;

/// A column as milliseconds since 1970. Anything else is unknown.
pub(crate) fn of(row: &Row, column: &str) -> Option<u64> {
    match row.get(column)? {
        AttributeValue::Integer(seconds) => u64::try_from(*seconds).ok()?.checked_mul(1_000),
        AttributeValue::Text(text) => read(text),
        _ => None,
    }
}

/// `2026-01-02T09:00:00Z`; seconds may be left out, and parts of them are not read.
fn read(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers =
        |text: &str, mark: char| text.split(mark).map(|part| part.split('.').next()?.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let ([year, month, day], [hour, minute, rest @ ..]) = (date.as_slice(), time.as_slice()) else { return None };
    if !(1970..=9999).contains(year) || !(1..=12).contains(month) || !(1..=31).contains(day) || *hour > 23 || *minute > 59 {
        return None;
    }
    // Days since 1970, years counted from March so that a leap day is the last of its year.
    let (y, m) = if *month > 2 { (*year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    let seconds = days.checked_sub(719_468)? * 86_400 + hour * 3_600 + minute * 60 + rest.first().copied().unwrap_or(0);
    Some(seconds * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_other_texts_are_not() {
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read("2026-01-02T09:00:00.250Z"), Some(1_767_344_400_000));
        assert_eq!(read("2024-02-29T23:59Z"), Some(1_709_251_140_000));
        for text in ["09:00", "2026-13-01T00:00:00Z", "2026-01-02T09:00:00", "2026-01-02", "soon", "TZ"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
