//! From the config as it is written to the config that the host runs with: defaults filled in, references followed.
//!
//! The only file that reads the environment. A secret is read here, and never shown: not in an error, not in a log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{
    AlertConfig, AlertEntry, Artefact, Config, ConfigError, DEMO, Limits, Overrides, Server, SinkConfig, SinkEntry, SourceConfig,
    SourceEntry, TableLimits, Traces, TracesEntry, Written,
};
use crate::setup::{ChainSetup, Setup, StepSetup};
use crate::source::{Adapter, AdapterError, Settings, Source, presets};

/// Follows what a written config refers to.
pub(super) struct Resolver<'a> {
    pub(super) file: Option<&'a Path>,
    pub(super) text: &'a str,
}

impl Resolver<'_> {
    pub(super) fn resolve(&self, written: Written, overrides: &Overrides) -> Result<Config, ConfigError> {
        let Server {
            listen,
            admin_listen,
            behind_proxy,
            development,
            data,
            max_body_bytes,
            header_timeout_ms,
            body_timeout_ms,
            inline_budget_ms,
            max_in_flight,
            max_connections,
            drain_ms,
        } = written.server;
        for (key, value) in [
            ("max_body_bytes", max_body_bytes as u64),
            ("header_timeout_ms", header_timeout_ms),
            ("body_timeout_ms", body_timeout_ms),
            ("inline_budget_ms", inline_budget_ms),
            ("max_in_flight", max_in_flight as u64),
            ("max_connections", max_connections as u64),
        ] {
            if value == 0 {
                return Err(self.fault(key, format!("`server.{key}` is 0, which would refuse everything; leave it out for the default")));
            }
        }
        self.limits(&written.limits)?;
        self.tables(&written.tables)?;
        if written.retention.events_days == Some(0) {
            let problem = "`retention.events_days` is 0; leave it out to keep events for ever, or write a number of days".to_owned();
            return Err(self.fault("events_days", problem));
        }
        let retention = written.retention.events_days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        let sources = if written.sources.is_empty() { BTreeMap::from([(DEMO.to_owned(), demo())]) } else { written.sources };
        let workflow = written.workflow.resolve().map_err(|(key, problem)| self.fault(key, problem))?;
        let sources = sources.into_iter().map(|(name, entry)| Ok((name.clone(), self.source(&name, entry)?)));
        let mut artefacts = bundled();
        let setup = self.setup(written.steps, written.chains, written.routes, &mut artefacts)?;
        let admin_listen = self.address("admin_listen", overrides.admin_listen.as_deref().unwrap_or(&admin_listen))?;
        if !behind_proxy && !admin_listen.ip().to_canonical().is_loopback() {
            let problem = format!(
                "`server.admin_listen` is {admin_listen}, which other machines can reach, and the admin API has no TLS of its own: tokens \
                 would cross the network in the open; put a proxy with TLS before it and say `behind_proxy = true`, or listen on 127.0.0.1"
            );
            return Err(self.fault("admin_listen", problem));
        }
        let sources: BTreeMap<String, SourceConfig> = sources.collect::<Result<_, ConfigError>>()?;
        let sinks = written.sinks.into_iter().map(|(name, entry)| Ok((name.clone(), self.sink(&name, entry, &sources)?)));
        let sinks = sinks.collect::<Result<_, ConfigError>>()?;
        let traces = written.traces.map(|entry| self.traces(entry)).transpose()?;
        let alerts = written.alerts.into_iter().map(|(name, entry)| Ok((name.clone(), self.alerts(&name, entry, &sources)?)));
        let alerts = alerts.collect::<Result<_, ConfigError>>()?;
        let listen = self.address("listen", overrides.listen.as_deref().unwrap_or(&listen))?;
        let reached = [listen, admin_listen].into_iter().find(|address| !address.ip().to_canonical().is_loopback());
        if let Some(address) = reached.filter(|_| development) {
            let problem = format!(
                "`server.development` lets a version of a plugin mean other bytes tomorrow, and {address} can be reached by other machines; \
                 leave it out, or listen on 127.0.0.1 alone"
            );
            return Err(self.fault("development", problem));
        }
        Ok(Config {
            listen,
            admin_listen,
            workflow,
            behind_proxy,
            development,
            data: overrides.data.clone().unwrap_or(data),
            max_body_bytes,
            header_timeout: Duration::from_millis(header_timeout_ms),
            body_timeout: Duration::from_millis(body_timeout_ms),
            inline_budget: Duration::from_millis(inline_budget_ms),
            max_in_flight,
            max_connections,
            drain: Duration::from_millis(drain_ms),
            limits: written.limits,
            tables: written.tables,
            log: written.log,
            retention,
            setup,
            artefacts,
            sources,
            sinks,
            traces,
            alerts,
        })
    }

    fn address(&self, key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
        text.parse()
            .map_err(|_| self.fault(key, format!("`server.{key}` is `{text}`; write an address and a port, such as 127.0.0.1:8640")))
    }

    fn limits(&self, limits: &Limits) -> Result<(), ConfigError> {
        let written = serde_json::to_value(limits).unwrap_or_default();
        let zero = written.as_object().into_iter().flatten().find(|(_, value)| value.as_u64() == Some(0));
        match zero {
            Some((key, _)) => Err(self.fault(key, format!("`limits.{key}` is 0; a budget can be changed, not switched off"))),
            None if !limits.memory_bytes.is_multiple_of(64 << 10) => {
                Err(self.fault("memory_bytes", "`limits.memory_bytes` is not a multiple of a wasm page, 65536 bytes".to_owned()))
            }
            None => Ok(()),
        }
    }

    fn tables(&self, limits: &TableLimits) -> Result<(), ConfigError> {
        let written = serde_json::to_value(limits).unwrap_or_default();
        match written.as_object().into_iter().flatten().find(|(_, value)| value.as_u64() == Some(0)) {
            Some((key, _)) => Err(self.fault(key, format!("`tables.{key}` is 0; a bound can be changed, not switched off"))),
            None => Ok(()),
        }
    }

    fn source(&self, name: &str, entry: SourceEntry) -> Result<SourceConfig, ConfigError> {
        let plain = format!("[sources.{name}");
        // TOML wants a name that holds anything but letters, digits, `-` and `_` in quotes.
        let mark = if self.text.contains(&plain) { plain } else { format!("[sources.\"{name}") };
        let fault = |problem: String| self.fault(&mark, format!("source `{name}`: {problem}"));
        let adapter: Result<Adapter, AdapterError> = match (&entry.preset, &entry.adapter) {
            (Some(preset), None) => presets::adapter(preset).ok_or_else(|| {
                fault(format!("there is no preset `{preset}`; there are {}", presets::names().collect::<Vec<_>>().join(", ")))
            })?,
            (None, Some(file)) => {
                let file = self.beside(file);
                let text = std::fs::read_to_string(&file)
                    .map_err(|error| fault(format!("the adapter {} cannot be read: {error}", file.display())))?;
                Adapter::from_toml(&text)
            }
            (Some(_), Some(_)) => return Err(fault("has both `preset` and `adapter`; keep one".to_owned())),
            (None, None) => return Err(fault("says neither `preset` nor `adapter`; name a preset such as \"zammad\"".to_owned())),
        };
        let adapter = adapter.map_err(|error| fault(error.to_string()))?;
        let secrets = entry.secrets.iter().map(|reference| self.secret(reference).map_err(&fault)).collect::<Result<Vec<_>, _>>()?;
        let outbound = entry.outbound.map(|entry| entry.resolve(|reference| self.secret(reference))).transpose().map_err(&fault)?;
        let settings = Settings { auth: entry.auth, secrets, answer: entry.answer, own_user: entry.own_user, outbound, feeds: entry.feed };
        let source = Source::new(name, adapter, settings).map_err(|error| self.fault(&mark, error.to_string()))?;
        let samples = entry.samples.map(|dir| self.beside(&dir));
        let key = format!("sources.{name}.warn_share");
        let warn_share = super::workflow::warn_share(&key, entry.warn_share).map_err(|(key, problem)| self.fault(key, problem))?;
        Ok(SourceConfig { source, max_per_second: entry.max_per_second.unwrap_or(1_000).max(1), samples, warn_share })
    }

    fn sink(&self, name: &str, entry: SinkEntry, sources: &BTreeMap<String, SourceConfig>) -> Result<SinkConfig, ConfigError> {
        let fault = |problem: String| self.fault(&format!("[sinks.{name}"), format!("sink `{name}`: {problem}"));
        named(name, &entry.sources, sources).map_err(fault)?;
        let secret = self.secret(&entry.secret).map_err(fault)?;
        entry.resolve(&secret).map_err(fault)
    }

    fn traces(&self, entry: TracesEntry) -> Result<Traces, ConfigError> {
        let fault = |problem: String| self.fault("[traces]", format!("traces: {problem}"));
        let authorization = entry.authorization.as_deref().map(|reference| self.secret(reference)).transpose().map_err(fault)?;
        entry.resolve(authorization).map_err(fault)
    }

    fn alerts(&self, name: &str, entry: AlertEntry, sources: &BTreeMap<String, SourceConfig>) -> Result<AlertConfig, ConfigError> {
        let fault = |problem: String| self.fault(&format!("[alerts.{name}"), format!("alert sink `{name}`: {problem}"));
        named(name, &entry.sources, sources).map_err(fault)?;
        entry.resolve(|reference| self.secret(reference)).map_err(fault)
    }

    /// Follows `env:NAME` or `file:PATH`.
    fn secret(&self, reference: &str) -> Result<String, String> {
        let secret = match reference.split_once(':') {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
            Some(("env", name)) => {
                std::env::var(name).map_err(|_| format!("its secret is to come from the environment variable {name}, which is not set"))?
            }
            Some(("file", path)) => {
                let path = self.beside(Path::new(path));
                std::fs::read_to_string(&path).map_err(|error| format!("its secret is to come from {}: {error}", path.display()))?
            }
            // The text may be a secret that somebody pasted: it is not repeated.
            _ => return Err("a secret is written by reference: \"env:NAME\" or \"file:PATH\"".to_owned()),
        };
        let secret = secret.trim();
        if secret.is_empty() { Err(format!("the secret {reference} is empty")) } else { Ok(secret.to_owned()) }
    }

    /// The chains as they are written; the files that steps name are read.
    fn setup(
        &self,
        steps: Vec<StepSetup>,
        chains: BTreeMap<String, ChainSetup>,
        routes: BTreeMap<String, String>,
        artefacts: &mut Vec<Artefact>,
    ) -> Result<Setup, ConfigError> {
        let mut setup = match (steps.is_empty(), chains.is_empty()) {
            (false, false) => {
                return Err(self.fault("[[steps]]", "there are both `[[steps]]` and `[chains]`; keep one of the two".to_owned()));
            }
            (true, true) => {
                Setup::of(DEFAULT_CHAIN.map(|name| StepSetup { plugin: Some(name.to_owned()), ..StepSetup::default() }).to_vec())
            }
            (false, true) => Setup::of(steps),
            (true, false) => Setup { chains, ..Setup::default() },
        };
        setup.routes = routes;
        if let Some(fault) = setup.faults().into_iter().next() {
            let table = fault.pointer.split('/').nth(1).unwrap_or_default();
            let mark = if table == "routes" {
                "[routes]"
            } else if self.text.contains("[[steps]]") {
                "[[steps]]"
            } else {
                "[chains"
            };
            return Err(self.fault(mark, fault.message));
        }
        for step in setup.chains.values_mut().flat_map(|chain| &mut chain.steps) {
            match (&step.plugin, &step.file) {
                (Some(_), Some(_)) => return Err(self.fault("[[steps]]", "a step has both `plugin` and `file`; keep one".to_owned())),
                (None, Some(file)) => {
                    let path = self.beside(file);
                    let bytes = std::fs::read(&path).map_err(|error| {
                        self.fault(
                            &format!("\"{}\"", file.display()),
                            format!("step `{}`: cannot read {}: {error}", file.display(), path.display()),
                        )
                    })?;
                    let artefact = Artefact { digest: digest(&bytes), bytes: bytes.into(), name: String::new(), version: String::new() };
                    step.digest = Some(artefact.digest.clone());
                    artefacts.push(artefact);
                }
                _ => {}
            }
        }
        Ok(setup)
    }

    /// Paths are relative to the file that holds them.
    fn beside(&self, path: &Path) -> PathBuf {
        self.file.and_then(Path::parent).map_or_else(|| path.to_owned(), |parent| parent.join(path))
    }

    pub(super) fn place(&self, line: Option<usize>) -> String {
        let file = self.file.map_or("the command line".to_owned(), |file| file.display().to_string());
        line.map_or(file.clone(), |line| format!("{file}, line {line}"))
    }

    /// A fault at the first line that holds `mark`.
    fn fault(&self, mark: &str, problem: String) -> ConfigError {
        ConfigError { place: self.place(self.text.find(mark).map(|at| line_of(self.text, at))), problem }
    }
}

/// Whether a sink may be called so, and hears sources that there are.
fn named(name: &str, heard: &[String], sources: &BTreeMap<String, SourceConfig>) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err("no sink's name; use 1 to 64 lower-case letters, digits, `-` and `_`".to_owned());
    }
    match heard.iter().find(|source| !sources.contains_key(*source)) {
        Some(unknown) => Err(format!("there is no source `{unknown}`; its `sources` name sources of this config")),
        None => Ok(()),
    }
}

pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

fn demo() -> SourceEntry {
    SourceEntry {
        preset: Some(DEMO.to_owned()),
        adapter: None,
        secrets: Vec::new(),
        answer: None,
        auth: None,
        max_per_second: None,
        own_user: None,
        samples: None,
        outbound: None,
        warn_share: None,
        feed: Vec::new(),
    }
}

/// The chain of a host that was told nothing.
const DEFAULT_CHAIN: [&str; 3] = ["categorize", "sentiment", "escalate"];

/// Every bundled plugin: they are built with the host and carry its version.
fn bundled() -> Vec<Artefact> {
    let artefact = |plugin: &signalbox_bundle::Bundled| Artefact {
        name: plugin.name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: digest(plugin.wasm),
        bytes: plugin.wasm.into(),
    };
    signalbox_bundle::PLUGINS.iter().chain(&signalbox_bundle::OPTIONAL).map(artefact).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
