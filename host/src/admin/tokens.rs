//! `/v1/tokens`: who may call the admin API.
//!
//! A token is shown in the answer that makes it and nowhere else; what is kept is its hash. The boot token is a file of the data
//! directory and no row: it is not listed, and not revoked here.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::{Filter, Json, whole};
use super::change::{Change, PLAIN, TICKET_CHARS, WHY_CHARS, plain};
use crate::app::App;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::store::{Page, Token, TokenQuery};
use crate::token::{Role, mint};

/// Longest name of a token, characters.
const NAME_CHARS: usize = 100;
/// Longest life of a token that has an end, seconds: ten years.
const LIFE_S: u64 = 315_360_000;

/// A token that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewToken")]
pub(super) struct New {
    /// Whose it is, or what for.
    #[schemars(length(min = 1, max = NAME_CHARS), regex(pattern = PLAIN))]
    name: String,
    /// What it may do.
    role: Role,
    /// How long it is taken, seconds, at most ten years; without it, until it is revoked.
    #[schemars(range(min = 1, max = LIFE_S))]
    #[serde(default, deserialize_with = "whole")]
    expires_in_s: Option<u64>,
    /// Why it is made, for the audit log.
    #[schemars(length(min = 1, max = WHY_CHARS), regex(pattern = PLAIN))]
    why: Option<String>,
    /// The number of the change ticket, for the audit log.
    #[schemars(length(min = 1, max = TICKET_CHARS), regex(pattern = PLAIN))]
    change: Option<String>,
}

/// A token that was made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeToken")]
pub(super) struct Made {
    /// The token itself: it is not shown again.
    token: String,
    #[serde(flatten)]
    row: Token,
}

pub(super) async fn list(State(app): State<Arc<App>>, Filter(query): Filter<TokenQuery>) -> Result<Json<Page<Token>>, ApiError> {
    Ok(Json(app.store.tokens(&query).await?))
}

pub(super) async fn create(State(app): State<Arc<App>>, change: Change, Json(new): Json<New>) -> Result<Response, ApiError> {
    let fault = |pointer: &str, problem| ApiError::Body { pointer: pointer.to_owned(), problem };
    let change = change.explained(new.why, new.change)?;
    let name = plain(new.name, NAME_CHARS).map_err(|problem| fault("/name", problem))?;
    if new.expires_in_s.is_some_and(|life| life == 0 || life > LIFE_S) {
        return Err(fault("/expires_in_s", format!("is not between 1 and {LIFE_S} seconds; leave it out for a token without an end")));
    }
    let made = change.at();
    let expires = new.expires_in_s.map(|life| Timestamp(made.0 + life * 1_000));
    let minted = mint().map_err(ApiError::Internal)?;
    let row = Token { id: minted.id, name, role: new.role, made, expires, revoked: None, last_used: None };
    let entry = change.entry("token.create", &row.id);
    app.store.create_token(row.clone(), minted.hash, entry).await?;
    Ok((StatusCode::CREATED, Json(Made { token: minted.token, row })).into_response())
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    change: Change,
) -> Result<StatusCode, ApiError> {
    let unknown = || ApiError::NotFound("token with this id; the boot token is the file `admin.token` in the data directory".to_owned());
    let Path(id) = id.map_err(|_| unknown())?;
    let (at, entry) = (change.at(), change.entry("token.revoke", &id));
    if app.store.revoke_token(&id, at, entry).await? { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}
