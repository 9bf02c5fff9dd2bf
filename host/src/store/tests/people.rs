//! What the store promises about people: tokens are kept as hashes, and the audit log only grows.
//!
//! Run by `cargo test`, with the harness of `tests.rs`. It must never need a host.

use super::*;
use crate::event::Timestamp;
use crate::token::{Role, mint};

fn entry(action: &str, subject: &str) -> Entry {
    let text = str::to_owned;
    let (token, name, role, request) = (text("boot"), text("admin.token"), text("admin"), text("0"));
    let (action, subject, why) = (text(action), text(subject), Some(text("a reason")));
    Entry { at: Timestamp(5), token, name, role, action, subject, before: None, after: None, why, change: None, request }
}

fn token(id: &str) -> Token {
    let (id, name) = (id.to_owned(), "ann".to_owned());
    Token { id, name, role: Role::Viewer, made: Timestamp(5), expires: Some(Timestamp(9)), revoked: None, last_used: None }
}

async fn log(store: &Store) -> Vec<Audited> {
    store.audited(&AuditQuery::default()).await.unwrap().items
}

#[tokio::test]
async fn a_change_and_its_entry_are_both_there_or_neither() {
    let (_dir, store) = open();
    store.create_token(token("a"), [7; 32], entry("token.create", "a")).await.unwrap();
    assert_eq!(store.token("a"), Ok(Some((token("a"), [7; 32]))));
    let [made] = log(&store).await.try_into().unwrap();
    assert_eq!((made.seq, &made.entry.after, made.entry.why.as_deref()), (1, &Some(digest(&token("a"))), Some("a reason")));

    store.create_token(token("a"), [8; 32], entry("token.create", "a")).await.unwrap_err();
    assert_eq!(store.token("a"), Ok(Some((token("a"), [7; 32]))), "an id is given once");
    assert_eq!(log(&store).await.len(), 1, "what was not done is not in the log");
}

#[tokio::test]
async fn a_token_is_revoked_once_and_stays_in_the_list() {
    let (_dir, store) = open();
    store.create_token(token("a"), [7; 32], entry("token.create", "a")).await.unwrap();
    assert!(token("a").is_live(Timestamp(8)) && !token("a").is_live(Timestamp(9)), "it expires");
    for at in [6, 7] {
        assert_eq!(store.revoke_token("a", Timestamp(at), entry("token.revoke", "a")).await, Ok(true));
    }
    assert_eq!(store.revoke_token("b", Timestamp(6), entry("token.revoke", "b")).await, Ok(false));
    let [revoked] = store.tokens(&TokenQuery::default()).await.unwrap().items.try_into().unwrap();
    assert_eq!(revoked, Token { revoked: Some(Timestamp(6)), ..token("a") });
    assert!(!revoked.is_live(Timestamp(6)));
    let [last, _] = log(&store).await.try_into().unwrap();
    assert_eq!((last.entry.before, last.entry.after), (Some(digest(&token("a"))), Some(digest(&revoked))));
}

#[tokio::test]
async fn the_file_holds_no_token() {
    let (dir, store) = open();
    let minted = mint().unwrap();
    store.create_token(token(&minted.id), minted.hash, entry("token.create", &minted.id)).await.unwrap();
    store.close().await.unwrap();
    let secret = minted.token.rsplit('_').next().unwrap();
    let bytes = std::fs::read(dir.path().join(FILE)).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(minted.id.as_bytes()) && holds(&minted.hash));
    assert!(!holds(secret.as_bytes()) && !holds(&hex::decode(secret).unwrap()));
}

#[tokio::test]
async fn the_audit_log_takes_an_entry_and_gives_none_back() {
    let (_dir, store) = open();
    for n in 0..3 {
        store.audit(entry("chain.apply", &format!("g{n}"))).await.unwrap();
    }
    let before = log(&store).await;
    for sql in [
        "UPDATE audit SET name = 'somebody else'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 3",
        "REPLACE INTO audit SELECT seq, 0, '', '', '', '', '', NULL, NULL, NULL, NULL, '' FROM audit WHERE seq = 2",
        "INSERT INTO audit SELECT * FROM audit WHERE seq = 2 ON CONFLICT DO UPDATE SET name = ''",
    ] {
        let refused = store.inner.writer.write(move |conn| conn.execute(sql, [])).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(log(&store).await, before);
    store.audit(entry("chain.apply", "g3")).await.unwrap();
    assert_eq!(log(&store).await.len(), 4, "it still grows");
}

#[tokio::test]
async fn pages_of_the_log_enumerate_what_a_query_asks_for_once() {
    let (_dir, store) = open();
    for n in 0..25_u64 {
        let change = (n == 7).then(|| "CHG-7".to_owned());
        store.audit(Entry { at: Timestamp(n), change, ..entry(["a.b", "c.d"][n as usize % 2], &n.to_string()) }).await.unwrap();
    }
    let (mut query, mut seen) = (AuditQuery { action: Some("a.b".into()), limit: Some(4), ..AuditQuery::default() }, Vec::new());
    loop {
        let page = store.audited(&query).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.entry.at.0));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).rev().filter(|n| n % 2 == 0).collect::<Vec<_>>());
    for (query, count) in [
        (r#"{"actor": "admin.token"}"#, 25),
        (r#"{"actor": "boot", "since": "1970-01-01T00:00:00.010Z", "until": "1970-01-01T00:00:00.012Z"}"#, 2),
        (r#"{"actor": "ann"}"#, 0),
        (r#"{"subject": "3"}"#, 1),
        (r#"{"change": "CHG-7"}"#, 1),
    ] {
        assert_eq!(store.audited(&serde_json::from_str(query).unwrap()).await.unwrap().items.len(), count, "{query}");
    }
    let forged = AuditQuery { cursor: Some("x".into()), ..AuditQuery::default() };
    assert_eq!(store.audited(&forged).await.unwrap_err(), StoreError::Cursor);
}
