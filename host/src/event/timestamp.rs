//! A moment: milliseconds since 1970, RFC 3339 in JSON.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC. JSON: RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Reads RFC 3339 with any offset, to the millisecond.
    ///
    /// # Errors
    /// A sentence when it is not RFC 3339 or lies before 1970.
    pub fn parse(text: &str) -> Result<Self, String> {
        let time: jiff::Timestamp =
            text.parse().map_err(|_| format!("`{}` is not an RFC 3339 time such as 2026-11-01T09:00:00Z", excerpt(text)))?;
        u64::try_from(time.as_millisecond()).map(Self).map_err(|_| format!("`{}` lies before 1970", excerpt(text)))
    }
}

impl Timestamp {
    /// Whole seconds since the Unix epoch.
    pub fn seconds(self) -> u64 {
        self.0 / 1_000
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(time) => write!(f, "{time:.3}"),
            None => f.write_str("9999-12-30T22:00:00.000Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            // Nothing before 1970 is taken; with its offset, the first year of it may be.
            "pattern": "^(197[1-9]|19[89][0-9]|[2-9][0-9]{3})-",
            "description": "RFC 3339, UTC, to the millisecond; not before 1970."
        })
    }
}

/// The beginning of a foreign text, safe to show in a message.
fn excerpt(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_bad_ones_are_refused() {
        assert_eq!(Timestamp::parse("2026-11-01T10:00:00+01:00").unwrap().to_string(), "2026-11-01T09:00:00.000Z");
        for bad in ["2026-02-30T00:00:00Z", "0000-00-00T00:00:00Z", "1793000000", "1969-12-31T23:59:59Z", ""] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }
}
