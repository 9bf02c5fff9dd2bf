//! What can go wrong with the journal, in sentences that name the file and the remedy.
//!
//! Made by every file of `store/`; `error.rs` of the host gives each case its status. It must never hold a guest's or a
//! sender's text, so that a message can be logged and shown to an admin as it is.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// A refusal of the store. Every case but [`StoreError::Cursor`] is for the admin's eyes, not for the webhook's caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data directory.
    #[error("{0} is in use by another signalbox; stop that one, or give this one a data directory of its own")]
    Locked(PathBuf),
    /// A later version of the host has written the file.
    #[error(
        "{file} was written by a newer signalbox (schema {found}, this one knows {known}); start that version or restore an older backup"
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema version.
        found: u32,
        /// The latest schema version of this host.
        known: u32,
    },
    /// The file is not a sound database.
    #[error("{file} is damaged ({problem}); restore a backup, or move the file away and save what is left with `sqlite3 <file> .recover`")]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// What SQLite found.
        problem: String,
    },
    /// The file cannot be read or written now: disk full, IO error, read-only. The store tries again by itself at the next call.
    #[error("{file} cannot be used: {problem}; {remedy}")]
    Unavailable {
        /// The file or directory.
        file: PathBuf,
        /// What failed.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The caller gave a cursor that no page has given out.
    #[error("the cursor is not one that a page has given out; start again without a cursor")]
    Cursor,
}

impl StoreError {
    /// Sorts an error of SQLite.
    pub(super) fn sqlite(file: &Path, error: &rusqlite::Error) -> Self {
        let problem = error.to_string();
        let remedy = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => return Self::Corrupt { file: file.to_owned(), problem },
            Some(ErrorCode::DiskFull) => "free some space on its disk; it recovers by itself",
            Some(ErrorCode::ReadOnly) => "let signalbox's user write the file and its directory, on a disk mounted for writing",
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => "let signalbox's user read and write the file and its directory",
            Some(ErrorCode::SystemIoFailure) => "look at the disk and at the kernel's log; it recovers by itself when the disk does",
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "close the other program that has the file open",
            Some(ErrorCode::OutOfMemory) => "give the process more memory",
            _ => "this is a fault in signalbox: report it with this message",
        };
        Self::Unavailable { file: file.to_owned(), problem, remedy }
    }

    /// Sorts an error of the operating system.
    pub(super) fn io(file: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let remedy = match error.kind() {
            ErrorKind::PermissionDenied => "let signalbox's user read and write it",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on its disk",
            ErrorKind::ReadOnlyFilesystem => "put the data directory on a disk mounted for writing",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "the data directory must be a directory: name another one",
            _ => "look at the directory and its disk",
        };
        Self::Unavailable { file: file.to_owned(), problem: error.to_string(), remedy }
    }

    /// The writer has ended, because the store was closed or because of a fault in it.
    pub(super) fn stopped(file: &Path) -> Self {
        let (problem, remedy) = ("the journal is closed".to_owned(), "start signalbox again");
        Self::Unavailable { file: file.to_owned(), problem, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(code: i32) -> String {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        StoreError::sqlite(Path::new("/data/signalbox.db"), &error).to_string()
    }

    #[test]
    fn a_message_names_the_file_and_the_remedy() {
        assert!(sorted(rusqlite::ffi::SQLITE_FULL).ends_with("free some space on its disk; it recovers by itself"));
        assert!(sorted(rusqlite::ffi::SQLITE_CORRUPT).contains("/data/signalbox.db is damaged"));
        assert!(sorted(rusqlite::ffi::SQLITE_READONLY).contains("mounted for writing"));
        assert!(StoreError::Locked("/data".into()).to_string().starts_with("/data is in use"));
    }
}
