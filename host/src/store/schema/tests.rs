//! The file is opened, refused or taken on as it should be.

use super::*;

#[test]
fn a_second_host_is_refused_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = lock(dir.path()).unwrap();
    assert_eq!(lock(dir.path()).unwrap_err(), StoreError::Locked(dir.path().to_owned()));
    drop(first);
    lock(dir.path()).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signalbox.db");
    open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(open(&file).unwrap_err(), StoreError::Newer { file: file.clone(), found: 99, known: MIGRATIONS.len() as u32 });
    let version: u32 = Connection::open(&file).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_file_of_the_first_version_is_taken_on_with_what_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signalbox.db");
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch(V1).unwrap();
    conn.execute_batch("PRAGMA user_version = 1; INSERT INTO events (received, keys, event) VALUES (1, x'00', '{}')").unwrap();
    drop(conn);
    let count = |conn: &Connection, table: &str| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    let conn = open(&file).unwrap();
    assert_eq!((count(&conn, "events"), count(&conn, "outbox")), (Ok(1), Ok(0)));
    drop(conn);
    assert_eq!(count(&open(&file).unwrap(), "events"), Ok(1), "and the second start finds nothing to do");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signalbox.db");
    std::fs::write(&file, "this is not a database, it is a letter".repeat(100)).unwrap();
    assert!(matches!(open(&file), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = lock(&file.join("data")).unwrap_err().to_string();
    assert!(refused.contains("file/data cannot be used") && refused.contains("must be a directory"), "{refused}");
}
