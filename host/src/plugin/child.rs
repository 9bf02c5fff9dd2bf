//! The activation child: what it is asked and answers, its files, its limits, and its whole life.
//!
//! `compiler.rs` starts the same binary as this child, with an empty environment and two pipes. It reads one request on stdin, puts
//! itself under limits on CPU time, address space and file size, opens its files, shuts itself in (`cage.rs`), and only then reads a
//! foreign byte. It leaves the compiled artefact in the file it was told, and one response on stdout.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::activate::{Failure, Report, activate};
use super::cage;
use super::door::{Check, Refusal, refuse};
use super::functions::Functions;
use crate::config::Limits;

/// What the parent asks of the child.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// Every budget.
    pub limits: Limits,
    /// The step's config; absent is the defaults of the plugin's schema.
    pub config: Option<Value>,
    /// Where to write the compiled artefact.
    pub artefact: PathBuf,
    /// Where the plugin's compiled functions are kept between activations.
    pub functions: PathBuf,
    /// Where to write them, if there are more of them now. What is whole gets its name from the parent.
    pub more_functions: PathBuf,
}

/// What the child answers.
#[derive(Serialize, Deserialize)]
pub struct Response {
    /// Why it worked outside the cage, when it did.
    pub uncaged: Option<String>,
    /// What it found out.
    pub found: Result<Report, Failure>,
}

/// Every file that the child has to do with. They are opened before it sees a foreign byte: afterwards it can open none.
pub struct Files {
    artefact: File,
    pub(super) functions: Arc<Functions>,
}

impl Files {
    fn open(request: &Request) -> Result<Self, Refusal> {
        let make = |path: &PathBuf| {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            made.map_err(|error| refuse(Check::Child, format!("the artefact cannot be written to {}: {error}", path.display())))
        };
        let more = make(&request.more_functions)?;
        Ok(Self { artefact: make(&request.artefact)?, functions: Arc::new(Functions::open(&request.functions, more)) })
    }

    /// Keeps the compiled artefact.
    pub(super) fn keep(&self, artefact: &[u8]) -> Result<(), Refusal> {
        (&self.artefact).write_all(artefact).map_err(|error| refuse(Check::Child, format!("the artefact cannot be written: {error}")))
    }
}

/// The child's whole life: one request in, one response out.
///
/// # Errors
/// When stdin or stdout are not those of a parent that keeps the protocol.
pub fn child() -> anyhow::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let mut request = vec![0; u32::from_le_bytes(length) as usize];
    input.read_exact(&mut request)?;
    let request: Request = serde_json::from_slice(&request)?;
    confine(&request.limits)?;
    let files = Files::open(&request);
    let uncaged = cage::close().err();
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm)?;
    let found = files.map_err(Failure::from).and_then(|files| activate(&wasm, &request, &files));
    let response = Response { uncaged, found };
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, &response)?;
    Ok(output.flush()?)
}

/// Puts the process under its limits, before it has seen a single foreign byte.
fn confine(limits: &Limits) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let hard = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Cpu, hard(limits.activation_cpu_s))?;
    setrlimit(Resource::As, hard(limits.activation_memory_bytes))?;
    setrlimit(Resource::Core, hard(0))?;
    // The artefact is the only file it writes; native code is 3 to 5 times the wasm.
    setrlimit(Resource::Fsize, hard(limits.upload_bytes as u64 * 16))?;
    Ok(())
}
