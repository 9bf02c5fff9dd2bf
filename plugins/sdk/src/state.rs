//! What the step remembers between events, and no other step sees. Needs the grant `state`.
//!
//! On wasm it is the host's `state`; what is written stays only if the rule gives a verdict. Natively it is a map that begins with what the
//! example's `services` say, and nothing in it ever ends.

use crate::RuleError;
pub use crate::services::state::StateError;

/// What a key holds; a count as its decimal digits.
///
/// # Errors
/// The host cannot say now.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, StateError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::state::get(key)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        Ok(crate::testing::with_services(|services| services.state.get(key).cloned()))
    }
}

/// What a key holds, as text; bytes that are no UTF-8 are nothing.
///
/// # Errors
/// As [`get`].
pub fn text(key: &str) -> Result<Option<String>, StateError> {
    Ok(get(key)?.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Lets a key hold something, for ever or for so many seconds.
///
/// # Errors
/// Past a quota.
pub fn set(key: &str, value: &[u8], ttl_seconds: Option<u32>) -> Result<(), StateError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::state::set(key, value, ttl_seconds)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = ttl_seconds;
        crate::testing::with_services(|services| services.state.insert(key.to_owned(), value.to_vec()));
        Ok(())
    }
}

/// Lets a key hold nothing.
///
/// # Errors
/// The host cannot do it now.
pub fn delete(key: &str) -> Result<(), StateError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::state::delete(key)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::testing::with_services(|services| services.state.remove(key));
        Ok(())
    }
}

/// Adds to a count and gives the new one; the window opens at the first hit, and behind its end the count begins anew.
///
/// # Errors
/// `conflict` when the key holds bytes; past a quota.
pub fn increment(key: &str, by: i64, window_seconds: Option<u32>) -> Result<i64, StateError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::state::increment(key, by, window_seconds)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = window_seconds;
        let count = text(key)?.map_or(Ok(0), |text| text.parse::<i64>().map_err(|_| StateError::Conflict))?.saturating_add(by);
        set(key, count.to_string().as_bytes(), None)?;
        Ok(count)
    }
}

/// Lets a key hold something, if it holds what is expected.
///
/// # Errors
/// `conflict` when it holds something else; past a quota.
pub fn compare_and_set(key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StateError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::state::compare_and_set(key, expected, new)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        if get(key)?.as_deref() == expected { set(key, new, None) } else { Err(StateError::Conflict) }
    }
}

/// So that a rule may write `?`: the step's outcome is then `failed`, and names what the host said.
impl From<StateError> for RuleError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Quota(why) => Self::Failed(format!("state quota: {why}")),
            StateError::TooLarge(most) => Self::Failed(format!("state value too large: at most {most} bytes are taken")),
            StateError::Conflict => Self::Transient("state conflict: the key holds something else".to_owned()),
            StateError::Unavailable(why) => Self::Transient(format!("state unavailable: {why}")),
        }
    }
}
