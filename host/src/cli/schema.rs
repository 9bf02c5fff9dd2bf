//! `signalbox schema`: prints the JSON Schema of what the host reads and writes.

use schemars::generate::SchemaSettings;

use super::{Done, out};
use crate::config::Written;
use crate::decision::Decision;
use crate::event::Event;
use crate::verdict::Verdict;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to print the schema of
    subject: Subject,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Subject {
    /// The canonical event: what a source maps to and a plugin sees
    Event,
    /// What a plugin returns
    Verdict,
    /// What the webhook answers
    Decision,
    /// The config file
    Config,
}

pub(super) fn schema(args: &Args) -> anyhow::Result<Done> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = match args.subject {
        Subject::Event => generator.into_root_schema_for::<Event>(),
        Subject::Verdict => generator.into_root_schema_for::<Verdict>(),
        Subject::Decision => generator.into_root_schema_for::<Decision>(),
        Subject::Config => generator.into_root_schema_for::<Written>(),
    };
    out(&format!("{}\n", serde_json::to_string_pretty(&schema)?));
    Ok(Done::Well)
}
