//! What steps remember between events: one shelf per step, in memory, with what is durable behind it in the store.
//!
//! Events of one step take turns from its first question to the end of its call, some ten microseconds: each sees what all before it have
//! left, so that no increment is lost and no count is given twice. What a step wrote is on the shelf when it ran, and durable with the
//! decision; if the decision is not recorded, it is taken back. `plugin/` hands the turns to guests, `store/state.rs` has the rows.

mod memory;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use memory::{Memory, StateError, Wrote};

use crate::event::Timestamp;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Bytes of the step's own.
    Bytes(#[serde(with = "hex")] Vec<u8>),
    /// What increments added up to; read as its decimal digits.
    Count(i64),
}

impl Value {
    /// As the step reads it.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Count(count) => count.to_string().into_bytes(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Count(_) => size_of::<i64>(),
        }
    }
}

/// A value and its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What it holds.
    pub value: Value,
    /// From then on it is as if it had never been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Cell {
    fn lives(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| end > now)
    }
}

/// What one run does to one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It holds this from now on.
    Put(Cell),
    /// It is there no more.
    Remove,
    /// So much is added to the count of the window that ends then.
    Add {
        /// So much.
        by: i64,
        /// The window's end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
}

/// One key of one step, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    /// Chain and step.
    pub step: String,
    /// The key.
    pub key: String,
    /// What it holds; nothing when it was removed.
    pub cell: Option<Cell>,
    /// The place of its last write among those of the step.
    pub wrote: i64,
}

/// One write of one run, for the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateWrite {
    /// Chain and step.
    pub step: String,
    /// The key.
    pub key: String,
    /// What is done to it.
    pub effect: Effect,
    /// Its place among the writes of the step.
    pub wrote: i64,
}

#[derive(Clone, Debug)]
struct Slot {
    cell: Cell,
    wrote: i64,
}

#[derive(Debug, Default)]
struct Cells {
    slots: HashMap<String, Slot>,
    /// Keys and values together.
    bytes: usize,
    wrote: i64,
}

impl Cells {
    fn put(&mut self, key: &str, slot: Slot) {
        self.remove(key);
        self.bytes += key.len() + slot.cell.value.len();
        self.slots.insert(key.to_owned(), slot);
    }

    fn remove(&mut self, key: &str) -> Option<Slot> {
        let slot = self.slots.remove(key)?;
        self.bytes = self.bytes.saturating_sub(key.len() + slot.cell.value.len());
        Some(slot)
    }

    fn purge(&mut self, now: Timestamp) {
        let ended: Vec<String> = self.slots.iter().filter(|(_, slot)| !slot.cell.lives(now)).map(|(key, _)| key.clone()).collect();
        ended.iter().for_each(|key| drop(self.remove(key)));
    }
}

/// What one step remembers.
#[derive(Debug)]
pub struct Shelf {
    step: String,
    taken: Mutex<bool>,
    free: Condvar,
    cells: Mutex<Cells>,
}

impl Shelf {
    fn new(step: String) -> Self {
        Self { step, taken: Mutex::new(false), free: Condvar::new(), cells: Mutex::default() }
    }

    fn cells(&self) -> MutexGuard<'_, Cells> {
        // No code that could panic runs under the lock.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a key as it was at a moment of the past; nothing is how it was not there.
    pub fn seed(&self, key: &str, cell: Option<Cell>) {
        let mut cells = self.cells();
        cells.remove(key);
        if let Some(cell) = cell {
            let wrote = cells.wrote;
            cells.put(key, Slot { cell, wrote });
        }
    }

    /// Waits for the shelf, at most so long.
    fn enter(self: &Arc<Self>, longest: Duration) -> Option<Turn> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(taken, longest, |taken| *taken);
        let (mut taken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && *taken {
            return None;
        }
        *taken = true;
        Some(Turn(Arc::clone(self)))
    }
}

/// The right to read and write a shelf; given back when dropped.
#[derive(Debug)]
struct Turn(Arc<Shelf>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}

/// Every step's shelf, by chain and step.
#[derive(Debug, Default)]
pub struct Shelves(Mutex<HashMap<String, Arc<Shelf>>>);

impl Shelves {
    /// As the store has them.
    pub fn of(rows: Vec<StateRow>) -> Self {
        let shelves = Self::default();
        for StateRow { step, key, cell, wrote } in rows {
            let shelf = shelves.shelf(&step);
            let mut cells = shelf.cells();
            cells.wrote = cells.wrote.max(wrote);
            if let Some(cell) = cell {
                cells.put(&key, Slot { cell, wrote });
            }
        }
        shelves
    }

    /// One step's shelf; an empty one when it has none yet.
    pub fn shelf(&self, step: &str) -> Arc<Shelf> {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = shelves.get(step) {
            return Arc::clone(shelf);
        }
        let shelf = Arc::new(Shelf::new(step.to_owned()));
        shelves.insert(step.to_owned(), Arc::clone(&shelf));
        shelf
    }

    /// A copy of all of it, to try something on.
    #[must_use]
    pub fn scratch(&self) -> Self {
        let shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = |(step, shelf): (&String, &Arc<Shelf>)| {
            let (cells, copy) = (shelf.cells(), Shelf::new(step.clone()));
            *copy.cells() = Cells { slots: cells.slots.clone(), bytes: cells.bytes, wrote: cells.wrote };
            (step.clone(), Arc::new(copy))
        };
        Self(Mutex::new(shelves.iter().map(copy).collect()))
    }
}

/// Everything that the steps of one run wrote: on the shelves already, and taken back unless it is kept.
#[derive(Debug, Default)]
pub struct Written(Vec<Wrote>);

impl Written {
    /// Takes in what one step wrote.
    pub fn add(&mut self, wrote: Vec<Wrote>) {
        self.0.extend(wrote);
    }

    /// The writes, for the store.
    pub fn writes(&self) -> Vec<StateWrite> {
        self.0.iter().map(Wrote::write).collect()
    }

    /// What each key became, by the step that wrote it.
    pub fn effects(&self) -> BTreeMap<(&str, &str), &Effect> {
        self.0.iter().map(|wrote| ((wrote.step(), wrote.key()), wrote.effect())).collect()
    }

    /// It is durable, or need not be: it stays on the shelves.
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // The last write first, so that of two to one key the older one is there again.
        self.0.drain(..).rev().for_each(Wrote::undo);
    }
}
