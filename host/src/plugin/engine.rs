//! The engines and the ticker, made together so that a deadline always has someone who rings the bell.
//!
//! One engine serves every plugin of the process; the activation child makes its own two. Only this file knows wasmtime's
//! settings, each with its reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy};

use crate::config::Limits;

/// One tick of the epoch. Coarse: the fuel decides, the epoch only catches what fuel cannot see.
const TICK: Duration = Duration::from_millis(10);
/// Native stack that guest code may use, bytes: every toolchain measured stays below 256 KiB.
const MAX_WASM_STACK: usize = 512 << 10;
/// Memory slots of the pool: far above the threads that can be inside a guest at once. Each costs 4 GiB of address space and
/// nothing else until it is used.
const SLOTS: u32 = 64;
/// Address space of one memory slot. Kept at 4 GiB: with it the guard pages check every access for free; explicit bounds checks
/// cost 32 % (docs/performance.md).
const RESERVATION: u64 = 4 << 30;
/// Guest memory that stays resident between two events, bytes, when nothing else was measured.
pub const DEFAULT_RESIDENT: usize = 4 << 20;

/// How instances get their memory, told at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// From a pool, dirty pages found with `PAGEMAP_SCAN`: the fast path.
    PooledWithScan,
    /// From a pool, all resident pages reset: the kernel is older than 6.7.
    Pooled,
    /// One mapping per instance: the address space was too short for a pool.
    OnDemand,
}

impl Allocation {
    /// As people read it in the log.
    pub fn describe(self) -> &'static str {
        match self {
            Self::PooledWithScan => "pooled, dirty pages by PAGEMAP_SCAN",
            Self::Pooled => "pooled, without PAGEMAP_SCAN (needs Linux 6.7)",
            Self::OnDemand => "on demand: too little address space for a pool, fresh instances are slower",
        }
    }
}

/// What every engine of ours has in common, so that what one compiles another can load.
fn common() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        // The same event gives the same verdict on every machine.
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(MAX_WASM_STACK)
        // Plain synchronous calls: the guest-side concurrency machinery costs 6 to 19 % and had most of the advisories.
        .concurrency_support(false)
        .memory_reservation(RESERVATION)
        .memory_init_cow(true)
        // Proposals that no rule needs, and in which most of the advisories of this line sit.
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_stack_switching(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        // Adapters that give a module a second memory of their own need this one.
        .wasm_multi_memory(true);
    config
}

/// The engine that compiles for the serving engine: the same code, no pool. It takes from `kept` what it compiled before.
///
/// # Errors
/// When wasmtime refuses the settings.
pub fn compiling(kept: Arc<dyn CacheStore>) -> wasmtime::Result<Engine> {
    let mut config = common();
    config.enable_incremental_compilation(kept)?;
    Engine::new(&config)
}

/// The engine that runs `describe` and `configure` in the activation child, where address space is scarce: no reservation, so
/// that a guest's 64 MiB are 64 MiB.
///
/// # Errors
/// When wasmtime refuses the settings.
pub fn rehearsing(kept: Arc<dyn CacheStore>) -> wasmtime::Result<Engine> {
    let mut config = common();
    config.enable_incremental_compilation(kept)?;
    config.memory_reservation(0).memory_guard_size(64 << 10).memory_reservation_for_growth(1 << 20).memory_init_cow(false);
    // This code runs once: compiling it fast matters more than running it fast.
    config.cranelift_opt_level(OptLevel::None);
    Engine::new(&config)
}

/// The serving engine with its ticker.
pub struct Serving {
    /// For loading and instantiating.
    pub engine: Engine,
    /// How instances get their memory.
    pub allocation: Allocation,
    ticker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Serving {
    /// Makes the engine and starts its ticker. `resident` is the guest memory kept between events, bytes per slot.
    ///
    /// # Errors
    /// When wasmtime refuses the settings or no thread can be started.
    pub fn start(limits: &Limits, resident: usize) -> anyhow::Result<Self> {
        let (engine, allocation) = match Engine::new(&pooled(limits, resident)) {
            Ok(engine) if PoolingAllocationConfig::is_pagemap_scan_available() => (engine, Allocation::PooledWithScan),
            Ok(engine) => (engine, Allocation::Pooled),
            Err(_) => (Engine::new(&common())?, Allocation::OnDemand),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let ticker = {
            let (engine, stop) = (engine.clone(), stop.clone());
            std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            })?
        };
        Ok(Self { engine, allocation, ticker: Some(ticker), stop })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            // The ticker only sleeps and counts; it cannot have panicked, and nothing could be done if it had.
            let _ = ticker.join();
        }
    }
}

/// Ticks until a deadline; one more for the tick that is already under way.
pub fn ticks(wall_ms: u64) -> u64 {
    wall_ms.div_ceil(TICK.as_millis() as u64) + 1
}

fn pooled(limits: &Limits, resident: usize) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * 4)
        .total_memories(SLOTS)
        .total_tables(SLOTS * 2)
        .total_stacks(0)
        .total_gc_heaps(0)
        .max_core_instances_per_component(limits.instances as u32)
        .max_memories_per_component(limits.memories as u32)
        .max_tables_per_component(limits.tables as u32)
        .table_elements(limits.table_elements)
        .max_memory_size(limits.memory_bytes)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident)
        .max_unused_warm_slots(SLOTS)
        .pagemap_scan(Enabled::Auto);
    let mut config = common();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
