//! The rows of each report. A row's keys are its columns, in this order.

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::Timestamp;
use crate::verdict::SlaClock;

/// A row of a report.
pub trait Row: Serialize {
    /// Its keys, in order.
    const COLUMNS: &'static [&'static str];
}

/// Messages of one point that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VolumeRow {
    /// Beginning of the point.
    pub at: Timestamp,
    /// The network, category, sentiment, priority or source; `none` where there is none, `(more)` for what is rare.
    pub name: String,
    /// How many. A message that is decided again because a clock came due counts once.
    pub messages: u64,
}

impl Row for VolumeRow {
    const COLUMNS: &'static [&'static str] = &["at", "name", "messages"];
}

/// What became of the clocks of one kind, in one point: what happened in it, whenever they were started.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServiceLevelRow {
    /// Beginning of the point.
    pub at: Timestamp,
    /// What they measure.
    pub clock: SlaClock,
    /// Started.
    pub started: u64,
    /// Answered in time.
    pub met: u64,
    /// Ran out of time.
    pub breached: u64,
    /// Warned.
    pub warned: u64,
    /// Ended without an answer, before their time.
    pub closed: u64,
    /// Answered after they had breached.
    pub late: u64,
    /// The met ones among those that were met or breached, 0.0 to 1.0.
    pub met_share: Option<f64>,
    /// Working seconds up to the answer, mean of the met ones.
    pub mean_seconds: Option<u64>,
    /// Seconds from the breach to the answer, mean of the late ones.
    pub mean_late_seconds: Option<u64>,
}

impl Row for ServiceLevelRow {
    const COLUMNS: &'static [&'static str] =
        &["at", "clock", "started", "met", "breached", "warned", "closed", "late", "met_share", "mean_seconds", "mean_late_seconds"];
}

/// Decisions of one point that were escalated alike. A message that is decided again because a clock came due is escalated again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EscalationRow {
    /// Beginning of the point.
    pub at: Timestamp,
    /// `level` or `audience`: a decision has one level, and may have several audiences.
    pub by: &'static str,
    /// 1 to 4, or whom.
    pub name: String,
    /// How many.
    pub decisions: u64,
}

impl Row for EscalationRow {
    const COLUMNS: &'static [&'static str] = &["at", "by", "name", "decisions"];
}

/// An hour with more than usual.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SpikeRow {
    /// Its beginning.
    pub at: Timestamp,
    /// Of what there was more: `messages`, or `negative` ones.
    pub of: &'static str,
    /// How many there were.
    pub messages: u64,
    /// How many there are usually at this hour.
    pub usual: f64,
    /// How many times the usual; null where there usually are none.
    pub times: Option<f64>,
    /// The category that rose most.
    pub category: Option<String>,
    /// How many messages of that.
    pub category_messages: Option<u64>,
    /// The network that rose most.
    pub network: Option<String>,
    /// How many messages from there.
    pub network_messages: Option<u64>,
}

impl Row for SpikeRow {
    const COLUMNS: &'static [&'static str] =
        &["at", "of", "messages", "usual", "times", "category", "category_messages", "network", "network_messages"];
}

/// What one step did and cost.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleRow {
    /// The chain.
    pub chain: String,
    /// The step.
    pub step: String,
    /// How often it was called.
    pub runs: u64,
    /// How often it changed something, or would have where it had no say.
    pub acted: u64,
    /// The part of its runs in which it acted, 0.0 to 1.0.
    pub hit_share: Option<f64>,
    /// How often it said that the event was none of its kind.
    pub not_applicable: u64,
    /// How often it was not asked: an earlier step had ended the chain.
    pub skipped: u64,
    /// How often it misbehaved.
    pub faults: u64,
    /// How often it was left out for that.
    pub quarantined: u64,
    /// How often it had no say.
    pub shadow: u64,
    /// Microseconds of a run, mean.
    pub mean_micros: Option<u64>,
    /// Fuel of a run, mean.
    pub mean_fuel: Option<u64>,
}

impl Row for RuleRow {
    const COLUMNS: &'static [&'static str] = &[
        "chain",
        "step",
        "runs",
        "acted",
        "hit_share",
        "not_applicable",
        "skipped",
        "faults",
        "quarantined",
        "shadow",
        "mean_micros",
        "mean_fuel",
    ];
}

/// A rule that had something to say.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReasonRow {
    /// What it set: a JSON Pointer into the decision.
    pub field: String,
    /// The step.
    pub step: String,
    /// The rule, row or model of it; empty where it names none.
    pub rule: String,
    /// How often.
    pub times: u64,
    /// The part of everything that was set in this field, 0.0 to 1.0.
    pub share: Option<f64>,
}

impl Row for ReasonRow {
    const COLUMNS: &'static [&'static str] = &["field", "step", "rule", "times", "share"];
}

/// How often the desk's people agreed with one rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgreementRow {
    /// `category`, `priority` or `queue`.
    pub field: &'static str,
    /// The step that had the last word; empty where none had one.
    pub step: String,
    /// Its rule.
    pub rule: String,
    /// Decisions whose tickets showed a value that somebody had left or chosen.
    pub seen: u64,
    /// Of those, with the decision's own value.
    pub agreed: u64,
    /// With another.
    pub corrected: u64,
    /// `agreed` of `seen`, 0.0 to 1.0.
    pub share: Option<f64>,
}

impl Row for AgreementRow {
    const COLUMNS: &'static [&'static str] = &["field", "step", "rule", "seen", "agreed", "corrected", "share"];
}

/// What the desk's people made of what a rule had said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CorrectionRow {
    /// `category`, `priority` or `queue`.
    pub field: &'static str,
    /// The step that had the last word.
    pub step: String,
    /// Its rule.
    pub rule: String,
    /// What was decided.
    pub decided: String,
    /// What the ticket had then.
    pub corrected_to: String,
    /// How often.
    pub times: u64,
}

impl Row for CorrectionRow {
    const COLUMNS: &'static [&'static str] = &["field", "step", "rule", "decided", "corrected_to", "times"];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns<R: Row + JsonSchema>() {
        let schema = schemars::schema_for!(R).to_value();
        let keys: std::collections::BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, R::COLUMNS.iter().copied().collect(), "{}", std::any::type_name::<R>());
        assert_eq!(keys.len(), R::COLUMNS.len());
    }

    #[test]
    fn every_key_of_a_row_is_a_column() {
        columns::<VolumeRow>();
        columns::<ServiceLevelRow>();
        columns::<EscalationRow>();
        columns::<SpikeRow>();
        columns::<RuleRow>();
        columns::<ReasonRow>();
        columns::<AgreementRow>();
        columns::<CorrectionRow>();
    }
}
