//! One outbound call to a desk, as data: what would be sent, with no secret in it and no host to send it to.
//!
//! Made by a source's adapter, kept by the store's outbox, sent by the delivery worker, shown by `source test`. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much of a decision is written back to a desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing is made and nothing is kept.
    Off,
    /// What would be sent is kept and shown, and not sent.
    Shadow,
    /// Only the calls that write an internal note.
    #[default]
    NoteOnly,
    /// Every call of the adapter.
    Full,
}

/// One call to the desk's API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outgoing {
    /// The adapter's name for it, such as "note" or "tag".
    pub name: String,
    /// "POST", "PUT", "PATCH" or "DELETE"; "MAIL" for a mail.
    pub method: String,
    /// Path and query below the source's `base`, percent-encoded, starting with `/`; empty for a mail.
    pub path: String,
    /// Headers of its own, none of them a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    pub body: Body,
    /// What makes sending it again harmless.
    pub repeat: Repeat,
}

/// A call's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// None at all.
    Empty,
    /// `application/json`.
    Json(Value),
    /// `application/x-www-form-urlencoded`, in this order.
    Form(Vec<(String, String)>),
    /// No HTTP at all: a mail, whose `Message-ID` is the same on every attempt.
    Mail(Letter),
}

/// A mail to one person or list: an address that is refused stops nobody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why an answer that got lost on the way back does not make an effect happen twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Sent twice, it leaves the desk as sent once: a field set, a tag added.
    Harmless,
    /// The desk honours a key: the delivery's own id goes into this header, the same on every attempt.
    Keyed {
        /// The header's name.
        header: String,
    },
    /// The desk is read before a second attempt: an answer to `GET path` that holds `mark` means that it is there already.
    ReadBack {
        /// Path and query below `base`.
        path: String,
        /// Text that only this call leaves behind.
        mark: String,
    },
}
