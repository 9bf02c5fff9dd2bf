//! `[sources.NAME.outbound]`: where a desk's API is, and how much is written back to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::outgoing::Mode;
use crate::retry::RetryEntry;
use crate::source::outbound::{Desk, Hidden};

/// The way back to one desk, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboundEntry {
    /// The desk's own address: `https://desk.example.com`. Calls never go anywhere else.
    pub base: String,
    /// Where the API's secret is: `env:NAME` or `file:PATH`, never the secret itself.
    pub secret: Option<String>,
    /// The name beside the secret, for desks that want one.
    pub user: Option<String>,
    /// The client's id, for desks that give tokens.
    pub client_id: Option<String>,
    /// What a token is to be good for, where the desk asks.
    pub scope: Option<String>,
    /// "off", "shadow" (kept and shown, not sent), "note-only" (the default: an internal note and nothing else) or "full".
    #[serde(default)]
    pub mode: Mode,
    /// Overrides of the adapter's own.
    #[serde(default)]
    pub retry: RetryEntry,
    /// Addresses and networks of your own that may be called, such as "10.1.0.0/16"; others that are not public are refused.
    #[serde(default)]
    pub allow_private: Vec<String>,
    /// The desk's own name or id of each queue that the rules name.
    #[serde(default)]
    pub queues: BTreeMap<String, String>,
}

impl OutboundEntry {
    /// Follows the reference to the secret.
    pub(super) fn resolve(self, secret: impl Fn(&str) -> Result<String, String>) -> Result<Desk, String> {
        let Self { base, secret: reference, user, client_id, scope, mode, retry, allow_private, queues } = self;
        let secret = reference.as_deref().map(secret).transpose()?.map(Hidden::new);
        Ok(Desk { base, secret, user, client_id, scope, mode, retry, allow_private, queues })
    }
}
