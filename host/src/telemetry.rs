//! The host's own log: to standard error, one record a line, for people or as JSON.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter is not one.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let written = log.filter.as_deref().unwrap_or("info");
    let filter =
        EnvFilter::try_new(written).map_err(|error| anyhow::anyhow!("`log.filter` is `{written}`: {error}; write a level such as info"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(false).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
