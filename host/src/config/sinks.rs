//! `[sinks.NAME]`: urls that get decisions. Written and resolved form.
//!
//! Read by `config/resolve.rs`; the resolved values are what `delivery` and `egress` work with.

use std::time::Duration;

use http::Uri;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::network::Network;
use crate::outgoing::Mode;
use crate::retry::{Retry, RetryEntry, duration};
use crate::signature::{Secret, standard_secret};

/// For one call to a desk: some take ten seconds to save a ticket with many triggers.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// `[sinks.NAME]`: decisions, as `CloudEvents` signed in the form of Standard Webhooks, to any url.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkEntry {
    /// Where decisions go.
    pub url: String,
    /// Where the secret is: `env:NAME` or `file:PATH`. It is `whsec_` and base64.
    pub secret: String,
    /// The sources whose decisions it gets; all of them when absent.
    #[serde(default)]
    pub sources: Vec<String>,
    /// "full" (the default), "shadow" (recorded, not sent) or "off".
    pub mode: Option<Mode>,
    /// Addresses and networks of your own that it may be at, such as "10.1.0.0/16".
    #[serde(default)]
    pub allow_private: Vec<String>,
    /// How often and how long a call is tried.
    #[serde(default)]
    pub retry: RetryEntry,
    /// For one call, seconds. 30 unless told otherwise.
    pub timeout_s: Option<f64>,
}

/// One resolved sink.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// Scheme, host and port of the url.
    pub base: String,
    /// Path and query of the url.
    pub path: String,
    /// What it is signed with.
    pub secret: Secret,
    /// The sources whose decisions it gets; all when empty.
    pub sources: Vec<String>,
    /// How much is sent.
    pub mode: Mode,
    /// Networks of the admin's own that may be reached.
    pub allow_private: Vec<Network>,
    /// How often and how long.
    pub retry: Retry,
    /// For one call.
    pub timeout: Duration,
}

/// A url as it may be shown: without what stands before an `@`, which may be a password.
pub(super) fn shown(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, rest)| rest)
}

/// A url's scheme, host and port, and its path and query.
pub(super) fn split(url: &str) -> Result<(String, String), String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{}` is no url", shown(url)))?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(format!("`{}` is no url with scheme and host; write one such as https://sink.example/in", shown(url)));
    };
    if authority.as_str().contains('@') {
        return Err(format!("the url of `{}` holds a user; secrets have a place of their own", shown(url)));
    }
    Ok((format!("{scheme}://{authority}"), uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()))
}

impl SinkEntry {
    /// Resolves all but the reference of the secret, whose value is given.
    ///
    /// # Errors
    /// A sentence for the admin, without the secret.
    pub fn resolve(self, secret: &str) -> Result<SinkConfig, String> {
        let (base, path) = split(&self.url)?;
        let mode = self.mode.unwrap_or(Mode::Full);
        if mode == Mode::NoteOnly {
            return Err("a sink has no notes; its `mode` is \"full\", \"shadow\" or \"off\"".to_owned());
        }
        Ok(SinkConfig {
            base,
            path,
            secret: standard_secret(secret).map_err(|error| error.to_string())?,
            sources: self.sources,
            mode,
            allow_private: self.allow_private.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            retry: self.retry.resolve()?,
            timeout: self.timeout_s.map_or(Ok(TIMEOUT), |seconds| duration("timeout_s", seconds))?,
        })
    }
}
