//! Configuration: what an admin writes (TOML), and what the host runs with.
//!
//! Two stages. [`Written`] is the file as it stands, unknown keys refused; [`Config`] is resolved: every default filled in, every
//! reference followed, every value trusted from here on. Only this file reads the environment and config files.

mod alerts;
mod limits;
mod outbound;
mod resolve;
mod samples;
mod sinks;
mod traces;
mod workflow;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use alerts::{AlertConfig, AlertEntry, AlertWay, Veil, address};
pub use limits::{Limits, TableLimits};
pub use outbound::OutboundEntry;
use resolve::{Resolver, line_of};
pub use sinks::{SinkConfig, SinkEntry, TIMEOUT};
pub use traces::{Traces, TracesEntry};

pub use workflow::{Workflow, WorkflowEntry};

pub use crate::setup::Isolation;
use crate::setup::{ChainSetup, Setup, StepSetup};
use crate::signature::Auth;
use crate::source::{Answer, FeedSpec, Source};

/// The public listener unless told otherwise.
pub const LISTEN: &str = "127.0.0.1:8640";
/// The admin listener unless told otherwise.
pub const ADMIN_LISTEN: &str = "127.0.0.1:8641";
/// The data directory unless told otherwise.
pub const DATA: &str = "signalbox-data";
/// The source that a host without a config file has: unsigned events from this machine.
pub const DEMO: &str = "demo";

/// The file, as it is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Listeners and their bounds.
    pub server: Server,
    /// Budgets of every plugin call.
    pub limits: Limits,
    /// How much the admin's tables may hold.
    pub tables: TableLimits,
    /// The host's own log.
    pub log: Log,
    /// How long events are kept.
    pub retention: Retention,
    /// What happens around decisions: clocks, approvals, alerts.
    pub workflow: WorkflowEntry,
    /// Connections to desks, by the name in `POST /hooks/NAME`. Without any there is `demo`.
    pub sources: BTreeMap<String, SourceEntry>,
    /// The chain `default`, in order. Without any it is the bundled one: categorize, sentiment, escalate.
    pub steps: Vec<StepSetup>,
    /// Chains by name, instead of `[[steps]]`: `[[chains.NAME.steps]]`.
    pub chains: BTreeMap<String, ChainSetup>,
    /// Which source takes which chain: `desk = "social"`. The others take `default`.
    pub routes: BTreeMap<String, String>,
    /// Urls that get decisions.
    pub sinks: BTreeMap<String, SinkEntry>,
    /// The OpenTelemetry collector that gets traces; without it there are none.
    pub traces: Option<TracesEntry>,
    /// Who is told of alerts, and how.
    pub alerts: BTreeMap<String, AlertEntry>,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where desks call.
    pub listen: String,
    /// Where admins call.
    pub admin_listen: String,
    /// Whether a proxy with TLS stands before the admin listener; only then may others than this machine reach it. What the
    /// proxy says of its caller (`X-Forwarded-For`, the last address) is believed then.
    pub behind_proxy: bool,
    /// A host for writing plugins, which nobody but this machine reaches: a plugin may be uploaded again with other bytes under the
    /// same version. `signalbox plugin dev` starts one.
    pub development: bool,
    /// Where everything is kept: journal, admin token, compiled plugins.
    pub data: PathBuf,
    /// Largest body, bytes: desks stay below 256 KiB unless they send whole threads.
    pub max_body_bytes: usize,
    /// For a request's headers, ms.
    pub header_timeout_ms: u64,
    /// For a request's body, and for a caller that has stopped reading to take more of its answer, ms.
    pub body_timeout_ms: u64,
    /// How long a caller waits for a decision before it gets a receipt, ms. The tightest desks hang up after 5 s.
    pub inline_budget_ms: u64,
    /// Requests in work at once; the next one gets 503.
    pub max_in_flight: usize,
    /// Connections at once per listener; the next one waits.
    pub max_connections: usize,
    /// For the requests under way when the host stops, ms.
    pub drain_ms: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: LISTEN.to_owned(),
            admin_listen: ADMIN_LISTEN.to_owned(),
            behind_proxy: false,
            development: false,
            data: PathBuf::from(DATA),
            max_body_bytes: 1 << 20,
            header_timeout_ms: 10_000,
            body_timeout_ms: 10_000,
            inline_budget_ms: 2_000,
            max_in_flight: 256,
            max_connections: 1_024,
            drain_ms: 10_000,
        }
    }
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// "text" for people, "json" for machines.
    pub format: LogFormat,
    /// "error", "warn", "info" (the default), "debug", "trace", or a filter such as "signalbox=debug".
    pub filter: Option<String>,
}

/// `[retention]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Events that were decided so many days ago are erased, with their decisions and deliveries. Without it they are kept for ever.
    pub events_days: Option<u32>,
}

/// How the host writes its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[sources.NAME]`: one connection to one desk.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// A bundled adapter: "zammad", "generic", "cloudevents", "demo".
    pub preset: Option<String>,
    /// Or an adapter file of your own.
    pub adapter: Option<PathBuf>,
    /// Where the secrets are: `env:NAME` or `file:PATH`, never the secret itself. Several while one is being changed.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// "decision": the answer holds the decision. "receipt": 202 as soon as the event is durable.
    pub answer: Option<Answer>,
    /// What differs from the adapter's own way of verifying: `{ scheme = "bearer" }`, `{ tolerance_s = 600 }`.
    pub auth: Option<Auth>,
    /// Events per second; more get 429. 1,000 unless told otherwise.
    pub max_per_second: Option<u32>,
    /// The user that decisions are written back as, in the desk's own words (login, address or id): what it does is dropped.
    pub own_user: Option<String>,
    /// Directory of saved samples, calls that the adapter must go on understanding: `source test --save` writes them.
    pub samples: Option<PathBuf>,
    /// Where decisions are written back to; without it they are not.
    pub outbound: Option<OutboundEntry>,
    /// The share of a service level's target at which its clock warns, instead of `workflow.warn_share`.
    pub warn_share: Option<f64>,
    /// Calls that fill tables, beside those of its adapter: `[[sources.NAME.feed]]`.
    #[serde(default)]
    pub feed: Vec<FeedSpec>,
}

/// A plugin that came with the host or with its config.
#[derive(Clone)]
pub struct Artefact {
    /// Its name; empty for a file, which says its name once it is brought in.
    pub name: String,
    /// Its version; empty likewise.
    pub version: String,
    /// SHA-256 of its bytes, hex.
    pub digest: String,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl std::fmt::Debug for Artefact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}, {} bytes", self.name, self.version, self.digest, self.bytes.len())
    }
}

/// One resolved source.
#[derive(Debug)]
pub struct SourceConfig {
    /// The source itself.
    pub source: Source,
    /// Events per second.
    pub max_per_second: u32,
    /// Where its saved samples are.
    pub samples: Option<PathBuf>,
    /// The share of a target at which a clock warns, where it is its own.
    pub warn_share: Option<f64>,
}

/// Everything the host runs with.
#[derive(Debug)]
pub struct Config {
    /// Where desks call.
    pub listen: SocketAddr,
    /// Where admins call.
    pub admin_listen: SocketAddr,
    /// What happens around decisions.
    pub workflow: Workflow,
    /// Whether a proxy with TLS stands before the admin listener.
    pub behind_proxy: bool,
    /// Whether a plugin may be uploaded again with other bytes under the same version.
    pub development: bool,
    /// Where everything is kept.
    pub data: PathBuf,
    /// Largest body, bytes.
    pub max_body_bytes: usize,
    /// For a request's headers.
    pub header_timeout: Duration,
    /// For a request's body.
    pub body_timeout: Duration,
    /// How long a caller waits for a decision.
    pub inline_budget: Duration,
    /// Requests in work at once.
    pub max_in_flight: usize,
    /// Connections at once per listener.
    pub max_connections: usize,
    /// For the requests under way when the host stops.
    pub drain: Duration,
    /// Budgets of every plugin call.
    pub limits: Limits,
    /// How much the admin's tables may hold.
    pub tables: TableLimits,
    /// The host's own log.
    pub log: Log,
    /// How long events are kept; for ever without it.
    pub retention: Option<Duration>,
    /// By name.
    pub sources: BTreeMap<String, SourceConfig>,
    /// The chains, and which source takes which, as they are written.
    pub setup: Setup,
    /// The bundled plugins and the files that steps name.
    pub artefacts: Vec<Artefact>,
    /// By name.
    pub sinks: BTreeMap<String, SinkConfig>,
    /// Where traces go, if anywhere.
    pub traces: Option<Traces>,
    /// Who is told of alerts, by name.
    pub alerts: BTreeMap<String, AlertConfig>,
}

/// What the command line says over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--admin-listen`.
    pub admin_listen: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
}

/// The token of `SIGNALBOX_TOKEN`, for the commands that talk to a running host. It has no flag: command lines are seen by others.
pub fn token_from_environment() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this module is the one place that reads the environment")]
    let token = std::env::var("SIGNALBOX_TOKEN").ok();
    token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// Why the host does not start with this config: file, line where there is one, key, and remedy.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    place: String,
    problem: String,
}

impl Config {
    /// Reads and resolves a file, or the defaults when there is none.
    ///
    /// # Errors
    /// [`ConfigError`] for the first fault.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            return Resolver { file: None, text: "" }.resolve(Written::default(), overrides);
        };
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError { place: place.clone(), problem: format!("cannot be read: {error}") })?;
        let resolver = Resolver { file: Some(path), text: &text };
        let written: Written = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| line_of(&text, span.start));
            ConfigError { place: resolver.place(line), problem: error.message().replace('\n', ", ") }
        })?;
        resolver.resolve(written, overrides)
    }

    /// The defaults with these steps instead of the chain.
    ///
    /// # Errors
    /// [`ConfigError`] when a step names no plugin, or a file that cannot be read.
    pub fn of_steps(steps: impl IntoIterator<Item = StepSetup>, overrides: &Overrides) -> Result<Self, ConfigError> {
        Resolver { file: None, text: "" }.resolve(Written { steps: steps.into_iter().collect(), ..Written::default() }, overrides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("signalbox.toml");
        std::fs::write(&file, text).unwrap();
        let error = Config::load(Some(&file), &Overrides::default()).unwrap_err().to_string();
        error.replace(&file.display().to_string(), "FILE")
    }

    #[test]
    fn the_defaults_are_a_config() {
        let config = Config::load(None, &Overrides::default()).unwrap();
        assert_eq!((config.sources.len(), config.setup.chains[crate::setup::DEFAULT].steps.len()), (1, 3));
        assert!(config.listen.ip().is_loopback() && config.admin_listen.ip().is_loopback());
    }

    #[test]
    fn the_admin_listener_is_open_to_others_only_when_a_proxy_is_named() {
        let others = Overrides { admin_listen: Some("0.0.0.0:8641".to_owned()), ..Overrides::default() };
        let refused = Config::load(None, &others).unwrap_err().to_string();
        assert!(refused.contains("the admin API has no TLS of its own"), "{refused}");
        for this in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            Config::load(None, &Overrides { admin_listen: Some(this.to_owned()), ..Overrides::default() }).unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("signalbox.toml");
        std::fs::write(&file, "[server]\nbehind_proxy = true\n").unwrap();
        assert!(Config::load(Some(&file), &others).unwrap().behind_proxy);
    }

    #[test]
    fn the_example_says_the_defaults() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/signalbox.toml")).unwrap();
        let written: Written = toml::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&written.limits).unwrap(), serde_json::to_value(Limits::default()).unwrap());
        assert_eq!(serde_json::to_value(&written.server).unwrap(), serde_json::to_value(Server::default()).unwrap());
    }

    #[test]
    fn faults_name_line_key_and_remedy() {
        for (text, line, words) in [
            ("[server]\nlisten = \"nowhere\"\n", 2, "`server.listen` is `nowhere`; write an address"),
            ("[server]\nadmin_listen = \"0.0.0.0:8641\"\n", 2, "`server.admin_listen` is 0.0.0.0:8641, which other machines can reach"),
            ("[server]\nadmin_listen = \"[2001:db8::1]:8641\"\n", 2, "put a proxy with TLS before it and say `behind_proxy = true`"),
            ("[server]\nlisen = \"127.0.0.1:1\"\n", 2, "unknown field `lisen`"),
            ("[server\n", 1, ""),
            ("[retention]\nevents_days = 0\n", 2, "`retention.events_days` is 0; leave it out to keep events for ever"),
            ("\n[limits]\nfuel = 0\n", 3, "`limits.fuel` is 0; a budget can be changed, not switched off"),
            ("[limits]\nfuel = \"much\"\n", 2, "invalid type"),
            ("[[steps]]\n", 1, "neither `plugin` nor `file`"),
            ("[[steps]]\nplugin = \"categorize\"\n[routes]\ndesk = \"nope\"\n", 3, "there is no chain `nope`"),
            ("[[steps]]\nplugin = \"categorize\"\n[chains.default]\nsteps = []\n", 1, "both `[[steps]]` and `[chains]`"),
            ("[[steps]]\nplugin = \"categorize\"\ngrants = [\"fly\"]\n", 3, "`fly` is not a grant"),
            ("[sources.desk]\n", 1, "neither `preset` nor `adapter`"),
            ("[sources.desk]\npreset = \"nope\"\n", 1, "no preset `nope`; there are"),
            ("[sources.desk]\npreset = \"zammad\"\nsecrets = [\"hunter2\"]\n", 1, "a secret is written by reference"),
            ("[sources.desk]\npreset = \"zammad\"\nsecrets = [\"env:SIGNALBOX_NOT_SET\"]\n", 1, "SIGNALBOX_NOT_SET, which is not set"),
            ("[sources.\"a/b\"]\npreset = \"zammad\"\nsecrets = [\"file:/dev/null\"]\n", 1, "is empty"),
            ("[sources.\"a/b\"]\npreset = \"demo\"\n", 1, "no source's name; use 1 to 64"),
            ("[traces]\nurl = \"collector\"\n", 1, "`collector` is no url with scheme and host"),
            ("[traces]\nurl = \"https://a.example\"\nshare = 2.0\n", 1, "`share` is 2; write a number above 0 and up to 1"),
            ("[traces]\nurl = \"https://a.example\"\nauthorization = \"hunter2\"\n", 1, "a secret is written by reference"),
            ("[sinks.audit]\nurl = \"https://a.example\"\nsecret = \"hunter2\"\n", 1, "a secret is written by reference"),
            ("[sinks.audit]\nurl = \"https://a.example\"\nsecret = \"file:/dev/null\"\n", 1, "is empty"),
            ("[alerts.pager]\n", 1, "alert sink `pager`: says none, or more than one, of `url`, `smtp` and `note`"),
            ("[alerts.Pager]\nnote = true\n", 1, "no sink's name"),
            ("[alerts.pager]\nnote = true\nsources = [\"nope\"]\n", 1, "no source `nope`"),
            ("[alerts.pager]\nurl = \"https://a.example\"\nsecret = \"hunter2\"\n", 1, "a secret is written by reference"),
            ("[sinks.audit]\nurl = \"https://a.example\"\nsecret = \"env:PATH\"\nsources = [\"nope\"]\n", 1, "no source `nope`"),
        ] {
            let error = refused(text);
            assert!(error.starts_with("FILE, line ") && error.contains(words), "{text:?} -> {error}");
            assert!(error.contains(&format!("line {line}:")), "{text:?} -> {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
