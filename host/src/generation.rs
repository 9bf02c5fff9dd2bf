//! One immutable set of every chain: resolved, validated, in memory. A request uses one from start to end.
//!
//! Built by the registry (and by offline commands) on a blocking thread; a build that fails changes nothing.

mod warnings;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::breaker::Breaker;
use crate::chain::{Chain, Step};
use crate::config::{Artefact, Config, Limits};
use crate::decision::Terms;
use crate::event::{Event, Timestamp};
use crate::grant::Grant;
use crate::plugin::{Backing, ConfigProblem, Failure, Plugin, Sandbox};
use crate::setup::{DEFAULT, Isolation, Problem, QUARANTINE_AFTER, Setup, StepSetup, escape};

/// A plugin's bytes, however they came.
pub type Bytes = Arc<[u8]>;

/// Every plugin that may be used, by digest.
#[derive(Clone, Debug, Default)]
pub struct Library {
    plugins: Vec<Entry>,
}

/// One plugin of the library, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its bytes, hex.
    pub digest: String,
}

impl Entry {
    /// The entry of what came with the host or its config.
    pub fn of(artefact: &Artefact) -> Self {
        Self { name: artefact.name.clone(), version: artefact.version.clone(), digest: artefact.digest.clone() }
    }
}

/// Problems as one text, for a command line or a log.
pub fn sentences(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ")
}

impl Library {
    /// A library of these plugins; of two with one name and version, the later one is the newer.
    pub fn of(plugins: Vec<Entry>) -> Self {
        Self { plugins }
    }

    /// The set-up with every step's plugin pinned to a digest.
    ///
    /// # Errors
    /// Every step whose plugin is not here, and what is wrong with the set-up's shape.
    pub fn resolve(&self, mut setup: Setup) -> Result<Setup, Vec<Problem>> {
        let mut problems = setup.faults();
        for (name, chain) in &mut setup.chains {
            for (at, step) in chain.steps.iter_mut().enumerate() {
                if step.plugin.is_none() && step.digest.is_none() {
                    // Said by `faults` already, unless it is a file, which only a config file can name.
                    if step.file.is_some() {
                        let message = "`file` works in a config file only; upload the plugin and name it".to_owned();
                        problems.push(Problem { pointer: format!("/chains/{name}/steps/{at}/file"), message });
                    }
                    continue;
                }
                match self.find(step) {
                    Ok(entry) => {
                        // A file says its name only once it is built.
                        if !entry.name.is_empty() {
                            step.plugin = Some(format!("{}@{}", entry.name, entry.version));
                        }
                        step.digest = Some(entry.digest.clone());
                    }
                    Err(message) => problems.push(Problem { pointer: format!("/chains/{name}/steps/{at}/plugin"), message }),
                }
            }
        }
        if problems.is_empty() { Ok(setup) } else { Err(problems) }
    }

    fn find(&self, step: &StepSetup) -> Result<&Entry, String> {
        let known = || {
            let mut names: Vec<String> = self.plugins.iter().map(|entry| format!("{}@{}", entry.name, entry.version)).collect();
            names.sort();
            names.dedup();
            names.join(", ")
        };
        if let Some(digest) = &step.digest {
            let found = self.plugins.iter().find(|entry| entry.digest == *digest);
            return found.ok_or_else(|| format!("there is no plugin with the digest {digest}; upload it first"));
        }
        let reference = step.plugin.as_deref().unwrap_or_default();
        let (name, version) = reference.split_once('@').map_or((reference, None), |(name, version)| (name, Some(version)));
        let fitting = self.plugins.iter().filter(|entry| entry.name == name && version.is_none_or(|version| entry.version == version));
        // `max_by` keeps the last of equals: the newer one.
        let newest = fitting.max_by_key(|entry| order(&entry.version));
        newest.ok_or_else(|| format!("there is no plugin `{reference}`; there are {}", known()))
    }
}

/// A version as something to compare: its three numbers, and a release after its own pre-releases.
fn order(version: &str) -> ([u64; 3], bool, String) {
    let (core, rest) = version.split_once(['-', '+']).map_or((version, ""), |(core, rest)| (core, rest));
    let mut parts = core.split('.').map(|part| part.parse().unwrap_or(0));
    let numbers = [0; 3].map(|_: u64| parts.next().unwrap_or(0));
    (numbers, rest.is_empty() || version[core.len()..].starts_with('+'), rest.to_owned())
}

/// One immutable set of chains.
pub struct Generation {
    /// Changes whenever anything in it changes.
    pub id: String,
    /// What it was built from, every plugin pinned.
    pub setup: Setup,
    chains: BTreeMap<String, Arc<Chain>>,
}

impl Generation {
    /// Builds every chain of a resolved set-up: slow, so never on the event path. What `before` has already is shared with it.
    ///
    /// # Errors
    /// Every step that cannot be built, with the JSON Pointers of its config's problems.
    pub fn build(
        sandbox: &Sandbox,
        mut setup: Setup,
        artefacts: &BTreeMap<String, Bytes>,
        limits: &Limits,
        before: Option<&Self>,
    ) -> Result<Self, Vec<Problem>> {
        let (mut built, mut problems) = (Vec::new(), Vec::new());
        for (name, chain) in &mut setup.chains {
            let mut steps = Vec::with_capacity(chain.steps.len());
            for (at, written) in chain.steps.iter_mut().enumerate() {
                let earlier = before.and_then(|before| before.step_like(name, written));
                match build(sandbox, written, artefacts, limits, earlier) {
                    Ok(step) => {
                        if let Some(message) = denied(&step) {
                            problems.push(Problem { pointer: format!("/chains/{}/steps/{at}/grants", escape(name)), message });
                        }
                        let description = step.plugin.description();
                        written.plugin = Some(format!("{}@{}", description.name, description.version));
                        written.file = None;
                        steps.push(step);
                    }
                    Err(failure) => problems.extend(told(&format!("/chains/{name}/steps/{at}"), &written.label(), failure)),
                }
            }
            built.push((name.clone(), steps));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let id = id(&setup);
        let chains = built.into_iter().map(|(name, steps)| (name.clone(), Arc::new(Chain::new(name, id.clone(), steps)))).collect();
        let generation = Self { id, setup, chains };
        generation.warm_up();
        Ok(generation)
    }

    /// Builds what a config says, with no store: the bundled plugins and the files it names.
    ///
    /// # Errors
    /// Every step that cannot be built, in one sentence each.
    pub fn offline(sandbox: &Sandbox, config: &Config) -> anyhow::Result<Self> {
        let library = Library::of(config.artefacts.iter().map(Entry::of).collect());
        let artefacts = config.artefacts.iter().map(|artefact| (artefact.digest.clone(), artefact.bytes.clone())).collect();
        let built = library.resolve(config.setup.clone()).and_then(|setup| Self::build(sandbox, setup, &artefacts, &config.limits, None));
        built.map_err(|problems| anyhow::anyhow!("{}", sentences(&problems)))
    }

    /// The chain that an event takes.
    pub fn chain_for(&self, event: &Event) -> Arc<Chain> {
        let name = self.setup.chain_of(&event.source);
        // A resolved set-up has every chain that a route names, and the default one.
        self.chains.get(name).or_else(|| self.chains.get(DEFAULT)).cloned().unwrap_or_else(|| Arc::new(self.no_chain()))
    }

    fn no_chain(&self) -> Chain {
        Chain::new(DEFAULT.to_owned(), self.id.clone(), Vec::new())
    }

    /// Every chain, by name.
    pub fn chains(&self) -> &BTreeMap<String, Arc<Chain>> {
        &self.chains
    }

    /// The steps of the default chain, in order.
    pub fn steps(&self) -> &[Step] {
        self.chains.get(DEFAULT).map(|chain| chain.steps.as_slice()).unwrap_or_default()
    }

    /// The step that was built from the same words.
    fn step_like(&self, chain: &str, written: &StepSetup) -> Option<&Step> {
        let at =
            self.setup.chains.get(chain)?.steps.iter().position(|known| same_plugin(known, written) && known.label() == written.label())?;
        self.chains.get(chain)?.steps.get(at)
    }

    /// Runs one harmless event through every chain, so that the first real one finds everything in memory.
    fn warm_up(&self) {
        let event = Event::from_json(br#"{"id": "warm-up", "text": "The VPN is down again, please help"}"#);
        if let Ok(parsed) = event {
            let event = Arc::new(parsed.event);
            for chain in self.chains.values() {
                drop(chain.replay(&event, Timestamp(0), &Backing::none()));
            }
        }
    }
}

/// Whether two steps run the same bytes with the same config under the same budgets.
fn same_plugin(one: &StepSetup, other: &StepSetup) -> bool {
    (&one.digest, &one.config, &one.limits, one.isolation, one.quarantine_after)
        == (&other.digest, &other.config, &other.limits, other.isolation, other.quarantine_after)
}

/// The set-up's id: the same words and bytes, the same id.
pub fn id(setup: &Setup) -> String {
    let json = serde_json::to_string(setup).unwrap_or_default();
    hex::encode(&Sha256::digest(json)[..8])
}

fn build(
    sandbox: &Sandbox,
    written: &StepSetup,
    artefacts: &BTreeMap<String, Bytes>,
    limits: &Limits,
    earlier: Option<&Step>,
) -> Result<Step, Failure> {
    let after = written.quarantine_after.unwrap_or(QUARANTINE_AFTER);
    let (plugin, breaker) = match earlier {
        // A kept instance belongs to one step of one generation no more than its plugin does: both are shared.
        Some(step) if written.isolation == Isolation::Fresh => (step.plugin.clone(), step.breaker.clone()),
        _ => {
            let digest = written.digest.as_deref().unwrap_or_default();
            let wasm = artefacts.get(digest).ok_or_else(|| Failure::missing(digest))?;
            let plugin = sandbox.load(wasm, written.config.as_ref(), &own(limits, written), written.isolation)?;
            log(&plugin);
            (Arc::new(plugin), Arc::new(Breaker::new(after)))
        }
    };
    Ok(Step {
        name: written.label(),
        terms: Terms { effects: plugin.description().effect_set(), grants: written.grants.clone() },
        plugin,
        mode: written.mode,
        on_fault: written.on_fault,
        when: written.when.clone(),
        unless: written.unless.clone(),
        breaker,
    })
}

/// What its plugin cannot do without, and the step was not granted.
fn denied(step: &Step) -> Option<String> {
    let denied = step.plugin.reach().state && !step.terms.grants.contains(&Grant::State);
    denied.then(|| {
        let plugin = &step.plugin.description().name;
        format!("step `{}`: `{plugin}` remembers between events; add `state` to the step's `grants`, or leave the step out", step.name)
    })
}

fn log(plugin: &Plugin) {
    let description = plugin.description();
    tracing::info!(
        plugin.name = description.name,
        plugin.version = description.version,
        activation_ms = plugin.took.map(|took| took.as_millis() as u64),
        "plugin ready"
    );
}

/// The host's budgets with the step's own on top.
fn own(limits: &Limits, step: &StepSetup) -> Limits {
    let own = &step.limits;
    Limits {
        fuel: own.fuel.unwrap_or(limits.fuel),
        wall_ms: own.wall_ms.unwrap_or(limits.wall_ms),
        output_bytes: own.output_bytes.unwrap_or(limits.output_bytes),
        host_calls: own.host_calls.unwrap_or(limits.host_calls),
        log_lines: own.log_lines.unwrap_or(limits.log_lines),
        log_bytes: own.log_bytes.unwrap_or(limits.log_bytes),
        ..limits.clone()
    }
}

/// A failure as problems with pointers.
fn told(pointer: &str, label: &str, failure: Failure) -> Vec<Problem> {
    match failure {
        Failure::Refused(refusal) => {
            vec![Problem { pointer: pointer.to_owned(), message: format!("step `{label}`: {refusal}") }]
        }
        Failure::Config(problems) => problems
            .into_iter()
            .map(|ConfigProblem { pointer: inside, message }| Problem {
                pointer: format!("{pointer}/config{inside}"),
                message: format!("step `{label}`: config{inside}: {message}"),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Library {
        let entry = |name: &str, version: &str, digest: &str| Entry { name: name.into(), version: version.into(), digest: digest.into() };
        Library::of(vec![
            entry("spam", "1.9.0", "a"),
            entry("spam", "1.10.0", "b"),
            entry("spam", "1.10.0-rc.1", "c"),
            entry("spam", "1.10.0", "d"),
            entry("other", "0.1.0", "e"),
        ])
    }

    fn resolved(plugin: Option<&str>, digest: Option<&str>) -> Result<(String, String), String> {
        let step = StepSetup { plugin: plugin.map(str::to_owned), digest: digest.map(str::to_owned), ..StepSetup::default() };
        match library().resolve(Setup::of(vec![step])) {
            Ok(setup) => {
                let step = setup.chains[DEFAULT].steps[0].clone();
                Ok((step.plugin.unwrap(), step.digest.unwrap()))
            }
            Err(problems) => Err(format!("{} {}", problems[0].pointer, problems[0].message)),
        }
    }

    #[test]
    fn a_name_is_its_newest_version_and_a_digest_is_itself() {
        let pinned = |plugin: &str, digest: &str| Ok((plugin.to_owned(), digest.to_owned()));
        assert_eq!(resolved(Some("spam"), None), pinned("spam@1.10.0", "d"), "numbers, not letters; the later of equals");
        assert_eq!(resolved(Some("spam@1.9.0"), None), pinned("spam@1.9.0", "a"));
        assert_eq!(resolved(Some("spam"), Some("a")), pinned("spam@1.9.0", "a"), "an older one stays where it is pinned");
        assert_eq!(resolved(None, Some("e")), pinned("other@0.1.0", "e"));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let said = resolved(Some("spam@2.0.0"), None).unwrap_err();
        assert!(
            said.contains("/chains/default/steps/0/plugin there is no plugin `spam@2.0.0`; there are other@0.1.0, spam@1.10.0"),
            "{said}"
        );
        assert!(resolved(None, Some("f")).unwrap_err().contains("upload it first"));
    }

    #[test]
    fn the_id_is_of_the_words() {
        let step = |plugin: &str| StepSetup { plugin: Some(plugin.to_owned()), ..StepSetup::default() };
        assert_eq!(id(&Setup::of(vec![step("a")])), id(&Setup::of(vec![step("a")])));
        assert_ne!(id(&Setup::of(vec![step("a")])), id(&Setup::of(vec![step("b")])));
    }
}
