//! The one map from refusal to HTTP status. Every error answer of both listeners is made here.
//!
//! Two audiences: the caller gets what it needs to mend its request, as `application/problem+json`; the log gets the rest, once.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::event::EventError;
use crate::registry::RegistryError;
use crate::signature;
use crate::source::MapError;
use crate::store::StoreError;
use crate::tables::TableError;
use crate::token::Role;

/// Seconds after which a caller that was shed may try again: the time a full house needs to empty.
const RETRY_AFTER_S: &str = "1";

/// Every code of an error answer. A code keeps its meaning: what is gone is not used again.
pub const CODES: &[&str] = &[
    "broken-off",
    "conflict",
    "content-encoding",
    "content-type",
    "gate",
    "header",
    "if-match",
    "internal",
    "journal",
    "loopback-only",
    "method",
    "no-route",
    "not-found",
    "overloaded",
    "query",
    "role",
    "shape",
    "setup",
    "signature",
    "slow-down",
    "stale",
    "still-running",
    "syntax",
    "token",
    "too-large",
    "too-many",
    "too-slow",
    "unknown-source",
];

/// Why a request gets no decision.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No source of that name.
    #[error("there is no source `{0}`; add [sources.{0}] to the config")]
    UnknownSource(String),
    /// The source takes calls from this machine only.
    #[error("this source takes unsigned calls from this machine only; configure a source with a secret for others")]
    NotFromHere,
    /// No such page.
    #[error("there is nothing here; events go to POST /hooks/SOURCE, the API is under /v1 on the admin listener")]
    NoRoute,
    /// No such record.
    #[error("there is no {0}")]
    NotFound(String),
    /// The path is right, the method is not.
    #[error("only {0} is taken here")]
    Method(String),
    /// The body is compressed.
    #[error("compressed bodies are not taken; send the body without `Content-Encoding`")]
    Compressed,
    /// The body is of another kind, or means nothing to the source.
    #[error("{0}")]
    Map(#[from] MapError),
    /// The body is too large.
    #[error("the body is larger than {0} bytes; send an excerpt, or raise `server.max_body_bytes`")]
    TooLarge(usize),
    /// The body came too slowly.
    #[error("the body did not arrive within {0} ms")]
    TooSlow(u64),
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// The call does not prove that it comes from the desk.
    #[error("{}", .0.caller())]
    Signature(signature::Refusal),
    /// The token is missing or wrong.
    #[error(
        "this needs the header `Authorization: Bearer TOKEN`, with a token that is neither revoked nor expired, or the one from \
         `admin.token` in the data directory"
    )]
    Token,
    /// Wrong tokens came from this address, one after the other.
    #[error("too many wrong tokens came from this address; wait {0} s")]
    SlowDown(u64),
    /// The token is right and may not do this.
    #[error("this needs the role `{needs}`, and the token has the role `{has}`; ask an admin for another token")]
    Role {
        /// What it has.
        has: Role,
        /// The least that may.
        needs: Role,
    },
    /// A header is wrong.
    #[error("{0}")]
    Header(String),
    /// The body of an admin's request is of another kind.
    #[error("the body is to be JSON: send it with `Content-Type: application/json`")]
    NotJson,
    /// The body of an admin's request is too large.
    #[error("the body is larger than {0} bytes")]
    Long(usize),
    /// The body of an admin's request is not JSON.
    #[error("the body is not JSON: {0}")]
    Syntax(String),
    /// A part of the body of an admin's request is wrong.
    #[error("`{pointer}` {problem}")]
    Body {
        /// Where.
        pointer: String,
        /// What.
        problem: String,
    },
    /// A change does not say what it was made from.
    #[error("a change needs the header If-Match with the ETag of what it was made from; GET the set-up first")]
    IfMatch,
    /// A change of plugins or set-ups that is not made.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file of rows of another kind.
    #[error("rows come as a JSON array of objects (`Content-Type: application/json`) or as CSV with a header (`text/csv`)")]
    NotRows,
    /// A change of a table that is not made.
    #[error("{}", told(.0))]
    Table(#[from] TableError),
    /// The record is there, but not in a state for this.
    #[error("{0}")]
    Conflict(String),
    /// A query parameter is wrong.
    #[error("{0}")]
    Query(String),
    /// More than the source's rate.
    #[error("source `{0}` sends faster than its `max_per_second`; send it again")]
    TooMany(String),
    /// All places are taken.
    #[error("all places are taken; send it again")]
    Overloaded,
    /// The same event is being decided and takes longer than this caller can wait.
    #[error("this event is being decided; send it again for the decision")]
    StillRunning,
    /// The journal cannot take it.
    #[error("{}", caller(.0))]
    Store(#[from] StoreError),
    /// A fault of ours.
    #[error("a fault in signalbox; the log has more, under this answer's request id")]
    Internal(String),
}

/// What a caller hears of the store: its own mistake in full, ours without our paths.
fn caller(error: &StoreError) -> String {
    match error {
        StoreError::Cursor => error.to_string(),
        _ => "the journal cannot be written now; nothing was lost, send it again".to_owned(),
    }
}

/// What a caller hears of a table: our own trouble without our paths.
fn told(error: &TableError) -> String {
    match error {
        TableError::Store(error) => caller(error),
        TableError::Fault(fault) if !fault.pointer.is_empty() => format!("`{}` {fault}", fault.pointer),
        other => other.to_string(),
    }
}

impl ApiError {
    /// The stable code of its answer: one of [`CODES`].
    pub fn code(&self) -> &'static str {
        self.status().1
    }

    /// The status and a stable code.
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::UnknownSource(_) => (StatusCode::NOT_FOUND, "unknown-source"),
            Self::NotFromHere => (StatusCode::FORBIDDEN, "loopback-only"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "no-route"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Compressed => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding"),
            Self::Map(MapError::Content(_) | MapError::NotCloudEvent | MapError::WantsCloudEvent) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type")
            }
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, "too-slow"),
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "broken-off"),
            Self::Signature(_) => (StatusCode::UNAUTHORIZED, "signature"),
            Self::Token => (StatusCode::UNAUTHORIZED, "token"),
            Self::SlowDown(_) => (StatusCode::TOO_MANY_REQUESTS, "slow-down"),
            Self::Role { .. } => (StatusCode::FORBIDDEN, "role"),
            Self::Header(_) => (StatusCode::BAD_REQUEST, "header"),
            Self::Table(TableError::Fault(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "shape"),
            Self::Table(TableError::NotFound(_)) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Table(TableError::Full(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Table(TableError::Store(_)) => (StatusCode::SERVICE_UNAVAILABLE, "journal"),
            Self::NotJson | Self::NotRows => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type"),
            Self::Long(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Syntax(_) => (StatusCode::BAD_REQUEST, "syntax"),
            Self::Body { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "shape"),
            Self::Map(MapError::Event(EventError::Syntax(_))) => (StatusCode::BAD_REQUEST, "syntax"),
            Self::Map(MapError::Event(EventError::Shape { .. })) => (StatusCode::UNPROCESSABLE_ENTITY, "shape"),
            Self::Query(_) | Self::Store(StoreError::Cursor) => (StatusCode::BAD_REQUEST, "query"),
            Self::Conflict(_) | Self::Registry(RegistryError::Taken { .. } | RegistryError::InUse { .. } | RegistryError::Bundled(_)) => {
                (StatusCode::CONFLICT, "conflict")
            }
            Self::IfMatch => (StatusCode::PRECONDITION_REQUIRED, "if-match"),
            Self::Registry(RegistryError::Stale(_)) => (StatusCode::PRECONDITION_FAILED, "stale"),
            Self::Registry(RegistryError::Setup(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "setup"),
            Self::Registry(RegistryError::Refused(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "gate"),
            Self::Registry(RegistryError::NotFound(_)) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Registry(RegistryError::Store(_)) => (StatusCode::SERVICE_UNAVAILABLE, "journal"),
            Self::Registry(RegistryError::Internal(_)) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::StillRunning => (StatusCode::SERVICE_UNAVAILABLE, "still-running"),
            Self::Store(StoreError::Unavailable { .. } | StoreError::Corrupt { .. } | StoreError::Locked(_) | StoreError::Newer { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "journal")
            }
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        debug_assert!(CODES.contains(&code), "`{code}` is not among the codes");
        match &self {
            // Which part of the check failed is for whoever runs the host; whoever calls gets less.
            Self::Signature(refusal) => tracing::info!(code, reason = %refusal, "call refused"),
            Self::Store(error) if status.is_server_error() => tracing::error!(code, reason = %error, "journal unavailable"),
            Self::Internal(reason) => tracing::error!(code, %reason, "request failed"),
            other => tracing::debug!(code, reason = %other, "request refused"),
        }
        let mut body = json!({
            "type": format!("urn:signalbox:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("refused"),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        if let Self::Map(MapError::Event(EventError::Shape { pointer, .. })) = &self {
            body["pointer"] = pointer.clone().into();
        }
        match &self {
            Self::Body { pointer, .. } => body["pointer"] = pointer.clone().into(),
            Self::Table(TableError::Fault(fault)) => body["pointer"] = fault.pointer.clone().into(),
            Self::Role { needs, .. } => body["needs"] = needs.word().into(),
            Self::Registry(RegistryError::Setup(problems)) => body["problems"] = json!(problems),
            Self::Registry(RegistryError::Refused(report)) => body["report"] = json!(report),
            Self::Registry(RegistryError::Stale(revision)) => body["revision"] = (*revision).into(),
            _ => {}
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        match self {
            Self::Method(allowed) => {
                headers.extend(HeaderValue::try_from(allowed).map(|allowed| (ALLOW, allowed)));
            }
            Self::SlowDown(seconds) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::Token => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
