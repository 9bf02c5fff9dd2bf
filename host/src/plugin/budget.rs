//! What one call may use: the memory limiter, and the names of what was hit.
//!
//! A [`Budget`] lives in the store of one call and ends with it. wasmtime's own `StoreLimits` caps each memory; ours caps their
//! sum, which is what the machine pays.

use wasmtime::ResourceLimiter;

use crate::config::Limits;

/// What a guest asked more of than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// Linear memory.
    Memory,
    /// Elements of a table.
    Table,
}

/// Memory and tables of one store.
#[derive(Clone, Copy)]
pub struct Budget {
    memory_left: usize,
    memory_cap: usize,
    table_elements: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    /// What was refused last: a later trap is then named after it.
    pub refused: Option<Scarce>,
}

impl Budget {
    /// A full budget.
    pub fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            memory_cap: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: limits.instances,
            tables: limits.tables,
            memories: limits.memories,
            refused: None,
        }
    }

    /// Takes every bound away, for reading the memory out once the guest is done.
    pub fn lift(&mut self) {
        self.memory_left = usize::MAX / 2;
        self.memory_cap = usize::MAX / 2;
    }

    /// Linear memory in use, all memories together, bytes.
    pub fn memory_used(&self) -> u64 {
        (self.memory_cap - self.memory_left) as u64
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let granted = more <= self.memory_left;
        if granted {
            self.memory_left -= more;
        } else {
            // The guest sees a `memory.grow` of -1, as the specification has it: a polite guest can do with less.
            self.refused = Some(Scarce::Memory);
        }
        Ok(granted)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.table_elements;
        if !granted {
            self.refused = Some(Scarce::Table);
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
