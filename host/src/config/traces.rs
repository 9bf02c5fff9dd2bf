//! `[traces]`: the collector that gets traces. Written and resolved form.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::sinks::split;
use crate::network::Network;
use crate::retry::duration;
use crate::source::outbound::Hidden;

/// For one batch: the exporter tries again with the next one.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `[traces]`: spans of every event's journey, as OTLP over HTTP, to an OpenTelemetry collector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TracesEntry {
    /// Where they go: `https://collector.example/v1/traces`.
    pub url: String,
    /// Where the value of the header `authorization` is: `env:NAME` or `file:PATH`.
    pub authorization: Option<String>,
    /// The share of events that is traced, above 0 to 1; all of them when absent.
    pub share: Option<f64>,
    /// Addresses and networks of your own that the collector may be at, such as "10.1.0.0/16".
    #[serde(default)]
    pub allow_private: Vec<String>,
    /// For one batch, seconds. 10 unless told otherwise.
    pub timeout_s: Option<f64>,
}

/// The resolved collector.
#[derive(Clone, Debug)]
pub struct Traces {
    /// Scheme, host and port of the url.
    pub base: String,
    /// Path and query of the url.
    pub path: String,
    /// The header `authorization`.
    pub authorization: Option<Hidden>,
    /// The share of events that is traced.
    pub share: f64,
    /// Networks of the admin's own that may be reached.
    pub allow_private: Vec<Network>,
    /// For one batch.
    pub timeout: Duration,
}

impl TracesEntry {
    /// Resolves all but the reference of the secret, whose value is given.
    ///
    /// # Errors
    /// A sentence for the admin, without the secret.
    pub fn resolve(self, authorization: Option<String>) -> Result<Traces, String> {
        let (base, path) = split(&self.url)?;
        let share = self.share.unwrap_or(1.0);
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!("`share` is {share}; write a number above 0 and up to 1, or take `[traces]` out"));
        }
        Ok(Traces {
            base,
            path,
            authorization: authorization.map(Hidden::new),
            share,
            allow_private: self.allow_private.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
            timeout: self.timeout_s.map_or(Ok(TIMEOUT), |seconds| duration("timeout_s", seconds))?,
        })
    }
}
