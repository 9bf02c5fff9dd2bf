//! The engines and the ticker, made together so that a deadline always has someone who rings the bell.
//!
//! One engine serves every plugin of the process; the activation child makes its own two. Only this file knows wasmtime's
//! settings, each with its reason.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy};

use crate::config::Limits;

/// One tick of the epoch. Coarse: the fuel decides, the epoch only catches what fuel cannot see.
const TICK: Duration = Duration::from_millis(10);
/// Native stack that guest code may use, bytes: every toolchain measured stays below 256 KiB.
const MAX_WASM_STACK: usize = 512 << 10;
/// Threads per core that may be inside guests at once: the workers, the lane's two rows and replays are four; one more waits for nobody.
const CALLERS_PER_CORE: u32 = 5;
/// Instances that steps with `isolation = "reuse"` keep between events, all steps together.
const KEPT: u32 = 64;
/// Address space of one memory slot. Kept at 4 GiB: with it the guard pages check every access for free; explicit bounds checks
/// cost 32 % (docs/performance.md).
const RESERVATION: u64 = 4 << 30;
/// Guest memory per slot that stays resident between two events, bytes, until a plugin with a larger snapshot is taken in.
const DEFAULT_RESIDENT: usize = 4 << 20;

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
    /// Who may be inside a guest.
    pub places: Places,
    /// Guest memory per slot that stays resident between two events, bytes.
    pub resident: usize,
    ticker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Serving {
    /// Makes the engine and starts its ticker. `largest` is the memory of the largest snapshot it is to serve, bytes: what an
    /// event dirties beyond the resident part is given back to the kernel and faulted in again, page by page (3 to 8 times
    /// slower, docs/performance.md).
    ///
    /// # Errors
    /// When wasmtime refuses the settings or no thread can be started.
    pub fn start(limits: &Limits, largest: usize) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        let callers = CALLERS_PER_CORE * cores;
        let resident = largest.clamp(DEFAULT_RESIDENT.min(limits.memory_bytes), limits.memory_bytes);
        let (engine, allocation) = match Engine::new(&pooled(limits, resident, callers + KEPT)) {
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
        Ok(Self { engine, allocation, places: Places::new(callers), resident, ticker: Some(ticker), stop })
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

/// The pool's slots as places: one for every thread inside a guest, which waits when all are taken, and some for kept instances.
#[derive(Debug)]
pub struct Places {
    free: Mutex<u32>,
    freed: Condvar,
    kept_free: AtomicU32,
}

/// A place inside a guest; given back when dropped.
pub struct Place<'a>(&'a Places);

impl Places {
    /// So many places.
    pub fn new(callers: u32) -> Self {
        Self { free: Mutex::new(callers), freed: Condvar::new(), kept_free: AtomicU32::new(KEPT) }
    }

    /// Takes a place; waits while every one is taken.
    pub fn enter(&self) -> Place<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Place(self)
    }

    /// Takes a place for an instance that stays between events, when there is one.
    pub fn keep(&self) -> bool {
        self.kept_free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1)).is_ok()
    }

    /// Gives the place of a kept instance back.
    pub fn let_go(&self) {
        self.kept_free.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

/// Ticks until a deadline; one more for the tick that is already under way.
pub fn ticks(wall_ms: u64) -> u64 {
    wall_ms.div_ceil(TICK.as_millis() as u64) + 1
}

fn pooled(limits: &Limits, resident: usize, slots: u32) -> Config {
    let (instances, memories, tables) = (limits.instances as u32, limits.memories as u32, limits.tables as u32);
    let mut pool = PoolingAllocationConfig::new();
    // Every slot has room for the largest plugin that the limits allow: a slot costs address space, and nothing until it is used.
    pool.total_component_instances(slots)
        .total_core_instances(slots * instances)
        .total_memories(slots * memories)
        .total_tables(slots * tables)
        .total_stacks(0)
        .total_gc_heaps(0)
        .max_core_instances_per_component(instances)
        .max_memories_per_component(memories)
        .max_tables_per_component(tables)
        .table_elements(limits.table_elements)
        .max_memory_size(limits.memory_bytes)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident)
        .max_unused_warm_slots(slots)
        .pagemap_scan(Enabled::Auto);
    let mut config = common();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_resident_part_follows_the_largest_snapshot_within_the_limit() {
        let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
        for (largest, resident) in [(1 << 20, DEFAULT_RESIDENT), (9 << 20, 9 << 20), (1 << 30, 16 << 20)] {
            assert_eq!(Serving::start(&limits, largest).unwrap().resident, resident);
        }
    }

    #[test]
    fn a_thread_waits_for_a_place_and_gets_the_next_one() {
        let places = Places::new(1);
        let (told, tells) = channel();
        std::thread::scope(|scope| {
            let first = places.enter();
            let places = &places;
            scope.spawn(move || {
                let _second = places.enter();
                told.send(()).unwrap();
            });
            assert!(tells.recv_timeout(Duration::from_millis(50)).is_err(), "the only place is taken");
            drop(first);
            assert!(tells.recv_timeout(Duration::from_secs(10)).is_ok(), "the place is free again");
        });
    }

    #[test]
    fn kept_instances_leave_the_places_of_callers_alone() {
        let places = Places::new(1);
        assert_eq!((0..2 * KEPT).filter(|_| places.keep()).count(), KEPT as usize);
        places.let_go();
        assert!(places.keep() && !places.keep());
        drop(places.enter());
    }
}
