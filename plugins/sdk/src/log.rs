//! Lines for the decision's trace, where an admin reads them. Bounded by the host; what is past the budget is counted.
//!
//! On wasm they go to the host's `logging`, natively to [`crate::testing::logged`].

use crate::services::logging::Severity;

/// What an admin may want to know.
pub fn info(message: &str) {
    say(Severity::Info, message);
}

/// What an admin should know.
pub fn warn(message: &str) {
    say(Severity::Warn, message);
}

/// What an admin must know.
pub fn error(message: &str) {
    say(Severity::Error, message);
}

fn say(severity: Severity, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::services::logging::log(severity, message, &[]);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::keep_line(severity, message);
}
