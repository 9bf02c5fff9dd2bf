//! Questions to the host: rows of the admin's tables, earlier messages, what the steps before have proposed, calendars.
//!
//! On wasm they are the host's `lookup`: each function is an import of its own, and importing one is a permission that the admin sees.
//! A table needs the grant `lookup:TABLE`, a thread `lookup:thread`. Natively they are the example's `services`: see
//! [`crate::testing::set_services`].
//!
//! ```no_run
//! use signalbox_sdk::{RuleError, lookup, state};
//! # fn judge() -> Result<bool, RuleError> {
//! let row = lookup::row("services", "vpn")?;
//! let down = row.is_some_and(|row| row.text("status") == Some("down"));
//! let hits = state::increment("vpn", 1, Some(3_600))?;
//! # Ok(down && hits > 3) }
//! ```

pub use crate::services::lookup::{LookupError, Prior};
use crate::{Attribute, AttributeValue, Event, RuleError};

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub Vec<Attribute>);

impl Row {
    /// A column.
    pub fn get(&self, column: &str) -> Option<&AttributeValue> {
        self.0.iter().find(|attribute| attribute.key == column).map(|attribute| &attribute.value)
    }

    /// A column that is a text.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.get(column)? {
            AttributeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A column that is a whole number.
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column)? {
            AttributeValue::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A column that is a number, whole or not.
    pub fn decimal(&self, column: &str) -> Option<f64> {
        match self.get(column)? {
            AttributeValue::Decimal(number) => Some(*number),
            AttributeValue::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A column that is yes or no.
    pub fn boolean(&self, column: &str) -> Option<bool> {
        match self.get(column)? {
            AttributeValue::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A column of several texts; a single text is one of them.
    pub fn texts(&self, column: &str) -> Vec<&str> {
        match self.get(column) {
            Some(AttributeValue::Texts(texts)) => texts.iter().map(String::as_str).collect(),
            Some(AttributeValue::Text(text)) => vec![text],
            _ => Vec::new(),
        }
    }
}

/// A row of a table, if it is there.
///
/// # Errors
/// Not granted, or no such table.
pub fn row(table: &str, key: &str) -> Result<Option<Row>, LookupError> {
    #[cfg(target_arch = "wasm32")]
    let found = crate::services::lookup::row(table, key)?;
    #[cfg(not(target_arch = "wasm32"))]
    let found = crate::testing::with_services(|services| services.row(table, key))?;
    Ok(found.map(Row))
}

/// The first rows of a table, by key; the host gives at most 1,000.
///
/// # Errors
/// Not granted, or no such table.
pub fn rows(table: &str, limit: u32) -> Result<Vec<(String, Row)>, LookupError> {
    #[cfg(target_arch = "wasm32")]
    let found = crate::services::lookup::rows(table, limit)?;
    #[cfg(not(target_arch = "wasm32"))]
    let found = crate::testing::with_services(|services| services.rows(table, limit))?;
    Ok(found.into_iter().map(|(key, columns)| (key, Row(columns))).collect())
}

/// Every proposal of the steps before.
///
/// # Errors
/// None that this host gives.
pub fn history() -> Result<Vec<Prior>, LookupError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::lookup::history()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        Ok(crate::testing::with_services(|services| services.history.clone()))
    }
}

/// Earlier messages of a thread, the latest first; the host gives at most 20.
///
/// # Errors
/// Not granted.
pub fn thread(thread_id: &str, limit: u32) -> Result<Vec<Event>, LookupError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::lookup::thread(thread_id, limit)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = thread_id;
        Ok(crate::testing::with_services(|services| services.thread.iter().take(limit as usize).cloned().collect()))
    }
}

/// Whether a calendar is open.
///
/// # Errors
/// No such calendar.
pub fn open_at(calendar: &str, at: u64) -> Result<bool, LookupError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::lookup::open_at(calendar, at)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = at;
        crate::testing::with_services(|services| services.open(calendar))
    }
}

/// The moment so much working time after `start`.
///
/// # Errors
/// No such calendar.
pub fn due_at(calendar: &str, start: u64, working_seconds: u32) -> Result<u64, LookupError> {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::lookup::due_at(calendar, start, working_seconds)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = (start, working_seconds);
        crate::testing::with_services(|services| services.due(calendar))
    }
}

/// So that a rule may write `?`: what is not at hand is no fault of the rule's.
impl From<LookupError> for RuleError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::NotGranted(why) | LookupError::Unavailable(why) => Self::Transient(why),
        }
    }
}
