//! The host's own log: to standard error, one record a line, for people or as JSON.

mod traces;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::app::Clock;
use crate::config::{Log, LogFormat, Traces as Collector};
pub use traces::Traces;

/// Starts logging for the whole process, and tracing where there is a collector: what is returned then sends the last spans. Runs within a
/// runtime.
///
/// # Errors
/// When the filter is not one, or the collector cannot be called.
pub fn start(log: &Log, collector: Option<&Collector>, clock: Clock) -> anyhow::Result<Option<Traces>> {
    let written = log.filter.as_deref().unwrap_or("info");
    let filter =
        EnvFilter::try_new(written).map_err(|error| anyhow::anyhow!("`log.filter` is `{written}`: {error}; write a level such as info"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(false).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (spans, traces) = collector.map(|collector| traces::layer(collector, clock)).transpose()?.unzip();
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).try_init();
    Ok(traces)
}
