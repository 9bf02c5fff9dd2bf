//! Minted tokens: rows that know a token's hash, never the token.
//!
//! Called by the admin API: made and revoked together with their audit entry, and looked up on every call. A row stays when its token
//! is revoked, so that the audit log's ids keep their names.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::millis;
use super::read::{LIMIT, Page, before};
use super::{Entry, Store, StoreError, digest};
use crate::event::Timestamp;
use crate::token::Role;

const COLUMNS: &str = "seq, id, name, role, made, expires, revoked, used";

/// A token, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Token {
    /// What it is known by; the part between `sbx_` and the next `_`.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub made: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was last used, to some minutes.
    pub last_used: Option<Timestamp>,
}

impl Token {
    /// Whether it is taken at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// Which tokens.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenQuery {
    /// Length of the page: 1 to 200, 50 if absent; anything else is taken to the nearer end.
    #[schemars(range(max = 4_294_967_295_u32))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[0-9a-f]{1,15}$"))]
    pub cursor: Option<String>,
}

impl Store {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn create_token(&self, token: Token, hash: [u8; 32], mut entry: Entry) -> Result<(), StoreError> {
        entry.after = Some(digest(&token));
        let insert = self.change(entry, move |conn, _| {
            const SQL: &str = "INSERT INTO tokens (id, name, role, hash, made, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let Token { id, name, role, made, expires, .. } = &token;
            conn.prepare_cached(SQL)?.execute(params![id, name, role.word(), hash, millis(*made), expires.map(millis)]).map(Some)
        });
        insert.await.map(drop)
    }

    /// Revokes a token at this moment, for good. Says whether there is one with this id; revoking it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn revoke_token(&self, id: &str, at: Timestamp, entry: Entry) -> Result<bool, StoreError> {
        let id = id.to_owned();
        if self.token(&id)?.is_none() {
            return Ok(false);
        }
        let revoke = self.change(entry, move |conn, entry| {
            let Some((token, _)) = find(conn, &id)?.filter(|(token, _)| token.revoked.is_none()) else { return Ok(None) };
            conn.prepare_cached("UPDATE tokens SET revoked = ?2 WHERE id = ?1")?.execute(params![id, millis(at)])?;
            (entry.before, entry.after) = (Some(digest(&token)), Some(digest(&Token { revoked: Some(at), ..token })));
            Ok(Some(()))
        });
        revoke.await.map(|_| true)
    }

    /// The token with this id, and its hash. One point read, on the caller's thread.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be read: then nobody is let in by it.
    pub fn token(&self, id: &str) -> Result<Option<(Token, [u8; 32])>, StoreError> {
        self.inner.lookups.read(|conn| find(conn, id))
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not durable.
    pub async fn note_use(&self, id: String, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE tokens SET used = ?2 WHERE id = ?1";
        self.inner.writer.write(move |conn| conn.prepare_cached(SQL)?.execute(params![id, millis(at)]).map(drop)).await
    }

    /// A page of all tokens, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] for a cursor of somebody's own making; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when they
    /// cannot be read.
    pub async fn tokens(&self, query: &TokenQuery) -> Result<Page<Token>, StoreError> {
        let (limit, before) = (query.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1), before(query.cursor.as_deref())?);
        self.read(move |conn| {
            let sql = format!("SELECT {COLUMNS} FROM tokens WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2");
            let mut statement = conn.prepare_cached(&sql)?;
            let found = statement.query_map([before, i64::from(limit) + 1], |row| Ok((row.get(0)?, token(row)?)))?;
            Ok(Page::of(found.collect::<rusqlite::Result<_>>()?, limit as usize))
        })
        .await
    }
}

fn find(conn: &Connection, id: &str) -> rusqlite::Result<Option<(Token, [u8; 32])>> {
    let sql = format!("SELECT {COLUMNS}, hash FROM tokens WHERE id = ?1");
    conn.prepare_cached(&sql)?.query_row([id], |row| Ok((token(row)?, row.get(8)?))).optional()
}

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(|time| Timestamp(time.unsigned_abs())));
    let role = row.get_ref(3)?.as_str()?.parse().map_err(|_| rusqlite::types::FromSqlError::InvalidType)?;
    Ok(Token {
        id: row.get(1)?,
        name: row.get(2)?,
        role,
        made: Timestamp(row.get::<_, i64>(4)?.unsigned_abs()),
        expires: time(5)?,
        revoked: time(6)?,
        last_used: time(7)?,
    })
}
