//! The parent's side of bringing a plugin in: starts the activation child, and keeps what it made.
//!
//! Called when a plugin is uploaded, checked or configured; never on the event path. The parent loads only artefacts of its own
//! cache: a private directory, keyed by everything that shaped the machine code, checked by digest, written by rename.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use super::activate::{Failure, Report};
use super::child::{Request, Response};
use super::door::{Check, look, refuse};
use super::engine::Places;
use crate::config::Limits;

/// Changes whenever what the child puts into an artefact changes.
const FORMAT: u32 = 2;
/// Longest response of the child, bytes: a description with its examples, several times over.
const MAX_RESPONSE: u64 = 8 << 20;

/// Age at which an unfinished file belongs to nobody: far above the wall time of an activation.
const SWEEP_AFTER: Duration = Duration::from_secs(3_600);

/// Starts activation children and keeps their artefacts.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The binary to start: this one, or the one a test names.
    program: PathBuf,
    /// Where artefacts are kept, readable by this user alone.
    cache: PathBuf,
    /// Places for children: each may use a core and the memory of its limit, so there is one per core, and the others wait.
    children: Arc<Places>,
}

/// A plugin + config, brought in.
#[derive(Debug)]
pub struct Activated {
    /// Everything that shapes the artefact, hashed: plugin, config, engine, limits.
    pub key: String,
    /// What the child found out.
    pub report: Report,
    /// SHA-256 of the uploaded bytes, hex.
    pub digest: String,
    /// The compiled artefact.
    pub artefact: PathBuf,
    /// Wall time it took, and none when it came from the cache.
    pub took: Option<Duration>,
}

/// What is kept beside an artefact.
#[derive(Serialize, Deserialize)]
struct Kept {
    report: Report,
    artefact_sha256: String,
}

impl Compiler {
    /// A compiler that keeps artefacts in `cache`, which it makes.
    ///
    /// # Errors
    /// When the directory cannot be made or closed to others.
    pub fn new(program: PathBuf, cache: PathBuf) -> std::io::Result<Self> {
        use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache)?;
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o700))?;
        sweep(&cache)?;
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        Ok(Self { program, cache, children: Arc::new(Places::new(cores)) })
    }

    /// Brings a plugin in with a config (absent: the defaults of its schema), or finds it in the cache.
    ///
    /// # Errors
    /// [`Failure`]: the plugin or the config is refused, or the child hit a limit.
    pub fn activate(&self, engine: &Engine, wasm: &[u8], config: Option<&Value>, limits: &Limits) -> Result<Activated, Failure> {
        look(wasm, limits)?;
        let size = config.map_or(0, |config| config.to_string().len());
        if size > limits.config_bytes {
            let message = format!("the config has {size} bytes; at most {} are taken (limit `config_bytes`)", limits.config_bytes);
            return Err(refuse(Check::Configure, message).into());
        }
        let digest = hex::encode(Sha256::digest(wasm));
        let name = key(engine, &digest, config, limits);
        let (artefact, kept) = (self.cache.join(format!("{name}.cwasm")), self.cache.join(format!("{name}.json")));
        if let Some(report) = find(&artefact, &kept) {
            return Ok(Activated { key: name, report, digest, artefact, took: None });
        }
        let start = Instant::now();
        // A name of its own, so that two starts at once do not write into each other's file.
        let unfinished = self.cache.join(format!("{name}.{}.tmp", uuid::Uuid::now_v7().simple()));
        // Engine and bytes alone: another config finds the same functions.
        let functions = self.cache.join(format!("{}.functions", key(engine, &digest, None, &Limits::default())));
        let more_functions = unfinished.with_extension("functions.tmp");
        let request = Request { limits: limits.clone(), config: config.cloned(), artefact: unfinished.clone(), functions, more_functions };
        let result = self.run(&request, wasm).and_then(|report| {
            let keep =
                |error: std::io::Error| refuse(Check::Child, format!("the artefact cannot be kept in {}: {error}", self.cache.display()));
            let bytes = fs::read(&unfinished).map_err(keep)?;
            let record = Kept { report, artefact_sha256: hex::encode(Sha256::digest(&bytes)) };
            let beside = unfinished.with_extension("json.tmp");
            fs::write(&beside, serde_json::to_vec(&record).map_err(std::io::Error::other).map_err(keep)?).map_err(keep)?;
            fs::rename(&unfinished, &artefact).and_then(|()| fs::rename(&beside, &kept)).map_err(keep)?;
            if fs::metadata(&request.more_functions).is_ok_and(|more| more.len() > 0) {
                fs::rename(&request.more_functions, &request.functions).map_err(keep)?;
            }
            Ok(record.report)
        });
        // What a child that was killed leaves behind, and what it did not need.
        let _ = fs::remove_file(&unfinished);
        let _ = fs::remove_file(&request.more_functions);
        Ok(Activated { key: name, report: result?, digest, artefact, took: Some(start.elapsed()) })
    }

    fn run(&self, request: &Request, wasm: &[u8]) -> Result<Report, Failure> {
        let _place = self.children.enter();
        let broken = |what: &str, error: std::io::Error| {
            refuse(Check::Child, format!("the activation child {} {what}: {error}", self.program.display()))
        };
        let mut child = Command::new(&self.program)
            .arg("activate")
            // Nothing of the host's environment: a guest that escapes finds no secret in it.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| broken("does not start", error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let header = serde_json::to_vec(request).map_err(|error| broken("cannot be asked", std::io::Error::other(error)))?;
        let deadline = Instant::now() + Duration::from_secs(request.limits.activation_wall_s);
        // Both pipes have a thread of their own, so that neither a child that does not read nor one that does not end can hold
        // the parent past the deadline.
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let Some(mut stdin) = stdin else { return };
                let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes();
                // A child that ended early closes the pipe; its status says why.
                let _ = stdin.write_all(&length).and_then(|()| stdin.write_all(&header)).and_then(|()| stdin.write_all(wasm));
            });
            let response = scope.spawn(move || {
                let mut response = Vec::new();
                if let Some(stdout) = stdout {
                    let _ = stdout.take(MAX_RESPONSE).read_to_end(&mut response);
                }
                response
            });
            let status = loop {
                match child.try_wait().map_err(|error| broken("cannot be waited for", error))? {
                    Some(status) => break status,
                    None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
                    None => {
                        let _ = child.kill();
                        let _ = child.wait();
                        let message = format!(
                            "took more than {} s; make the plugin smaller or raise `activation_wall_s`",
                            request.limits.activation_wall_s
                        );
                        return Err(refuse(Check::Compile, message).into());
                    }
                }
            };
            let response = response.join().unwrap_or_default();
            if status.success() {
                let said: Result<Response, _> = serde_json::from_slice(&response);
                let nonsense = |error: serde_json::Error| refuse(Check::Child, format!("the activation child answered nonsense: {error}"));
                let Response { uncaged, found } = said.map_err(nonsense)?;
                uncaged.into_iter().for_each(|why| warn_uncaged(&why));
                return found;
            }
            Err(refuse(Check::Compile, ended(status, &request.limits)).into())
        })
    }
}

/// Says once in the life of the process that the second wall is missing.
fn warn_uncaged(why: &str) {
    static TOLD: std::sync::Once = std::sync::Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            why,
            "plugins are compiled without a filter of system calls on this machine; the child's limits on time, memory and output hold"
        );
    });
}

/// Removes what activations that were killed left unfinished. Younger files may be somebody's work of this moment.
fn sweep(cache: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(cache)? {
        let entry = entry?;
        let unfinished = entry.path().extension().is_some_and(|extension| extension == "tmp");
        let old =
            entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|made| made.elapsed().is_ok_and(|age| age > SWEEP_AFTER));
        if unfinished && old {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Why a child died, in words an admin can act on.
fn ended(status: ExitStatus, limits: &Limits) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    /// The kernel's signals for "CPU time used up" and "killed", as POSIX numbers them.
    const SIGXCPU: i32 = 24;
    const SIGKILL: i32 = 9;
    match status.signal() {
        Some(SIGXCPU | SIGKILL) => {
            format!("needs more than {} CPU seconds to compile; make it smaller or raise `activation_cpu_s`", limits.activation_cpu_s)
        }
        Some(_) => format!(
            "the compiler gave up on it within {} MiB of address space; make it smaller or raise `activation_memory_bytes`",
            limits.activation_memory_bytes >> 20
        ),
        None => format!(
            "the compiler failed on it ({status}); it is malformed, or needs more than {} MiB",
            limits.activation_memory_bytes >> 20
        ),
    }
}

/// Everything that shapes an artefact: other bytes, another config, another engine or other budgets make another key.
fn key(engine: &Engine, digest: &str, config: Option<&Value>, limits: &Limits) -> String {
    /// Feeds wasmtime's own hash of version, target and settings into ours.
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut feed = Feed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut feed);
    let rest = (FORMAT, env!("CARGO_PKG_VERSION"), digest, config.map(Value::to_string), serde_json::to_string(limits).unwrap_or_default());
    rest.hash(&mut feed);
    hex::encode(&feed.0.finalize()[..16])
}

/// The report of a kept artefact, when both files are whole.
fn find(artefact: &Path, kept: &Path) -> Option<Report> {
    let record: Kept = serde_json::from_slice(&fs::read(kept).ok()?).ok()?;
    let bytes = fs::read(artefact).ok()?;
    if hex::encode(Sha256::digest(&bytes)) == record.artefact_sha256 {
        return Some(record.report);
    }
    tracing::warn!(artefact = %artefact.display(), "a kept artefact does not match its digest; it is made again");
    None
}
