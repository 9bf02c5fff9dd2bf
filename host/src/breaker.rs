//! The breaker of one step: a step that keeps faulting is left out, tried again later, and let back in when it behaves.
//!
//! Asked by the chain around every live run. Time comes in as a value.

use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::event::Timestamp;

/// Runs that are remembered.
const WINDOW: u32 = 20;
/// First time out, ms; every probe that faults doubles it.
const FIRST_MS: u64 = 10_000;
/// Longest time out, ms.
const LONGEST_MS: u64 = 600_000;

/// How a step fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    /// It runs.
    Well {
        /// Faults among its last 20 runs.
        recent_faults: u32,
    },
    /// It is left out until a moment, then tried with one event.
    Quarantined {
        /// When it is tried again.
        until: Timestamp,
    },
}

/// One step's breaker.
#[derive(Debug)]
pub struct Breaker {
    /// Faults in the window that open it; 0 is never.
    after: u32,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The last runs as bits, 1 a fault.
    Closed { runs: u32 },
    /// Left out until a moment.
    Open { until: u64, for_ms: u64 },
    /// One event is trying it.
    Probing { until: u64, for_ms: u64 },
}

impl Breaker {
    /// A breaker that opens at so many faults among the last 20 runs; 0 is never.
    pub fn new(after: u32) -> Self {
        Self { after, state: Mutex::new(State::Closed { runs: 0 }) }
    }

    /// Whether the step may run now. Past its time out, one event may; the next ones wait for how that goes.
    pub fn admit(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => true,
            // A probe that never reported (its thread was stopped) must not keep the step out for ever.
            State::Open { until, for_ms } | State::Probing { until, for_ms } if now.0 >= until => {
                *state = State::Probing { until: now.0 + for_ms, for_ms };
                true
            }
            State::Open { .. } | State::Probing { .. } => false,
        }
    }

    /// Takes in how an admitted run went. Answers the time out when this run opened the breaker.
    pub fn report(&self, fault: bool, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        let out_for = match *state {
            State::Closed { runs } => {
                let runs = (runs << 1 | u32::from(fault)) & ((1 << WINDOW) - 1);
                *state = State::Closed { runs };
                (fault && self.after > 0 && runs.count_ones() >= self.after).then_some(FIRST_MS)
            }
            State::Probing { for_ms, .. } if fault => Some((for_ms * 2).min(LONGEST_MS)),
            State::Probing { .. } => {
                *state = State::Closed { runs: 0 };
                None
            }
            // A run that began before the breaker opened.
            State::Open { .. } => None,
        };
        if let Some(for_ms) = out_for {
            *state = State::Open { until: now.0 + for_ms, for_ms };
        }
        out_for
    }

    /// Lets the step back in by hand.
    pub fn reset(&self) {
        *self.state() = State::Closed { runs: 0 };
    }

    /// How the step fares.
    pub fn health(&self) -> Health {
        match *self.state() {
            State::Closed { runs } => Health::Well { recent_faults: runs.count_ones() },
            State::Open { until, .. } | State::Probing { until, .. } => Health::Quarantined { until: Timestamp(until) },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn a_step_that_keeps_faulting_is_left_out_and_tried_again() {
        let breaker = Breaker::new(3);
        for fault in [true, false, true, false] {
            assert!(breaker.admit(at(0)));
            assert_eq!(breaker.report(fault, at(0)), None);
        }
        assert_eq!(breaker.report(true, at(0)), Some(10_000), "the third fault opens it");
        assert!(!breaker.admit(at(9)), "out");
        assert!(breaker.admit(at(10)), "one event tries it");
        assert!(!breaker.admit(at(10)), "the next one does not");
        assert_eq!(breaker.report(true, at(10)), Some(20_000), "a probe that faults doubles the time");
        assert!(!breaker.admit(at(29)) && breaker.admit(at(30)));
        breaker.report(false, at(30));
        assert_eq!(breaker.health(), Health::Well { recent_faults: 0 }, "back by itself");
    }

    #[test]
    fn by_hand_and_never() {
        let breaker = Breaker::new(1);
        breaker.report(true, at(0));
        assert!(matches!(breaker.health(), Health::Quarantined { .. }));
        breaker.reset();
        assert!(breaker.admit(at(0)));
        let never = Breaker::new(0);
        (0..100).for_each(|_| assert!(never.report(true, at(0)).is_none() && never.admit(at(0))));
    }

    #[test]
    fn the_time_out_has_an_end_and_a_lost_probe_does_not_last() {
        let breaker = Breaker::new(1);
        let mut now = 0;
        breaker.report(true, at(now));
        for _ in 0..20 {
            now += 600;
            assert!(breaker.admit(at(now)));
            assert!(breaker.report(true, at(now)) <= Some(LONGEST_MS));
        }
        now += 600;
        assert!(breaker.admit(at(now)), "a probe that never reports");
        assert!(!breaker.admit(at(now + 1)) && breaker.admit(at(now + 600)), "the next one may try after the same time");
    }
}
