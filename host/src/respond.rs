//! Turns what the journal holds about an event into the answer its caller gets.
//!
//! Called by the webhook only; a decision's record is durable by then. A repeat gets the recorded bytes, not a second rendering.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::signature::ChallengeAnswer;
use crate::store::Recorded;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Says that the event was decided before, and that this is that decision.
const DUPLICATE: HeaderName = HeaderName::from_static("signalbox-duplicate");
/// Says why an event was not run.
const DROPPED: HeaderName = HeaderName::from_static("signalbox-dropped");
/// Says which tables were filled.
const FED: HeaderName = HeaderName::from_static("signalbox-fed");
/// Says what was observed.
const OBSERVED: HeaderName = HeaderName::from_static("signalbox-observed");

/// The answers of the web-hook validation.
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// Whether this call made the decision or found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// By this call.
    Now,
    /// By an earlier copy of the event.
    Before,
}

/// `200` with the decision.
pub fn decision(recorded: &Recorded, made: Made) -> Response {
    let mut response = (StatusCode::OK, [(CONTENT_TYPE, JSON)], recorded.decision_json.to_string()).into_response();
    if made == Made::Before {
        response.headers_mut().insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    response
}

/// `202`: the event is durable and will be decided.
pub fn receipt(source: &str, event_id: &str) -> Response {
    let body = json!({ "status": "accepted", "source": source, "event_id": event_id });
    (StatusCode::ACCEPTED, [(CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

/// `200`: what a desk's challenge wants to read.
pub fn challenge(answer: ChallengeAnswer) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static(answer.content_type))], answer.body).into_response()
}

/// `204`: events of this origin may be sent here (CloudEvents, HTTP 1.1 Web Hooks for Event Delivery). How fast is told by 429.
pub fn validation(origin: HeaderValue) -> Response {
    let headers = [(ALLOWED_ORIGIN, origin), (ALLOWED_RATE, HeaderValue::from_static("*")), (ALLOW, HeaderValue::from_static("POST"))];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `204`: not for the chain, and why.
pub fn dropped(reason: &str) -> Response {
    passed(DROPPED, reason)
}

/// `204`: recorded against its ticket, and what it was.
pub fn observed(what: &str) -> Response {
    passed(OBSERVED, what)
}

/// `204`: rows of these tables say something else now.
pub fn fed(tables: &str) -> Response {
    passed(FED, tables)
}

fn passed(name: HeaderName, reason: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    // A header is ASCII; the log has the reason as it was written.
    let ascii: String = reason.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    if let Ok(reason) = HeaderValue::from_str(&ascii) {
        response.headers_mut().insert(name, reason);
    }
    response
}
