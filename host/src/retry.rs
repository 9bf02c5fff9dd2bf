//! `retry = { attempts, base_s, max_s }`: how often and how long a call is tried. Written and resolved form.
//!
//! The same for sinks, for a source's way back and in an adapter. Pure.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `retry = { attempts, base_s, max_s }`: the first pause, doubled after every failure up to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryEntry {
    /// Attempts that reach the desk and fail, until the call is given up. 24 unless told otherwise.
    pub attempts: Option<u32>,
    /// The first pause, seconds. 2 unless told otherwise.
    pub base_s: Option<f64>,
    /// The longest pause, seconds. 900 unless told otherwise.
    pub max_s: Option<f64>,
}

/// How often and how long a call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "RetryEntry")]
pub struct Retry {
    /// Attempts that count.
    pub attempts: u32,
    /// The first pause.
    pub base: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Default for Retry {
    /// More than four hours: a desk that is being upgraded comes back within that. Attempts that do not reach the desk do not count.
    fn default() -> Self {
        Self { attempts: 24, base: Duration::from_secs(2), max: Duration::from_secs(900) }
    }
}

impl From<Retry> for RetryEntry {
    fn from(retry: Retry) -> Self {
        let Retry { attempts, base, max } = retry;
        Self { attempts: Some(attempts), base_s: Some(base.as_secs_f64()), max_s: Some(max.as_secs_f64()) }
    }
}

impl RetryEntry {
    /// Its own values, and where it has none those of `other`.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let Self { attempts, base_s, max_s } = self;
        Self { attempts: attempts.or(other.attempts), base_s: base_s.or(other.base_s), max_s: max_s.or(other.max_s) }
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// A sentence when a value makes no sense.
    pub fn resolve(self) -> Result<Retry, String> {
        let default = Retry::default();
        let attempts = self.attempts.unwrap_or(default.attempts);
        let base = self.base_s.map_or(Ok(default.base), |seconds| duration("retry.base_s", seconds))?;
        let max = self.max_s.map_or(Ok(default.max.max(base)), |seconds| duration("retry.max_s", seconds))?;
        if attempts == 0 || max < base {
            return Err("`retry` needs at least one attempt, and a `max_s` that is not below `base_s`".to_owned());
        }
        Ok(Retry { attempts, base, max })
    }
}

/// Seconds as a config writes them.
///
/// # Errors
/// A sentence that names the key.
pub fn duration(key: &str, seconds: f64) -> Result<Duration, String> {
    let usable = Duration::try_from_secs_f64(seconds).ok().filter(|wait| *wait >= Duration::from_millis(1) && wait.as_secs() <= 86_400);
    usable.ok_or_else(|| format!("`{key}` is {seconds}; write seconds, from 0.001 to a day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_adapters_and_then_the_default() {
        let (own, adapter) =
            (RetryEntry { attempts: Some(3), ..RetryEntry::default() }, RetryEntry { max_s: Some(4.0), ..RetryEntry::default() });
        let retry = own.over(adapter).resolve().unwrap();
        assert_eq!(retry, Retry { attempts: 3, base: Retry::default().base, max: Duration::from_secs(4) });
        assert_eq!(RetryEntry::from(retry).resolve(), Ok(retry));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (attempts, base_s, max_s) in
            [(Some(0), None, None), (None, Some(-1.0), None), (None, Some(f64::NAN), None), (None, Some(5.0), Some(1.0))]
        {
            assert!(RetryEntry { attempts, base_s, max_s }.resolve().is_err(), "{attempts:?} {base_s:?} {max_s:?}");
        }
    }
}
