//! A plugin's project folder: what `plugin.toml` in it says, for the commands that take a folder where they take a file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::case::{self, Case};

/// The file that makes a folder a project.
const FILE: &str = "plugin.toml";

/// `plugin.toml`: how the plugin is built, and what comes of it. Paths are relative to the folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    /// A command of the shell, run in the folder.
    pub build: String,
    /// What the command makes.
    pub wasm: PathBuf,
    /// Files of cases.
    #[serde(default)]
    pub cases: Vec<PathBuf>,
}

impl Project {
    /// Reads the project of a folder; its paths then begin there.
    ///
    /// # Errors
    /// When there is none, or it says what no project says.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(FILE);
        let written = std::fs::read_to_string(&file).with_context(|| {
            let remedy = "it says how a project is built: build = \"./build.sh\", wasm = \"build/NAME.wasm\", cases = [\"cases.toml\"]";
            format!("cannot read {}; {remedy}", file.display())
        })?;
        let project: Self = toml::from_str(&written).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        Ok(Self {
            wasm: folder.join(&project.wasm),
            cases: project.cases.iter().map(|cases| folder.join(cases)).collect(),
            build: project.build,
        })
    }
}

/// What a command is to look at: a plugin, or the project that makes one.
pub(super) struct Target {
    /// The plugin's file.
    pub wasm: PathBuf,
    /// Files of cases; none means the plugin's own examples.
    pub cases: Vec<PathBuf>,
}

impl Target {
    /// `path` is a plugin or a project's folder; cases that are named take the place of the project's own.
    ///
    /// # Errors
    /// When the folder is no project.
    pub(super) fn find(path: &Path, cases: &[PathBuf]) -> anyhow::Result<Self> {
        let (wasm, own) = if path.is_dir() {
            let project = Project::open(path)?;
            (project.wasm, project.cases)
        } else {
            (path.to_owned(), Vec::new())
        };
        Ok(Self { wasm, cases: if cases.is_empty() { own } else { cases.to_vec() } })
    }

    /// The plugin's bytes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        std::fs::read(&self.wasm).with_context(|| format!("{}; is it built?", self.wasm.display()))
    }
}

/// Every case of the files, in order; TOML unless a file's name ends with `.json`.
///
/// # Errors
/// The file, the place in it, and what is wrong there.
pub(super) fn cases(files: &[PathBuf]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let is_toml = file.extension().is_none_or(|end| end != "json");
        cases.extend(case::read(&text, is_toml).map_err(|fault| anyhow::anyhow!("{}: {fault}", file.display()))?);
    }
    Ok(cases)
}
