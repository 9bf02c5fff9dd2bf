//! A time zone by name, for days as people count them.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::event::Timestamp;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of an IANA name.
    ///
    /// # Errors
    /// A sentence when there is none of that name.
    pub fn named(name: &str) -> Result<Self, String> {
        TimeZone::get(name).map(Self).map_err(|_| {
            let name: String = name.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            format!("`{name}` is no time zone; write an IANA name such as \"Europe/Berlin\" or \"UTC\"")
        })
    }

    /// The beginning of the day in which a moment lies.
    pub fn day(&self, at: Timestamp) -> Timestamp {
        let start = || {
            let at = jiff::Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
            let day = at.to_zoned(self.0.clone()).start_of_day().ok()?;
            u64::try_from(day.timestamp().as_millisecond()).ok()
        };
        start().map_or(at, Timestamp)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::named(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["UTC", "Europe/Berlin"], "description": "The IANA name of a time zone, such as `Europe/Berlin`." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_the_wall_clock_says_also_when_it_has_23_hours() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let day = |zone: &Zone, at: &str| zone.day(Timestamp::parse(at).unwrap()).to_string();
        assert_eq!(day(&berlin, "2026-03-29T00:30:00Z"), "2026-03-28T23:00:00.000Z");
        assert_eq!(day(&berlin, "2026-03-29T21:59:00Z"), "2026-03-28T23:00:00.000Z");
        assert_eq!(day(&berlin, "2026-03-29T22:00:00Z"), "2026-03-29T22:00:00.000Z");
        assert_eq!(day(&Zone::default(), "2026-03-29T21:59:00Z"), "2026-03-29T00:00:00.000Z");
        assert!(Zone::named("Berlin").unwrap_err().contains("`Berlin`"));
    }
}
