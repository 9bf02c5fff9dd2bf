//! Grants: what the admin allows a step beyond a pure answer, in the words an admin types.
//!
//! Plain data, read by the merge law (`decision.rs`) and by linking (`plugin/`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::verdict::Moderation;

/// One permission of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grant {
    /// Move escalation, crisis, urgency, impact, priority or SLA to the milder side.
    Lower,
    /// End the chain.
    Stop,
    /// Send a reply without a person.
    AutoReply,
    /// Hide, delete or block without a person.
    Moderate(Moderation),
    /// Remember between events.
    State,
    /// Read one of the admin's tables.
    Lookup(String),
    /// Call one origin.
    Http(String),
    /// Have the host fill in one secret.
    Secret(String),
}

/// A text that is no grant.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a grant; grants are lower, stop, auto-reply, moderate:hide, moderate:delete, moderate:block-author, state, lookup:TABLE, http:ORIGIN, secret:NAME"
)]
pub struct UnknownGrant(String);

impl FromStr for Grant {
    type Err = UnknownGrant;

    fn from_str(text: &str) -> Result<Self, UnknownGrant> {
        let grant = match text.split_once(':') {
            None => match text {
                "lower" => Self::Lower,
                "stop" => Self::Stop,
                "auto-reply" => Self::AutoReply,
                "state" => Self::State,
                _ => return Err(UnknownGrant(text.to_owned())),
            },
            Some(("moderate", "hide")) => Self::Moderate(Moderation::Hide),
            Some(("moderate", "delete")) => Self::Moderate(Moderation::Delete),
            Some(("moderate", "block-author")) => Self::Moderate(Moderation::BlockAuthor),
            Some(("lookup", table)) if !table.is_empty() => Self::Lookup(table.to_owned()),
            Some(("http", origin)) if !origin.is_empty() => Self::Http(origin.to_owned()),
            Some(("secret", name)) if !name.is_empty() => Self::Secret(name.to_owned()),
            Some(_) => return Err(UnknownGrant(text.to_owned())),
        };
        Ok(grant)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower => f.write_str("lower"),
            Self::Stop => f.write_str("stop"),
            Self::AutoReply => f.write_str("auto-reply"),
            Self::Moderate(Moderation::Hide) => f.write_str("moderate:hide"),
            Self::Moderate(Moderation::Delete) => f.write_str("moderate:delete"),
            Self::Moderate(Moderation::BlockAuthor) => f.write_str("moderate:block-author"),
            // Ignoring and marking as spam change nothing where the message stands, so they have no grant to name.
            Self::Moderate(Moderation::Ignore | Moderation::MarkSpam) => f.write_str("moderate"),
            Self::State => f.write_str("state"),
            Self::Lookup(table) => write!(f, "lookup:{table}"),
            Self::Http(origin) => write!(f, "http:{origin}"),
            Self::Secret(name) => write!(f, "secret:{name}"),
        }
    }
}

impl TryFrom<String> for Grant {
    type Error = UnknownGrant;

    fn try_from(text: String) -> Result<Self, UnknownGrant> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}
