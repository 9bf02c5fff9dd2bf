//! What a plugin may propose: effects, proposals, the verdict, and what the chain has settled so far.
//!
//! The host's own copy of the contract's types, so that nothing outside `plugin/` depends on generated code. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{AttributeValue, Timestamp, Visibility};

/// One category of the admin's taxonomy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// Stable over renames; "other" when nothing fits.
    pub key: String,
    /// From the broadest to the narrowest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// The five steps of sentiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SentimentLabel {
    VeryNegative,
    Negative,
    Neutral,
    Positive,
    VeryPositive,
}

/// How the author feels, and what of it needs care.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentiment {
    /// The step that people read.
    pub label: SentimentLabel,
    /// -1.0 ..= 1.0.
    pub score: f32,
    /// "anger", "churn", "threat", ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<String>,
}

/// Urgency, impact and priority share one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Low,
    Normal,
    High,
    Critical,
}

/// Whether a message may be part of something bigger than itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Crisis {
    #[default]
    None,
    Watch,
    Likely,
    Confirmed,
}

/// Who should work on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Assignment {
    /// Group, team or mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// One person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// What they must be able to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// The on-call rota to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_call: Option<String>,
}

/// How far up it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Escalation {
    /// 0 is none, 4 is the top of the house.
    pub level: u8,
    /// "supervisor", "on-call", "security", "legal", "pr", "executive", ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// By when someone of the audience must have looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What a service level measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SlaClock {
    FirstResponse,
    NextResponse,
    Resolution,
}

/// A service level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlaTarget {
    /// What it measures.
    pub clock: SlaClock,
    /// Working seconds on the calendar.
    pub target_seconds: u32,
    /// A calendar's name; absent is around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

/// Who must agree before a reply leaves; later is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Approval {
    None,
    Agent,
    Supervisor,
    Pr,
}

/// An answer to the author, drafted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// Plain text.
    pub body: String,
    /// Where it should be said.
    pub visibility: Visibility,
    /// BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The knowledge article it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// Whether it may leave without a person.
    pub auto: bool,
    /// The least approval it needs.
    pub approval: Approval,
}

/// A knowledge article that may help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Article {
    /// The article's key.
    pub id: String,
    /// As people read it.
    pub title: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// 0.0 ..= 1.0.
    pub score: f32,
}

/// What a message may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LinkKind {
    Incident,
    Problem,
    Change,
    Service,
    Asset,
    DuplicateOf,
    ThreadParent,
    Similar,
}

/// One relation to a record of the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// What it belongs to.
    pub kind: LinkKind,
    /// The record's key in the desk.
    pub id: String,
    /// 0.0 ..= 1.0.
    pub score: f32,
}

/// What to do with the message itself, where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Moderation {
    Ignore,
    Hide,
    MarkSpam,
    Delete,
    BlockAuthor,
}

/// Tell someone now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// "security", "legal", "on-call", ...
    pub audience: String,
    /// At most 500 characters.
    pub text: String,
    /// Alerts with one key are one alert.
    pub dedupe_key: String,
    /// How loud.
    pub level: Level,
}

/// What to do with the ticket as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TicketAction {
    Create,
    Update,
    Reopen,
    Merge,
    Close,
}

/// A change to the ticket as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketChange {
    /// What to do.
    pub action: TicketAction,
    /// The ticket to merge into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// A new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A value for a field of the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetField {
    /// The desk's name of the field.
    pub field: String,
    /// Its value.
    pub value: AttributeValue,
}

/// An effect that has no case yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Extension {
    /// The registered name of the effect.
    pub kind: String,
    /// JSON.
    pub payload: String,
}

/// One thing a plugin may propose. JSON: `{"type": case, "value": payload}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each case is documented on its payload and in the contract")]
pub enum Effect {
    Categorize(Category),
    SetIntent(String),
    SetLanguage(String),
    FlagSentiment(Sentiment),
    SetUrgency(Level),
    SetImpact(Level),
    SetPriority(Level),
    SetCrisis(Crisis),
    Tag(String),
    Untag(String),
    Assign(Assignment),
    Escalate(Escalation),
    SetSla(SlaTarget),
    DraftReply(Reply),
    SuggestArticle(Article),
    Relate(Link),
    Moderate(Moderation),
    RaiseAlert(Alert),
    ActOnTicket(TicketChange),
    Watch(String),
    SetField(SetField),
    Note(String),
    Mark(String),
    Extension(Extension),
}

impl Effect {
    /// Every case name, as `describe` declares effects.
    pub const NAMES: [&'static str; 24] = [
        "categorize",
        "set-intent",
        "set-language",
        "flag-sentiment",
        "set-urgency",
        "set-impact",
        "set-priority",
        "set-crisis",
        "tag",
        "untag",
        "assign",
        "escalate",
        "set-sla",
        "draft-reply",
        "suggest-article",
        "relate",
        "moderate",
        "raise-alert",
        "act-on-ticket",
        "watch",
        "set-field",
        "note",
        "mark",
        "extension",
    ];

    /// The case name of this effect.
    pub fn name(&self) -> &'static str {
        let at = match self {
            Self::Categorize(_) => 0,
            Self::SetIntent(_) => 1,
            Self::SetLanguage(_) => 2,
            Self::FlagSentiment(_) => 3,
            Self::SetUrgency(_) => 4,
            Self::SetImpact(_) => 5,
            Self::SetPriority(_) => 6,
            Self::SetCrisis(_) => 7,
            Self::Tag(_) => 8,
            Self::Untag(_) => 9,
            Self::Assign(_) => 10,
            Self::Escalate(_) => 11,
            Self::SetSla(_) => 12,
            Self::DraftReply(_) => 13,
            Self::SuggestArticle(_) => 14,
            Self::Relate(_) => 15,
            Self::Moderate(_) => 16,
            Self::RaiseAlert(_) => 17,
            Self::ActOnTicket(_) => 18,
            Self::Watch(_) => 19,
            Self::SetField(_) => 20,
            Self::Note(_) => 21,
            Self::Mark(_) => 22,
            Self::Extension(_) => 23,
        };
        Self::NAMES[at]
    }
}

/// Bytes of the UTF-8 of the raw field, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// The words or facts that spoke for an effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// "text", "title", or the name of a fact.
    pub field: String,
    /// Where it stands, for "text" and "title".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The words themselves, or the fact's value.
    pub text: String,
    /// Its share in the confidence.
    pub weight: f32,
}

/// One effect with why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// What to do.
    pub effect: Effect,
    /// One sentence that an agent understands.
    pub reason: String,
    /// 0.0 ..= 1.0, calibrated.
    pub confidence: f32,
    /// The rule, row or model that spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// Strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Whether the rest of the chain runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Flow {
    #[default]
    Next,
    Stop,
}

/// What a plugin returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// In the plugin's own order.
    #[serde(default)]
    pub proposals: Vec<Proposal>,
    /// Whether the rest of the chain runs.
    #[serde(default)]
    pub flow: Flow,
}

/// What the chain has settled before a step: the part of the decision that plugins see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is documented on its type and in the contract")]
pub struct SoFar {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<Sentiment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Level>,
    pub crisis: Crisis,
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
    pub marks: Vec<String>,
    pub fields: Vec<SetField>,
}
