//! The sums that tell a text of the journal from one whose bytes were changed on the disk.
//!
//! SQLite's own check sees a broken tree, not a letter that has become another one. A sum is written with every event and decision, and every
//! query that gives one of them out asks `whole(text, sum)` for it: a text that is not what was written is an error, never an answer.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ffi};

/// The sum of a text as a column.
pub(super) fn of(text: &str) -> i64 {
    i64::from(crc32fast::hash(text.as_bytes()))
}

/// Teaches a connection `whole(text, sum)`: the text, when it is the one that the sum was made of or was written without one.
pub(super) fn teach(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("whole", 2, flags, |call| {
        let text = match call.get_raw(0) {
            ValueRef::Null => return Ok(None),
            text => text.as_str()?,
        };
        match call.get::<Option<i64>>(1)? {
            Some(sum) if sum != of(text) => {
                let changed = "a row of the journal is not what was written".to_owned();
                Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(changed)))
            }
            _ => Ok(Some(text.to_owned())),
        }
    })
}
