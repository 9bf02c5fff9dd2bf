//! The canonical social event and its parts: what a source maps to, what a plugin sees, what the journal keeps.
//!
//! Plain data; `event/read.rs` is the one way in from JSON, `event/timestamp.rs` a moment. It reads no clock and does no IO. The
//! shapes and names are those of `wit/rules.wit`; the JSON form follows the contract's JSON law.

mod object;
mod read;
mod related;
mod timestamp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use object::{object, objects};
pub use read::{
    EventError, MAX_ATTACHMENTS, MAX_ATTRIBUTES, MAX_ID_BYTES, MAX_STRING_BYTES, MAX_TEXT_BYTES, MAX_TEXT_CHARS, Parsed, TEXT_CHARS,
    json_error, utf8,
};
pub use related::{Related, Similar, strip};
pub use timestamp::Timestamp;

/// A value of an open set of facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AttributeValue {
    /// UTF-8 text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Decimal(f64),
    /// Yes or no.
    Boolean(bool),
    /// Several texts.
    Texts(Vec<String>),
}

/// One fact that has no field of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// Lower case, with `-`: "likes", "hashtags", ...
    pub key: String,
    /// The fact.
    pub value: AttributeValue,
}

impl Attribute {
    /// Bytes that it holds, about.
    pub fn weight(&self) -> usize {
        let value = match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Texts(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
            AttributeValue::Integer(_) | AttributeValue::Decimal(_) | AttributeValue::Boolean(_) => 8,
        };
        self.key.len() + value
    }
}

/// Who can read the message where it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Anyone.
    Public,
    /// The author's followers or a closed group.
    Followers,
    /// The author and the brand.
    Private,
    /// The source does not say.
    #[default]
    Unknown,
}

/// Which way the message went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the brand.
    #[default]
    Inbound,
    /// From the brand.
    Outbound,
}

/// Who wrote it. An absent field is unknown, never zero or false.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Author {
    /// The network's or the desk's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// "@ann", or the address a desk shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// As people read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followers: Option<u64>,
    /// The network vouches for the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// The desk marks the person or the organisation as important.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip: Option<bool>,
    /// The customer's organisation, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// One of us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<bool>,
    /// A machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<bool>,
}

/// What the ITSM already knows about the conversation, in the desk's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// The desk's key of the ticket.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// As the desk names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// As the desk names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Group, team or mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// The tags it has now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Timestamp>,
}

/// A file that came with the message: where it is, never its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Attachment {
    /// "image/jpeg", ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Where the source keeps it. The host never fetches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The description its author gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// What happened, in the words of the contract whatever desk or network it came from.
///
/// Only `id` and `text` are required in JSON; `source` and `received` are the host's and are overwritten at the webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Stable per message, not per delivery.
    pub id: String,
    /// 0 at first; rises when the author edits the message.
    #[serde(default)]
    pub revision: u32,
    /// The configured source it came through.
    #[serde(default)]
    pub source: String,
    /// "post", "comment", "reply", "mention", "dm", "review", "message", ...
    #[serde(default = "default_kind")]
    pub kind: String,
    /// "x", "facebook", "mastodon", ...; "unknown" when the source does not say.
    #[serde(default = "default_network")]
    pub network: String,
    /// "created", "edited", "deleted", "reacted".
    #[serde(default = "default_action")]
    pub action: String,
    /// Which way the message went.
    #[serde(default)]
    pub direction: Direction,
    /// Who can read it.
    #[serde(default)]
    pub visibility: Visibility,
    /// Who wrote it, as far as the source says.
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// As written, at most [`MAX_TEXT_CHARS`] characters; HTML already made plain.
    pub text: String,
    /// Subject or headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// BCP 47, as the source claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where a person can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
    /// The conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// 0.0 ..= 1.0 whatever the network's own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<f64>,
    /// At most [`MAX_ATTACHMENTS`].
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The ticket the desk already has for it.
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<Timestamp>,
    /// When the host took it in.
    #[serde(default = "epoch")]
    pub received: Timestamp,
    /// At most [`MAX_ATTRIBUTES`].
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

fn default_kind() -> String {
    "message".to_owned()
}

fn default_network() -> String {
    "unknown".to_owned()
}

fn default_action() -> String {
    "created".to_owned()
}

fn epoch() -> Timestamp {
    Timestamp(0)
}
