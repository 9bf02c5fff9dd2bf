//! The plugins' life: uploads through the gate, changes of the set-up, and the one generation that is live.
//!
//! Every change makes a whole new generation in the background and swaps it in at once; a build that fails changes nothing. The
//! store has the truth: the newest change says what is live, so a restart goes on where the host stopped. Used by the admin API;
//! the webhook only asks for [`Registry::live`].

mod refusal;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::Context as _;
pub use refusal::RegistryError;
use sha2::{Digest as _, Sha256};

use crate::config::{Artefact, Config, Limits};
use crate::event::Timestamp;
use crate::gate::{self, GateReport};
use crate::generation::{Bytes, Entry, Generation, Library};
use crate::plugin::Sandbox;
use crate::setup::Setup;
use crate::store::{ChangeRow, Entry as Audit, PluginRow, Store};

/// Generations that stay in memory, so that going back to one takes no time. Older ones are built again from kept artefacts.
const BUILT: usize = 8;
/// Who a plugin that came with the host was brought in by.
const HOST: &str = "signalbox";
/// Who a plugin or a change of the config file was brought in by.
const CONFIG_FILE: &str = "config file";

/// Whether an upload was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It is kept now.
    New,
    /// The same bytes were here.
    Known,
}

/// Plugins, set-ups and the live generation.
pub struct Registry {
    sandbox: Arc<Sandbox>,
    store: Store,
    limits: Limits,
    bundled: Vec<Artefact>,
    /// Whether other bytes may have the name and version of a plugin that is here.
    development: bool,
    live: RwLock<Live>,
    built: Mutex<VecDeque<Arc<Generation>>>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Live {
    generation: Arc<Generation>,
    revision: i64,
}

impl Registry {
    /// Brings up what was live when the host stopped; what the config file says instead when that has changed since, or when
    /// nothing else was ever live.
    ///
    /// # Errors
    /// A sentence that names the step and what is wrong with its plugin or config.
    pub async fn open(sandbox: Arc<Sandbox>, store: Store, config: &Config, now: Timestamp) -> anyhow::Result<Self> {
        let written = serde_json::to_string(&config.setup)?;
        let seed = hex::encode(&Sha256::digest(&written)[..8]);
        let newest = store.changes(None, 1).await?.into_iter().next();
        let from_file = store.last_config().await?;
        let keeps = match (&newest, &from_file) {
            // What an admin made live over the API stays, as long as the file says what it said then.
            (Some(newest), Some(file)) if newest.action != "config" && file.seed.as_deref() == Some(&seed) => Some(newest.clone()),
            _ => None,
        };
        let nothing = Arc::new(
            Generation::build(&sandbox, Setup::default(), &BTreeMap::new(), &config.limits, None)
                .map_err(|_| anyhow::anyhow!("no set-up"))?,
        );
        let registry = Self {
            sandbox,
            store,
            limits: config.limits.clone(),
            bundled: config.artefacts.clone(),
            development: config.development,
            live: RwLock::new(Live { generation: nothing, revision: 0 }),
            built: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        };
        let told = |error: RegistryError| anyhow::anyhow!("{error}");
        if let Some(change) = keeps {
            let generation = registry.kept(&change.generation).await.map_err(told).with_context(|| {
                format!(
                    "generation {} was live and cannot be brought up; a changed `[[steps]]` in the config file takes its place",
                    change.generation
                )
            })?;
            registry.swap(generation, change.revision);
            return Ok(registry);
        }
        let generation = registry.stage(config.setup.clone()).await.map_err(told)?;
        match newest {
            // The same file and the same plugins as last time: no change to record.
            Some(newest) if newest.generation == generation.id && newest.seed.as_deref() == Some(&seed) => {
                registry.swap(generation, newest.revision)
            }
            _ => {
                registry.go_live(generation, "config", from_config(now), Some(seed)).await.map_err(told)?;
            }
        }
        Ok(registry)
    }

    /// The live generation. A request takes it once and keeps it to its end.
    pub fn live(&self) -> Arc<Generation> {
        self.now().0
    }

    /// The live generation, and how often the set-up has changed: what `If-Match` names.
    pub fn now(&self) -> (Arc<Generation>, i64) {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner).clone();
        (live.generation, live.revision)
    }

    /// How instances get their memory, in words.
    pub fn allocation(&self) -> &'static str {
        self.sandbox.allocation()
    }

    // ---- plugins -------------------------------------------------------------------------------

    /// Takes a plugin through the gate and keeps it. The same bytes again are the same plugin, without a second compilation.
    ///
    /// # Errors
    /// [`RegistryError::Refused`] with the report, [`RegistryError::Taken`].
    pub async fn upload(&self, wasm: Bytes, entry: Audit) -> Result<(GateReport, Upload), RegistryError> {
        let digest = hex::encode(Sha256::digest(&wasm));
        let rows = self.store.plugins().await?;
        if let Some(row) = rows.iter().find(|row| row.digest == digest)
            && let Ok(report) = serde_json::from_str(&row.report)
        {
            return Ok((report, Upload::Known));
        }
        let (sandbox, limits, bytes) = (self.sandbox.clone(), self.limits.clone(), wasm.clone());
        let report = blocking(move || gate::inspect(&sandbox, &bytes, None, &limits)).await?;
        let refused = Audit { action: "plugin.refused".to_owned(), subject: report.digest.clone(), ..entry.clone() };
        let Some(about) = report.plugin.as_ref().filter(|_| report.passed) else {
            self.store.audit(refused).await?;
            return Err(RegistryError::Refused(Box::new(report)));
        };
        // Another upload may have come through the gate meanwhile: whether the name is free is seen and settled in one go.
        let _one_at_a_time = self.changing.lock().await;
        let rows = self.store.plugins().await?;
        if rows.iter().any(|row| row.digest == digest) {
            return Ok((report, Upload::Known));
        }
        let mut others = self.bundled.iter().map(Entry::of).chain(rows.iter().filter(|row| row.by != HOST).map(self::entry));
        if !self.development
            && let Some(taken) =
                others.find(|other| other.name == about.name && other.version == about.version && other.digest != report.digest)
        {
            self.store.audit(Audit { subject: format!("{}@{}", about.name, about.version), ..refused }).await?;
            return Err(RegistryError::Taken { name: taken.name, version: taken.version, digest: taken.digest });
        }
        let row = PluginRow {
            digest: report.digest.clone(),
            name: about.name.clone(),
            version: about.version.clone(),
            uploaded: entry.at,
            by: entry.name.clone(),
            report: serde_json::to_string(&report).unwrap_or_default(),
        };
        let entry = Audit { subject: format!("{}@{}", row.name, row.version), after: Some(report.digest.clone()), ..entry };
        self.store.keep_plugin(row, wasm, Some(entry)).await?;
        Ok((report, Upload::New))
    }

    /// Every plugin that a step may use, bundled ones first.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub async fn plugins(&self) -> Result<Vec<PluginRow>, RegistryError> {
        let kept = self.store.plugins().await?;
        let bundled = self.bundled.iter().filter(|artefact| !artefact.name.is_empty());
        let bundled = bundled.filter(|artefact| !kept.iter().any(|row| row.digest == artefact.digest)).map(|artefact| PluginRow {
            digest: artefact.digest.clone(),
            name: artefact.name.clone(),
            version: artefact.version.clone(),
            uploaded: Timestamp(0),
            by: HOST.to_owned(),
            report: String::new(),
        });
        let mut plugins: Vec<PluginRow> = bundled.collect();
        plugins.extend(kept);
        Ok(plugins)
    }

    /// A plugin by digest, `name@version`, or name (its newest).
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub async fn plugin(&self, reference: &str) -> Result<PluginRow, RegistryError> {
        let plugins = self.plugins().await?;
        let named =
            |row: &&PluginRow| row.digest == reference || format!("{}@{}", row.name, row.version) == reference || row.name == reference;
        plugins.iter().rev().find(named).cloned().ok_or_else(|| RegistryError::NotFound(format!("plugin `{reference}`")))
    }

    /// The gate's report of a plugin; of a bundled one it is made now.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], or a fault of ours.
    pub async fn report(&self, reference: &str) -> Result<GateReport, RegistryError> {
        let row = self.plugin(reference).await?;
        if let Ok(report) = serde_json::from_str(&row.report) {
            return Ok(report);
        }
        let wasm = self.bytes(&row.digest).await?;
        let (sandbox, limits) = (self.sandbox.clone(), self.limits.clone());
        blocking(move || gate::inspect(&sandbox, &wasm, None, &limits)).await
    }

    /// Forgets a plugin that no live step uses.
    ///
    /// # Errors
    /// [`RegistryError::InUse`], [`RegistryError::NotFound`].
    pub async fn remove(&self, reference: &str, entry: Audit) -> Result<PluginRow, RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        let row = self.plugin(reference).await?;
        let live = self.live();
        if let Some((chain, _, step)) = live.setup.steps().find(|(_, _, step)| step.digest.as_deref() == Some(&row.digest)) {
            let by = format!("step `{}` of chain `{chain}`", step.label());
            return Err(RegistryError::InUse { plugin: format!("{} {}", row.name, row.version), by });
        }
        let entry = Audit { subject: format!("{}@{}", row.name, row.version), before: Some(row.digest.clone()), ..entry };
        if !self.store.remove_plugin(&row.digest, entry).await? {
            return Err(RegistryError::Bundled(format!("{} {}", row.name, row.version)));
        }
        Ok(row)
    }

    // ---- generations ---------------------------------------------------------------------------

    /// Builds a generation without putting it live: for dry runs and replays.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] with every problem.
    pub async fn stage(&self, setup: Setup) -> Result<Arc<Generation>, RegistryError> {
        let resolved = self.library().await?.resolve(setup).map_err(RegistryError::Setup)?;
        let mut artefacts = BTreeMap::new();
        for (_, _, step) in resolved.steps() {
            let digest = step.digest.as_deref().unwrap_or_default();
            if !artefacts.contains_key(digest) {
                artefacts.insert(digest.to_owned(), self.bytes(digest).await?);
            }
        }
        let (sandbox, limits, before) = (self.sandbox.clone(), self.limits.clone(), self.live());
        let built = blocking(move || Generation::build(&sandbox, resolved, &artefacts, &limits, Some(&before))).await?;
        Ok(Arc::new(built.map_err(RegistryError::Setup)?))
    }

    /// Puts a set-up live. `expected` is the revision that the writer has read.
    ///
    /// # Errors
    /// [`RegistryError::Stale`], [`RegistryError::Setup`]; what was live stays so.
    pub async fn apply(&self, setup: Setup, expected: i64, entry: Audit) -> Result<ChangeRow, RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        self.fresh(expected)?;
        let generation = self.stage(setup).await?;
        self.go_live(generation, "apply", entry, None).await
    }

    /// Puts a generation live that was live before.
    ///
    /// # Errors
    /// [`RegistryError::Stale`], [`RegistryError::NotFound`], [`RegistryError::Setup`] when a plugin of it is gone.
    pub async fn rollback(&self, generation: &str, expected: i64, entry: Audit) -> Result<ChangeRow, RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        self.fresh(expected)?;
        let generation = self.kept(generation).await?;
        // One in memory may outlive its plugins: what goes live must come up again after a restart.
        let known = self.plugins().await?;
        for (_, _, step) in generation.setup.steps() {
            let digest = step.digest.as_deref().unwrap_or_default();
            if !known.iter().any(|row| row.digest == digest) {
                return Err(RegistryError::NotFound(format!("plugin with the digest {digest}; upload it again")));
            }
        }
        self.go_live(generation, "rollback", entry, None).await
    }

    /// A generation that was live once: from memory, or built again from its artefacts.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::Setup`] when a plugin of it is gone.
    pub async fn kept(&self, id: &str) -> Result<Arc<Generation>, RegistryError> {
        let in_memory = self.built.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|built| built.id == id).cloned();
        if let Some(generation) = in_memory {
            return Ok(generation);
        }
        let setup = self.store.generation(id).await?.ok_or_else(|| RegistryError::NotFound(format!("generation `{id}`")))?;
        let setup =
            serde_json::from_str(&setup).map_err(|error| RegistryError::Internal(format!("the set-up of generation {id}: {error}")))?;
        self.stage(setup).await
    }

    /// Changes, newest first.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub async fn history(&self, before: Option<i64>, limit: u32) -> Result<Vec<ChangeRow>, RegistryError> {
        Ok(self.store.changes(before, limit).await?)
    }

    fn fresh(&self, expected: i64) -> Result<(), RegistryError> {
        let (_, revision) = self.now();
        if revision == expected { Ok(()) } else { Err(RegistryError::Stale(revision)) }
    }

    /// Records the change, then swaps: what serves is always what the store says.
    async fn go_live(
        &self,
        generation: Arc<Generation>,
        action: &str,
        entry: Audit,
        seed: Option<String>,
    ) -> Result<ChangeRow, RegistryError> {
        for (_, _, step) in generation.setup.steps() {
            self.keep_own(step.digest.as_deref().unwrap_or_default(), step.plugin.as_deref().unwrap_or_default(), entry.at).await?;
        }
        let (live, revision) = self.now();
        let before = (revision > 0).then(|| live.id.clone());
        let mut change = ChangeRow {
            revision: 0,
            at: entry.at,
            by: entry.name.clone(),
            action: action.to_owned(),
            generation: generation.id.clone(),
            before: before.clone(),
            why: entry.why.clone(),
            ticket: entry.change.clone(),
            seed,
        };
        let setup = serde_json::to_string(&generation.setup).map_err(|error| RegistryError::Internal(error.to_string()))?;
        let entry = Audit { subject: "setup".to_owned(), before, after: Some(generation.id.clone()), ..entry };
        change.revision = self.store.put_live(change.clone(), setup, entry).await?;
        tracing::info!(generation = generation.id, revision = change.revision, by = change.by, action, "generation live");
        self.swap(generation, change.revision);
        Ok(change)
    }

    fn swap(&self, generation: Arc<Generation>, revision: i64) {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.retain(|kept| kept.id != generation.id);
        built.push_front(generation.clone());
        built.truncate(BUILT);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Live { generation, revision };
    }

    /// Keeps a plugin that came with the host or its config file, so that a later host can still go back to it.
    async fn keep_own(&self, digest: &str, plugin: &str, now: Timestamp) -> Result<(), RegistryError> {
        let Some(artefact) = self.bundled.iter().find(|artefact| artefact.digest == digest) else { return Ok(()) };
        if self.store.plugins().await?.iter().any(|row| row.digest == digest) {
            return Ok(());
        }
        let (name, version) = plugin.split_once('@').unwrap_or((plugin, ""));
        let by = if artefact.name.is_empty() { CONFIG_FILE } else { HOST };
        let (name, version, by) = (name.to_owned(), version.to_owned(), by.to_owned());
        let row = PluginRow { digest: digest.to_owned(), name, version, uploaded: now, by, report: String::new() };
        Ok(self.store.keep_plugin(row, artefact.bytes.clone(), None).await?)
    }

    /// What a step may name. An upload is newer than what the host brings, and that is newer than what older hosts brought.
    async fn library(&self) -> Result<Library, RegistryError> {
        let (uploaded, brought): (Vec<_>, Vec<_>) =
            self.store.plugins().await?.into_iter().partition(|row| row.by != HOST && row.by != CONFIG_FILE);
        let all = brought.iter().map(entry).chain(self.bundled.iter().map(Entry::of)).chain(uploaded.iter().map(entry));
        Ok(Library::of(all.collect()))
    }

    async fn bytes(&self, digest: &str) -> Result<Bytes, RegistryError> {
        if let Some(artefact) = self.bundled.iter().find(|artefact| artefact.digest == digest) {
            return Ok(artefact.bytes.clone());
        }
        let bytes = self.store.plugin_bytes(digest).await?;
        bytes.map(Bytes::from).ok_or_else(|| RegistryError::NotFound(format!("plugin with the digest {digest}; upload it again")))
    }
}

/// The audit entry of what the config file says.
fn from_config(at: Timestamp) -> Audit {
    Audit {
        at,
        token: CONFIG_FILE.to_owned(),
        name: CONFIG_FILE.to_owned(),
        role: "admin".to_owned(),
        action: "setup.config".to_owned(),
        subject: String::new(),
        before: None,
        after: None,
        why: None,
        change: None,
        request: "start".to_owned(),
    }
}

fn entry(row: &PluginRow) -> Entry {
    Entry { name: row.name.clone(), version: row.version.clone(), digest: row.digest.clone() }
}

/// Runs something slow where it keeps no request waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RegistryError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| RegistryError::Internal(format!("the work ended without a result: {error}")))
}
