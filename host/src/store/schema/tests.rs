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
fn clocks_of_an_earlier_version_are_counted_when_the_file_is_taken_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signalbox.db");
    let conn = Connection::open(&file).unwrap();
    let before = MIGRATIONS.iter().position(|step| *step == counts::COUNTS).unwrap();
    MIGRATIONS[..before].iter().for_each(|step| conn.execute_batch(step).unwrap());
    conn.pragma_update(None, "user_version", u32::try_from(before).unwrap()).unwrap();
    for (id, phase, spent, times) in [
        ("a", "met", 60_000, "NULL, NULL, 3700000"),
        ("b", "breached", 90_000, "1, 7200000, 7205000"),
        ("c", "running", 0, "NULL, NULL, NULL"),
    ] {
        let row = format!(
            "INSERT INTO clocks (id, source, subject, clock, decision, event, started, target_ms, phase, spent_ms, warned, breached, ended) \
             VALUES ('{id}', 'desk', 's', 'resolution', 'd', 1, 3600000, 90000, '{phase}', {spent}, {times})"
        );
        conn.execute_batch(&row).unwrap();
    }
    drop(conn);
    let conn = open(&file).unwrap();
    let mut statement = conn.prepare("SELECT part, hour / 3600000, n, sum FROM tallies WHERE kind = 'clock' ORDER BY part").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    let found: Vec<(String, i64, i64, i64)> = rows.map(Result::unwrap).collect();
    let wanted = [("breached", 2, 1, 0), ("late", 2, 1, 5_000), ("met", 1, 1, 60_000), ("started", 1, 3, 0), ("warned", 0, 1, 0)];
    assert_eq!(found, wanted.map(|(part, hour, n, sum)| (part.to_owned(), hour, n, sum)));
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
