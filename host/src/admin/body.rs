//! Queries and bodies, read into types, with the place of whatever is wrong in them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer, Serialize};
use serde_path_to_error::Segment;
use tokio::time::timeout;

use super::MAX_BODY_BYTES;
use crate::app::App;
use crate::error::ApiError;

/// JSON, in or out.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        json(&bytes(request, app, app.body_timeout, MAX_BODY_BYTES).await?).map(Self)
    }
}

/// A whole body, within its time. The cap itself is the route's; `cap` is what the caller is told of it.
///
/// # Errors
/// When it is too long, too slow, or breaks off.
pub(super) async fn bytes(request: Request<Body>, app: &Arc<App>, within: Duration, cap: usize) -> Result<Bytes, ApiError> {
    match timeout(within, Bytes::from_request(request, app)).await {
        Err(_) => Err(ApiError::TooSlow(within.as_millis() as u64)),
        Ok(Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)))) => Err(ApiError::Long(cap)),
        Ok(Err(_)) => Err(ApiError::BrokenOff),
        Ok(Ok(body)) => Ok(body),
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => (StatusCode::OK, [(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => ApiError::Internal(format!("an answer has no JSON form: {error}")).into_response(),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a whole body as JSON.
///
/// # Errors
/// With the place of what is wrong.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // serde also reads a struct from a list of its fields in order; no schema says so.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::Body { pointer: String::new(), problem: "is a list; send an object".to_owned() });
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer: String = error.path().iter().map(|segment| format!("/{}", place(segment))).collect();
        match error.into_inner() {
            error if error.is_data() => ApiError::Body { pointer, problem: error.to_string() },
            error => ApiError::Syntax(error.to_string()),
        }
    })?;
    json.end().map_err(|error| ApiError::Syntax(error.to_string()))?;
    Ok(value)
}

fn place(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } | Segment::Enum { variant: key } => key.replace('~', "~0").replace('/', "~1"),
        Segment::Unknown => "?".to_owned(),
    }
}

/// A whole number, also when it is written `60.0`: to JSON Schema that is an integer, and some languages write every number so.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else { return Ok(None) };
    // Up to 2^53 a float holds every whole number.
    let exact = |number: f64| number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    let value = number.as_u64().or_else(|| number.as_f64().filter(|number| exact(*number)).map(|number| number as u64));
    value.map(Some).ok_or_else(|| D::Error::custom("is not a whole number"))
}

/// The query parameters.
pub(super) struct Filter<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Filter<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(query));
        read.map(Self).map_err(|error| match error.path().iter().next() {
            Some(Segment::Map { key }) => ApiError::Query(format!("`{key}`: {}", error.inner())),
            _ => ApiError::Query(error.inner().to_string()),
        })
    }
}
