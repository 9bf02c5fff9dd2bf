//! What the journal promises when the host is killed, the disk is full or the file is damaged.
//!
//! Run by `cargo test`, with the harness of `tests.rs`. It must never touch a file outside its temporary directories.

use rusqlite::Connection;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_recorded_is_there_after_a_crash_and_a_torn_log_is_a_shorter_one() {
    let (dir, store) = open();
    let events: Vec<Event> = (0..200).map(|n| event(&format!("m{n}"))).collect();
    let record = |event: Event| {
        let store = store.clone();
        tokio::spawn(async move { run(&store, &event).await })
    };
    let records: Vec<_> = events.iter().cloned().map(record).collect();
    for record in records {
        record.await.unwrap().unwrap();
    }
    let image = crashed(dir.path());
    let after = Store::open(image.path()).unwrap();
    events.iter().for_each(|event| drop(known(&after, keys(event))));

    let whole = std::fs::read(dir.path().join("signalbox.db-wal")).unwrap();
    for tenths in 0..10 {
        let torn = crashed(dir.path());
        std::fs::write(torn.path().join("signalbox.db-wal"), &whole[..whole.len() * tenths / 10]).unwrap();
        let after = Store::open(torn.path()).unwrap();
        let kept = events.iter().filter(|event| matches!(after.claim(keys(event)).unwrap(), Claim::Known(_))).count();
        assert_eq!(after.decisions(&Query { limit: Some(200), ..Query::default() }).await.unwrap().items.len(), kept);
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_after_an_unclean_stop() {
    let (dir, store) = open();
    for n in 0..20 {
        run(&store, &event(&format!("m{n}"))).await.unwrap();
    }
    store.close().await.unwrap();
    let file = dir.path().join(FILE);
    let conn = Connection::open(&file).unwrap();
    conn.execute("UPDATE meta SET value = 0 WHERE name = 'clean'", []).unwrap();
    let root: u32 = conn.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'decisions'", [], |row| row.get(0)).unwrap();
    drop(conn);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[(root as usize - 1) * 4_096..][..64].fill(0x5a);
    std::fs::write(&file, bytes).unwrap();
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(&refused, StoreError::Corrupt { file: named, .. } if *named == file), "{refused}");
    assert!(refused.to_string().contains("restore a backup"));
}

#[tokio::test]
async fn a_full_disk_refuses_and_heals_by_itself() {
    let (_dir, store) = open();
    let first = run(&store, &event("m1")).await.unwrap();
    let room = |pages: u32| {
        let limit = move |conn: &Connection| conn.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, u32>(0));
        store.inner.writer.write(limit)
    };
    room(1).await.unwrap();
    let large = Event { text: "x".repeat(60_000), ..event("m2") };
    let refused = run(&store, &large).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }) && refused.to_string().contains("free some space"), "{refused}");
    assert!(store.healthy().await.is_err());
    assert_eq!(known(&store, keys(&event("m1"))), first, "reading goes on");
    room(1_000_000).await.unwrap();
    store.healthy().await.unwrap();
    run(&store, &large).await.unwrap();
    known(&store, keys(&large));
}

#[tokio::test]
async fn the_directory_is_one_hosts_until_its_store_is_gone() {
    let (dir, store) = open();
    let clone = store.clone();
    store.close().await.unwrap();
    assert_eq!(Store::open(dir.path()).unwrap_err(), StoreError::Locked(dir.path().to_owned()));
    assert!(clone.healthy().await.is_err());
    drop(clone);
    Store::open(dir.path()).unwrap();
}
