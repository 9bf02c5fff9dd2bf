//! `[sinks.NAME]`: urls that get decisions, and how often a delivery is tried. Written and resolved form.
//!
//! Read by `config/resolve.rs`; the resolved values are what `delivery` and `egress` work with.

use std::time::Duration;

use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::outgoing::Mode;
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

/// `retry = { attempts, base_s, max_s }`: the first pause, doubled after every failure up to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryEntry {
    /// Attempts that reach the desk and fail, until the call is given up. 24 unless told otherwise.
    pub attempts: Option<u32>,
    /// The first pause, seconds. 2 unless told otherwise.
    pub base_s: Option<f64>,
    /// The longest pause, seconds. 900 unless told otherwise.
    pub max_s: Option<f64>,
}

/// How often and how long a call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts that count.
    pub attempts: u32,
    /// The first pause.
    pub base: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Default for Retry {
    /// More than four hours: a desk that is being upgraded comes back within that. Attempts that do not reach the desk do not count.
    fn default() -> Self {
        Self { attempts: 24, base: Duration::from_secs(2), max: Duration::from_secs(900) }
    }
}

impl RetryEntry {
    /// Fills in the defaults.
    ///
    /// # Errors
    /// A sentence when a value makes no sense.
    pub fn resolve(self) -> Result<Retry, String> {
        let default = Retry::default();
        let attempts = self.attempts.unwrap_or(default.attempts);
        let base = self.base_s.map_or(Ok(default.base), |seconds| duration("retry.base_s", seconds))?;
        let max = self.max_s.map_or(Ok(default.max.max(base)), |seconds| duration("retry.max_s", seconds))?;
        if attempts == 0 || max < base {
            return Err("`retry` needs at least one attempt, and a `max_s` that is not below `base_s`".to_owned());
        }
        Ok(Retry { attempts, base, max })
    }
}

fn duration(key: &str, seconds: f64) -> Result<Duration, String> {
    let usable = Duration::try_from_secs_f64(seconds).ok().filter(|wait| *wait >= Duration::from_millis(1) && wait.as_secs() <= 86_400);
    usable.ok_or_else(|| format!("`{key}` is {seconds}; write seconds, from 0.001 to a day"))
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

impl SinkEntry {
    /// Resolves all but the reference of the secret, whose value is given.
    ///
    /// # Errors
    /// A sentence for the admin, without the secret.
    pub fn resolve(self, secret: &str) -> Result<SinkConfig, String> {
        let uri: Uri = self.url.parse().map_err(|_| format!("`{}` is no url", self.url))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(format!("`{}` is no url with scheme and host; write one such as https://sink.example/in", self.url));
        };
        let mode = self.mode.unwrap_or(Mode::Full);
        if mode == Mode::NoteOnly {
            return Err("a sink has no notes; its `mode` is \"full\", \"shadow\" or \"off\"".to_owned());
        }
        Ok(SinkConfig {
            base: format!("{scheme}://{authority}"),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            secret: standard_secret(secret).map_err(|error| error.to_string())?,
            sources: self.sources,
            mode,
            allow_private: self.allow_private.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            retry: self.retry.resolve()?,
            timeout: self.timeout_s.map_or(Ok(TIMEOUT), |seconds| duration("timeout_s", seconds))?,
        })
    }
}
