//! The admin's two tables as they are written: the rows of the routing table, and the red flags.
//!
//! Plain data; `config` checks it, `decide` reads it.

use serde::Deserialize;

use crate::learned::Matter;
use crate::names::{Alarm, Clock, Consent, Feeling, Seen, Step, Touch};

/// One row of the routing table: the first that fits wins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) when: When,
    pub(crate) then: Then,
}

/// All that is given must hold; an empty list asks nothing. A fact that is unknown never fits.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct When {
    pub(crate) category: Vec<String>,
    pub(crate) intent: Vec<String>,
    pub(crate) sentiment: Vec<Feeling>,
    pub(crate) at_most: Option<Feeling>,
    pub(crate) signals: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) crisis: Option<Alarm>,
    pub(crate) vip: Option<bool>,
    pub(crate) verified: Option<bool>,
    pub(crate) min_followers: Option<u64>,
    pub(crate) networks: Vec<String>,
    pub(crate) kinds: Vec<String>,
    pub(crate) visibility: Vec<Seen>,
    /// The model thinks it at least so likely that a person would escalate it.
    pub(crate) likely: Option<f32>,
}

/// What a row does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Then {
    pub(crate) queue: Option<String>,
    pub(crate) skill: Option<String>,
    pub(crate) on_call: Option<String>,
    pub(crate) level: u8,
    pub(crate) audience: Vec<String>,
    /// Settles the priority: words and reach then change nothing.
    pub(crate) priority: Option<Step>,
    pub(crate) urgency: Option<Step>,
    pub(crate) impact: Option<Step>,
    pub(crate) alert: Option<AlertTo>,
    pub(crate) sla: Vec<Sla>,
    pub(crate) note: Option<String>,
    pub(crate) mark: Vec<String>,
    pub(crate) moderate: Option<Touch>,
    pub(crate) reply: Option<Draft>,
    pub(crate) approval: Option<Consent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertTo {
    pub(crate) audience: String,
    pub(crate) level: Step,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sla {
    pub(crate) clock: Clock,
    pub(crate) target_seconds: u32,
    #[serde(default)]
    pub(crate) calendar: Option<String>,
}

/// Which of the drafts a row offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Draft {
    Thanks,
}

/// Words and earlier signals that always apply, on top of the row.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RedFlag {
    pub(crate) id: String,
    pub(crate) words: Vec<String>,
    pub(crate) signals: Vec<String>,
    pub(crate) level: u8,
    pub(crate) audience: Vec<String>,
    pub(crate) priority: Option<Step>,
    pub(crate) alert: Option<Step>,
    pub(crate) note: Option<String>,
    /// Not raised, whatever its words, where the model thinks it less likely than this that a person would escalate it.
    pub(crate) least: f32,
    /// Words that hint at it: they raise it where the model thinks an escalation at least `hinted` likely.
    pub(crate) hints: Vec<String>,
    #[serde(default = "half")]
    pub(crate) hinted: f32,
    /// Counts even when denied or supposed.
    pub(crate) cautious: bool,
    /// Raised also where the model is at least so `sure` of this matter.
    pub(crate) learned: Option<Matter>,
    /// 0.0 ..= 1.0
    #[serde(default = "half")]
    pub(crate) sure: f32,
}

fn half() -> f32 {
    0.5
}
