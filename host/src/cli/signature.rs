//! `signalbox signature check`: tries the verifier on a file of test vectors.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Done, card, complain, out};
use crate::signature::{Outcome, check_vectors};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Verify every vector of a file, and say where the outcome is not the file's `valid`
    Check {
        /// A JSON file with a list of vectors, each a scheme, a secret, headers, a body, and whether it is valid
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) fn signature(command: &Command) -> anyhow::Result<Done> {
    let Command::Check { file } = command;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let checked = check_vectors(&text, |name| body(file, name)).map_err(|problem| anyhow::anyhow!("{}: {problem}", file.display()))?;
    let (mut differing, mut unchecked) = (0, 0);
    for one in &checked {
        let (word, reason) = match &one.outcome {
            Outcome::Valid(reason) => ("valid", reason),
            Outcome::Invalid(reason) => ("invalid", reason),
            Outcome::Unchecked(reason) => ("unchecked", reason),
        };
        unchecked += usize::from(word == "unchecked");
        differing += usize::from(one.differs());
        let mark = if one.differs() { " (MISMATCH: the file says the opposite)" } else { "" };
        out(&format!("{} {word} {}{mark}\n", card::printable(&one.id), card::printable(reason)));
    }
    if unchecked > 0 {
        complain(&format!("{unchecked} of {} vectors could not be checked: their body files are not here", checked.len()));
    }
    Ok(if differing > 0 || (unchecked > 0 && unchecked == checked.len()) { Done::Refused } else { Done::Well })
}

/// A vector's body: relative to the file, or in a folder `webhooks` beside it.
fn body(file: &Path, name: &str) -> Result<Vec<u8>, String> {
    let beside = file.parent().unwrap_or(Path::new(""));
    let last = Path::new(name).file_name().unwrap_or_default();
    let places = [beside.join(name), beside.join("webhooks").join(name), beside.join("webhooks").join(last), beside.join(last)];
    places.iter().find_map(|place| std::fs::read(place).ok()).ok_or_else(|| format!("no file {name} beside the vectors or in webhooks/"))
}
