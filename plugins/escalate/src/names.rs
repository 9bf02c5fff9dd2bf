//! The contract's enums as a config names them: snake case, ordered from mild to strict.

use serde::Deserialize;
use signalbox_sdk::{Approval, Crisis, Level, Moderation, SentimentLabel, SlaClock, Visibility};

macro_rules! named {
    ($name:ident for $of:ident { $($case:ident),* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($case),* }

        impl From<$name> for $of {
            fn from(name: $name) -> Self {
                match name { $($name::$case => $of::$case),* }
            }
        }
    };
    ($name:ident is $of:ident { $($case:ident),* }) => {
        named!($name for $of { $($case),* });

        impl From<$of> for $name {
            fn from(of: $of) -> Self {
                match of { $($of::$case => $name::$case),* }
            }
        }
    };
}

named!(Step is Level { Low, Normal, High, Critical });
named!(Feeling is SentimentLabel { VeryNegative, Negative, Neutral, Positive, VeryPositive });
named!(Alarm is Crisis { None, Watch, Likely, Confirmed });
named!(Seen is Visibility { Public, Followers, Private, Unknown });
named!(Clock for SlaClock { FirstResponse, NextResponse, Resolution });
// What deletes or blocks is not for a table: it is a person's act.
named!(Touch for Moderation { Ignore, Hide, MarkSpam });
// Never `none`: a drafted reply waits for a person.
named!(Consent for Approval { Agent, Supervisor, Pr });

pub(crate) const STEPS: [Step; 4] = [Step::Low, Step::Normal, Step::High, Step::Critical];

impl Step {
    pub(crate) fn up(self) -> Self {
        STEPS[(self as usize + 1).min(3)]
    }

    pub(crate) fn down(self) -> Self {
        STEPS[(self as usize).saturating_sub(1)]
    }

    pub(crate) fn name(self) -> &'static str {
        ["low", "normal", "high", "critical"][self as usize]
    }
}

impl Feeling {
    pub(crate) fn name(self) -> &'static str {
        ["very_negative", "negative", "neutral", "positive", "very_positive"][self as usize]
    }
}

impl Seen {
    pub(crate) fn name(self) -> &'static str {
        ["public", "followers", "private", "unknown"][self as usize]
    }
}
