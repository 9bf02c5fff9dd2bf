//! The saved samples of a source: read from their directory, and held against the adapter as it is now.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Config, SourceConfig};
use crate::source::sample::Sample;

/// A sample by its name, and what is wrong with it now.
pub type Held = (String, Result<(), Vec<String>>);

impl SourceConfig {
    /// Every saved sample, by name.
    ///
    /// # Errors
    /// A sentence, when the directory or a file of it cannot be read.
    pub fn samples(&self) -> Result<Vec<Held>, String> {
        let Some(dir) = &self.samples else { return Ok(Vec::new()) };
        let unreadable = |path: &Path, problem: String| format!("the sample {} cannot be read: {problem}", path.display());
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(files) => {
                files.filter_map(|file| Some(file.ok()?.path())).filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
            }
            // Nothing has been saved yet.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(dir, error.to_string())),
        };
        paths.sort();
        let held = |path: PathBuf| {
            let text = std::fs::read(&path).map_err(|error| unreadable(&path, error.to_string()))?;
            let sample: Sample = serde_json::from_slice(&text).map_err(|error| unreadable(&path, error.to_string()))?;
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok((name, sample.holds(&self.source)))
        };
        paths.into_iter().map(held).collect()
    }
}

impl Config {
    /// Holds every source against its saved samples; gives how many there are.
    ///
    /// # Errors
    /// What the first sample that does not hold was and is, and what to do about it.
    pub fn samples_hold(&self) -> Result<usize, String> {
        let mut count = 0;
        for (source, config) in &self.sources {
            for (sample, held) in config.samples()? {
                held.map_err(|differences| {
                    let first = differences.first().map_or("", String::as_str);
                    format!(
                        "source `{source}` no longer understands its sample `{sample}`: {first}; mend the adapter, or save the sample \
                         again when it is meant to be so (`signalbox source test {source}` shows every difference)"
                    )
                })?;
                count += 1;
            }
        }
        Ok(count)
    }
}
