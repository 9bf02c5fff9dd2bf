//! What a decision says of a field, in one word with a confidence. Pure.

use serde::Serialize;

use crate::decision::Decision;
use crate::verdict::{Crisis, Level, Moderation};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Field {
    /// The five steps, folded to three when the labels are three
    Sentiment,
    /// The category's key
    Category,
    /// What the author wants
    Intent,
    /// The language's BCP 47 tag
    Language,
    /// low to critical; yes is at least high
    Urgency,
    /// The level; yes is at least 1
    #[value(alias = "escalate")]
    Escalation,
    /// none to confirmed; yes is at least watch
    Crisis,
    /// What to do with the message; yes is anything but ignoring it
    Moderation,
    /// yes when it is to be hidden, deleted or its author blocked, or tagged or marked `abuse`
    #[value(alias = "offensive")]
    Abuse,
    /// yes when the sentiment has the signal `sarcasm`
    #[value(alias = "irony")]
    Sarcasm,
}

/// One word on a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The decision's value; absent when nothing was said.
    pub(super) value: Option<String>,
    /// The same as yes or no, for fields that can be asked so.
    pub(super) yes: Option<bool>,
    /// 0.0 ..= 1.0.
    pub(super) confidence: Option<f64>,
}

impl Field {
    /// The bundled rules that are measured when no plugin and no config is named: the one that judges the field, or the whole
    /// chain for what several decide together.
    pub(super) fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Sentiment | Self::Sarcasm => &["sentiment"],
            Self::Category | Self::Intent => &["categorize"],
            Self::Urgency => &["urgency"],
            Self::Abuse | Self::Moderation => &["guard"],
            Self::Language => &["language"],
            Self::Escalation | Self::Crisis => &["categorize", "sentiment", "urgency", "guard", "escalate"],
        }
    }

    /// As it is typed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sentiment => "sentiment",
            Self::Category => "category",
            Self::Intent => "intent",
            Self::Language => "language",
            Self::Urgency => "urgency",
            Self::Escalation => "escalation",
            Self::Crisis => "crisis",
            Self::Moderation => "moderation",
            Self::Abuse => "abuse",
            Self::Sarcasm => "sarcasm",
        }
    }

    /// Every value it can have; empty when only the plugin knows.
    pub(super) fn values(self) -> &'static [&'static str] {
        match self {
            Self::Sentiment => &["very-negative", "negative", "neutral", "positive", "very-positive"],
            Self::Category | Self::Intent | Self::Language => &[],
            Self::Urgency => &["low", "normal", "high", "critical"],
            Self::Escalation => &["0", "1", "2", "3", "4"],
            Self::Crisis => &["none", "watch", "likely", "confirmed"],
            Self::Moderation => &["none", "ignore", "hide", "mark-spam", "delete", "block-author"],
            Self::Abuse | Self::Sarcasm => &["no", "yes"],
        }
    }

    /// Which of its values are a yes; empty when it cannot be asked so.
    pub(super) fn yes_values(self) -> &'static [&'static str] {
        match self {
            Self::Sentiment | Self::Category | Self::Intent | Self::Language => &[],
            Self::Urgency => &["high", "critical"],
            Self::Escalation => &["1", "2", "3", "4"],
            Self::Crisis => &["watch", "likely", "confirmed"],
            Self::Moderation => &["hide", "mark-spam", "delete", "block-author"],
            Self::Abuse | Self::Sarcasm => &["yes"],
        }
    }

    /// What the decision says.
    pub(super) fn said(self, decision: &Decision) -> Said {
        let sure = |key: &str| decision.confidence.get(key).map(|sure| f64::from(*sure));
        match self {
            Self::Sentiment => {
                Said { value: decision.sentiment.as_ref().map(|said| word(&said.label)), yes: None, confidence: sure("sentiment") }
            }
            Self::Category => Said { value: Some(decision.category.key.clone()), yes: None, confidence: sure("category") },
            Self::Intent => Said { value: decision.intent.clone(), yes: None, confidence: sure("intent") },
            Self::Language => Said { value: decision.language.clone(), yes: None, confidence: sure("language") },
            Self::Urgency => Said {
                value: decision.urgency.map(|level| word(&level)),
                yes: Some(decision.urgency.is_some_and(|level| level >= Level::High)),
                confidence: sure("urgency"),
            },
            Self::Escalation => {
                let level = decision.escalation.level;
                let confidence = sure("escalation").or_else(|| loudest(decision, |change| change.field == "/escalation"));
                Said { value: Some(level.to_string()), yes: Some(level >= 1), confidence }
            }
            Self::Crisis => {
                Said { value: Some(word(&decision.crisis)), yes: Some(decision.crisis > Crisis::None), confidence: sure("crisis") }
            }
            Self::Moderation => {
                let action = decision.moderation.as_ref().map(|moderation| moderation.action);
                Said {
                    value: Some(action.map_or("none".to_owned(), |action| word(&action))),
                    yes: Some(action.is_some_and(|action| action != Moderation::Ignore)),
                    confidence: sure("moderation").or_else(|| loudest(decision, |change| change.field == "/moderation")),
                }
            }
            Self::Abuse => {
                let action = decision.moderation.as_ref().map(|moderation| moderation.action);
                let acted = matches!(action, Some(Moderation::Hide | Moderation::Delete | Moderation::BlockAuthor));
                let named = decision.tags.add.iter().chain(&decision.marks).any(|name| name == "abuse");
                let confidence = loudest(decision, |change| change.field == "/moderation" || change.to == "abuse");
                yes_or_no(acted || named, confidence)
            }
            Self::Sarcasm => {
                let yes = decision.sentiment.as_ref().is_some_and(|said| said.signals.iter().any(|signal| signal == "sarcasm"));
                yes_or_no(yes, None)
            }
        }
    }
}

fn yes_or_no(yes: bool, confidence: Option<f64>) -> Said {
    Said { value: Some(if yes { "yes" } else { "no" }.to_owned()), yes: Some(yes), confidence }
}

/// The greatest confidence among the changes that speak of something.
fn loudest(decision: &Decision, speaks: impl Fn(&crate::decision::Change) -> bool) -> Option<f64> {
    let changes = decision.trace.iter().flat_map(|step| &step.set).filter(|change| speaks(change));
    changes.map(|change| f64::from(change.confidence)).reduce(f64::max)
}

/// A unit enum as its JSON word.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
