//! `/v1/approvals`: what a person must agree to before it leaves.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::body::{Filter, Json};
use super::change::{Change, PLAIN, TICKET_CHARS, WHY_CHARS};
use crate::app::App;
use crate::error::ApiError;
use crate::store::{ApprovalQuery, Page, Ruled, StoredApproval};

/// A yes or a no.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Ruling")]
pub(super) struct Ruling {
    /// Why; a no needs one.
    #[schemars(length(min = 1, max = WHY_CHARS), regex(pattern = PLAIN))]
    why: Option<String>,
    /// The number of the change ticket, for the audit log.
    #[schemars(length(min = 1, max = TICKET_CHARS), regex(pattern = PLAIN))]
    change: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Filter(query): Filter<ApprovalQuery>,
) -> Result<Json<Page<StoredApproval>>, ApiError> {
    Ok(Json(app.store.approvals(&query).await?))
}

pub(super) async fn approve(
    app: State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    change: Change,
    ruling: Json<Ruling>,
) -> Result<Json<StoredApproval>, ApiError> {
    rule(app, id, change, ruling, true).await
}

pub(super) async fn reject(
    app: State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    change: Change,
    ruling: Json<Ruling>,
) -> Result<Json<StoredApproval>, ApiError> {
    rule(app, id, change, ruling, false).await
}

async fn rule(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    change: Change,
    Json(Ruling { why, change: ticket }): Json<Ruling>,
    approve: bool,
) -> Result<Json<StoredApproval>, ApiError> {
    let Path(id) = id.map_err(|_| unknown())?;
    let found = app.store.approval(&id).await?.ok_or_else(unknown)?;
    let (has, needs) = (change.caller().role, app.workflow.approver(found.needs));
    if has < needs {
        return Err(ApiError::Role { has, needs });
    }
    let change = change.explained(why, ticket)?;
    let entry = change.entry(if approve { "approval.approve" } else { "approval.reject" }, &id);
    if !approve && entry.why.is_none() {
        return Err(ApiError::Body { pointer: "/why".to_owned(), problem: "is missing: a no says why".to_owned() });
    }
    match app.store.rule(&id, approve, entry, &app.calendars).await? {
        Ruled::Unknown => Err(unknown()),
        Ruled::Not(state) => Err(ApiError::Conflict(format!("this approval is {}; only one that waits is settled", state.word()))),
        Ruled::Done(happened) => {
            app.happened(&happened);
            app.metrics.workflow.ruled(approve);
            app.delivery.wake();
            Ok(Json(app.store.approval(&id).await?.ok_or_else(unknown)?))
        }
    }
}

fn unknown() -> ApiError {
    ApiError::NotFound("approval with this id".to_owned())
}
