//! `state` for guests: the contract's interface over the step's memory. What is refused is in the step's log too.

use super::bindings::state;
use super::services::{Denied, Room};
use crate::config::Limits;
use crate::grant::Grant;
use crate::state::{Memory, StateError};

type Told<T> = wasmtime::Result<Result<T, state::StateError>>;

impl Room {
    fn remember<T>(&mut self, call: &str, work: impl FnOnce(&mut Memory, &Limits) -> Result<T, StateError>) -> Told<T> {
        self.count()?;
        let limits = self.limits.clone();
        let outside = || Denied("there is no event yet: `describe` and `configure` remember nothing".to_owned());
        let seat = self.seat.as_mut().ok_or_else(outside)?;
        if !seat.grants.contains(&Grant::State) {
            let why = format!("the step `{}` may not remember between events: an admin adds `state` to its `grants`", seat.step);
            return Err(Denied(why).into());
        }
        let done = work(&mut seat.memory, &limits);
        if let Err(error @ (StateError::Quota(_) | StateError::TooLarge(_) | StateError::Unavailable(_))) = &done {
            self.remark(format!("state.{call}: {error}"));
        }
        Ok(done.map_err(|error| match error {
            StateError::Quota(why) => state::StateError::Quota(why),
            StateError::TooLarge(most) => state::StateError::TooLarge(most),
            StateError::Conflict => state::StateError::Conflict,
            StateError::Unavailable(why) => state::StateError::Unavailable(why),
        }))
    }
}

impl state::Host for Room {
    fn get(&mut self, key: String) -> Told<Option<Vec<u8>>> {
        self.remember("get", |memory, limits| memory.get(&key, limits))
    }

    fn set(&mut self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Told<()> {
        self.remember("set", |memory, limits| memory.set(&key, value, ttl_seconds, limits))
    }

    fn delete(&mut self, key: String) -> Told<()> {
        self.remember("delete", |memory, limits| memory.delete(&key, limits))
    }

    fn increment(&mut self, key: String, by: i64, window_seconds: Option<u32>) -> Told<i64> {
        self.remember("increment", |memory, limits| memory.increment(&key, by, window_seconds, limits))
    }

    fn compare_and_set(&mut self, key: String, expected: Option<Vec<u8>>, new: Vec<u8>) -> Told<()> {
        self.remember("compare-and-set", |memory, limits| memory.compare_and_set(&key, expected.as_deref(), new, limits))
    }
}
