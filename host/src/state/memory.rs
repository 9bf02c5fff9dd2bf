//! One run of one step at its shelf: what it sees, what it would leave, and how that gets onto the shelf.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Cell, Effect, Shelf, Slot, StateWrite, Turn, Value};
use crate::config::Limits;
use crate::event::Timestamp;

/// Longest key, bytes.
const MAX_KEY_BYTES: usize = 256;

/// Why a step is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It would keep too much.
    #[error("quota: {0}")]
    Quota(String),
    /// One value is too large: so many bytes are taken.
    #[error("too large: a value has at most {0} bytes (`state_value_bytes`)")]
    TooLarge(u64),
    /// The key holds something else than was expected.
    #[error("conflict: the key holds something else")]
    Conflict,
    /// Not now.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// One step's memory during one run.
#[derive(Debug)]
pub struct Memory {
    shelf: Arc<Shelf>,
    turn: Option<Turn>,
    now: Timestamp,
    /// What the run did so far.
    effects: BTreeMap<String, Effect>,
    /// What keys held before the run, as far as it looked.
    read: BTreeMap<String, Option<Cell>>,
}

/// One write that is on its shelf.
#[derive(Debug)]
pub struct Wrote {
    shelf: Arc<Shelf>,
    key: String,
    effect: Effect,
    wrote: i64,
    before: Option<Slot>,
}

impl Memory {
    /// A run at `now`.
    pub fn new(shelf: Arc<Shelf>, now: Timestamp) -> Self {
        Self { shelf, turn: None, now, effects: BTreeMap::new(), read: BTreeMap::new() }
    }

    /// What a key holds.
    ///
    /// # Errors
    /// When another event has the shelf for too long.
    pub fn get(&mut self, key: &str, limits: &Limits) -> Result<Option<Vec<u8>>, StateError> {
        self.enter(limits)?;
        Ok(self.view(key).map(|cell| cell.value.bytes()))
    }

    /// Lets a key hold something.
    ///
    /// # Errors
    /// Past a quota; as [`Memory::get`].
    pub fn set(&mut self, key: &str, value: Vec<u8>, ttl_s: Option<u32>, limits: &Limits) -> Result<(), StateError> {
        self.enter(limits)?;
        self.put(key, value, self.end(ttl_s), limits)
    }

    /// Lets a key hold nothing.
    ///
    /// # Errors
    /// As [`Memory::get`].
    pub fn delete(&mut self, key: &str, limits: &Limits) -> Result<(), StateError> {
        self.enter(limits)?;
        if self.view(key).is_some() {
            self.effects.insert(key.to_owned(), Effect::Remove);
        }
        Ok(())
    }

    /// Adds to a count, and gives the new one. The window opens at the first hit; behind its end the count begins anew.
    ///
    /// # Errors
    /// When the key holds bytes; past a quota; as [`Memory::get`].
    pub fn increment(&mut self, key: &str, by: i64, window_s: Option<u32>, limits: &Limits) -> Result<i64, StateError> {
        self.enter(limits)?;
        let (count, expires) = match self.view(key) {
            None => (0, self.end(window_s)),
            Some(Cell { value: Value::Count(count), expires }) => (count, expires),
            Some(_) => return Err(StateError::Conflict),
        };
        let after = count.saturating_add(by);
        let effect = match self.effects.get(key) {
            // Behind a write of its own the sum is known; else it is a step from whatever it is by then.
            Some(Effect::Put(_) | Effect::Remove) => Effect::Put(Cell { value: Value::Count(after), expires }),
            Some(Effect::Add { by: earlier, .. }) => Effect::Add { by: earlier.saturating_add(by), expires },
            None => Effect::Add { by, expires },
        };
        self.write(key, effect, limits)?;
        Ok(after)
    }

    /// Lets a key hold something, if it holds what is expected. How long it lives stays as it is.
    ///
    /// # Errors
    /// When it holds something else; past a quota; as [`Memory::get`].
    pub fn compare_and_set(&mut self, key: &str, expected: Option<&[u8]>, new: Vec<u8>, limits: &Limits) -> Result<(), StateError> {
        self.enter(limits)?;
        let holds = self.view(key);
        if holds.as_ref().map(|cell| cell.value.bytes()).as_deref() != expected {
            return Err(StateError::Conflict);
        }
        self.put(key, new, holds.and_then(|cell| cell.expires), limits)
    }

    /// What keys held before the run, as far as it looked; and what it did to them.
    pub fn told(&self) -> (&BTreeMap<String, Option<Cell>>, &BTreeMap<String, Effect>) {
        (&self.read, &self.effects)
    }

    /// Puts what it did onto the shelf, and ends its turn. Dropped instead, it has done nothing.
    pub fn leave(self) -> Vec<Wrote> {
        let Self { shelf, turn, now, effects, .. } = self;
        let mut cells = shelf.cells();
        let wrote = effects.into_iter().map(|(key, effect)| {
            cells.wrote += 1;
            let (wrote, before) = (cells.wrote, cells.remove(&key));
            let old = before.as_ref().map(|slot| &slot.cell).filter(|cell| cell.lives(now));
            if let Some(cell) = applied(old, &effect) {
                cells.put(&key, Slot { cell, wrote });
            }
            Wrote { shelf: Arc::clone(&shelf), key, effect, wrote, before }
        });
        let wrote = wrote.collect();
        drop(cells);
        drop(turn);
        wrote
    }

    fn enter(&mut self, limits: &Limits) -> Result<(), StateError> {
        if self.turn.is_none() {
            let turn = self.shelf.enter(Duration::from_millis(limits.wall_ms));
            self.turn = Some(turn.ok_or_else(|| StateError::Unavailable("another event of this step holds it for too long".to_owned()))?);
        }
        Ok(())
    }

    fn end(&self, seconds: Option<u32>) -> Option<Timestamp> {
        seconds.map(|seconds| Timestamp(self.now.0.saturating_add(u64::from(seconds) * 1_000)))
    }

    fn base(&mut self, key: &str) -> Option<Cell> {
        if let Some(known) = self.read.get(key) {
            return known.clone();
        }
        let cell = self.shelf.cells().slots.get(key).map(|slot| slot.cell.clone()).filter(|cell| cell.lives(self.now));
        self.read.insert(key.to_owned(), cell.clone());
        cell
    }

    fn view(&mut self, key: &str) -> Option<Cell> {
        let base = self.base(key);
        match self.effects.get(key) {
            Some(effect) => applied(base.as_ref(), effect).filter(|cell| cell.lives(self.now)),
            None => base,
        }
    }

    fn put(&mut self, key: &str, value: Vec<u8>, expires: Option<Timestamp>, limits: &Limits) -> Result<(), StateError> {
        if value.len() > limits.state_value_bytes {
            return Err(StateError::TooLarge(limits.state_value_bytes as u64));
        }
        self.base(key);
        self.write(key, Effect::Put(Cell { value: Value::Bytes(value), expires }), limits)
    }

    /// Takes an effect down, within the quotas.
    fn write(&mut self, key: &str, effect: Effect, limits: &Limits) -> Result<(), StateError> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(StateError::Quota(format!("a key has 1 to {MAX_KEY_BYTES} bytes")));
        }
        let before = self.effects.insert(key.to_owned(), effect);
        let fits = self.fits(limits).or_else(|_| {
            self.shelf.cells().purge(self.now);
            self.fits(limits)
        });
        if fits.is_err() {
            match before {
                Some(before) => drop(self.effects.insert(key.to_owned(), before)),
                None => drop(self.effects.remove(key)),
            }
        }
        fits
    }

    fn fits(&self, limits: &Limits) -> Result<(), StateError> {
        let cells = self.shelf.cells();
        let (mut keys, mut bytes) = (cells.slots.len(), cells.bytes);
        for (key, effect) in &self.effects {
            let old = cells.slots.get(key);
            if let Some(slot) = old {
                keys -= 1;
                bytes -= key.len() + slot.cell.value.len();
            }
            if let Some(cell) = applied(old.map(|slot| &slot.cell), effect) {
                keys += 1;
                bytes += key.len() + cell.value.len();
            }
        }
        if keys > limits.state_keys {
            let most = limits.state_keys;
            return Err(StateError::Quota(format!(
                "the step keeps {most} keys, and no more are taken (`state_keys`); give keys an end, or delete some"
            )));
        }
        if bytes > limits.state_bytes {
            let most = limits.state_bytes;
            return Err(StateError::Quota(format!("the step would keep {bytes} bytes; at most {most} are taken (`state_bytes`)")));
        }
        Ok(())
    }
}

/// What a key holds after an effect.
fn applied(before: Option<&Cell>, effect: &Effect) -> Option<Cell> {
    match effect {
        Effect::Put(cell) => Some(cell.clone()),
        Effect::Remove => None,
        Effect::Add { by, expires } => {
            let count = match before {
                Some(Cell { value: Value::Count(count), expires: window }) if window == expires => *count,
                _ => 0,
            };
            Some(Cell { value: Value::Count(count.saturating_add(*by)), expires: *expires })
        }
    }
}

impl Wrote {
    pub(super) fn step(&self) -> &str {
        &self.shelf.step
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn effect(&self) -> &Effect {
        &self.effect
    }

    pub(super) fn write(&self) -> StateWrite {
        StateWrite { step: self.shelf.step.clone(), key: self.key.clone(), effect: self.effect.clone(), wrote: self.wrote }
    }

    /// Takes it back from the shelf, where it is not overwritten already. An addition is taken back from whatever it was added to.
    pub(super) fn undo(self) {
        let mut cells = self.shelf.cells();
        let slot = cells.slots.get(&self.key).cloned();
        match (self.effect, slot) {
            (Effect::Add { by, expires }, Some(Slot { cell: Cell { value: Value::Count(count), expires: window }, wrote }))
                if window == expires =>
            {
                let count = count.saturating_sub(by);
                if count == 0 && self.before.is_none() {
                    cells.remove(&self.key);
                } else {
                    cells.put(&self.key, Slot { cell: Cell { value: Value::Count(count), expires }, wrote });
                }
            }
            (Effect::Put(_), Some(slot)) if slot.wrote == self.wrote => {
                cells.remove(&self.key);
                if let Some(before) = self.before {
                    cells.put(&self.key, before);
                }
            }
            (Effect::Remove, None) => {
                if let Some(before) = self.before {
                    cells.put(&self.key, before);
                }
            }
            _ => {}
        }
    }
}
