//! The decision: what the chain has settled about one event, and the trace that says why.
//!
//! Holds the shapes only; `decision/merge.rs` holds the law by which proposals become a decision. Pure.

mod law;
mod merge;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use merge::{Applied, Draft, EffectSet, Terms};

use crate::event::Timestamp;
use crate::verdict::{
    Alert, Article, Assignment, Category, Crisis, Escalation, Evidence, Extension, Level, Link, Moderation, Reply, Sentiment, SetField,
    SlaTarget, TicketChange,
};

/// The category of an event that no plugin could place.
pub const OTHER: &str = "other";

/// What happened to one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It gave a verdict.
    Ran,
    /// It said that the event is outside what it judges.
    NotApplicable,
    /// It was not asked: an earlier step stopped the chain.
    Skipped,
    /// It used up its fuel.
    OutOfFuel,
    /// It used up its wall time, host calls included.
    TimedOut,
    /// It trapped.
    Trapped,
    /// It recursed past its stack.
    StackOverflow,
    /// It needed more memory than its budget.
    OutOfMemory,
    /// It called the host more often than its budget.
    TooManyCalls,
    /// Its answer was larger than its budget.
    OutputTooLarge,
    /// Its answer broke the contract's binary form.
    Malformed,
    /// It called something that it was not granted.
    Denied,
    /// It said that it failed.
    Failed,
    /// It was not asked: it had kept faulting, and is left out for a while.
    Quarantined,
}

impl Outcome {
    /// Whether the step misbehaved, so that the decision was made without it.
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Ran | Self::NotApplicable | Self::Skipped)
    }
}

/// One value that a step changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// JSON Pointer into the decision.
    pub field: String,
    /// What stood there before, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What stands there now.
    pub to: Value,
    /// The plugin's sentence.
    pub reason: String,
    /// The plugin's confidence, 0.0 ..= 1.0.
    pub confidence: f32,
    /// The rule, row or model that spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// The words or facts that spoke for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// A proposal, or a part of one, that the merge law did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The effect's case name.
    pub effect: String,
    /// Which law, and what would allow it.
    pub reason: String,
}

/// One line of a step's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// "trace", "debug", "info", "warn" or "error".
    pub severity: String,
    /// What the plugin said.
    pub message: String,
    /// What it attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<crate::event::Attribute>,
}

/// What one step did, for the admin who asks which rule did this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceEntry {
    /// The step's place in the chain, from 1.
    pub step: u32,
    /// The step's own name, where it is not the plugin's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// SHA-256 of the uploaded bytes, hex.
    pub digest: String,
    /// What happened to it.
    pub outcome: Outcome,
    /// Why, when it is not `ran`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// It ran in shadow: `set` is what it would have changed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shadow: bool,
    /// What it changed, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Change>,
    /// What the merge law did not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// Its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
    /// Log lines past the budget.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub log_dropped: u32,
    /// Wall time of the call, microseconds.
    pub micros: u64,
    /// Fuel used: the same for the same event, plugin and config.
    pub fuel: u64,
    /// Linear memory at the end of the call, bytes, all memories together.
    pub memory_bytes: u64,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Why a decision waits for a person before anything of it is written back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The step that faulted, whose `on_fault` is "hold".
    pub step: String,
    /// What happened to it.
    pub outcome: Outcome,
}

/// Tags to add to and to take from the ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagChanges {
    /// Tags to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Tags to take away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// What to do with the message where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModerationDecision {
    /// The action.
    pub action: Moderation,
    /// Whether a person must agree first: the step had no grant for it.
    pub needs_approval: bool,
}

/// Which event, chain and moment a decision belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// The decision's own id, sortable by time.
    pub id: String,
    /// The event's id.
    pub event_id: String,
    /// The event's revision.
    pub revision: u32,
    /// The source it came through.
    pub source: String,
    /// The chain that ran.
    pub chain: String,
    /// The generation that ran: changes whenever a plugin, a config or the order changes.
    pub generation: String,
    /// When it was decided.
    pub decided: Timestamp,
}

/// What a decision follows: a clock of an earlier one has come due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Follows {
    /// "sla-warning" or "sla-breach".
    pub trigger: String,
    /// "first-response", "next-response" or "resolution".
    pub clock: String,
    /// When the clock is, or was, due.
    pub due: Timestamp,
    /// The decision that started it.
    pub decision: String,
}

/// Everything the chain settled about one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Which event, chain and moment.
    #[serde(flatten)]
    pub head: Head,
    /// Why the event was decided again; absent when it was decided because it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// A step misbehaved and the event was decided without it.
    pub degraded: bool,
    /// Never absent: [`OTHER`] when nothing fits.
    pub category: Category,
    /// "question", "complaint", "praise", ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// BCP 47, as detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Absent when no step judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<Sentiment>,
    /// How soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    /// Both together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Level>,
    /// Whether it may be part of something bigger.
    pub crisis: Crisis,
    /// Confidence of each settled single value, by its key; 0.0 ..= 1.0.
    pub confidence: BTreeMap<String, f32>,
    /// Tags to add and to take away.
    pub tags: TagChanges,
    /// Who should work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    /// How far up it goes; level 0 is not at all.
    pub escalation: Escalation,
    /// Service levels, one per clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sla: Vec<SlaTarget>,
    /// Drafted answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<Reply>,
    /// Knowledge articles that may help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<Article>,
    /// Relations to records of the desk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What to do with the message itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderation: Option<ModerationDecision>,
    /// Who to tell now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// What to do with the ticket as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticket_changes: Vec<TicketChange>,
    /// Who should be told by the desk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<String>,
    /// Fields of the desk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<SetField>,
    /// Sentences for the agents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// "knowledge-candidate", "improvement-idea", ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Effects that have no case yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// It waits for a person: a step without which it must not be acted on has faulted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The plugin that ended the chain early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// What each step did, in order.
    pub trace: Vec<TraceEntry>,
}

/// An outcome's word, as it is in JSON.
pub fn word(outcome: Outcome) -> String {
    serde_json::to_value(outcome).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
