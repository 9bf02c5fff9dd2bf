//! The host that `plugin dev` puts a plugin live on: one that it starts itself on this machine, or one that runs already.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use http::Method;
use serde_json::Value;

use crate::cli::client::{Client, Reach, Reason};
use crate::setup::{ChainSetup, DEFAULT, Setup, StepSetup};
use crate::token;

/// A host of our own; gone when this is.
struct Own(Child);

impl Drop for Own {
    fn drop(&mut self) {
        // It keeps nothing that anybody wants.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where plugins go live.
pub(super) struct Host {
    client: Client,
    /// Where events are posted, for the one that was started here.
    pub(super) hook: Option<String>,
    own: Option<Own>,
}

impl Host {
    /// Starts a host on free ports of this machine, which keeps everything in `folder` and takes a version again and again.
    ///
    /// # Errors
    /// When it does not start, with what it said.
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let (config, log, data) = (folder.join("signalbox.toml"), folder.join("log"), folder.join("data"));
        std::fs::write(&config, "[server]\ndevelopment = true\n")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--config"]).arg(&config);
        command.arg("--data").arg(&data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(std::fs::File::create(&log)?);
        let mut own = Own(command.spawn().context("the local host does not start")?);
        let stdout = own.0.stdout.take().context("the local host has no output")?;
        let (mut hook, mut admin) = (None, None);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let said =
                |name: &str| line.trim().strip_prefix(name).map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned());
            hook = hook.or_else(|| said("hook "));
            admin = admin.or_else(|| said("admin "));
            if admin.is_some() && hook.is_some() {
                break;
            }
        }
        let Some(admin) = admin.as_deref().and_then(|admin| admin.strip_suffix("/v1/about")) else {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            anyhow::bail!("the local host did not start: {}", log.lines().last().unwrap_or("it said nothing"));
        };
        let reach = Reach::of(admin.to_owned(), data.join(token::FILE));
        Ok(Self { client: Client::changing(&reach, &Reason::default())?, hook, own: Some(own) })
    }

    /// A host that runs already.
    ///
    /// # Errors
    /// When there is no token for it.
    pub(super) fn at(reach: &Reach) -> anyhow::Result<Self> {
        Ok(Self { client: Client::changing(reach, &Reason::default())?, hook: None, own: None })
    }

    /// Uploads a plugin and puts it live; gives the generation. On a host of our own it is the chain; on another one it takes the
    /// place of what the steps use of its name, or comes last in the default chain.
    ///
    /// # Errors
    /// What the host refuses, in its words.
    pub(super) fn swap(&self, wasm: &[u8]) -> anyhow::Result<String> {
        let report = self.client.send(Method::POST, "/v1/plugins", Some(("application/wasm", wasm.to_vec())))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, digest) = (text(&report["plugin"]["name"]), text(&report["digest"]));
        let before = self.client.get("/v1/setup", &[])?;
        let step = StepSetup { digest: Some(digest.clone()), ..StepSetup::default() };
        let mut setup: Setup = serde_json::from_value(before["setup"].clone()).context("the host has a set-up of another version")?;
        if self.own.is_some() {
            setup = Setup { chains: [(DEFAULT.to_owned(), ChainSetup { steps: vec![step] })].into(), ..Setup::default() };
        } else {
            let mut used = false;
            let uses = |step: &&mut StepSetup| step.plugin.as_deref().is_some_and(|plugin| plugin.split('@').next() == Some(&name));
            for step in setup.chains.values_mut().flat_map(|chain| &mut chain.steps).filter(uses) {
                (step.plugin, step.digest, used) = (None, Some(digest.clone()), true);
            }
            if !used {
                setup.chains.entry(DEFAULT.to_owned()).or_default().steps.push(step);
            }
        }
        let body = Some(("application/json", serde_json::to_vec(&setup)?));
        let made = self.client.change(Method::PUT, "/v1/setup", body, before["revision"].as_i64().unwrap_or_default())?;
        Ok(text(&made["generation"]))
    }
}
