//! How a desk fares, and so how many calls it gets at once. Pure.
//!
//! While it answers, several; after a failure one at a time, at growing intervals. What is known here is forgotten at a restart, on
//! purpose: whoever has mended the config wants to see it tried.

use std::time::Duration;

use serde::Serialize;

use crate::event::Timestamp;
use crate::retry::Retry;

/// Calls at once to a desk that is well: more than this, small desks serve slower.
const ABREAST: usize = 8;

/// What the last answers said.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Health {
    /// Failures in a row.
    pub failures: u32,
    /// Until when it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// What the last failure was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Health {
    /// How many more calls it may get now, with so many under way.
    pub(super) fn places(&self, under_way: usize, now: Timestamp) -> usize {
        let allowed = match (self.paused_until, self.failures) {
            (Some(until), _) if now < until => 0,
            (_, 0) => ABREAST,
            _ => 1,
        };
        allowed.saturating_sub(under_way)
    }

    /// It has answered as a desk that works. `seen` are the failures that were known when the call was made: a call that was
    /// under way when the desk went down says nothing of what came later.
    pub(super) fn well(&mut self, seen: u32) {
        if seen == self.failures {
            *self = Self::default();
        }
    }

    /// It has failed. Calls that were under way together and fail together are one failure.
    pub(super) fn failed(&mut self, seen: u32, pause: Duration, reason: &str, now: Timestamp) {
        if seen == self.failures {
            self.failures = self.failures.saturating_add(1);
        }
        let until = later(now, pause);
        self.paused_until = Some(self.paused_until.map_or(until, |known| known.max(until)));
        self.reason = Some(reason.to_owned());
    }
}

/// A moment so much later.
pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
}

/// How long to wait after the `tries`th failure: doubled each time up to the most, then between half of that and all of it, as
/// `seed` falls, so that calls which failed together do not come back together.
pub(super) fn pause(retry: &Retry, tries: u32, seed: &str) -> Duration {
    let doubled = retry.base.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1).min(31)).unwrap_or(u32::MAX));
    let whole = doubled.min(retry.max);
    // FNV-1a and a last stir: no secret depends on it, and the same call waits the same in every run.
    let mut hash = seed
        .bytes()
        .chain(tries.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let half = whole / 2;
    half + half.mul_f64((hash >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry { attempts: 20, base: Duration::from_secs(2), max: Duration::from_secs(900) };

    #[test]
    fn pauses_double_up_to_the_most_and_differ_from_call_to_call() {
        for (tries, whole) in [(1, 2), (2, 4), (5, 32), (10, 900), (99, 900), (u32::MAX, 900)] {
            for seed in ["a", "b", "d-1", "d-2"] {
                let pause = pause(&RETRY, tries, seed).as_secs_f64();
                assert!(pause >= f64::from(whole) / 2.0 && pause <= f64::from(whole), "{tries} {pause}");
            }
        }
        assert_ne!(pause(&RETRY, 5, "a"), pause(&RETRY, 5, "b"));
    }

    #[test]
    fn the_defaults_outlast_a_desk_that_is_down_for_hours() {
        let retry = Retry::default();
        let shortest: Duration = (1..retry.attempts).map(|tries| pause(&retry, tries, "") / 2).sum();
        assert!(shortest > Duration::from_secs(3_600), "{shortest:?}");
    }

    #[test]
    fn a_desk_that_is_down_is_asked_by_one_call_at_a_time_and_not_before_its_pause_is_over() {
        let mut health = Health::default();
        assert_eq!(health.places(2, Timestamp(0)), ABREAST - 2);
        health.failed(0, Duration::from_secs(1), "refused", Timestamp(0));
        health.failed(0, Duration::from_secs(1), "refused", Timestamp(0));
        assert_eq!(health.failures, 1, "calls that fail together are one failure");
        assert_eq!((health.places(0, Timestamp(999)), health.places(0, Timestamp(1_000)), health.places(1, Timestamp(1_000))), (0, 1, 0));
        health.well(0);
        assert_eq!(health.failures, 1, "what was sent before the failure says nothing");
        health.well(1);
        assert_eq!(health.places(0, Timestamp(0)), ABREAST);
    }
}
