//! Every budget that guest code and its bytes run under: one table, all on by default.
//!
//! Read by `plugin/`; a config may change a value, never switch a budget off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Budgets of one call into a plugin, and of bringing a plugin in. What hits a budget is a named outcome, never an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Fuel per call, about one unit per wasm instruction: the deterministic budget, so that a busy machine is never blamed on
    /// the plugin. 50 million is 40 to 80 ms of pure computing; the bundled rules use 0.1 to 0.5 million for a usual post.
    pub fuel: u64,
    /// Wall time per call in milliseconds, host calls included: the backstop, far above what the fuel allows.
    pub wall_ms: u64,
    /// Sum of all linear memories of one instance, bytes. 64 MiB holds every toolchain measured: Python 34
    /// MiB after 400,000 calls, Zig 17, Go 9.
    pub memory_bytes: usize,
    /// Linear memories of one instance. Adapted components have up to 3.
    pub memories: usize,
    /// Core instances of one plugin: Python has 38, JavaScript 11, others up to 4.
    pub instances: usize,
    /// Tables of one instance.
    pub tables: usize,
    /// Elements of one table. JavaScript engines need 7,700, Go 6,600.
    pub table_elements: usize,
    /// Bytes that one call may hand to the host, its verdict included: the cap on what a guest can make the host copy.
    pub output_bytes: usize,
    /// Calls from one call into the host.
    pub host_calls: u32,
    /// Rows that one call of `lookup.rows` gives.
    pub lookup_rows: u32,
    /// Earlier messages that one call of `lookup.thread` gives.
    pub lookup_thread: u32,
    /// Keys that one step keeps in `state`.
    pub state_keys: usize,
    /// Bytes of one value in `state`.
    pub state_value_bytes: usize,
    /// Bytes of all keys and values that one step keeps in `state`.
    pub state_bytes: usize,
    /// Bytes of questions and answers that are kept with a decision, for replays.
    pub asked_bytes: usize,
    /// Log lines kept per call.
    pub log_lines: u32,
    /// Bytes of log kept per call.
    pub log_bytes: u32,
    /// Bytes of an uploaded plugin. Python components have 18 MB.
    pub upload_bytes: usize,
    /// Functions of an uploaded plugin: 100,000 empty ones already cost 8 CPU seconds to compile.
    pub functions: u32,
    /// Bytes of a step's config.
    pub config_bytes: usize,
    /// Fuel for `describe`, `configure` and the warm-up together.
    pub activation_fuel: u64,
    /// CPU seconds for bringing a plugin in: checking, `describe`, `configure`, snapshot and compilation.
    pub activation_cpu_s: u64,
    /// Wall seconds for the same.
    pub activation_wall_s: u64,
    /// Address space for the same, bytes.
    pub activation_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 50_000_000,
            wall_ms: 1_000,
            memory_bytes: 64 << 20,
            memories: 8,
            instances: 64,
            tables: 16,
            table_elements: 20_000,
            output_bytes: 1 << 20,
            host_calls: 1_000,
            lookup_rows: 1_000,
            lookup_thread: 20,
            state_keys: 10_000,
            state_value_bytes: 64 << 10,
            state_bytes: 1 << 20,
            asked_bytes: 64 << 10,
            log_lines: 32,
            log_bytes: 8 << 10,
            upload_bytes: 32 << 20,
            functions: 60_000,
            config_bytes: 1 << 20,
            activation_fuel: 5_000_000_000,
            activation_cpu_s: 90,
            activation_wall_s: 240,
            activation_memory_bytes: 4 << 30,
        }
    }
}

/// `[tables]`: how much the admin's tables may hold. All of it is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TableLimits {
    /// Tables.
    pub tables: usize,
    /// Rows of one table.
    pub rows: usize,
    /// Bytes of one row, as JSON.
    pub row_bytes: usize,
    /// Bytes of all rows of one table, as JSON.
    pub bytes: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { tables: 64, rows: 50_000, row_bytes: 16 << 10, bytes: 32 << 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_docs_has_every_limit_with_its_default() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/limits.md")).unwrap();
        let (limits, tables) = (serde_json::to_value(Limits::default()).unwrap(), serde_json::to_value(TableLimits::default()).unwrap());
        for (key, value) in limits.as_object().unwrap().iter().chain(tables.as_object().unwrap()) {
            assert!(page.contains(&format!("| `{key}` | {value} |")), "docs/limits.md has no row `{key}` with {value}");
        }
    }
}
