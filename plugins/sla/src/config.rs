//! What the admin can set: rows of targets, and the calendar of each network. Read once by `configure`.

use std::collections::BTreeMap;

use serde::Deserialize;
use signalbox_sdk::config::{problem, read_config, read_default};
use signalbox_sdk::{ConfigProblem, Level, SlaClock, Visibility};

/// What the table is without a config, as JSON.
pub(crate) const DEFAULTS: [(&str, &str); 1] = [("targets", include_str!("default/targets.json"))];
/// A year: what is longer is no target.
const LONGEST: u32 = 31_536_000;

/// The config as the admin writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    targets: Option<Vec<Target>>,
    calendars: BTreeMap<String, String>,
    calendar: Option<String>,
}

/// One row: for each clock, the first row that fits and has a time for it decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) when: When,
    #[serde(default)]
    pub(crate) first_response: Option<u32>,
    #[serde(default)]
    pub(crate) next_response: Option<u32>,
    #[serde(default)]
    pub(crate) resolution: Option<u32>,
    /// Overrides the network's and the general one; empty is around the clock.
    #[serde(default)]
    pub(crate) calendar: Option<String>,
    /// Nothing is promised: rows below are not looked at.
    #[serde(default)]
    pub(crate) none: bool,
}

impl Target {
    pub(crate) fn seconds(&self, clock: SlaClock) -> Option<u32> {
        match clock {
            SlaClock::FirstResponse => self.first_response,
            SlaClock::NextResponse => self.next_response,
            SlaClock::Resolution => self.resolution,
        }
    }
}

/// All that is given must hold; a fact that is unknown never does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) category: Vec<String>,
    pub(crate) priority: Vec<Step>,
    pub(crate) networks: Vec<String>,
    pub(crate) kinds: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) visibility: Vec<Seen>,
    pub(crate) vip: Option<bool>,
}

/// A step of the scale, as a config names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Low,
    Normal,
    High,
    Critical,
}

impl Step {
    pub(crate) fn of(level: Level) -> Self {
        [Self::Low, Self::Normal, Self::High, Self::Critical][level as usize]
    }

    pub(crate) fn name(self) -> &'static str {
        ["low", "normal", "high", "critical"][self as usize]
    }
}

/// Who can read it, as a config names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Seen {
    Public,
    Followers,
    Private,
}

impl Seen {
    pub(crate) fn of(visibility: Visibility) -> Option<Self> {
        match visibility {
            Visibility::Public => Some(Self::Public),
            Visibility::Followers => Some(Self::Followers),
            Visibility::Private => Some(Self::Private),
            Visibility::Unknown => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        ["public", "followers", "private"][self as usize]
    }
}

/// The checked config.
pub(crate) struct Tables {
    pub(crate) targets: Vec<Target>,
    calendars: BTreeMap<String, String>,
    calendar: Option<String>,
    /// Some row asks who wrote it.
    pub(crate) asks_author: bool,
}

impl Tables {
    /// Reads and checks a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let targets = config.targets.map_or_else(|| read_default(DEFAULTS[0].1), Ok)?;
        let mut problems = Vec::new();
        for (at, target) in targets.iter().enumerate() {
            let mut wrong = |place: &str, message: &str| problems.push(problem(&format!("/targets/{at}/{place}"), message));
            if target.id.is_empty() || targets[..at].iter().any(|other| other.id == target.id) {
                wrong("id", "empty or there twice: the trace names the row by it");
            }
            let times =
                [("first_response", target.first_response), ("next_response", target.next_response), ("resolution", target.resolution)];
            for (name, seconds) in times {
                if seconds.is_some_and(|seconds| !(1..=LONGEST).contains(&seconds)) {
                    wrong(name, "1 second to a year");
                }
            }
            if !target.none && times.iter().all(|(_, seconds)| seconds.is_none()) {
                wrong("first_response", "the row has no time: give one, or say `none`");
            }
            if target.none && times.iter().any(|(_, seconds)| seconds.is_some()) {
                wrong("none", "the row promises nothing and has a time: leave one of them out");
            }
        }
        let asks_author = targets.iter().any(|target| target.when.vip.is_some());
        if problems.is_empty() {
            Ok(Self { targets, calendars: config.calendars, calendar: config.calendar, asks_author })
        } else {
            Err(problems)
        }
    }

    /// The calendar of a row on a network; none is around the clock.
    pub(crate) fn calendar_of<'a>(&'a self, target: &'a Target, network: &str) -> Option<&'a str> {
        let given = target.calendar.as_deref().or_else(|| self.calendars.get(network).map(String::as_str)).or(self.calendar.as_deref());
        given.filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_their_place() {
        let paths = |config: &str| Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect::<Vec<_>>();
        assert_eq!(Tables::read("{}").map(|t| t.targets.len() > 3), Ok(true));
        assert_eq!(
            paths(
                r#"{"targets": [{"id": "a", "resolution": 0}, {"id": "a", "first_response": 5}, {"id": "b"}, {"id": "c", "none": true, "resolution": 9}]}"#
            ),
            ["/targets/0/resolution", "/targets/1/id", "/targets/2/first_response", "/targets/3/none"]
        );
        assert_eq!(paths(r#"{"targets": [{"id": "a", "when": {"priority": ["urgent"]}, "resolution": 5}]}"#), ["/targets/0"]);
        assert_eq!(paths(r#"{"calender": "x"}"#), ["/calender"]);
    }
}
