//! `signalbox check`: reads a config holds its sources against their samples, and brings every plugin of its chain in, without serving.

use std::path::PathBuf;

use super::run::tempdir;
use super::{Done, complain, out};
use crate::config::{Config, Overrides};
use crate::generation::Generation;
use crate::plugin::Sandbox;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The config file to check
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn check(args: &Args) -> anyhow::Result<Done> {
    let checked = Config::load(Some(&args.config), &Overrides::default()).map_err(anyhow::Error::from).and_then(|config| {
        let samples = config.samples_hold().map_err(anyhow::Error::msg)?;
        // Compiled plugins are thrown away: a check leaves nothing behind.
        let scratch = tempdir()?;
        let sandbox = Sandbox::start(&config.limits, std::env::current_exe()?, scratch.0.clone())?;
        let generation = Generation::offline(&sandbox, &config)?;
        Ok((config.sources.len(), samples, generation))
    });
    match checked {
        Ok((sources, samples, generation)) => {
            out(&format!(
                "{}: fine; {}, {}, {}, generation {}\n",
                args.config.display(),
                counted(sources, "source"),
                counted(samples, "sample"),
                counted(generation.steps().len(), "step"),
                generation.id
            ));
            Ok(Done::Well)
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            Ok(Done::Refused)
        }
    }
}

/// "1 step", "2 steps".
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
